"""Which brand kit each person of a batch is photographed under: the batch's own, or one of their own.

A line of the roster may name it, and somebody may choose it at the desk, for one person or a whole department. Pictures
under another kit belong to another review: who changes kits begins with what was learned of them, and undecided.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.sentences import tell
from tasks.vault.audit_log import Event, append
from tasks.vault.failures import NoSuchBatch, NotLikeThis
from tasks.vault.records import Batch, Employee, Headshot, Seat, Showing
from tasks.vault.seats import HELD, checked_move
from tasks.vault.store import Vault


def kit_names(folder: Path) -> list[str]:
    """Names of the kits in a folder, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/kit.toml"))


def kits_of(session: Session, batch: Batch) -> dict[str, str]:
    """Employee id to the name of the kit of everybody in the batch."""
    rows = session.exec(select(Seat.employee_id, Seat.kit).where(Seat.batch_id == batch.id)).all()
    return {employee_id: kit or batch.kit for employee_id, kit in rows}


def change_kit(session: Session, batch: Batch, seat: Seat, kit: str) -> bool:
    """This person is photographed under this kit from now on; False where they are already.

    Pictures under another kit leave this batch, and stay where they are shown otherwise. Nothing is learned again.
    """
    wanted = "" if kit == batch.kit else kit
    if seat.kit == wanted:
        return False
    seat.kit = wanted
    seat.round, seat.chances, seat.answered, seat.fell_short, seat.wishes = 0, 0, None, None, {}
    seat.longer_from = None if seat.longer_from is None else 0
    of_others = select(Headshot.digest).where(Headshot.employee_id == seat.employee_id, Headshot.kit != kit)
    mine = col(Showing.batch_id) == batch.id, col(Showing.employee_id) == seat.employee_id
    session.execute(sa.delete(Showing).where(*mine, col(Showing.headshot_digest).in_(of_others)))
    if seat.state not in HELD:
        seat.state = checked_move(seat.state, "ready")
        seat.reason = "opted_out" if seat.lane == "faithful" else None
    return True


def choose_kit(
    vault: Vault, batch_id: str, people: Collection[str], kit: str, known: Collection[str], now: datetime
) -> int:
    """Somebody chose this kit for these people of a batch; how many of them had another one.

    Their pictures are taken when the batch is run next. Raises NotLikeThis for a kit that is not in `known`, and while
    a run makes the batch.
    """
    if kit not in known:
        raise NotLikeThis(tell("kits.no_such", kits=", ".join(sorted(known))))
    with vault.session() as session:
        batch = session.exec(select(Batch).where(col(Batch.id) == batch_id).with_for_update()).first()
        if batch is None:
            raise NoSuchBatch
        if batch.lease_holder and batch.lease_until is not None and batch.lease_until > now:
            raise NotLikeThis(tell("kits.running"))
        seats = session.exec(select(Seat).where(Seat.batch_id == batch_id)).all()
        changed = [seat for seat in seats if seat.employee_id in people and change_kit(session, batch, seat, kit)]
        _note_by_hand(session, batch, {seat.employee_id for seat in seats} & set(people))
        if changed:
            append(session, [Event("kit_chosen", batch_id, kit, {"people": len(changed)}, "reviewer")], now=now)
    return len(changed)


def chosen_by_hand(batch: Batch) -> frozenset[str]:
    """For whom somebody chose the kit at the desk: a roster that is read again, and names another one, does not undo
    that."""
    return frozenset(map(str, batch.facts.get("kits_by_hand") or ()))


def _note_by_hand(session: Session, batch: Batch, people: Collection[str]) -> None:
    known = chosen_by_hand(batch)
    if not known.issuperset(people):
        batch.facts = {**batch.facts, "kits_by_hand": sorted(known.union(people))}


def department_of(vault: Vault, batch_id: str, department: str) -> set[str]:
    """Everybody of one department in a batch."""
    with vault.reading() as session:
        query = select(Seat.employee_id).join(Employee, col(Employee.id) == col(Seat.employee_id))
        return set(session.exec(query.where(Seat.batch_id == batch_id, Employee.department == department)))
