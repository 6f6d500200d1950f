"""One run of the main job, as a record: what was ordered, how everybody stands, what is known about the run.

A batch's id is given once and says nothing. The same order of the same drop is the same batch: running it again
carries on where it stopped, finds nothing to do when it was finished, and takes in what was corrected in the drop.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from tasks.vault.database import reading
from tasks.vault.failures import NoSuchBatch
from tasks.vault.records import Artifact, Batch, DropVersion, Headshot, Seat, new_id
from tasks.vault.seat_kits import kits_of
from tasks.vault.seats import HELD, UNFINISHED, State, checked_move
from tasks.vault.store import Vault

Who = Literal["everybody", "new"]


@dataclass(frozen=True)
class Order:
    """What somebody asked for.

    `people` is "all", or how many of the ready people to photograph ("6"). `who`: everybody on the roster, or only
    those who have no picture under this kit yet.
    """

    drop: str
    kit: str
    quality: str
    base: str
    people: str = "all"
    who: Who = "everybody"

    def limit(self) -> int | None:
        """How many people to photograph; None means everybody."""
        return None if self.people == "all" else int(self.people)


class Notes(TypedDict, total=False):
    """What a step may note in a seat while it moves it on."""

    cause: str | None
    adapter_digest: str
    round: int
    chances: int
    longer_from: int
    fell_short: str | None
    answered: str
    wishes: dict[str, Any]


def order_key(order: Order) -> str:
    """What tells one order from another: everything that was asked for, and nothing of what lies in the drop."""
    return hashlib.sha256(json.dumps(asdict(order), sort_keys=True).encode()).hexdigest()


def open_batch(vault: Vault, order: Order, now: datetime) -> str:
    """Finds the batch of this order, or adds it. Returns its id."""
    key = order_key(order)
    with vault.session() as session:
        _one_at_a_time(session)
        found = session.exec(select(Batch.id).where(Batch.order_key == key)).first()
        if found is None:
            found = new_id("b")
            session.add(
                Batch(
                    id=found, order_key=key, created_at=now, drop=order.drop, kit=order.kit, quality=order.quality,
                    base=order.base,
                    facts={"people": order.people, "who": order.who, "started_at": now.isoformat()},
                )
            )  # fmt: skip
    return found


def _one_at_a_time(session: Session) -> None:
    """Two runs that begin at once find one batch. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("LOCK TABLE batch IN SHARE ROW EXCLUSIVE MODE")


def take_version(vault: Vault, identity: str, digest: str, people: int, now: datetime) -> int:
    """Notes that the drop was read in this state (the digest of its tables); the number of the version."""
    with vault.session() as session:
        batch = _batch(session, identity)
        newest = session.get(DropVersion, (identity, batch.version))
        if newest is None or newest.digest != digest:
            batch.version += 1
            session.add(DropVersion(batch_id=identity, version=batch.version, digest=digest, people=people, at=now))
        return batch.version


def drop_since(vault: Vault, identity: str) -> datetime:
    """Since when the batch's drop is as it was read last."""
    with vault.reading() as session:
        batch = _batch(session, identity)
        newest = session.get(DropVersion, (identity, batch.version))
        return newest.at if newest is not None else batch.created_at


def begin_run(vault: Vault, identity: str, now: datetime) -> None:
    """A run of this batch begins: what it will have done is counted from nought."""
    note_facts(vault, identity, work={}, started_at=now.isoformat())


def try_again(vault: Vault, identity: str) -> None:
    """A person has ordered this batch, perhaps once more: what learning somebody came to before counts no longer.

    A run that goes on by itself after one that died must not ask for this: it does what is left of that order, and whom
    the order has tried is not tried again.
    """
    with vault.session() as session:
        for seat in session.exec(select(Seat).where(Seat.batch_id == identity, Seat.state == "failed")):
            seat.adapter_digest = None


def load_batch(vault: Vault, identity: str) -> Batch:
    """The batch's record; NoSuchBatch when there is none."""
    with vault.reading() as session:
        return _batch(session, identity)


def _batch(session: Session, identity: str) -> Batch:
    batch = session.get(Batch, identity)
    if batch is None:
        raise NoSuchBatch
    return batch


def note_facts(vault: Vault, identity: str, state: str | None = None, **facts: Any) -> None:
    """Adds facts to a batch (numbers, versions, times), and moves its state."""
    with vault.session() as session:
        batch = _batch(session, identity)
        batch.facts = {**batch.facts, **facts}
        batch.state = state or batch.state


def note_work(vault: Vault, identity: str, **done: int) -> None:
    """Counts what a run really did (faces learned, pictures taken), so that it can say so."""
    with vault.session() as session:
        batch = _batch(session, identity)
        work = dict(batch.facts.get("work", {}))
        for what, number in done.items():
            work[what] = work.get(what, 0) + number
        batch.facts = {**batch.facts, "work": work}


def how_far(engine: Engine, identity: str) -> str:
    """A word for how far the batch is, another one as soon as anything was done for anybody who is not blocked."""
    mine = select(Seat.employee_id).where(Seat.batch_id == identity, Seat.state != "blocked")
    kept = select(func.count()).select_from(Artifact).where(col(Artifact.employee_id).in_(mine))
    stand = select(Seat.state, func.count()).where(Seat.batch_id == identity, Seat.state != "blocked")
    with reading(engine) as connection, Session(connection) as session:
        known = [session.exec(kept).one(), *sorted(map(tuple, session.exec(stand.group_by(col(Seat.state)))))]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:12]


def seats_of(vault: Vault, identity: str, *, cohort: int | None = None, states: Sequence[State] = ()) -> list[Seat]:
    """The seats of a batch in roster order; of one cohort, or in some states only."""
    query = select(Seat).where(Seat.batch_id == identity).order_by(col(Seat.position), col(Seat.employee_id))
    if cohort is not None:
        query = query.where(Seat.cohort == cohort)
    if states:
        query = query.where(col(Seat.state).in_(states))
    with vault.reading() as session:
        return list(session.exec(query))


def move_seat(
    vault: Vault,
    identity: str,
    employee_id: str,
    state: State,
    reason: str | None = None,
    **notes: Unpack[Notes],
) -> None:
    """Says how one person stands in one batch. Raises ForbiddenMove where one state does not follow the other."""
    with vault.session() as session:
        seat = session.get(Seat, (identity, employee_id))
        if seat is None:
            raise KeyError(f"{employee_id} has no seat in {identity}")
        if seat.reason == "erased":
            return  # who was forgotten meanwhile keeps the seat that says so, whatever a step still had in hand
        if seat.state == "stopped":
            return  # only a person carries on; a step that was at work when it was stopped moves nobody
        seat.state, seat.reason = checked_move(seat.state, state), reason
        for name, value in notes.items():
            setattr(seat, name, value)


def newcomers(vault: Vault, identity: str) -> set[str]:
    """People of this batch of whom there is no picture under their kit."""
    with vault.reading() as session:
        kits = kits_of(session, _batch(session, identity))
        there = select(Headshot.employee_id, Headshot.kit).where(col(Headshot.kit).in_({*kits.values()}))
        known = set(session.exec(there.where(Headshot.state != "retired").distinct()).all())
        return {employee_id for employee_id, kit in kits.items() if (employee_id, kit) not in known}


def seat_cohorts(
    vault: Vault, identity: str, size: int, limit: int | None, only: Collection[str] | None = None
) -> list[int]:
    """Seats ready people in cohorts of `size`, in roster order; who is beyond `limit` waits. Returns the cohorts,
    those with unfinished people first: what is only passed over keeps nobody waiting when a batch goes on.

    `only`: these alone, and who has a cohort already; others stay as they are.

    A person who has a cohort keeps it, so that a run that was interrupted, or a drop that was corrected, goes on with
    the same groups; others fill the places that are free.
    """
    with vault.session() as session:
        query = select(Seat).where(Seat.batch_id == identity, col(Seat.state).not_in(HELD))
        ready = list(session.exec(query.order_by(col(Seat.position), col(Seat.employee_id))))
        wanted = [seat for seat in ready if only is None or seat.employee_id in only or seat.cohort is not None]
        chosen = wanted if limit is None else wanted[:limit]
        left = {seat.employee_id for seat in ready} - {seat.employee_id for seat in chosen}
        held = Counter(seat.cohort for seat in chosen if seat.cohort is not None)
        for seat in chosen:
            if seat.cohort is None:
                seat.cohort = next(number for number in count() if held[number] < size)
                held[seat.cohort] += 1
            seat.reason = None if seat.reason in ("not_selected", "not_new") else seat.reason
        for seat in ready:
            if seat.employee_id in left:
                seat.cohort = None
                new = only is None or seat.employee_id in only
                seat.reason = seat.reason if seat.state != "ready" else "not_selected" if new else "not_new"
        waits = {seat.cohort for seat in chosen if seat.state in UNFINISHED}
        return sorted(held, key=lambda number: (number not in waits, number))
