"""What only HR can say: asked once, waited for, remembered, and carried out the moment it is answered.

    who_is_this    a row fits somebody known only in part. The row gets a record of its own until HR says: the same
                   person, renamed or with a new number; another person; or a mistake in the roster
    not_here       somebody of the last roster is not on this one: left, or left out?
    whose_photos   the very same photos came for two people (`whose_photos`)

Until then whoever may be meant waits: nothing of theirs is made or delivered. What an answer about a name changes is
the name and number of a record, never whose photos and pictures are whose.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from tasks.failures import RollcallError
from tasks.roster import whose_photos
from tasks.roster.identity import PossiblePerson, is_last_roster, name_key, same_name
from tasks.roster.merged import approvals_of, carry_over, take_over
from tasks.roster.rows import RosterRow
from tasks.sentences import tell
from tasks.vault.audit_log import Event, append
from tasks.vault.keys import Keyring
from tasks.vault.records import DropVersion, EarlierName, Employee, Question, Seat, new_id
from tasks.vault.store import Vault

SAME = "same:"  # followed by the id of the person whom the row means
ANOTHER, MISTAKE, LEFT, LEFT_OUT, UNDO = "another", "mistake", "left", "left_out", "undo"


class BadAnswer(RollcallError):
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
    kinds = ("who_is_this", whose_photos.KIND)
    for question in session.exec(select(Question).where(col(Question.kind).in_(kinds), col(Question.answer).is_(None))):
        if question.kind == whose_photos.KIND and not whose_photos.living(session, question):
            continue  # only one of them is left
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
        return [asked for row in session.exec(query).all() if (asked := in_words(session, row)) is not None]


def in_words(session: Session, question: Question) -> Asked | None:
    """The question as HR reads it; None where there is nobody left to ask about."""
    person = session.get(Employee, question.employee_id)
    if person is None or person.state != "active":
        return None  # being forgotten: nothing is asked about them
    if question.kind == "not_here":
        words = tell("questions.not_here", number=person.number, name=person.name)
        choices = (
            PossibleAnswer(LEFT, tell("questions.left")),
            PossibleAnswer(LEFT_OUT, tell("questions.left_out")),
        )
        return Asked(question.id, question.kind, question.batch_id, words, choices)
    if question.kind == whose_photos.KIND:
        return _photos_in_words(question, whose_photos.living(session, question))
    number = person.number.partition(" (question ")[0]
    row = {"number": number, "name": person.name, "email": person.email}
    words = tell("questions.who_with_email" if person.email else "questions.who", **row)
    same: list[PossibleAnswer] = []
    for one in question.candidates:
        known = session.get(Employee, str(one["id"]))
        if known is None or known.state != "active":
            continue
        who = f"{known.name}, {known.number}{f', {known.email}' if known.email else ''}"
        how = "questions.same_renamed" if one["by"] == "number" else "questions.same_number"
        same.append(PossibleAnswer(f"{SAME}{known.id}", tell(how, who=who, number=number)))
    more = [
        PossibleAnswer(ANOTHER, tell("questions.another")),
        PossibleAnswer(MISTAKE, tell("questions.mistake")),
    ]
    return Asked(question.id, question.kind, question.batch_id, words, (*same, *more))


def _photos_in_words(question: Question, people: Sequence[Employee]) -> Asked | None:
    if not people:
        return None
    called = [f"{one.name}, {one.number.partition(' (question ')[0]}" for one in people]
    count = len(question.candidates[0]["photos"])
    words = tell("questions.photos", count, one=called[0], others=tell("questions.and").join(called[1:]))
    choices = [
        PossibleAnswer(f"{whose_photos.OF}{one.id}", tell("questions.theirs", name=name))
        for one, name in zip(people, called, strict=True)
    ]
    neither = PossibleAnswer(whose_photos.NEITHER, tell("questions.neither"))
    return Asked(question.id, question.kind, question.batch_id, words, (*choices, neither))


def answer_question(vault: Vault, question_id: str, answer: str, by: str, now: datetime) -> None:
    """Carries HR's answer out at once and remembers it. Raises BadAnswer for what cannot be answered so. UNDO takes an
    answer about photos back; what somebody is called is answered for good."""
    if answer == UNDO:
        if not whose_photos.take_back(vault, question_id, by, now):
            raise BadAnswer(tell("questions.no_way_back"))
        return
    with vault.session() as session:
        question = session.get(Question, question_id)
        asked = in_words(session, question) if question is not None and question.answer is None else None
        if question is None or asked is None:
            raise BadAnswer(tell("questions.not_open"))
        if answer not in {choice.answer for choice in asked.choices}:
            raise BadAnswer(tell("questions.choose", answers=", ".join(one.answer for one in asked.choices)))
        record = session.get_one(Employee, question.employee_id)
        if answer == LEFT:
            record.status, record.updated_at = "left", now
        elif question.kind == whose_photos.KIND:
            owner = answer.removeprefix(whose_photos.OF) if answer != whose_photos.NEITHER else None
            whose_photos.carry_out(session, vault.keys, question, owner, by, now)
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
        what = {"kind": question.kind, "answer": question.answer}
        append(session, [Event("answered", question.person or record.id, question.id, what, "reviewer")], now=now)


def answers_to_undo(vault: Vault) -> list[tuple[str, str]]:
    """(question, what was answered in words) of every answer that can be taken back, the newest first."""
    with vault.reading() as session:
        said = select(Question).where(Question.kind == whose_photos.KIND, col(Question.answer).is_not(None))
        found = []
        for one in session.exec(said.order_by(col(Question.answered_at).desc(), col(Question.id))):
            people = whose_photos.living(session, one)
            if people:
                names = {p.id: f"{p.name}, {p.number}" for p in people}
                shown = names.get(one.person or "", tell("questions.somebody_else"))
                asked = tell("questions.and").join(names.values())
                found.append((one.id, tell("questions.answered", asked=asked, shown=shown, by=one.by)))
        return found


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


def _become(session: Session, person: Employee, said: Employee, now: datetime) -> None:
    """The person takes the number, name and e-mail that the roster said; whoever has the number gives it up."""
    number, name, email = said.number.partition(" (question ")[0], said.name, said.email
    holder = session.exec(select(Employee).where(Employee.number == number, Employee.id != person.id)).first()
    if holder is not None:
        rename(session, holder, f"{number} (until {now:%Y-%m-%d}, {holder.id[-6:]})", holder.name, holder.email, now)
        session.flush()
    if person is said:
        person.number, person.status, person.updated_at = number, "active", now
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
