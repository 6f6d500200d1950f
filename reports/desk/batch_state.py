"""How every batch stands, in numbers: who waits for whom. Counted anew only when something in the records has moved."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from reports.gather import kit_title
from reports.kept_reviews import KeptReviews
from tasks.vault.records import Batch, Consent, Decision, Employee, Headshot, Seat
from tasks.vault.review import UNDECIDED, Review
from tasks.vault.seat_kits import kits_of
from tasks.vault.seats import JUDGED, WAITING
from tasks.vault.store import Vault


@dataclass(frozen=True)
class BatchState:
    """One batch. `counts` by state as the pages name them; `blocked` by reason, most frequent first."""

    id: str
    name: str  # as somebody named it; else the kit and the number of people
    named: bool
    kit: str
    kit_title: str
    quality: str
    drop: str
    created_at: datetime
    people: int
    counts: Mapping[str, int]
    blocked: tuple[tuple[str, int], ...]
    redo: int  # people for whom new pictures were asked and not begun
    undelivered: int  # people whose approval is newer than the last delivery
    archived: bool
    stopped: bool
    held_by: str  # who ordered what waits for a second person's yes; empty when nothing waits
    maker: str  # the run that makes it at this moment, by its lease; empty when none does
    delivered_at: datetime | None = None

    def count(self, *states: str) -> int:
        """How many people are in any of these states."""
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def to_review(self) -> int:
        return self.count("review", "attention")

    @property
    def unfinished(self) -> int:
        """Whom a run would go on with."""
        return self.count("waiting", "failed")


@dataclass
class BatchStates:
    """Every batch's state, kept until the records have moved. Usable from several threads."""

    vault: Vault
    _mark: Any = None
    _known: dict[str, BatchState] = field(default_factory=dict)
    _reviews: KeptReviews = field(default_factory=KeptReviews)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self, now: datetime) -> list[BatchState]:
        """All batches, the newest first."""
        with self._lock, self.vault.reading() as session:
            mark = _mark(session)
            if mark != self._mark:
                rows = session.exec(select(Batch).order_by(col(Batch.created_at).desc())).all()
                kits = {row.kit: kit_title(row.kit, self.vault.settings.kits) for row in rows}
                records = _Records(session, rows, self._reviews)
                self._known = {row.id: _state(records, row, kits[row.kit]) for row in rows}
                self._mark = mark
            makers = _makers(session, now)
        return [_made_by(state, makers.get(state.id, "")) for state in self._known.values()]

    def one(self, batch: str, now: datetime) -> BatchState | None:
        """One batch; None when there is none of this id."""
        return next((state for state in self.all(now) if state.id == batch), None)


def _mark(session: Session) -> Any:
    """What changes whenever something changes that is counted here."""
    ask, count = session.connection().execute, sa.func.count()
    by = (col(Seat.batch_id), col(Seat.state), col(Seat.reason), col(Seat.answered))
    seats = sorted(str(tuple(row)) for row in ask(sa.select(*by, count).group_by(*by)))
    totals = (
        sa.select(count, sa.func.max(col(Decision.at))),
        sa.select(count, sa.func.max(col(Headshot.created_at))),
        sa.select(count, sa.func.count(col(Consent.withdrawn_at)), sa.func.max(col(Consent.given_at))),
        sa.select(count, sa.func.max(col(Employee.updated_at)), sa.func.sum(col(Employee.epoch))),
    )
    batches = [
        str(tuple(row)) for row in ask(sa.select(col(Batch.id), col(Batch.state), col(Batch.drop), col(Batch.facts)))
    ]
    return seats, batches, [str(tuple(ask(one).one())) for one in totals]


def _makers(session: Session, now: datetime) -> dict[str, str]:
    held = select(Batch.id, Batch.lease_holder).where(Batch.lease_holder != "", col(Batch.lease_until) > now)
    return dict(session.exec(held).all())


def _made_by(state: BatchState, maker: str) -> BatchState:
    return state if state.maker == maker else BatchState(**{**vars(state), "maker": maker})


class SeatInShort(NamedTuple):
    """What of somebody's seat says how they stand."""

    employee_id: str
    state: str
    reason: str | None
    answered: str | None


class _Records:
    """What all batches' states follow from, asked for once: a company's batches are of the same people."""

    def __init__(self, session: Session, batches: Sequence[Batch], kept: KeptReviews) -> None:
        self._session = session
        self.here = set(session.exec(select(Employee.id).where(Employee.state == "active")))
        self._kits = {batch.id: kits_of(session, batch) for batch in batches}
        people = {(kit, person) for kits in self._kits.values() for person, kit in kits.items()}
        self._reviews = kept.of(session, people)

    def seats(self, batch: Batch) -> list[SeatInShort]:
        asked = sa.select(*(getattr(Seat, name) for name in SeatInShort._fields)).where(col(Seat.batch_id) == batch.id)
        return [SeatInShort(*row) for row in self._session.execute(asked)]

    def reviews(self, batch: Batch) -> dict[str, Review]:
        return {person: self._reviews.get((kit, person), UNDECIDED) for person, kit in self._kits[batch.id].items()}


def _state(records: _Records, batch: Batch, title: str) -> BatchState:
    seats, reviews = records.seats(batch), records.reviews(batch)
    states = {
        seat.employee_id: standing_of(seat, reviews[seat.employee_id], seat.employee_id in records.here)
        for seat in seats
    }
    counts = Counter(states.values())
    reasons = Counter(seat.reason or "" for seat in seats if states[seat.employee_id] == "blocked")
    waiting = sum(
        1
        for seat in seats
        if (redo := reviews[seat.employee_id].open_redo) is not None
        and redo.id != seat.answered
        and seat.state in JUDGED
    )
    delivered = _moment(batch.facts.get("delivered"))
    fresh = sum(
        1
        for seat in seats
        if states[seat.employee_id] == "approved" and _is_after(reviews[seat.employee_id], delivered)
    )
    label = batch.facts.get("label") or {}
    return BatchState(
        id=batch.id,
        name=str(label.get("name") or ""),
        named=bool(label.get("name")),
        kit=batch.kit,
        kit_title=title,
        quality=batch.quality,
        drop=batch.drop,
        created_at=batch.created_at,
        people=len(seats),
        counts=dict(counts),
        blocked=tuple(reasons.most_common()),
        redo=waiting,
        undelivered=fresh,
        archived=bool(batch.facts.get("archived")),
        stopped=bool(batch.facts.get("stopped")),
        held_by=str((batch.facts.get("held") or {}).get("by") or ""),
        maker="",
        delivered_at=delivered,
    )


def standing_of(seat: Seat | SeatInShort, review: Review, is_here: bool) -> str:
    """One word for how somebody stands in a batch, as the pages say it."""
    if seat.reason in ("erased", "forgotten") or not is_here:
        return "forgotten"
    if seat.state in ("stopped", "awaiting_approval"):
        return seat.state
    if review.state != "undecided" and seat.state != "blocked":
        return review.state
    if seat.state in JUDGED:
        return "attention" if seat.state == "flagged" else "review"
    return "waiting" if seat.state in WAITING else seat.state


def _is_after(review: Review, delivered: datetime | None) -> bool:
    return delivered is None or (review.decision is not None and review.decision.at > delivered)


def _moment(facts: Any) -> datetime | None:
    return datetime.fromisoformat(str(facts["at"])) if isinstance(facts, Mapping) and facts.get("at") else None
