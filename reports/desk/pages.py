"""The desk's own pages: signing in, uploading, and what a check found."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from reports.door.door import Session
from reports.gather import viewable
from reports.site import render
from tasks.roster.questions import Asked
from tasks.sentences import tell
from tasks.vault.records import Employee, Headshot, Showing
from tasks.vault.report_files import files_of
from tasks.vault.store import Vault

FACES = 5  # pictures on a batch's card


def login(way: str, name: str = "", error: str = "", back: str = "/") -> str:
    """The page that asks who comes in. `way`: provider | password | here; `back`: where they go on."""
    return render("login.html", root="/", way=way, name=name, error=error, back=back)


def entered(back: str, name: str) -> str:
    """The page on which somebody comes back from the provider, and goes on by itself."""
    return render("entered.html", root="/", back=back, name=name)


def leaving(address: str) -> str:
    """The page on which a browser leaves for the provider's own sign-out; it goes on by itself."""
    return render("leaving.html", root="/", address=address, both=False)


def left(both: bool) -> str:
    """Signed out: `both` here and at the provider, or only here."""
    return render("leaving.html", root="/", address="", both=both)


FAULTS = {202: "written", 403: "refused", 404: "nowhere", 409: "changed", 410: "gone", 413: "large", 422: "changed"}


def fault(status: int, role: str = "", by: str = "", token: str = "") -> str:
    """What went wrong, in words. `role`: theirs, where it does not reach; "none" for who has no role at all. `by` and
    `token`: who is signed in and may sign out."""
    what = "no_role" if role == "none" else "role" if role else FAULTS.get(status, "broken")
    title, text = tell(f"fault.{what}"), tell(f"fault.{what}_detail", role=role)
    return render("fault.html", root="/", title=title, text=text, by=by, token=token)


def faces_of(vault: Vault, batch: str, now: datetime) -> list[str]:
    """The addresses of the first small pictures of a batch that may be shown, for its card."""
    joined = col(Showing.headshot_digest) == col(Headshot.digest)
    with vault.reading() as records:
        active = select(Employee.id).where(col(Employee.state) == "active")
        first = select(Headshot).join(Showing, joined).where(Showing.batch_id == batch, Showing.choice == 1)
        first = first.where(col(Headshot.employee_id).in_(active))
        proposed = records.exec(first.order_by(col(Headshot.digest)).limit(3 * FACES)).all()
    return [face for shot in proposed if (face := _face(vault, batch, shot, now))][:FACES]


def _face(vault: Vault, batch: str, shot: Headshot, now: datetime) -> str | None:
    """The address of a small picture that lies in the report, if it may be shown."""
    below = f"people/{shot.employee_id}/"
    file = next((n for n in files_of(vault, batch).names(below) if n.startswith(f"{below}t-{shot.digest[:16]}-")), None)
    allowed = file is not None and viewable(vault, shot.employee_id, now)
    return f"/batches/{batch}/{file}" if allowed else None


def upload(session: Session, token: str, error: str = "", room: str = "", free: int = 0) -> str:
    """The page that takes a roster and photos. `room`: what there is room for, in words; `free`: bytes, or 0."""
    return render("upload.html", root="/", by=session.by, token=token, error=error, room=room, free=free)


def coming(session: Session, token: str, identity: str) -> str:
    """The page of an upload whose photos are still on their way, and how to go on with it."""
    return render("coming.html", root="/", by=session.by, token=token, id=identity)


def questions(
    session: Session,
    token: str,
    asked: Sequence[Asked],
    error: str,
    plain: Sequence[str],
    shown: str,
    undo: Sequence[tuple[str, str]],
) -> str:
    """What only HR can say, each with its answers. `plain`: what one answer to a merger's questions would do, line by
    line, and `shown` what stands for these lines; `undo`: (question, words) of answers that can be taken back."""
    return render("questions.html", root="/", by=session.by, token=token, asked=asked, error=error, plain=plain,
                  shown=shown, undo=undo)  # fmt: skip


def verify(session: Session, token: str, said: Sequence[str], verdict: str, error: str) -> str:
    """What a picture from anywhere says about itself."""
    return render("verify.html", root="/", by=session.by, token=token, said=said, verdict=verdict, error=error)


def drop(session: Session, token: str, **context: object) -> str:
    """What became of an upload: being checked, checked, or not to be read."""
    return render("drop.html", root="/", by=session.by, token=token, **context)
