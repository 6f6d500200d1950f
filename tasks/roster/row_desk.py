"""Where each row of one roster is told whose it is, and what it says is written into that person's record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session, select

from tasks.roster.identity import Called, KnownPeople, Whose
from tasks.roster.questions import ask_who, missing_people, rename
from tasks.roster.rows import Roster, RosterRow
from tasks.sentences import tell
from tasks.vault.keys import Keyring
from tasks.vault.records import EarlierName, Employee, Question, new_id
from tasks.vault.review import standing_opt_outs
from tasks.vault.store import Vault
from tasks.vault.tombstones import emptied

MOST = 20  # names in one line


class RowDesk:
    """One roster beside everybody in the records, within the caller's transaction."""

    def __init__(
        self,
        session: Session,
        keys: Keyring,
        roster: Roster,
        batch: str,
        now: datetime,
        forgotten: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """`forgotten`: rows of people who were forgotten and have not come back, with the id of the emptied record."""
        self.forgotten, self.seated = forgotten, set[str]()
        self.session, self.keys, self.roster, self.batch, self.now = session, keys, roster, batch, now
        self.people = {employee.id: employee for employee in session.exec(select(Employee))}
        self.numbers = {employee.number: employee for employee in self.people.values()}
        before = session.exec(select(EarlierName))
        self.known = KnownPeople(
            [Called(one.id, one.number, one.name, one.email) for one in self.people.values() if one.state != "erased"],
            [Called(one.employee_id, one.number, one.name, one.email) for one in before],
        )
        self.listed = {row.number: row for row in roster.rows if row.row not in roster.doubtful_rows}
        self.noes = standing_opt_outs(session).keys()

    def person_of(self, row: RosterRow) -> str | None:
        """Whose row this plainly is; None for somebody new, and for a row in doubt or in question."""
        return None if row.row in self.roster.doubtful_rows else self.known.whose(row, self.listed).person

    def admit(self, row: RosterRow) -> tuple[Employee, Question | None]:
        """The record of one row, with what the row says, and the question that it waits for."""
        if row.row in self.forgotten:
            return self._emptied(self.forgotten[row.row]), None
        if row.row in self.roster.doubtful_rows:
            number = self.roster.filed_number(row)
            return self._write(self.numbers.get(number) or self._add(number), row, number), None
        whose = self.known.whose(row, self.listed)
        if whose.candidates:
            return ask_who(self.session, self.keys, self.batch, row, whose.candidates, self.now)
        if whose.person is None:
            return self._write(self._add(row.number), row, row.number), None
        person = self.people[whose.person]
        return (person if whose.outdated else self._write(person, row, row.number)), None

    def _emptied(self, identity: str) -> Employee:
        """The record that forgetting emptied; another empty one for a second line of the same person. Nothing that the
        row says is written down."""
        if identity in self.seated:
            fresh = emptied(new_id("p"), self.now)
            self.session.add(fresh)
            return fresh
        self.seated.add(identity)
        return self.people[identity]

    def _add(self, number: str) -> Employee:
        employee = Employee(id=new_id("p"), number=number, state="active", updated_at=self.now)
        self.people[employee.id] = self.numbers[number] = employee
        return employee

    def _write(self, employee: Employee, row: RosterRow, number: str) -> Employee:
        """What the row says, into the record. Somebody who is being forgotten gets nothing new written about them."""
        fields = {
            "department": row.department,
            "title": row.title,
            "status": row.status,
            "wardrobe": row.wardrobe,
            "glasses": row.glasses,
            "generation": row.generation and employee.id not in self.noes,
        }
        called = (employee.number, employee.name, employee.email) == (number, row.name, row.email)
        same = called and all(getattr(employee, field) == value for field, value in fields.items())
        if employee.state == "active" and not same:
            for field, value in fields.items():
                setattr(employee, field, value)
            rename(self.session, employee, number, row.name, row.email, self.now)
        self.session.add(employee)
        return employee


def of_question(question: Question | None) -> tuple[str | None, tuple[str, ...]]:
    """(code of what a row waits for, ids of those it may mean)."""
    if question is None:
        return None, ()
    if question.answer is not None:
        return "roster_mistake", ()
    return "who_is_this", tuple(str(one["id"]) for one in question.candidates)


def look_ahead(vault: Vault, roster: Roster, now: datetime) -> list[str]:
    """What HR will be asked about this roster, in words that name people: for the page of a check, kept nowhere."""
    with vault.reading() as session:
        desk = RowDesk(session, vault.keys, roster, "", now)
        lines, here = [], set()
        for row in roster.rows:
            whose = desk.known.whose(row, desk.listed) if row.row not in roster.doubtful_rows else Whose()
            here |= {whose.person} if whose.person else {one.person for one in whose.candidates}
            if whose.candidates:
                known = [f"{p.number} {p.name}" for c in whose.candidates if (p := desk.people[c.person])]
                words = {"where": row.where, "number": row.number, "name": row.name}
                lines.append(tell("ahead.who_is_it", known=tell("ahead.or").join(known), **words))
        missing = [desk.people[one] for one in missing_people(session, "", here) if one in desk.people]
        gone = [f"{one.number} {one.name}" for one in missing if one.state == "active" and one.status != "left"]
    if gone:
        lines.append(tell("ahead.not_here", len(gone), names=", ".join(gone[:MOST])))
    return lines
