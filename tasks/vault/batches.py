"""One run of the main job, as a record: what was ordered, how everybody stands, what is known about the run.

A batch's id is made of its order and its roster, so the same order on the same roster is the same batch: running
it again carries on where it stopped, and finds nothing to do when it was finished.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from tasks.vault.records import Batch, Seat
from tasks.vault.store import Vault


@dataclass(frozen=True)
class Order:
    """What somebody asked for. `people` is "all", or how many of the ready people to photograph ("6")."""

    drop: str
    kit: str
    quality: str
    base: str
    people: str = "all"

    def limit(self) -> int | None:
        """How many people to photograph; None means everybody."""
        return None if self.people == "all" else int(self.people)


def batch_id(order: Order, roster_digest: str) -> str:
    """The same order on the same roster is the same batch."""
    content = json.dumps({**asdict(order), "roster": roster_digest}, sort_keys=True)
    return "b" + hashlib.sha256(content.encode()).hexdigest()[:15]


def open_batch(vault: Vault, order: Order, roster_digest: str, now: datetime) -> str:
    """Finds the batch of this order, or adds it, and begins a run of it. Returns its id."""
    identity = batch_id(order, roster_digest)
    with vault.session() as session:
        found = session.get(Batch, identity)
        if found is None:
            session.add(
                Batch(
                    id=identity, created_at=now, drop=order.drop, kit=order.kit, quality=order.quality, base=order.base,
                    roster_digest=roster_digest, facts={"people": order.people},
                )
            )  # fmt: skip
    begin_run(vault, identity, now)
    return identity


def begin_run(vault: Vault, identity: str, now: datetime) -> None:
    """A run of this batch begins: what it will have done is counted from nought."""
    note_facts(vault, identity, work={}, started_at=now.isoformat())


def load_batch(vault: Vault, identity: str) -> Batch:
    """The batch's record; KeyError when there is none."""
    with vault.reading() as session:
        batch = session.get(Batch, identity)
        if batch is None:
            raise KeyError(f"there is no batch {identity}")
        return batch


def note_facts(vault: Vault, identity: str, state: str | None = None, **facts: Any) -> None:
    """Adds facts to a batch (numbers, versions, times), and moves its state."""
    with vault.session() as session:
        batch = session.get(Batch, identity)
        if batch is None:
            raise KeyError(f"there is no batch {identity}")
        batch.facts = {**batch.facts, **facts}
        batch.state = state or batch.state
        session.add(batch)


def note_work(vault: Vault, identity: str, **done: int) -> None:
    """Counts what a run really did (faces learned, pictures taken), so that it can say so."""
    with vault.session() as session:
        batch = session.get(Batch, identity)
        if batch is None:
            raise KeyError(f"there is no batch {identity}")
        work = dict(batch.facts.get("work", {}))
        for what, number in done.items():
            work[what] = work.get(what, 0) + number
        batch.facts = {**batch.facts, "work": work}
        session.add(batch)


def seats_of(vault: Vault, identity: str, *, cohort: int | None = None, states: Sequence[str] = ()) -> list[Seat]:
    """The seats of a batch in roster order; of one cohort, or in some states only."""
    query = select(Seat).where(Seat.batch_id == identity).order_by(col(Seat.position), col(Seat.employee_id))
    if cohort is not None:
        query = query.where(Seat.cohort == cohort)
    if states:
        query = query.where(col(Seat.state).in_(states))
    with vault.reading() as session:
        return list(session.exec(query))


def move_seat(
    vault: Vault, identity: str, employee_id: str, state: str, reason: str | None = None, **notes: Any
) -> None:
    """Says how one person stands in one batch. `notes` are kept beside the findings, under their names."""
    with vault.session() as session:
        seat = session.get(Seat, (identity, employee_id))
        if seat is None:
            raise KeyError(f"{employee_id} has no seat in {identity}")
        seat.state, seat.reason = state, reason
        if notes:
            before = seat.detail if isinstance(seat.detail, dict) else {"findings": seat.detail}
            seat.detail = {**before, **notes}
        session.add(seat)


def seat_cohorts(vault: Vault, identity: str, size: int, limit: int | None) -> list[int]:
    """Seats ready people in cohorts of `size`, in roster order; who is beyond `limit` waits. Returns the cohorts.

    A person who has a cohort keeps it, so that a run that was interrupted goes on with the same groups.
    """
    with vault.session() as session:
        query = select(Seat).where(Seat.batch_id == identity, Seat.state != "blocked")
        ready = list(session.exec(query.order_by(col(Seat.position), col(Seat.employee_id))))
        for place, seat in enumerate(ready):
            waits = limit is not None and place >= limit
            seat.cohort = None if waits else place // size
            if waits and seat.state == "ready":
                seat.reason = "not_selected"
            elif seat.reason == "not_selected":
                seat.reason = None
            session.add(seat)
        return sorted({seat.cohort for seat in ready if seat.cohort is not None})
