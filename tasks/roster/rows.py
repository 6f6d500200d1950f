"""The values a roster is read into.

A roster row stays with its row number for ever: whatever is wrong with it can be shown to HR beside the place where
they can mend it. Problems describe the *shape* of a value, never the value: they travel into logs, records and
reports, and a person's name or address must not travel with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Status = Literal["active", "leave", "left"]
Glasses = Literal["keep", "on", "off"]


@dataclass(frozen=True)
class RosterProblem:
    """One thing wrong in one place, and what to do about it. `blocking`: the person in that row cannot go on."""

    code: str
    row: int  # as a spreadsheet counts: the first line of the file is 1; 0 means the whole file
    column: str  # the header as HR wrote it, or "" for the whole row
    shape: str  # what the value looks like, never the value
    fix: str
    blocking: bool

    def as_finding(self, file: str = "Roster") -> dict[str, Any]:
        """In the form that every finding about a person has, in the records and in the reports."""
        where = " ".join([file, *([f"row {self.row}"] if self.row else [])])
        where += f", column {self.column}" if self.column else ""
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

    def lines(self) -> list[str]:
        """The same for a terminal."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        how = f"sheet {self.sheet!r}" if self.sheet else f"{self.encoding}, {names.get(self.delimiter, '-')}"
        fields = ", ".join(f"{field} ← {header}" for field, header in self.mapping.items())
        lines = [f"Read as {self.kind} ({how}), header in row {self.header_row}", f"Columns: {fields}"]
        return lines + ([f"Not used: {', '.join(self.unused)}"] if self.unused else [])


@dataclass(frozen=True)
class Roster:
    """Everybody in the file, in its order, and everything that is wrong with it.

    Law: every line that holds anything below the header is exactly one row here, however bad it is.
    """

    rows: tuple[RosterRow, ...]
    problems: tuple[RosterProblem, ...]
    understood: Understood

    @property
    def blocked_rows(self) -> frozenset[int]:
        """Row numbers of people who cannot go on before HR mends something."""
        return frozenset(p.row for p in self.problems if p.blocking and p.row)

    @property
    def doubtful_rows(self) -> frozenset[int]:
        """Rows whose number is missing or somebody else's: consents and photos under it are not theirs."""
        return frozenset(p.row for p in self.problems if p.blocking and p.code in ("duplicate_id", "missing_id"))

    def filed_number(self, row: RosterRow) -> str:
        """The number a row is filed and its photos are matched under: its own, unless that is missing or taken."""
        return f"{row.number} (row {row.row})".strip() if row.row in self.doubtful_rows else row.number

    def problems_in(self, row: int) -> tuple[RosterProblem, ...]:
        return tuple(p for p in self.problems if p.row == row)


class Unreadable(ValueError):
    """A file that cannot be understood as a table at all. `fix` is a sentence for HR; no content of the file in it."""

    def __init__(self, code: str, fix: str) -> None:
        super().__init__(f"{code}: {fix}")
        self.code = code
        self.fix = fix


NAMED_ROWS = 5  # in a sentence; a list of thousands helps nobody and grows with the square of the file


def rows_named(rows: Sequence[int]) -> str:
    """`2, 3 and 7`, or `2, 3, 4, 5, 6 and 19,997 more`."""
    shown, more = [str(row) for row in rows[:NAMED_ROWS]], len(rows) - NAMED_ROWS
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def shape_of(value: str) -> str:
    """Describes a value without repeating it: length and which kinds of characters it is made of."""
    if not value:
        return "empty"
    kinds = [
        ("letters", any(c.isalpha() for c in value)),
        ("digits", any(c.isdigit() for c in value)),
        ("spaces", any(c.isspace() for c in value)),
        ("@", "@" in value),
        ("other signs", any(not c.isalnum() and not c.isspace() and c != "@" for c in value)),
    ]
    made_of = ", ".join(kind for kind, there in kinds if there)
    count = len(value)
    return f"{count} character{'s' if count != 1 else ''}: {made_of}"
