"""Which decision counts, and what a person's pictures come to by it: one pure function for everybody who asks.

A decision is an event that is added and never edited. It belongs to a person and a kit, whichever batch it was made
in, so it counts in every batch that shows the picture:

- "undo" takes back the newest decision before it that was made in the same batch about the same picture; where there
  is none about that picture, the newest in that batch.
- At most one picture is approved: the one approved last. Approving takes no refusal of another picture back.
- "reject" refuses one picture. "redo" asks for new ones: it refuses the picture it names and takes the approval away.
- "opt_out" refuses every generated picture; a person's own photographs are not touched by it. It counts for all kits.
- A redo, or a reject that left nothing approved, is answered once there is a newer picture: then a person looks again.
- An approval counts for the name and number it was given under, and while the consent stands that stood then.

Pages, redo, delivery and retention ask here; the browser's script is held to the same table of cases
(tests/vault/review_cases.json).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.records import Consent, Decision, Employee, Headshot

Verdict = Literal["approve", "reject", "redo", "opt_out", "undo"]
PictureState = Literal["candidate", "approved", "rejected", "retired"]
ReviewState = Literal["undecided", "approved", "rejected", "redo", "opted_out"]
VERDICTS: tuple[Verdict, ...] = ("approve", "reject", "redo", "opt_out", "undo")


@dataclass(frozen=True)
class DecisionEvent:
    """One decision. `picture` is the digest it names; `kit` that of the batch it was made in."""

    id: str
    verdict: str
    at: datetime
    batch: str
    kit: str = ""
    picture: str | None = None
    by: str = ""
    note: str = ""
    reasons: tuple[str, ...] = ()
    counts: bool = True  # False for an approval under another name or number, or a consent withdrawn since


@dataclass(frozen=True)
class Picture:
    """One picture of the person under this kit. Retired: newer ones took its place before anybody decided."""

    digest: str
    taken_at: datetime
    lane: str = "generated"
    retired: bool = False


@dataclass(frozen=True)
class Review:
    """What all decisions about one person under one kit come to."""

    state: ReviewState
    decision: DecisionEvent | None  # the one that made it so; None while undecided
    approved: str | None  # digest of the picture that may leave
    pictures: Mapping[str, PictureState]
    events: tuple[DecisionEvent, ...] = field(default=())  # what stands, oldest first, without undone ones

    @property
    def open_redo(self) -> DecisionEvent | None:
        """The redo that no newer picture has answered yet."""
        return self.decision if self.state == "redo" else None


UNDECIDED = Review("undecided", None, None, {})


def standing(events: Iterable[DecisionEvent]) -> list[DecisionEvent]:
    """The events in order of their times, without undone ones and their undoing."""
    left: list[DecisionEvent] = []
    for event in sorted(events, key=lambda one: (one.at, one.id)):
        if event.verdict != "undo":
            left.append(event)
            continue
        mine = [one for one in left if one.batch == event.batch]
        same = [one for one in mine if event.picture is not None and one.picture == event.picture]
        if mine:
            left.remove((same or mine)[-1])
    return left


def review_of(events: Iterable[DecisionEvent], pictures: Sequence[Picture], kit: str = "") -> Review:
    """What one person's decisions, of all batches, come to for their pictures under one kit."""
    states: dict[str, PictureState] = {one.digest: "retired" if one.retired else "candidate" for one in pictures}
    left = [one for one in standing(events) if one.kit == kit or one.verdict == "opt_out"]
    for event in left:
        named = event.picture if event.picture in states else None
        if event.verdict == "approve":
            if named and event.counts:
                _take_approval_back(states)
                states[named] = "approved"
        elif event.verdict == "opt_out":
            states |= {one.digest: "rejected" for one in pictures if one.lane == "generated"}
        else:
            if event.verdict == "redo":
                _take_approval_back(states)
            if named:
                states[named] = "rejected"
    approved = next((digest for digest, state in states.items() if state == "approved"), None)
    state, decision = _outcome(left, approved, pictures)
    return Review(state, decision, approved, states, tuple(left))


def _take_approval_back(states: dict[str, PictureState]) -> None:
    for digest, state in states.items():
        if state == "approved":
            states[digest] = "candidate"


def _outcome(
    left: Sequence[DecisionEvent], approved: str | None, pictures: Sequence[Picture]
) -> tuple[ReviewState, DecisionEvent | None]:
    if approved is not None:
        return "approved", next(one for one in reversed(left) if one.verdict == "approve" and one.picture == approved)
    last = left[-1] if left else None
    if last is None or last.verdict == "approve":  # an approval that does not count, or whose picture is gone
        return "undecided", None
    if last.verdict == "opt_out":
        return "opted_out", last
    if any(one.taken_at > last.at and not one.retired for one in pictures):
        return "undecided", None
    return ("redo" if last.verdict == "redo" else "rejected"), last


def event_of(row: Decision, *, identity: int | None = None, consents: Collection[str] | None = None) -> DecisionEvent:
    """A decision's record as an event. `identity`: the name and number they have now; `consents`: ids that stand."""
    same = identity is None or row.identity == identity
    counts = row.verdict != "approve" or (same and (consents is None or row.consent_id in consents))
    return DecisionEvent(
        row.id, row.verdict, row.at, row.batch_id, row.kit, row.headshot_digest, row.by, row.note,
        tuple(str(reason) for reason in row.reasons), counts,
    )  # fmt: skip


def reviews_of(session: Session, kits: Mapping[str, str]) -> dict[str, Review]:
    """Everybody's review, from the records. `kits`: employee id to the kit under which it is asked for. People without
    pictures and decisions are undecided."""
    ids = sorted(kits)
    decisions: defaultdict[str, list[Decision]] = defaultdict(list)
    pictures: defaultdict[str, list[Picture]] = defaultdict(list)
    consents: defaultdict[str, set[str]] = defaultdict(set)
    identities: dict[str, int] = {}
    for start in range(0, len(ids), 500):  # SQLite takes a limited number of values at once
        some = ids[start : start + 500]
        for decision in session.exec(select(Decision).where(col(Decision.employee_id).in_(some))):
            decisions[decision.employee_id].append(decision)
        # Only what is asked for: a picture's scores are large, and a company's batches show tens of thousands.
        shots = sa.select(
            col(Headshot.employee_id), col(Headshot.kit), col(Headshot.digest), col(Headshot.created_at),
            col(Headshot.lane), col(Headshot.state),
        ).where(col(Headshot.employee_id).in_(some), col(Headshot.kit).in_({kits[one] for one in some}))  # fmt: skip
        for person, kit, digest, taken, lane, state in session.execute(shots.order_by(col(Headshot.digest))):
            if kit == kits[person]:
                pictures[person].append(Picture(digest, taken, lane, state == "retired"))
        stand = select(Consent).where(col(Consent.employee_id).in_(some), col(Consent.withdrawn_at).is_(None))
        for consent in session.exec(stand):
            consents[consent.employee_id].add(consent.id)
        identities |= dict(session.exec(select(Employee.id, Employee.identity).where(col(Employee.id).in_(some))).all())
    return {
        one: review_of(
            [event_of(row, identity=identities.get(one, 0), consents=consents[one]) for row in decisions[one]],
            pictures[one],
            kits[one],
        )
        for one in ids
    }


def consent_for(consents: Iterable[Consent], at: datetime) -> str:
    """The id of the consent under which something of this moment was decided; empty where there was none."""
    fitting = sorted((c for c in consents if c.purpose == "headshot"), key=lambda c: (c.given_at, c.id))
    before = [consent for consent in fitting if consent.given_at <= at]
    # One that is dated ahead, by a register in another time zone, stands already.
    return (before or fitting)[-1].id if fitting else ""


def settle_pictures(session: Session, people: Iterable[str], kit: str) -> dict[str, Review]:
    """Write into these people's pictures under one kit what their decisions come to."""
    session.flush()
    reviews = reviews_of(session, dict.fromkeys(people, kit))
    ids = sorted(reviews)
    for start in range(0, len(ids), 500):
        mine = select(Headshot).where(col(Headshot.employee_id).in_(ids[start : start + 500]), Headshot.kit == kit)
        for shot in session.exec(mine):
            state = reviews[shot.employee_id].pictures[shot.digest]
            if shot.state != state:
                shot.state = state
    return reviews


def standing_opt_outs(session: Session) -> dict[str, Decision]:
    """Employee id to the newest opt-out that was not taken back. It outranks the roster, which knows nothing of it."""
    somebody = select(Decision.employee_id).where(col(Decision.verdict) == "opt_out").distinct()
    rows = {row.id: row for row in session.exec(select(Decision).where(col(Decision.employee_id).in_(somebody)))}
    by_person: defaultdict[str, list[DecisionEvent]] = defaultdict(list)
    for row in rows.values():
        by_person[row.employee_id].append(event_of(row))
    found = {}
    for employee_id, events in by_person.items():
        noes = [event for event in standing(events) if event.verdict == "opt_out"]
        if noes:
            found[employee_id] = rows[noes[-1].id]
    return found
