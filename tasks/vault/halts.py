"""A person's word that a batch waits: stopped until somebody carries it on, or held until a second person says yes.

Both are kept in the batch's facts, by whom and when, and both move seats to a state that no run moves on by itself.
What was learned and taken is kept, so carrying on does what was still missing and nothing twice.
"""

from datetime import datetime

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from tasks.sentences import tell
from tasks.vault.audit_log import Event, append
from tasks.vault.failures import NoSuchBatch, NotLikeThis
from tasks.vault.records import Batch, Seat
from tasks.vault.seats import TO_APPROVE, TO_STOP, State, checked_move
from tasks.vault.store import Vault

STOPPED, COST = "stopped", "cost"  # reasons of a seat
ACTOR = "reviewer"  # whoever it was stands in the batch's facts, where a forgetting reaches


def stop_batch(vault: Vault, batch: str, by: str, now: datetime) -> int:
    """Nobody of this batch is worked on any more until `carry_on`; how many people wait for that.

    A step that is at work on somebody ends what it has in hand, and moves nobody on. Safe to repeat.
    """
    with vault.session() as session:
        row = _batch(session, batch)
        seats = session.exec(_seats(batch, TO_STOP)).all()
        for seat in seats:
            seat.state, seat.reason = checked_move(seat.state, "stopped"), STOPPED
        moved = len(seats)
        row.facts = {**row.facts, "stopped": {"by": by, "at": now.isoformat()}}
        append(session, [Event("batch_stopped", batch, "", {"people": moved}, ACTOR)], now=now)
    return moved


def carry_on(vault: Vault, batch: str, by: str, now: datetime) -> int:
    """Takes the stop back: whom it held is ready for the next run, or waits for a second person's yes as before. How
    many people that are."""
    with vault.session() as session:
        row = _batch(session, batch)
        moved = _free(session, batch, ("stopped",))
        if is_held(row):
            _hold(session, row)
        row.facts = {**row.facts, "stopped": {}, "carried_on": {"by": by, "at": now.isoformat()}}
        append(session, [Event("batch_carried_on", batch, "", {"people": moved}, ACTOR)], now=now)
    return moved


def hold_for_approval(vault: Vault, batch: str, ordered_by: str, now: datetime) -> int:
    """Everybody of this run whose face or pictures are still to be made waits for a second person's yes, unless that
    was said of them before. How many people wait. `ordered_by`: who may not say it. Safe to repeat."""
    with vault.session() as session:
        row = _batch(session, batch)
        moved = _hold(session, row)
        waiting = len(session.exec(_seats(batch, ("awaiting_approval",))).all())
        if moved or (waiting and not is_held(row)):
            row.facts = {**row.facts, "held": {"by": ordered_by, "at": now.isoformat()}}
            append(session, [Event("approval_asked", batch, "", {"people": waiting}, ACTOR)], now=now)
    return waiting


def approve_cost(vault: Vault, batch: str, by: str, now: datetime) -> int:
    """A second person's yes: whom the batch held is ready for the next run. How many people that are.

    Raises NotLikeThis when nothing waits, and for whoever ordered it.
    """
    with vault.session() as session:
        row = _batch(session, batch)
        if not is_held(row):
            raise NotLikeThis(tell("start.nothing_waits"))
        if row.facts["held"]["by"] == by:
            raise NotLikeThis(tell("start.somebody_else"))
        held = [seat.employee_id for seat in session.exec(_seats(batch, ("awaiting_approval",)))]
        moved = _free(session, batch, ("awaiting_approval",))
        people = sorted({*_approved(row), *held})
        row.facts = {**row.facts, "held": {}, "approved": {"by": by, "at": now.isoformat(), "people": people}}
        append(session, [Event("approval_given", batch, "", {"people": moved}, ACTOR)], now=now)
    return moved


def is_stopped(batch: Batch) -> bool:
    """Whether somebody has stopped it and nobody carried it on."""
    return bool(batch.facts.get("stopped"))


def is_held(batch: Batch) -> bool:
    """Whether it waits for a second person's yes."""
    return bool(batch.facts.get("held"))


def free_state(batch: Batch) -> State:
    """The state of somebody of this batch whom nothing blocks and for whom nothing was made yet."""
    return "stopped" if is_stopped(batch) else "ready"


def _batch(session: Session, batch: str) -> Batch:
    row = session.exec(select(Batch).where(col(Batch.id) == batch).with_for_update()).first()
    if row is None:
        raise NoSuchBatch
    return row


def _approved(batch: Batch) -> set[str]:
    return set(batch.facts.get("approved", {}).get("people", ()))


def _hold(session: Session, batch: Batch) -> int:
    """Whom a run would work on, and of whom nobody has said yes."""
    known = _approved(batch)
    seats = session.exec(_seats(batch.id, TO_APPROVE).where(col(Seat.cohort).is_not(None))).all()
    moved = [seat for seat in seats if seat.employee_id not in known]
    for seat in moved:
        seat.state, seat.reason = checked_move(seat.state, "awaiting_approval"), COST
    return len(moved)


def _seats(batch: str, states: tuple[State, ...]) -> SelectOfScalar[Seat]:
    return select(Seat).where(Seat.batch_id == batch, col(Seat.state).in_(states))


def _free(session: Session, batch: str, states: tuple[State, ...]) -> int:
    """Ready for the next run; or blocked, where something was found meanwhile. How many are ready."""
    seats = session.exec(_seats(batch, states)).all()
    for seat in seats:
        block = next((str(found["code"]) for found in seat.findings if found["severity"] == "block"), None)
        seat.state = checked_move(seat.state, "blocked" if block else "ready")
        seat.reason = block or ("opted_out" if seat.lane == "faithful" else None)
    return sum(seat.state == "ready" for seat in seats)
