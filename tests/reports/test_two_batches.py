"""The same people in two batches: what is decided in the older one counts, and nothing that was saved is lost."""

from datetime import timedelta

from sqlmodel import select

from reports.decisions import apply_decisions, events_of
from reports.gather import gather
from tasks.vault.records import Batch, Seat, Showing
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, digest

OLDER, NEWER = "b20261123a", "b20261124b"
ADA = f"p{1:015x}"
FIRST, SECOND = digest("headshot", 1, 0), digest("headshot", 1, 1)


def run_again(vault: Vault) -> None:
    """A newer batch of the same people under the same kit, showing one of their pictures."""
    with vault.session() as session:
        before = session.get_one(Batch, OLDER)
        later = NOON + timedelta(days=1)
        session.add(Batch(**{**before.model_dump(), "id": NEWER, "order_key": NEWER, "created_at": later}))
        for seat in session.exec(select(Seat).where(Seat.batch_id == OLDER)).all():
            session.add(Seat(**{**seat.model_dump(), "batch_id": NEWER}))
        session.add(Showing(batch_id=NEWER, headshot_digest=SECOND, employee_id=ADA, choice=1))


def decide(vault: Vault, batch: str, verdict: str, picture: str | None, hours: int) -> None:
    moment = NOON + timedelta(days=1, hours=hours)
    row = {"employee": ADA, "headshot": picture, "verdict": verdict, "at": moment.isoformat()}
    applied = apply_decisions(vault, {"batch": batch, "decisions": [row]}, "Hannah", moment)
    assert (applied.recorded, applied.refused) == (1, ())


def states(vault: Vault) -> dict[str, str]:
    found = {}
    for batch in (OLDER, NEWER):
        read = gather(vault, batch, now=NOON + timedelta(days=2))
        found[batch] = next(one for one in read.people if one.id == ADA).review.state
    return found


def test_what_is_decided_in_the_older_batch_counts_in_both(vault: Vault) -> None:
    """Approve, redo, opt-out in the older one were answered "saved" and thrown away."""
    run_again(vault)
    for hours, (verdict, state) in enumerate(
        [("approve", "approved"), ("redo", "redo"), ("opt_out", "opted_out")], start=1
    ):
        decide(vault, OLDER, verdict, None if verdict == "opt_out" else FIRST, hours)
        assert states(vault) == {OLDER: state, NEWER: state}
        assert events_of(vault, NEWER)[-1]["verdict"] == verdict


def test_the_newest_approved_picture_is_that_persons_everywhere(vault: Vault) -> None:
    run_again(vault)
    decide(vault, NEWER, "approve", SECOND, 1)
    decide(vault, OLDER, "approve", FIRST, 2)
    with vault.reading() as session:
        shown = {row.batch_id for row in session.exec(select(Showing).where(Showing.headshot_digest == FIRST))}
    assert shown == {OLDER, NEWER}
    for batch in (OLDER, NEWER):
        ada = next(one for one in gather(vault, batch, now=NOON + timedelta(days=2)).people if one.id == ADA)
        assert ada.review.approved == FIRST
        assert [shot.digest for shot in ada.headshots if shot.state == "approved"] == [FIRST]
