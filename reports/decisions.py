"""Brings reviewers' decisions into the records, from the desk and from exported files, by one rule.

A decision is an event that is added and never edited; "undo" is an event too. What stands is found by replaying a
person's events in the order of their times, so a file that comes late, comes twice, or was made offline on another
machine ends in the same result. What cannot be recorded is refused by code and position, never by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import Session, col, select

from reports.reviewer_names import plain_name, plain_note
from tasks.vault.audit_log import Event, append
from tasks.vault.records import Batch, Decision, Employee, Headshot, Seat
from tasks.vault.standing import standing
from tasks.vault.store import Vault

VERDICTS = ("approve", "reject", "redo", "opt_out", "undo")
NEEDS_PICTURE = ("approve", "reject")
NOTE_LENGTH = 500
MOST = 50_000  # decisions in one file: 2,000 people, each decided upon 25 times
CLOCKS_DIFFER = timedelta(days=1)  # a reviewer's laptop may be wrong, but not by more than this


class BadDecisions(ValueError):
    """The file is not a decisions file, or not one for a batch we know."""


@dataclass(frozen=True)
class Refusal:
    """One decision that was not recorded: its place in the file, and why."""

    place: int
    code: str  # malformed | unknown_verdict | not_in_batch | unknown_headshot | bad_time


@dataclass(frozen=True)
class Applied:
    recorded: int
    repeated: int
    refused: tuple[Refusal, ...]

    def __str__(self) -> str:
        extra = [f"{self.repeated} known already"] if self.repeated else []
        extra += [f"{len(self.refused)} refused"] if self.refused else []
        return f"{self.recorded} ({', '.join(extra)})" if extra else str(self.recorded)


def apply_decisions(
    vault: Vault, payload: Mapping[str, Any], by: str | None = None, now: datetime | None = None
) -> Applied:
    """Record every decision of `payload` and move the pictures' states. `by` outranks the file's own `by`."""
    moment = now or datetime.now(UTC)
    batch_id, rows = payload.get("batch"), payload.get("decisions")
    if not isinstance(batch_id, str) or not isinstance(rows, list) or len(rows) > MOST:
        raise BadDecisions("a decisions file holds a batch and a list of decisions")
    who = plain_name(by or str(payload.get("by") or "")) or "reviewer"
    with vault.session() as session:
        if session.get(Batch, batch_id) is None:
            raise BadDecisions("there is no such batch here")
        known = _Known(session, batch_id)
        made, refused, repeated = [], [], 0
        for place, row in enumerate(rows):
            decision, code = known.read(row, who, moment)
            if code is not None:
                refused.append(Refusal(place, code))
            elif decision is not None and session.get(Decision, decision.id) is None:
                session.add(decision)
                made.append(decision)
            else:
                repeated += 1
        session.flush()
        for employee_id in dict.fromkeys(decision.employee_id for decision in made):
            _settle(session, batch_id, employee_id)
        append(session, [_event(decision) for decision in made], now=moment)
    return Applied(len(made), repeated, tuple(refused))


class _Known:
    """What a decision may name: the people of the batch and their pictures in it."""

    def __init__(self, session: Session, batch_id: str) -> None:
        self.batch_id = batch_id
        seats = select(Seat.employee_id).where(col(Seat.batch_id) == batch_id)
        active = select(Employee.id).where(col(Employee.id).in_(seats), col(Employee.state) == "active")
        self.people = set(session.exec(active))
        shots = select(Headshot.digest, Headshot.employee_id).where(col(Headshot.batch_id) == batch_id)
        self.owners: dict[str, str] = {digest: owner for digest, owner in session.exec(shots)}

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
        if (headshot is None and verdict in NEEDS_PICTURE) or (headshot and self.owners.get(headshot) != employee):
            return None, "unknown_headshot"
        if at is None:
            return None, "bad_time"
        name = "|".join((self.batch_id, employee, headshot or "", verdict, at.isoformat()))
        return Decision(
            id="d" + sha256(name.encode()).hexdigest()[:15], employee_id=employee, headshot_digest=headshot,
            batch_id=self.batch_id, verdict=verdict, by=by, at=at, note=plain_note(note or "")[:NOTE_LENGTH],
        ), None  # fmt: skip


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


def _settle(session: Session, batch_id: str, employee_id: str) -> None:
    """Set the states of one person's pictures to what their decisions, replayed, come to."""
    mine = col(Decision.employee_id) == employee_id
    events = session.exec(select(Decision).where(mine, col(Decision.batch_id) == batch_id)).all()
    theirs = col(Headshot.employee_id) == employee_id, col(Headshot.batch_id) == batch_id
    shots = {shot.digest: shot for shot in session.exec(select(Headshot).where(*theirs)).all()}
    states = replay(standing(events), [digest for digest, shot in shots.items() if shot.state != "retired"])
    for digest, state in states.items():
        shots[digest].state = state
        session.add(shots[digest])
    if any(event.verdict == "opt_out" for event in events):
        employee = session.get(Employee, employee_id)
        if employee is not None:
            employee.generation = not any(event.verdict == "opt_out" for event in standing(events))
            session.add(employee)


def replay(decisions: Iterable[Decision], digests: Iterable[str]) -> dict[str, str]:
    """What each picture's state is after these decisions: at most one is approved."""
    states = dict.fromkeys(digests, "candidate")
    for decision in decisions:
        named = decision.headshot_digest
        if decision.verdict == "opt_out":
            states = dict.fromkeys(states, "rejected")
        elif named not in states:
            continue
        elif decision.verdict == "approve":
            states = {digest: "candidate" if state == "approved" else state for digest, state in states.items()}
            states[named] = "approved"
        else:
            states[named] = "rejected"
    return states


def _event(decision: Decision) -> Event:
    result = {"verdict": decision.verdict, "batch": decision.batch_id, "decision": decision.id}
    return Event("decide", decision.employee_id, decision.headshot_digest or "", result, "reviewer")


def events_of(vault: Vault, batch_id: str) -> list[dict[str, Any]]:
    """Every decision of a batch as the pages know them, oldest first; times as browsers write them."""
    with vault.reading() as session:
        active = select(Employee.id).where(col(Employee.state) == "active")
        query = select(Decision).where(col(Decision.batch_id) == batch_id, col(Decision.employee_id).in_(active))
        rows = session.exec(query.order_by(col(Decision.at), col(Decision.id))).all()
    return [
        {
            "employee": row.employee_id, "headshot": row.headshot_digest, "verdict": row.verdict, "note": row.note,
            "at": row.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{row.at.microsecond // 1000:03d}Z",
        }
        for row in rows
    ]  # fmt: skip
