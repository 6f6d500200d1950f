"""Says whose consent each line of a register is: by number, e-mail and name, which must not contradict each other.

One answer counted for the wrong person opens a face against somebody's will. So a yes counts only for the one person
that everything in its line points to, while a no counts for everybody it may be about, until HR mends the line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.roster.columns import folded
from tasks.roster.consents import ConsentEntry, ConsentRegister, consent_problem, in_order, refused_at
from tasks.roster.rows import ConsentCell, Roster, RosterProblem, RosterRow, Understood, rows_named, shape_of
from tasks.sentences import tell

LISTED = 20  # lines of strangers that are named one by one; a register of a whole group has thousands


@dataclass(frozen=True)
class Consents:
    """What roster and register say about each person on the roster, told by the roster's row."""

    by_row: Mapping[int, tuple[ConsentCell, ...]]
    in_register: frozenset[int]  # rows that the register speaks of
    problems: tuple[RosterProblem, ...]  # of the register
    understood: Understood | None = None  # how the register was read

    def of(self, row: RosterRow) -> tuple[ConsentCell, ...]:
        """Everything said about one person, oldest first."""
        return self.by_row.get(row.row, ())

    def code(self, row: RosterRow, now: datetime) -> str | None:
        """Why no photo of this person may be opened, or None. The same answer for the check and for the run."""
        return consent_problem(self.of(row), now)


def settle_consents(roster: Roster, register: ConsentRegister | None) -> Consents:
    """Puts the roster's own columns and the register together.

    A register, where there is one, is the record: a yes in the roster's column counts only for people the register does
    not mention. A no counts from either.
    """
    said: defaultdict[int, list[ConsentCell]] = defaultdict(list)
    problems: list[RosterProblem] = []
    strangers: list[ConsentEntry] = []
    people = _People(roster)
    for entry in register.entries if register else ():
        one = people.meant_by(entry)
        if one.row is not None:
            said[one.row.row].append(entry.consent)
            continue
        if not one.maybe:
            strangers.append(entry)
            continue
        problems.append(_doubt(entry, one))
        if refused_at(entry.consent) is not None:
            for row in one.maybe:
                said[row.row].append(replace(entry.consent, given=False))
    listed = frozenset(said)
    for row in roster.rows:
        own = [cell for cell in (row.consent, *row.more_consents) if cell is not None]
        noes = [cell for cell in own if refused_at(cell) is not None]
        if row.row in listed and noes and consent_problem(said[row.row], _EVER) is None:
            problems.append(_disagree(row))
        said[row.row] += noes if row.row in listed else own
    problems += _strangers(strangers)
    if register:
        problems = [*register.problems, *problems]
    return Consents(
        {row: in_order(cells) for row, cells in said.items()},
        listed,
        tuple(problems),
        register.understood if register else None,
    )


_EVER = datetime.max.replace(year=9998).astimezone()


@dataclass(frozen=True)
class _Meant:
    """Whom a line means: one person, or why that cannot be said and who it may be."""

    row: RosterRow | None
    maybe: tuple[RosterRow, ...] = ()
    why: str = ""


class _People:
    """Everybody on the roster by number, e-mail and name."""

    def __init__(self, roster: Roster) -> None:
        self.numbers: defaultdict[str, list[RosterRow]] = defaultdict(list)
        self.bare: defaultdict[str, list[RosterRow]] = defaultdict(list)  # without leading noughts
        self.emails: defaultdict[str, list[RosterRow]] = defaultdict(list)
        self.names: defaultdict[frozenset[str], list[RosterRow]] = defaultdict(list)
        for row in roster.rows:
            self.numbers[row.number].append(row)
            self.bare[row.number.lstrip("0")].append(row)
            if row.email:
                self.emails[row.email.casefold()].append(row)
            if row.name != row.number:
                self.names[name_words(row.name)].append(row)
        self.by_address = "number" not in roster.understood.mapping  # then the e-mail stands in for the number

    def meant_by(self, entry: ConsentEntry) -> _Meant:
        number = "" if self.by_address else entry.number
        named = {
            "number": self.numbers.get(number, []) if number else [],
            "email": self.emails.get(entry.email.casefold(), []) if entry.email else [],
            "name": self.names.get(name_words(entry.name), []) if entry.name else [],
        }
        told = {what: rows for what, rows in named.items() if rows}
        maybe = tuple({row.row: row for rows in told.values() for row in rows}.values())
        common = [row for row in maybe if all(row in rows for rows in told.values())]
        if not told:
            return _Meant(None)
        if len(common) != 1:
            pointing = "; ".join(tell(f"whose.{what}_to", people=_who(rows)) for what, rows in told.items())
            return _Meant(None, maybe, tell("whose.several" if common else "whose.different", pointing=pointing))
        row = common[0]
        against = self._against(entry, number, told, row)
        return _Meant(None, maybe, tell(f"whose.{against}", people=_who([row]))) if against else _Meant(row)

    def _against(self, entry: ConsentEntry, number: str, told: Mapping[str, object], row: RosterRow) -> str:
        """What in the line does not fit the one person that the rest points to, as the end of a key of the language; ""
        when nothing contradicts."""
        others = len(told)
        if number and "number" not in told and number.lstrip("0") != row.number.lstrip("0") and others < 2:
            return "number_nobodys"
        if entry.email and "email" not in told and row.email and not ("number" in told and "name" in told):
            return "email_nobodys"
        strange = bool(entry.name) and not name_words(entry.name) & name_words(row.name)
        if strange and "name" not in told and row.name != row.number and others < 2:
            return "name_nobodys"
        return ""


def name_words(name: str) -> frozenset[str]:
    """The words of a name in any order, folded: `Aydın, Emre` and `Emre Aydin` are alike."""
    return frozenset(folded(name.replace("ı", "i").replace("ø", "o").replace("ł", "l").replace("Ł", "L")).split())


def _who(rows: Iterable[RosterRow]) -> str:
    return ", ".join(tell("whose.row", row=row.row, name=row.name) for row in rows)


def _doubt(entry: ConsentEntry, one: _Meant) -> RosterProblem:
    rows = rows_named([row.row for row in one.maybe])
    fix = tell("whose.doubt", rows=rows)
    return RosterProblem("whose_consent", entry.row, "", "", fix, False, entry.place, one.why)


def _disagree(row: RosterRow) -> RosterProblem:
    fix = tell("whose.disagree", row=row.row)
    return RosterProblem("consent_differs", 0, "", "", fix, False, seen=row.name)


def _strangers(entries: list[ConsentEntry]) -> list[RosterProblem]:
    fix = tell("whose.stranger")
    found = [
        RosterProblem("not_on_roster", entry.row, "", shape_of(entry.name or entry.email or entry.number), fix, False,
                      entry.place, entry.name or entry.email or entry.number)
        for entry in entries[:LISTED]
    ]  # fmt: skip
    if len(entries) > LISTED:
        fix = tell("whose.more_strangers", len(entries) - LISTED)
        found.append(RosterProblem("not_on_roster", 0, "", "", fix, False))
    return found
