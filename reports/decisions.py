"""Brings reviewers' decisions into the records, from the desk and from exported files, by one rule.

A decision is an event that is added and never edited; "undo" is an event too. What stands is found by replaying a
person's events in the order of their times, so a file that comes late, comes twice, or was made offline on another
machine ends in the same result. What cannot be recorded is refused by code and position, never by name.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from reports.reviewer_names import plain_name, plain_note
from tasks.failures import RollcallError
from tasks.headshots.wishes import REASONS
from tasks.vault.audit_log import Event, append
from tasks.vault.records import Batch, Consent, Decision, Employee, Headshot, Seat, Showing
from tasks.vault.review import (
    VERDICTS,
    DecisionEvent,
    Review,
    consent_for,
    event_of,
    reviews_of,
    settle_pictures,
    standing,
)
from tasks.vault.seat_kits import kits_of
from tasks.vault.store import Vault

NEEDS_PICTURE = ("approve", "reject")
NOTE_LENGTH = 500  # signs: a reviewer's remark, not a file about somebody
MOST = 50_000  # decisions in one file: 2,000 people, each decided upon 25 times
CLOCKS_DIFFER = timedelta(days=1)  # a reviewer's laptop may be wrong, but not by more than this


class BadDecisions(RollcallError):
    """The file is not a decisions file, or not one for a batch we know."""


@dataclass(frozen=True)
class NotRecorded:
    """One decision that was not recorded: its place in the file, and why."""

    place: int
    # malformed | unknown_verdict | not_in_batch | not_yours | unknown_headshot | bad_time | unknown_reason | overrules
    code: str
    standing: DecisionEvent | None = None  # what it would overrule: a colleague's decision that its author had not seen


@dataclass(frozen=True)
class Applied:
    recorded: int
    repeated: int
    refused: tuple[NotRecorded, ...]

    def __str__(self) -> str:
        extra = [f"{self.repeated} known already"] if self.repeated else []
        extra += [f"{len(self.refused)} refused"] if self.refused else []
        return f"{self.recorded} ({', '.join(extra)})" if extra else str(self.recorded)


def apply_decisions(
    vault: Vault,
    payload: Mapping[str, Any],
    by: str | None = None,
    now: datetime | None = None,
    *,
    author: str = "",
    may_decide: Callable[[str], bool] = lambda department: True,
) -> Applied:
    """Record every decision of `payload` and move the pictures' states. `by` outranks the file's own `by`.

    `author`: the opaque id of who is signed in. `may_decide`: whether they may, about somebody of this department.
    """
    moment = now or datetime.now(UTC)
    batch_id, rows = payload.get("batch"), payload.get("decisions")
    if not isinstance(batch_id, str) or not isinstance(rows, list) or len(rows) > MOST:
        raise BadDecisions("a decisions file holds a batch and a list of decisions")
    who = plain_name(by or str(payload.get("by") or "")) or "reviewer"
    with vault.session() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise BadDecisions("there is no such batch here")
        known = _Known(session, batch, author, may_decide)
        asking = {str(row.get("employee")) for row in rows if isinstance(row, Mapping) and "sees" in row}
        stood = reviews_of(session, {one: known.kits[one] for one in asking & known.people.keys()})
        decided: set[str] = set()
        made: list[Decision] = []
        refused: list[NotRecorded] = []
        repeated = 0
        for place, row in enumerate(rows):
            decision, code = known.read(row, who, moment)
            if code is not None:
                refused.append(NotRecorded(place, code))
            elif decision is not None and (
                decision.employee_id not in decided and (other := _unseen(session, row, decision, stood)) is not None
            ):
                refused.append(NotRecorded(place, "overrules", other))
            elif decision is not None and session.get(Decision, decision.id) is None:
                session.add(decision)
                made.append(decision)
                decided.add(decision.employee_id)  # what this reviewer says further is in the same breath
            else:
                repeated += 1
        session.flush()
        by_kit: defaultdict[str, list[str]] = defaultdict(list)
        for employee_id in dict.fromkeys(decision.employee_id for decision in made):
            by_kit[known.kits[employee_id]].append(employee_id)
        for kit, people in by_kit.items():
            _settle(session, people, kit)
        append(session, [_event(decision) for decision in made], now=moment)
    return Applied(len(made), repeated, tuple(refused))


class _Known:
    """What a decision may name: the people of the batch, and any picture of theirs, whichever batch shows it by now."""

    def __init__(self, session: Session, batch: Batch, author: str, may_decide: Callable[[str], bool]) -> None:
        self.batch, self.author = batch, author
        seats = select(Seat.employee_id).where(col(Seat.batch_id) == batch.id)
        here = col(Employee.id).in_(seats), col(Employee.state) == "active"
        self.kits = kits_of(session, batch)
        people = session.exec(select(Employee.id, Employee.identity, Employee.department).where(*here)).all()
        self.people = {identity: count for identity, count, _ in people}
        self.not_theirs = {identity for identity, _, department in people if not may_decide(department)}
        shots = select(Headshot.digest, Headshot.employee_id).where(col(Headshot.employee_id).in_(seats))
        self.owners: dict[str, str] = {digest: owner for digest, owner in session.exec(shots)}
        self.consents: defaultdict[str, list[Consent]] = defaultdict(list)
        for consent in session.exec(select(Consent).where(col(Consent.employee_id).in_(seats))):
            self.consents[consent.employee_id].append(consent)

    def read(self, row: Any, by: str, now: datetime) -> tuple[Decision | None, str | None]:
        """The decision in this row, or the code of what is wrong with it."""
        if not isinstance(row, Mapping):
            return None, "malformed"
        employee, headshot, note = (row.get(key) or None for key in ("employee", "headshot", "note"))
        verdict = row.get("verdict")
        at = _moment(row.get("at"), now)
        if not all(isinstance(value, str | None) for value in (employee, headshot, note)):
            return None, "malformed"  # a list or an object where an id belongs cannot even be looked up
        if not isinstance(verdict, str) or verdict not in VERDICTS:
            return None, "unknown_verdict"
        if employee not in self.people:
            return None, "not_in_batch"
        if employee in self.not_theirs:
            return None, "not_yours"
        if (headshot is None and verdict in NEEDS_PICTURE) or (headshot and self.owners.get(headshot) != employee):
            return None, "unknown_headshot"
        if at is None:
            return None, "bad_time"
        reasons = row.get("reasons") or []
        if not isinstance(reasons, list) or not set(map(str, reasons)) <= set(REASONS):
            return None, "unknown_reason"
        name = "|".join((self.batch.id, employee, headshot or "", verdict, at.isoformat()))
        return Decision(
            id="d" + sha256(name.encode()).hexdigest()[:15], employee_id=employee, headshot_digest=headshot,
            batch_id=self.batch.id, kit=self.kits[employee], verdict=verdict, identity=self.people[employee],
            consent_id=consent_for(self.consents[employee], at), by=by, author=self.author, at=at,
            note=plain_note(note or "")[:NOTE_LENGTH], reasons=list(dict.fromkeys(map(str, reasons))),
        ), None  # fmt: skip


def _unseen(
    session: Session, row: Mapping[str, Any], decision: Decision, stood: Mapping[str, Review]
) -> DecisionEvent | None:
    """A colleague's standing decision that this one would overrule, and that its author did not know of.

    `sees` in the row is the decision that its author saw standing; a file that was made without a desk has none, and
    takes its place by its time alone.
    """
    if "sees" not in row or decision.verdict == "undo" or session.get(Decision, decision.id) is not None:
        return None
    stands = stood[decision.employee_id].decision
    if stands is None or stands.by == decision.by or stands.id == row["sees"]:
        return None
    return stands if overrules(decision.verdict, decision.headshot_digest, stands.verdict, stands.picture) else None


def overrules(verdict: str, picture: str | None, standing: str, its: str | None) -> bool:
    """Whether a decision (verdict, picture) changes what a colleague's standing one came to. The script has the same
    rule: tests/reports/overruling_cases.json."""
    if (verdict, picture) == (standing, its):
        return False
    if standing == "approve":
        return verdict != "reject" or picture == its
    if standing == "reject":
        return verdict == "approve" and picture == its
    return verdict != "reject" and verdict != standing


def _moment(text: Any, now: datetime) -> datetime | None:
    """The time of a decision in UTC; now when the file gives none, None when it cannot be one."""
    if text in (None, ""):
        return now
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        # The first and last days of the calendar, with an offset that leads beyond it, are times and cannot be ours.
        return None if moment.tzinfo is None or moment > now + CLOCKS_DIFFER else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _settle(session: Session, people: Sequence[str], kit: str) -> None:
    """Set the states of these people's pictures to what their decisions, of all batches, come to."""
    reviews = settle_pictures(session, people, kit)
    _show_everywhere(session, {one: found.approved for one, found in reviews.items() if found.approved}, kit)
    for some in _portions(people):
        said = select(Decision.employee_id).where(col(Decision.employee_id).in_(some), Decision.verdict == "opt_out")
        for employee_id in session.exec(said.distinct()).all():
            _settle_no(session, employee_id, kit)


def _settle_no(session: Session, employee_id: str, kit: str) -> None:
    """An opt-out, and its undoing, count under every kit."""
    employee = session.get_one(Employee, employee_id)
    mine = session.exec(select(Decision).where(col(Decision.employee_id) == employee_id)).all()
    left = standing(event_of(decision) for decision in mine)
    employee.generation = not any(event.verdict == "opt_out" for event in left)
    others = select(Headshot.kit).where(col(Headshot.employee_id) == employee_id, col(Headshot.kit) != kit)
    for other in session.exec(others.distinct()).all():
        settle_pictures(session, [employee_id], other)


def _show_everywhere(session: Session, approved: Mapping[str, str], kit: str) -> None:
    """Everybody's approved picture is theirs in every batch of this kit, the older ones too."""
    seats = select(Seat.batch_id, Seat.employee_id).join(Batch, col(Batch.id) == col(Seat.batch_id))
    theirs = (col(Seat.kit) == kit) | ((col(Seat.kit) == "") & (col(Batch.kit) == kit))
    for some in _portions(list(approved)):
        there = select(Showing).where(col(Showing.headshot_digest).in_([approved[one] for one in some]))
        known = {(row.batch_id, row.headshot_digest): row for row in session.exec(there)}
        for batch_id, one in session.exec(seats.where(col(Seat.employee_id).in_(some), theirs)).all():
            shown = known.get((batch_id, approved[one]))
            shown = shown or Showing(batch_id=batch_id, headshot_digest=approved[one], employee_id=one)
            shown.retired = False
            session.add(shown)


def _portions(people: Sequence[str]) -> list[Sequence[str]]:
    """SQLite takes a limited number of values at once."""
    return [people[start : start + 500] for start in range(0, len(people), 500)]


def _event(decision: Decision) -> Event:
    result = {"verdict": decision.verdict, "batch": decision.batch_id, "decision": decision.id}
    return Event("decide", decision.employee_id, decision.headshot_digest or "", result, decision.author or "reviewer")


def events_of(
    vault: Vault, batch_id: str, may_see: Callable[[str], bool] = lambda department: True
) -> list[dict[str, Any]]:
    """Every decision about a batch's people as the pages know them, oldest first; times as browsers write them.
    `may_see`: whether whoever asks may see people of this department.

    Of other batches and kits too: what counts here, the page's script finds out by the same rule as `vault/review.py`.
    `counts` says whether an approval was given under the name, number and consent of now, for a picture that is there.
    """
    with vault.reading() as session:
        active = select(Employee.id).where(col(Employee.state) == "active")
        seats = select(Seat.employee_id).where(col(Seat.batch_id) == batch_id, col(Seat.employee_id).in_(active))
        query = select(Decision).where(col(Decision.employee_id).in_(seats))
        rows = session.exec(query.order_by(col(Decision.at), col(Decision.id))).all()
        people = session.exec(
            select(Employee.id, Employee.identity, Employee.department).where(col(Employee.id).in_(seats))
        ).all()
        identities = {identity: count for identity, count, department in people if may_see(department)}
        stand = select(Consent.id).where(col(Consent.employee_id).in_(seats), col(Consent.withdrawn_at).is_(None))
        consents = set(session.exec(stand).all())
        there = set(session.exec(select(Headshot.digest).where(col(Headshot.employee_id).in_(seats))).all())
    events = [
        (row, event_of(row, identity=identities[row.employee_id], consents=consents))
        for row in rows
        if row.employee_id in identities
    ]
    return [
        {
            "id": row.id, "employee": row.employee_id, "headshot": row.headshot_digest, "verdict": row.verdict,
            "note": row.note, "reasons": list(event.reasons), "by": row.by, "batch": row.batch_id, "kit": row.kit,
            "counts": event.counts and (row.verdict != "approve" or row.headshot_digest in there),
            "at": browser_time(row.at),
        }
        for row, event in events
    ]  # fmt: skip


def mark_of(vault: Vault, batch_id: str) -> str:
    """What changes when `events_of` does: for whoever looks every second whether a colleague has decided."""
    seats = select(Seat.employee_id).where(col(Seat.batch_id) == batch_id)
    with vault.reading() as session:
        mine = col(Decision.employee_id).in_(seats)
        said = session.exec(select(sa.func.count(), sa.func.max(Decision.at)).where(mine)).one()
        here = col(Employee.id).in_(seats), col(Employee.state) == "active"
        people = session.exec(select(sa.func.count(), sa.func.sum(Employee.identity)).where(*here)).one()
        stand = col(Consent.employee_id).in_(seats), col(Consent.withdrawn_at).is_(None)
        consents = session.exec(select(sa.func.count()).where(*stand)).one()
    return sha256(repr((said, people, consents)).encode()).hexdigest()[:16]


def browser_time(at: datetime) -> str:
    """As browsers write it: UTC, to the millisecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def refusal_of(refusal: NotRecorded) -> dict[str, Any]:
    """What the page is told of a decision that was not recorded: its place, the code, and whom it would overrule."""
    said: dict[str, Any] = {"place": refusal.place, "code": refusal.code}
    if (other := refusal.standing) is not None:
        said["standing"] = {
            "id": other.id, "by": other.by, "at": browser_time(other.at), "verdict": other.verdict,
            "headshot": other.picture,
        }  # fmt: skip
    return said
