"""What only HR can say: asked once, waited for, remembered, and carried out the moment it is answered.

    who_is_this    a row fits somebody known only in part. The row gets a record of its own until HR says: the same
                   person, renamed or with a new number; another person; or a mistake in the roster
    not_here       somebody of the last roster is not on this one: left, or left out?

Until then whoever may be meant waits: nothing of theirs is made or delivered. What an answer changes is the name and
number of a record, never whose photos and pictures are whose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from tasks.roster.identity import PossiblePerson, is_last_roster, name_key, same_name
from tasks.roster.merged import approvals_of, carry_over, take_over
from tasks.roster.rows import RosterRow
from tasks.vault.audit_log import Event, append
from tasks.vault.keys import Keyring
from tasks.vault.records import DropVersion, EarlierName, Employee, Question, Seat, new_id
from tasks.vault.store import Vault

SAME = "same:"  # followed by the id of the person whom the row means
ANOTHER, MISTAKE, LEFT, LEFT_OUT = "another", "mistake", "left", "left_out"


class BadAnswer(ValueError):
    """There is no such question open, or this is none of its answers."""


@dataclass(frozen=True)
class PossibleAnswer:
    """One answer, and what it means in words for HR."""

    answer: str
    words: str


@dataclass(frozen=True)
class Asked:
    """An open question as HR reads it."""

    id: str
    kind: str
    batch: str
    words: str
    choices: tuple[PossibleAnswer, ...]


def claim_of(keys: Keyring, row: RosterRow) -> str:
    """A pseudonym of what the roster says, by which the question, and its answer, are found again."""
    return keys.pseudonym("\0".join(("claim", row.number, name_key(row.name), row.email.casefold())))


def ask_who(
    session: Session, keys: Keyring, batch: str, row: RosterRow, candidates: Sequence[PossiblePerson], now: datetime
) -> tuple[Employee, Question]:
    """The question about this row, asked now or before, and the record that the row has until it is answered."""
    claim = claim_of(keys, row)
    before = session.exec(select(Question).where(Question.kind == "who_is_this", Question.claim == claim)).all()
    for question in sorted(before, key=lambda one: one.asked_at, reverse=True):
        record = session.get(Employee, question.employee_id)
        if record is not None:
            return record, question
    question = Question(
        id=new_id("q"), kind="who_is_this", batch_id=batch, employee_id=new_id("p"), claim=claim, asked_at=now,
        candidates=[{"id": one.person, "by": one.by} for one in candidates],
    )  # fmt: skip
    record = Employee(
        id=question.employee_id, number=f"{row.number} (question {question.id})", name=row.name, email=row.email,
        department=row.department, title=row.title, status="unknown", state="active", updated_at=now,
    )  # fmt: skip
    session.add_all([question, record])
    append(session, [Event("asked", record.id, question.id, {"kind": question.kind}, "roster")], now=now)
    return record, question


def ask_about_missing(vault: Vault, batch: str, here: Collection[str], now: datetime) -> int:
    """Asks once about everybody of the last roster who is not on this one (`here`: ids): left, or left out? Whoever is
    on it is asked about no more. How many of them are open."""
    with vault.session() as session:
        missing = missing_people(session, batch, here)
        past = session.exec(select(Question).where(Question.kind == "not_here")).all()
        for question in past:
            if question.employee_id in here:
                session.delete(question)
        known = {question.employee_id for question in past}
        for person in missing - known:
            employee = session.get(Employee, person)
            if employee is not None and employee.state == "active" and employee.status in ("active", "leave"):
                question = Question(id=new_id("q"), kind="not_here", batch_id=batch, employee_id=person, asked_at=now)
                session.add(question)
        session.flush()
        still = select(Question.employee_id).where(Question.kind == "not_here", col(Question.answer).is_(None))
        return len(missing.intersection(session.exec(still).all()))


def missing_people(session: Session, batch: str, here: Collection[str]) -> set[str]:
    """People of an earlier version of this drop, and of the newest other roster that this one follows."""
    missing = set(session.exec(select(Seat.employee_id).where(Seat.batch_id == batch))) - set(here)
    newest = select(DropVersion.batch_id).where(DropVersion.batch_id != batch).order_by(col(DropVersion.at).desc())
    for other in dict.fromkeys(session.exec(newest).all()):
        before = set(session.exec(select(Seat.employee_id).where(Seat.batch_id == other)))
        if is_last_roster(before, here):
            return missing | before - set(here)
    return missing


def waiting_people(session: Session) -> set[str]:
    """Ids of everybody who may be meant by a row that HR has not told apart: nothing of theirs is made or leaves."""
    waiting: set[str] = set()
    for question in session.exec(
        select(Question).where(Question.kind == "who_is_this", col(Question.answer).is_(None))
    ):
        waiting |= {str(one["id"]) for one in question.candidates} | {question.employee_id}
    return waiting


def open_questions(vault: Vault, batch: str | None = None) -> list[Asked]:
    """Everything HR has not answered yet, of one batch or of all, oldest first."""
    with vault.reading() as session:
        query = (
            select(Question).where(col(Question.answer).is_(None)).order_by(col(Question.asked_at), col(Question.id))
        )
        if batch is not None:
            query = query.where(Question.batch_id == batch)
        return [asked for row in session.exec(query).all() if (asked := _in_words(session, row)) is not None]


def _in_words(session: Session, question: Question) -> Asked | None:
    person = session.get(Employee, question.employee_id)
    if person is None or person.state != "active":
        return None  # being forgotten: nothing is asked about them
    if question.kind == "not_here":
        words = f"{person.number} {person.name} was on the last roster and is not on this one."
        choices = (
            PossibleAnswer(LEFT, "They have left"),
            PossibleAnswer(LEFT_OUT, "They were left out: nothing changes"),
        )
        return Asked(question.id, question.kind, question.batch_id, words, choices)
    number = person.number.partition(" (question ")[0]
    words = f"The roster says {number} is {person.name}{f' ({person.email})' if person.email else ''}. Who is that?"
    same: list[PossibleAnswer] = []
    for one in question.candidates:
        known = session.get(Employee, str(one["id"]))
        if known is None or known.state != "active":
            continue
        who = f"{known.name}, {known.number}{f', {known.email}' if known.email else ''}"
        how = "renamed" if one["by"] == "number" else f"now with number {number}"
        same.append(PossibleAnswer(f"{SAME}{known.id}", f"The same as {who}, {how}"))
    more = [
        PossibleAnswer(ANOTHER, "Another person, new here"),
        PossibleAnswer(MISTAKE, "A mistake in the roster: we will mend it"),
    ]
    return Asked(question.id, question.kind, question.batch_id, words, (*same, *more))


def answer_question(vault: Vault, question_id: str, answer: str, by: str, now: datetime) -> None:
    """Carries HR's answer out at once and remembers it. Raises BadAnswer for what cannot be answered so."""
    with vault.session() as session:
        question = session.get(Question, question_id)
        asked = _in_words(session, question) if question is not None and question.answer is None else None
        if question is None or asked is None:
            raise BadAnswer("This question is not open: it was answered already, or is no longer asked.")
        if answer not in {choice.answer for choice in asked.choices}:
            raise BadAnswer(f"Choose one of: {', '.join(choice.answer for choice in asked.choices)}.")
        record = session.get_one(Employee, question.employee_id)
        if answer == LEFT:
            record.status, record.updated_at = "left", now
            session.add(record)
        elif answer == ANOTHER:
            _become(session, record, record, now)
            question.person = record.id
        elif answer.startswith(SAME):
            person = session.get_one(Employee, answer.removeprefix(SAME))
            question.person = person.id
            approved = approvals_of(session, person.id)
            _become(session, person, record, now)
            _give_seats(session, record.id, person.id)
            session.flush()
            carry_over(session, person, approved, by, now)
            take_over(session, record, person)
            session.delete(record)
        question.answer, question.by, question.answered_at = answer.partition(":")[0], by, now
        session.add(question)
        what = {"kind": question.kind, "answer": question.answer}
        append(session, [Event("answered", question.person or record.id, question.id, what, "reviewer")], now=now)


def plain_answers(vault: Vault) -> list[tuple[str, str]]:
    """(question, answer) of those that a merger asks by the hundred: nobody has the line's number, and one known person
    has its name or e-mail. They are offered to HR together, and answered by nobody else."""
    with vault.reading() as session:
        query = select(Question).where(Question.kind == "who_is_this", col(Question.answer).is_(None))
        rows = session.exec(query.order_by(col(Question.asked_at), col(Question.id))).all()
        found = []
        meant = Counter(str(one["id"]) for row in rows for one in row.candidates)
        for row in rows:
            alone = row.candidates[0] if len(row.candidates) == 1 else None
            if alone is not None and alone["by"] == "name" and meant[str(alone["id"])] == 1:
                asked = _in_words(session, row)
                answer = f"{SAME}{alone['id']}"
                if asked is not None and answer in {choice.answer for choice in asked.choices}:
                    found.append((row.id, answer))
    return found


def answer_plain(vault: Vault, expected: int, by: str, now: datetime) -> int:
    """Says of all of them that they are the same people. `expected`: how many whoever answers was shown; BadAnswer when
    there are others by now. How many were answered."""
    plain = plain_answers(vault)
    if len(plain) != expected:
        raise BadAnswer(f"There are {len(plain)} of these by now: look at them once more.")
    for question, answer in plain:
        answer_question(vault, question, answer, by, now)
    return len(plain)


def rename(session: Session, person: Employee, number: str, name: str, email: str, now: datetime) -> None:
    """A person's name and number change: what they were called is kept, and approvals under it end.

    Another spelling of the same name, and another e-mail, are no other name.
    """
    if person.number != number or (person.name and not same_name(person.name, name)):
        session.add(
            EarlierName(
                employee_id=person.id, identity=person.identity, number=person.number, name=person.name,
                email=person.email, until=now,
            )
        )  # fmt: skip
        person.identity += 1
    person.number, person.name, person.email, person.updated_at = number, name, email, now
    session.add(person)


def _become(session: Session, person: Employee, said: Employee, now: datetime) -> None:
    """The person takes the number, name and e-mail that the roster said; whoever has the number gives it up."""
    number, name, email = said.number.partition(" (question ")[0], said.name, said.email
    holder = session.exec(select(Employee).where(Employee.number == number, Employee.id != person.id)).first()
    if holder is not None:
        rename(session, holder, f"{number} (until {now:%Y-%m-%d}, {holder.id[-6:]})", holder.name, holder.email, now)
        session.flush()
    if person is said:
        person.number, person.status, person.updated_at = number, "active", now
        session.add(person)
    else:
        rename(session, person, number, name, email, now)
        session.flush()


def _give_seats(session: Session, record: str, person: str) -> None:
    """The seats that a row held under the record of its question are the person's, where they have none of their own.
    They stay blocked until the batch is run again, which finds the answer."""
    for seat in session.exec(select(Seat).where(Seat.employee_id == record)).all():
        there = session.get(Seat, (seat.batch_id, person))
        if there is None:
            session.add(Seat(**{**seat.model_dump(), "employee_id": person}))
        session.delete(seat)
