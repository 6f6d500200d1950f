"""Reads a consent register, and holds the one rule by which what was said becomes leave or none.

A register is a file of its own (or columns of the roster). It is read with the same tolerance as a roster, but its
content is never mended: what cannot be read as a consent is none. Whose line is whose is told in whose_consent.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tasks.roster.answers import numbers_are_codes
from tasks.roster.cells import read_number
from tasks.roster.columns import header_score
from tasks.roster.consent_line import Said, read_line
from tasks.roster.grid import Grid
from tasks.roster.header_rows import Header, find_header
from tasks.roster.register_columns import RegisterColumns, map_register
from tasks.roster.rows import ConsentCell, RosterProblem, Understood, UnreadableTable, say_not_read, shape_of
from tasks.roster.signs import visible
from tasks.roster.tables import read_tables
from tasks.roster.words import read_email, tidy_name
from tasks.sentences import tell

PURPOSE = "headshot"
CLOCK_TOLERANCE = timedelta(days=1)  # a register dated in another time zone; the same day the vault allows
# What people call the purpose of this product, folded (columns.folded). Anything else is another purpose.
HEADSHOT_WORDS = frozenset({
    "headshot", "headshots", "company headshot", "company headshots", "ai headshot", "ai headshots", "portrait photo",
    "generated headshot", "portrait", "portrat", "portraets", "portrats", "portraits", "mitarbeiterportrat",
    "mitarbeiterportrats", "portratfoto", "portratfotos", "ki portrat", "portrait professionnel", "photo portrait",
    "portrait ia", "retrato", "retratos", "retrato profesional", "retrato corporativo", "retrato ia",
})  # fmt: skip
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class ConsentEntry:
    """One line of the register: who it says it is of, and what it says."""

    number: str
    email: str
    consent: ConsentCell
    row: int
    name: str = ""
    place: str = ""


@dataclass(frozen=True)
class ConsentRegister:
    """All lines of the register, in its order."""

    entries: tuple[ConsentEntry, ...]
    problems: tuple[RosterProblem, ...]
    understood: Understood


def read_consents(data: bytes, name: str, encoding: str | None = None) -> ConsentRegister:
    """Reads the register in `data` (the file `name`). Raises UnreadableTable when it is no table, or names nobody."""
    tables = read_tables(data, name, encoding, header_score)
    sheets = [(grid, header) for grid in tables.grids if (header := find_header(grid.rows))]
    if not sheets:
        raise UnreadableTable("no_header", "table.register_no_header")
    entries: list[ConsentEntry] = []
    problems: list[RosterProblem] = []
    understood: list[Understood] = []
    for grid, header in sheets:
        lines = [(i, cells) for i, cells in enumerate(grid.rows) if i >= header.below and any(cells)]
        where = map_register(header.titles, [cells for _, cells in lines], _title(grid, header))
        if not where.columns.place.keys() & {"number", "email", "name", "last"}:
            continue
        problems += _no_answers(where)
        codes = any(numbers_are_codes(_at(cells, column) for _, cells in lines) for column in where.answers)
        for index, cells in lines:
            entry, found = _entry(where, cells, grid, index, codes, named=len(sheets) > 1)
            entries += [entry] if entry else []
            problems += found
        understood.append(_understood(grid, header, where, tables.not_read))
    if not understood:
        raise UnreadableTable("no_header", "table.register_no_header")
    return ConsentRegister(tuple(entries), tuple(problems), understood[0])


def _title(grid: Grid, header: Header) -> str:
    """What stands over the whole table: its sheet's name and the lines above the header."""
    return " ".join([grid.sheet, *(cell for row in grid.rows[: header.row] for cell in row if cell)])


def _understood(
    grid: Grid, header: Header, where: RegisterColumns, not_read: tuple[tuple[str, str], ...]
) -> Understood:
    row = grid.lines[header.row]
    return Understood(
        grid.kind,
        grid.encoding,
        grid.delimiter,
        row,
        where.mapping,
        where.unused,
        grid.sheet,
        tuple(map(say_not_read, not_read)),
    )


def _no_answers(where: RegisterColumns) -> list[RosterProblem]:
    if where.answers or where.day_is_answer or where.taken_back:
        return []
    fix = tell("register.no_column")
    return [RosterProblem("missing_column", 0, tell("line.column_consent"), tell("line.no_such_header"), fix, False)]


def _entry(
    where: RegisterColumns, cells: list[str], grid: Grid, index: int, codes: bool, *, named: bool
) -> tuple[ConsentEntry | None, list[RosterProblem]]:
    found: list[RosterProblem] = []
    line = grid.lines[index]
    place = tell("line.in_sheet", sheet=grid.sheet, row=line) if named else ""

    def note(code: str, header: str, value: str, fix: str) -> None:
        found.append(RosterProblem(code, line, header, shape_of(value), fix, False, place, value))

    def cell(column: int | None) -> tuple[str, str]:
        return (where.columns.headers[column], _at(cells, column)) if column is not None else ("", "")

    said = Said(
        answers=[(*cell(column), where.language_of(column)) for column in where.answers],
        day=cell(where.day),
        day_is_answer=where.day_is_answer,
        taken_back=[cell(column) for column in where.taken_back],
        until=cell(where.until),
        remarks=[cell(column) for column in where.remarks],
        others=[cell(column) for column in where.others],
        purpose=where.columns.cell(cells, "consent_purpose"),
        text_version=where.columns.cell(cells, "consent_version"),
        codes=codes,
    )
    consent = read_line(said, note)
    columns = where.columns
    number, spoiled = read_number(columns.cell(cells, "number"))
    email = read_email(columns.cell(cells, "email"))
    if spoiled == "scientific":
        fix = tell("register.spoiled_number")
        note("spoiled_number", columns.header("number"), number, fix)
        number = ""
    first, last = columns.cell(cells, "first"), columns.cell(cells, "last")
    name, _ = tidy_name(columns.cell(cells, "name") or f"{first} {last}")
    if consent is None:
        note("no_answer", "", "", tell("register.neither"))
        return None, found
    if not number and not email and not name:
        note("missing_id", columns.header("number"), "", tell("register.whose"))
        return None, found
    if index in grid.hidden_rows and consent.given:
        note("hidden_row", "", "", tell("register.hidden_row"))
        return None, found
    return ConsentEntry(number, email, consent, line, visible(name), place), found


def _at(cells: list[str], column: int | None) -> str:
    return cells[column] if column is not None and column < len(cells) else ""


def consent_problem(consents: Iterable[ConsentCell], now: datetime, purpose: str = PURPOSE) -> str | None:
    """None when the last word for this purpose is a valid yes; else no_consent, consent_withdrawn or
    consent_other_purpose. The one rule, for the check and for the run.

    A yes without a day that can be read is the oldest word there is; a no or a withdrawal without one is the newest,
    and stands until its day is mended. A yes dated ahead of the clock, or run out, is none.
    """
    everything = tuple(consents)
    relevant = [cell for cell in everything if is_purpose(cell.purpose, purpose)]
    if not relevant:
        return "consent_other_purpose" if any(cell.given for cell in everything) else "no_consent"
    yes = [given for cell in relevant if (given := _given(cell, now)) is not None]
    noes = [(when, cell.withdrawn) for cell in relevant if (when := refused_at(cell)) is not None]
    last_no = max(noes, default=None)
    if yes and (last_no is None or _is_later(max(yes), last_no[0])):
        return None
    return "consent_withdrawn" if last_no is not None and last_no[1] else "no_consent"


def _given(cell: ConsentCell, now: datetime) -> datetime | None:
    """When this cell says yes, or None where it does not, not yet, or no longer."""
    day = cell.given_at or cell.no_sooner
    ahead = day is not None and day > now + CLOCK_TOLERANCE
    run_out = cell.until is not None and cell.until < now
    return None if not cell.given or ahead or run_out else cell.given_at or _FIRST


def refused_at(cell: ConsentCell) -> datetime | None:
    """When this cell says no or takes a yes back; the end of time where it names no day; None for a yes."""
    if cell.withdrawn:
        return cell.withdrawn_at or _LAST
    return None if cell.given else cell.given_at or _LAST


def _is_later(yes: datetime, no: datetime) -> bool:
    """Of one day, of which only one names the hour, nobody knows which was later: the no is."""
    dayless = yes.time() == _FIRST.time() or no.time() == _FIRST.time()
    return yes > no and not (dayless and yes.astimezone(UTC).date() == no.astimezone(UTC).date())


def as_of(consents: Iterable[ConsentCell], now: datetime) -> tuple[ConsentCell, ...]:
    """What may be recorded of them today: a yes that has run out was taken back on its last day; of a day that may be
    two and lies ahead, nothing."""
    cells = [
        cell for cell in consents if not (cell.given and cell.no_sooner and cell.no_sooner > now + CLOCK_TOLERANCE)
    ]
    return tuple(
        replace(cell, withdrawn=True, withdrawn_at=cell.until) if cell.until is not None and cell.until < now else cell
        for cell in cells
    )


def in_order(consents: Iterable[ConsentCell]) -> tuple[ConsentCell, ...]:
    """As they followed each other, undated ones as `consent_problem` takes them."""
    return tuple(sorted(consents, key=lambda cell: refused_at(cell) or cell.given_at or _FIRST))


def is_purpose(words: str, purpose: str = PURPOSE) -> bool:
    return words == purpose or (purpose == PURPOSE and words in HEADSHOT_WORDS)
