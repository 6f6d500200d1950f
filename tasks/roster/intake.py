"""Writes a roster and its consents into the vault: employees known or new, consents added or withdrawn.

Safe to repeat: the same drop leaves the same records. Who a row is, is asked where it is not plain (`identity`); rows
that cannot be told apart, or wait for an answer, get a number of their own (`1007 (row 12)`), so that everybody is
accounted for without anybody's record being overwritten by somebody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from tasks.roster.consents import (
    PURPOSE,
    ConsentRegister,
    as_of,
)
from tasks.roster.recorded_consents import record_consents
from tasks.roster.row_desk import RowDesk, of_question
from tasks.roster.rows import ConsentCell, Roster, RosterRow
from tasks.roster.unknown_kit import unknown_kit
from tasks.roster.whose_consent import Consents, settle_consents
from tasks.sentences import say_date, tell
from tasks.vault.failures import NoConsent, NoSuchBatch
from tasks.vault.halts import STOPPED, free_state
from tasks.vault.records import Batch, Employee, Seat
from tasks.vault.seat_kits import change_kit, chosen_by_hand
from tasks.vault.seats import checked_move
from tasks.vault.store import Vault
from tasks.vault.tombstones import forgotten_at, forgotten_people


@dataclass(frozen=True)
class Admission:
    """One row of the roster with its record. `consent_code`: why no photo may be opened, or None."""

    row: RosterRow
    employee_id: str
    consent_code: str | None
    forgotten_at: datetime | None = None
    generation: bool = True  # whether pictures may be generated: the roster's word, unless they opted out at the desk
    question: str | None = None  # who_is_this: HR has to say who the row is; roster_mistake: HR said it is none
    may_be: tuple[str, ...] = ()  # ids of those it may mean


def admit(
    vault: Vault, roster: Roster, register: ConsentRegister | None, now: datetime, batch: str = ""
) -> tuple[Admission, ...]:
    """Records everybody on the roster, in its order, with what the files say about consent."""
    consents = settle_consents(roster, register)
    with vault.session() as session:
        away = _forgotten_rows(session, vault, roster, consents, now)
        desk = RowDesk(session, vault.keys, roster, batch, now, {row: person for row, (person, _) in away.items()})
        found = [desk.admit(row) for row in roster.rows]
        employees = [employee for employee, _ in found]
        gone = forgotten_at(session, vault.keys, [employee.number for employee in employees])
    asked = register is not None or any(consents.of(row) for row in roster.rows)
    doubtful = roster.doubtful_rows | {row.row for row, (_, q) in zip(roster.rows, found, strict=True) if q is not None}
    with vault.session() as session:
        for row, employee in zip(roster.rows, employees, strict=True):
            if row.row in doubtful or row.row in away:
                continue  # the consent under this number may be somebody else's
            source = "register" if row.row in consents.in_register else "roster"
            cells = _since(gone.get(employee.number), as_of(consents.of(row), now))
            record_consents(session, employee.id, cells, source, now)
    admissions = []
    for row, (employee, question) in zip(roster.rows, found, strict=True):
        if row.row in away:
            admissions.append(Admission(row, employee.id, "forgotten", away[row.row][1], generation=False))
            continue
        if row.row in doubtful:
            code, people = of_question(question)
            admissions.append(Admission(row, employee.id, None, None, employee.generation, code, people))
            continue
        code = consents.code(row, now) if asked else None
        code = code or _vault_says(vault, employee.id, now)
        forgotten = gone.get(employee.number)
        admissions.append(Admission(row, employee.id, code, forgotten, employee.generation))
    return tuple(admissions)


def _forgotten_rows(
    session: Session, vault: Vault, roster: Roster, consents: Consents, now: datetime
) -> dict[int, tuple[str, datetime]]:
    """Rows of people who were forgotten, and whom no consent dated after that brings back: the id of the record that
    was emptied, and when. Of a row in doubt the number counts that it says, too."""
    numbers = {row.row: (roster.filed_number(row), row.number) for row in roster.rows}
    gone = forgotten_people(session, vault.keys, sorted({number for both in numbers.values() for number in both}))
    living = set(session.exec(select(Employee.number).where(Employee.state == "active")))
    found = {}
    for row in roster.rows:
        known = next((gone[number] for number in numbers[row.row] if number in gone), None)
        if known is None or not living.isdisjoint(numbers[row.row]):
            continue
        came_back = row.row not in roster.doubtful_rows and any(
            cell.given and not cell.withdrawn for cell in _since(known[1], as_of(consents.of(row), now))
        )
        if not came_back:
            found[row.row] = known
    return found


def _since(forgotten: datetime | None, cells: Sequence[ConsentCell]) -> Sequence[ConsentCell]:
    """Of somebody who was forgotten only what is dated after that is read: an undated yes may be the old one."""
    if forgotten is None:
        return cells
    return [cell for cell in cells if cell.given_at is not None and cell.given_at > forgotten]


def _vault_says(vault: Vault, employee_id: str, now: datetime) -> str | None:
    """The vault's own word counts beside the files': a withdrawal made elsewhere is not undone by an old register."""
    try:
        vault.permit(employee_id, PURPOSE, now=now)
    except NoConsent as refusal:
        return refusal.code
    return None


def seat_everybody(
    vault: Vault,
    batch_id: str,
    admissions: Sequence[Admission],
    roster: Roster,
    kits: Collection[str] = (),
) -> None:
    """Gives everybody exactly one seat in the batch. Who has one keeps it, and how far they have come, unless what the
    roster and the consents say has changed: then they are blocked, or free again for their photos to be looked at.

    `kits`: names of the brand kits there are. A line that names one changes its person's kit; a line that names none
    leaves what was chosen before.
    """
    with vault.session() as session:
        there = {seat.employee_id: seat for seat in session.exec(select(Seat).where(col(Seat.batch_id) == batch_id))}
        earlier = _earlier_seats(session, batch_id)
        batch = session.get_one(Batch, batch_id)
        free, by_hand = free_state(batch), chosen_by_hand(batch)
        for position, admission in enumerate(admissions):
            findings = [problem.as_finding() for problem in roster.problems_in(admission.row.row)]
            if admission.question:
                findings.append(_question_finding(admission.question, admission.row))
            if admission.consent_code:
                findings.append(_consent_finding(admission.consent_code, admission.forgotten_at))
            wanted = "" if admission.employee_id in by_hand else admission.row.kit
            findings += unknown_kit(admission.row, kits) if wanted else []
            block = next((found["code"] for found in findings if found["severity"] == "block"), None)
            seat = there.get(admission.employee_id)
            if seat is None:
                reason = STOPPED if free == "stopped" else None
                seat = Seat(batch_id=batch_id, employee_id=admission.employee_id, state=free, reason=reason)
                seat.kit = wanted if wanted in kits and wanted != batch.kit else ""
                _go_on_from(earlier.get((admission.employee_id, seat.kit or batch.kit)), seat)
            else:
                if wanted in kits:
                    change_kit(session, batch, seat, wanted)
                if _standing_reason(seat) == block:
                    seat.position, seat.row = position, admission.row.row  # a corrected roster may be in another order
                    continue
            seat.position, seat.row = position, admission.row.row
            seat.lane = "generated" if admission.generation else "faithful"
            if block or seat.state != "stopped":  # who was stopped by a person is not freed by a file
                faithful = "opted_out" if seat.lane == "faithful" else None
                seat.state = checked_move(seat.state, "blocked" if block else free)
                seat.reason = block or (STOPPED if free == "stopped" else faithful)
            seat.standing = seat.findings = findings
            session.add(seat)
        here = {admission.employee_id for admission in admissions}
        for admission in admissions:
            for person in set(admission.may_be) & there.keys() - here:
                _hold(there[person], _question_finding("who_is_this", admission.row))


def _earlier_seats(session: Session, batch_id: str) -> dict[tuple[str, str], Seat]:
    """Everybody's newest seat under each kit in another batch of the same quality and base."""
    mine = session.get_one(Batch, batch_id)
    alike = (Batch.quality == mine.quality, Batch.base == mine.base, Batch.id != batch_id)
    query = select(Seat, Batch.kit).join(Batch, col(Batch.id) == col(Seat.batch_id)).where(*alike)
    rows = session.exec(query.order_by(col(Batch.created_at), col(Batch.id)))
    return {(seat.employee_id, seat.kit or kit): seat for seat, kit in rows}


def _go_on_from(before: Seat | None, seat: Seat) -> None:
    """A new batch shows what reshoots and second chances of an older one came to, and asks for none of it again."""
    if before is not None:
        seat.round, seat.chances, seat.longer_from = before.round, before.chances, before.longer_from
        seat.answered, seat.wishes = before.answered, before.wishes


def _hold(seat: Seat, found: dict[str, Any]) -> None:
    """Whoever may be meant by a row in question waits with it."""
    if _standing_reason(seat) is None and seat.state != "stopped":
        seat.state, seat.reason = checked_move(seat.state, "blocked"), found["code"]
        seat.standing, seat.findings = [found, *seat.standing], [found, *seat.findings]


def _question_finding(code: str, row: RosterRow) -> dict[str, Any]:
    sentence = tell(f"roster.{code}", where=row.where)
    return {"code": code, "measured": "", "limit": "", "sentence": sentence, "severity": "block", "photo": None}


def _standing_reason(seat: Seat) -> str | None:
    return next((f["code"] for f in seat.standing if f["severity"] == "block"), None)


def _consent_finding(code: str, forgotten: datetime | None) -> dict[str, Any]:
    said, day = code if code in ("no_consent", "consent_withdrawn", "consent_other_purpose") else "erasing", ""
    words = {}
    if code == "forgotten" and forgotten is not None:
        said, day = code, f"{forgotten:%Y-%m-%d}"
        words = {"day": say_date(forgotten)}
    sentence = tell(f"finding.{said}.to_hr", **words)
    return {"code": code, "measured": day, "limit": "", "sentence": sentence, "severity": "block", "photo": None}


def note_roster(
    vault: Vault, batch_id: str, roster: Roster, register: ConsentRegister | None, missing: int = 0
) -> None:
    """Notes in the batch how the files were understood, and what is wrong with them as a whole. `missing`: people of
    the last roster who are not here, as long as HR has not said why."""
    understood = roster.understood
    problems = [p.as_finding() for p in roster.file_problems]
    problems += [p.as_finding("register") for p in settle_consents(roster, register).problems]
    if missing:
        sentence = tell("roster.not_here", missing)
        problems.append({"code": "not_here", "measured": missing, "limit": 0, "sentence": sentence, "severity": "warn"})
    with vault.session() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NoSuchBatch
        read_as = {"kind": understood.kind, "encoding": understood.encoding, "columns": understood.mapping}
        batch.facts = {**batch.facts, "roster": {"people": len(roster.rows), **read_as}}
        batch.problems = problems
