"""The desk's own pages: signing in, the list of batches, uploading, and what a check found."""

from collections import Counter

from sqlmodel import col, select

from reports.desk_door import Session
from reports.gather import gather
from reports.pages import in_order, review_state, say_time
from reports.phrases import state_name
from reports.site import render
from reports.site_of_batch import report_folder
from tasks.vault.records import Batch
from tasks.vault.store import Vault

FACES = 5  # pictures on a batch's card
SHOWN = 40  # batches on the first page


def login(asks_password: bool, name: str = "", error: str = "") -> str:
    """The page that asks who comes in."""
    return render("login.html", root="/", asks_password=asks_password, name=name, error=error)


FAULTS = {
    403: ("That was not accepted", "The page was open for too long. Go back, reload it and try again."),
    404: ("There is no such page", "It may have been moved, or the address is not complete."),
    410: ("This is gone", "The person it was about is no longer in our records, or took their consent back."),
    413: ("That is too large", "Send it in parts."),
}


def fault(status: int) -> str:
    """What went wrong, in words."""
    title, text = FAULTS.get(status, ("That did not work", "Try again; if it stays, look at the desk's log."))
    return render("fault.html", root="/", title=title, text=text)


def batches(vault: Vault, session: Session, token: str) -> str:
    """All batches, the newest first, with how far their review has come."""
    with vault.reading() as records:
        found = records.exec(select(Batch).order_by(col(Batch.created_at).desc()).limit(SHOWN)).all()
    cards = [_card(vault, batch) for batch in found]
    return render("batches.html", root="/", by=session.by, token=token, cards=cards)


def _card(vault: Vault, batch: Batch) -> dict[str, object]:
    data = gather(vault, batch.id)
    counts = Counter(review_state(person) for person in data.people)
    folder = report_folder(vault.settings, batch.id) / "people"
    faces: list[str] = []
    for person in data.people:
        shots = in_order(person) if person.viewable else ()
        files = list((folder / person.id).glob(f"t-{shots[0].digest[:16]}-*.webp")) if shots else []
        if files and len(faces) < FACES:
            faces.append(f"/batches/{batch.id}/people/{person.id}/{files[0].name}")
    return {
        "id": batch.id, "kit": data.batch.kit_title, "when": say_time(batch.created_at), "people": len(data.people),
        "faces": faces, "blanks": FACES - len(faces),
        "counts": [(state, state_name(state), number) for state, number in counts.most_common(4)],
    }  # fmt: skip


def upload(session: Session, token: str, error: str = "") -> str:
    """The page that takes a roster and photos."""
    return render("upload.html", root="/", by=session.by, token=token, error=error)


def drop(session: Session, token: str, **context: object) -> str:
    """What became of an upload: being checked, checked, or not to be read."""
    return render("drop.html", root="/", by=session.by, token=token, **context)
