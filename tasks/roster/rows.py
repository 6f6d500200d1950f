"""The values a roster is read into.

A roster row stays with its row number for ever: whatever is wrong with it can be shown to HR beside the place where
they can mend it. Problems describe the *shape* of a value: they travel into logs, records and reports, and a person's
name or address must not travel with them. The cell as seen goes only onto the page or table made for who mends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tasks.failures import RollcallError
from tasks.sentences import tell

Status = Literal["active", "leave", "left", "unknown"]  # unknown: the person waits, and is never taken for active
Glasses = Literal["keep", "on", "off"]
File = Literal["roster", "register"]


@dataclass(frozen=True)
class RosterProblem:
    """One thing wrong in one place, and what to do about it. `blocking`: the person in that row cannot go on."""

    code: str
    row: int  # as a spreadsheet counts: the first line of the file is 1; 0 means the whole file
    column: str  # the header as HR wrote it, or "" for the whole row
    shape: str  # what the value looks like, never the value
    fix: str
    blocking: bool
    place: str = ""  # where the row is, when its number alone does not say: "sheet Lyon, row 3"
    # The cell as seen, for who mends it. Never in a log or record: records keep what `as_finding` says without it.
    seen: str = field(default="", repr=False)

    def where(self, file: File = "roster") -> str:
        """`Roster row 3, column Status`."""
        row = self.place or (tell("line.row", row=self.row) if self.row else "")
        column = tell("line.column", column=self.column) if self.column else ""
        return " ".join([tell(f"line.{file}"), *([row] if row else [])]) + column

    def as_finding(self, file: File = "roster", *, quoted: bool = False) -> dict[str, Any]:
        """In the form that every finding about a person has, in the records and in the reports. `quoted`: with the cell
        as seen, for a page or table that is made for somebody and kept by nobody."""
        where = self.where(file) + (f", “{self.seen}”" if quoted and self.seen else "")
        return {
            "code": self.code,
            "measured": self.shape,
            "limit": "",
            "sentence": f"{where}: {self.fix}",
            "severity": "block" if self.blocking else "warn",
            "photo": None,
        }


@dataclass(frozen=True)
class ConsentCell:
    """What a roster or register says about one person's consent for one purpose."""

    given: bool
    purpose: str = "headshot"
    text_version: str = ""
    given_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn: bool = False  # a withdrawal counts even when nobody wrote down its date
    no_sooner: datetime | None = None  # of a day that may be two: the earlier one
    until: datetime | None = None  # a yes ends with this day


@dataclass(frozen=True)
class RosterRow:
    """One person as the roster tells it. All text is text: 007 is not 7, `=1+1` is not 2."""

    number: str
    name: str
    email: str
    department: str
    title: str
    status: Status
    wardrobe: str | None
    glasses: Glasses
    generation: bool
    consent: ConsentCell | None
    row: int
    location: str = ""
    more_consents: tuple[ConsentCell, ...] = ()  # of further lines about the same person
    place: str = ""  # where the line is, when its number alone does not say: "sheet Lyon, row 3"
    kit: str = ""  # the brand kit they are to be photographed under, where it is not the batch's

    @property
    def where(self) -> str:
        return self.place or tell("line.row", row=self.row)


@dataclass(frozen=True)
class Understood:
    """How the file was read, so that a wrong guess is seen at once and not in the pictures."""

    kind: str  # "csv", "xlsx"
    encoding: str
    delimiter: str
    header_row: int
    mapping: dict[str, str]  # our field → HR's header
    unused: tuple[str, ...]  # headers that nothing was read from
    sheet: str = ""
    not_read: tuple[str, ...] = ()  # sheets that nothing was read from, each with the reason

    def lines(self) -> list[str]:
        """The same for a terminal."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        between = tell(f"understood.{names[self.delimiter]}") if self.delimiter in names else "-"
        how = tell("understood.sheet", sheet=self.sheet) if self.sheet else f"{self.encoding}, {between}"
        fields = ", ".join(f"{field} ← {header}" for field, header in self.mapping.items())
        lines = [tell("understood.read_as", kind=self.kind, how=how, row=self.header_row)]
        lines += [tell("understood.columns", fields=fields)]
        lines += [tell("understood.not_used", headers=", ".join(self.unused))] if self.unused else []
        return lines + ([tell("understood.not_read", sheets=", ".join(self.not_read))] if self.not_read else [])


@dataclass(frozen=True)
class Roster:
    """Everybody in the file, in its order, and everything that is wrong with it.

    Law: every line that holds anything below the header is exactly one of three: a person's row, however bad it is; a
    further line about a person who has one (`further`); or no person at all (`no_people`), and then a remark names it.
    """

    rows: tuple[RosterRow, ...]
    problems: tuple[RosterProblem, ...]
    understood: Understood
    further: tuple[int, ...] = ()
    no_people: tuple[int, ...] = ()

    @property
    def blocked_rows(self) -> frozenset[int]:
        """Row numbers of people who cannot go on before HR mends something."""
        return frozenset(p.row for p in self.problems if p.blocking and p.row)

    @property
    def doubtful_rows(self) -> frozenset[int]:
        """Rows whose number is missing, spoiled or another person's too: consents and photos under it are nobody's."""
        codes = ("duplicate_id", "missing_id", "spoiled_number")
        return frozenset(p.row for p in self.problems if p.blocking and p.code in codes)

    @property
    def file_problems(self) -> tuple[RosterProblem, ...]:
        """What is wrong with the file as a whole, or with lines in it that are nobody's."""
        people = {row.row for row in self.rows}
        return tuple(p for p in self.problems if p.row not in people)

    def filed_number(self, row: RosterRow) -> str:
        """The number a row is filed and its photos are matched under: its own, unless that is missing or taken."""
        return f"{row.number} (row {row.row})".strip() if row.row in self.doubtful_rows else row.number

    def problems_in(self, row: int) -> tuple[RosterProblem, ...]:
        return tuple(p for p in self.problems if p.row == row)


class UnreadableTable(RollcallError):
    """A file that cannot be understood as a table at all: a code, and the key of a sentence for HR with its words, none
    of them a cell's. What opens files in the sandbox speaks no language; who asked says the sentence."""

    def __init__(self, code: str, key: str, **words: str | int) -> None:
        super().__init__(code)
        self.code, self.key, self.words = code, key, words

    @property
    def fix(self) -> str:
        return tell(self.key, **self.words)

    def __str__(self) -> str:
        return f"{self.code}: {self.fix}"


def say_not_read(sheet: tuple[str, str]) -> str:
    """A sheet that nothing was read from, with the reason: (its name, a code)."""
    name, why = sheet
    return tell(f"understood.{why}", sheet=name)


NAMED_ROWS = 5  # in a sentence; a list of thousands helps nobody and grows with the square of the file


def rows_named(rows: Sequence[int]) -> str:
    """`2, 3 and 7`, or `2, 3, 4, 5, 6 and 19,997 more`."""
    shown, more = [str(row) for row in rows[:NAMED_ROWS]], len(rows) - NAMED_ROWS
    if more > 0:
        return tell("line.and_more", more, rows=", ".join(shown))
    if len(shown) == 1:
        return shown[0]
    return tell("line.and_last", rows=", ".join(shown[:-1]), last=shown[-1]) if shown else ""


def shape_of(value: str) -> str:
    """Describes a value without repeating it: length and which kinds of characters it is made of."""
    if not value:
        return tell("shape.empty")
    kinds = [
        ("letters", any(c.isalpha() for c in value)),
        ("digits", any(c.isdigit() for c in value)),
        ("spaces", any(c.isspace() for c in value)),
        ("at", "@" in value),
        ("others", any(not c.isalnum() and not c.isspace() and c != "@" for c in value)),
    ]
    made_of = ", ".join(tell(f"shape.{kind}") for kind, there in kinds if there)
    return tell("shape.characters", len(value), made_of=made_of)
