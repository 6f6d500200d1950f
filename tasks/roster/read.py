"""Reads a roster: any HR export in, people and problems out, nobody lost.

`read_roster` is pure. It never drops a line in silence: a bad row is a row with a problem, a line that is no person is
named, so that the people HR put in are the people the report accounts for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tasks.roster.cells import read_number
from tasks.roster.columns import Columns, header_score, map_columns
from tasks.roster.doubles import join_same_people, shared_numbers
from tasks.roster.grid import Grid, Tables
from tasks.roster.header_rows import Header, find_header
from tasks.roster.no_people import is_no_person, shapes_of
from tasks.roster.person import Reading, read_row
from tasks.roster.rows import (
    ConsentCell,
    Roster,
    RosterProblem,
    RosterRow,
    Understood,
    UnreadableTable,
    say_not_read,
    shape_of,
)
from tasks.roster.statuses import uses_sap_codes
from tasks.roster.tables import read_tables
from tasks.roster.words import read_email
from tasks.sentences import tell

__all__ = ["ConsentCell", "Roster", "RosterProblem", "RosterRow", "Understood", "UnreadableTable", "read_roster"]

MAX_PEOPLE = 100_000  # rows: ten times the largest company that was measured
_NAMES = frozenset({"name", "first", "last", "preferred_first", "last_first", "first_last"})


@dataclass(frozen=True)
class _Sheet:
    """One table of people. `base` is added to its line numbers, so that a row's number is its own in the whole file;
    `named`: whether findings have to say the sheet."""

    grid: Grid
    header: Header
    columns: Columns
    base: int = 0
    named: bool = False

    @property
    def people(self) -> list[tuple[int, list[str]]]:
        return [(i, row) for i, row in enumerate(self.grid.rows) if i >= self.header.below and any(row)]

    def row(self, index: int) -> int:
        return self.base + self.grid.lines[index]

    def place(self, index: int) -> str:
        return tell("line.in_sheet", sheet=self.grid.sheet, row=self.grid.lines[index]) if self.named else ""


def read_roster(data: bytes, name: str, encoding: str | None = None, today: date | None = None) -> Roster:
    """Reads `data` (the file `name`). `today` turns a last day of work in the past into a leaver.

    Raises Unreadable when there is no table to be found; everything smaller is a problem in the result.
    """
    tables = read_tables(data, name, encoding, header_score)
    sheets, not_read = _sheets(tables)
    if sum(len(sheet.people) for sheet in sheets) > MAX_PEOPLE:
        raise UnreadableTable("too_large", "table.too_many_rows", most=MAX_PEOPLE)
    rows: list[RosterRow] = []
    problems: list[RosterProblem] = []
    no_people: list[int] = []
    columns_of: dict[int, Columns] = {}
    for sheet in sheets:
        found, wrong, nobody = _read_lines(sheet, today)
        rows, problems, no_people = rows + found, problems + wrong, no_people + nobody
        columns_of |= {row.row: sheet.columns for row in found}
    main = max(sheets, key=lambda sheet: len(sheet.columns.place))
    problems += _file_problems(sheets, main, len(rows))
    rows, problems, further = join_same_people(rows, problems)
    spoiled = {problem.row for problem in problems if problem.code == "spoiled_number"}
    problems += shared_numbers(rows, lambda row, f: columns_of[row.row].header(f) or "Employee ID", spoiled)
    problems.sort(key=lambda p: (p.row, p.column, p.code))
    return Roster(tuple(rows), tuple(problems), _understood(sheets, main, not_read), tuple(further), tuple(no_people))


def _sheets(tables: Tables) -> tuple[list[_Sheet], list[str]]:
    """The sheets that are read as one roster, and the names of those that are not. The one whose header says most
    decides what a roster is here: the others have to tell people in the same way."""
    found = []
    for grid in tables.grids:
        header = find_header(grid.rows)
        if header is not None:
            found.append(_Sheet(grid, header, map_columns(header.titles)))
    if not found:
        if not tables.not_read:
            raise UnreadableTable("no_header", "table.no_header")
        raise UnreadableTable("no_header", "table.no_header_in", sheets=", ".join(map(say_not_read, tables.not_read)))
    main = max(found, key=lambda sheet: len(sheet.columns.place))
    fitting = [sheet for sheet in found if sheet is main or _is_alike(sheet.columns, main.columns)]
    others = [(sheet.grid.sheet, "other_list") for sheet in found if sheet not in fitting]
    not_read = [say_not_read(one) for one in (*tables.not_read, *others)]
    if len(fitting) == 1:
        return fitting, not_read
    sheets, base = [], 0
    for sheet in fitting:
        sheets.append(_Sheet(sheet.grid, sheet.header, sheet.columns, base, named=True))
        base += max(sheet.grid.lines, default=0)
    return sheets, not_read


def _is_alike(columns: Columns, main: Columns) -> bool:
    """Whether a further sheet tells people as the main one does: by number (or address), and with a name."""
    key = "number" if "number" in main.place else "email"
    named = bool(columns.place.keys() & _NAMES) or not main.place.keys() & _NAMES
    return key in columns.place and named


def _read_lines(sheet: _Sheet, today: date | None) -> tuple[list[RosterRow], list[RosterProblem], list[int]]:
    """Everybody in a sheet, what is wrong with them, and the lines that are nobody."""
    columns, grid = sheet.columns, sheet.grid
    sure = [row for _, row in sheet.people if read_email(columns.cell(row, "email")) or _is_named(columns, row)]
    shapes = shapes_of(read_number(columns.cell(row, "number"))[0] for row in sure if columns.cell(row, "number"))
    reading = Reading(columns, today, uses_sap_codes(columns.cell(row, "status") for _, row in sheet.people))
    rows: list[RosterRow] = []
    problems: list[RosterProblem] = []
    no_people: list[int] = []
    for i, cells in sheet.people:
        number, place = sheet.row(i), sheet.place(i)
        if is_no_person(cells, columns, shapes):
            no_people.append(number)
            problems.append(_no_person(cells, number, place))
            continue
        row, found = read_row(cells, reading, number, place, doubt_letters=i in grid.other_letters)
        rows.append(row)
        problems += found + _computed(sheet, i)
        if i in grid.hidden_rows:
            problems.append(_hidden(row))
    return rows, problems, no_people


def _is_named(columns: Columns, row: list[str]) -> bool:
    """A number with a figure in it, and a name without one: a person beyond doubt."""
    name = columns.cell(row, "name") or columns.cell(row, "last") or columns.cell(row, "last_first")
    figures = any(sign.isdigit() for sign in columns.cell(row, "number"))
    return figures and bool(name) and not any(sign.isdigit() for sign in name)


def _no_person(cells: list[str], row: int, place: str) -> RosterProblem:
    text = " ".join(cell for cell in cells if cell)
    fix = tell("line.no_person")
    return RosterProblem("no_person", row, "", shape_of(text), fix, False, place, text[:80])


def _hidden(row: RosterRow) -> RosterProblem:
    fix = tell("line.hidden_row")
    return RosterProblem("hidden_row", row.row, "", tell("line.a_hidden_row"), fix, True, row.place)


def _file_problems(sheets: Sequence[_Sheet], main: _Sheet, people: int) -> list[RosterProblem]:
    """Problems of the whole file: row 0."""
    found, columns = [], main.columns
    if "number" not in columns.place:
        fix = tell("line.add_number" if "email" in columns.place else "line.add_number_or_email")
        found.append(
            RosterProblem("missing_column", 0, tell("line.column_number"), tell("line.no_such_header"), fix, False)
        )
    if not columns.place.keys() & _NAMES:
        fix = tell("line.add_name_column")
        found.append(
            RosterProblem("missing_column", 0, tell("line.column_name"), tell("line.no_such_header"), fix, False)
        )
    if not people:
        row = main.grid.lines[main.header.row]
        fix = tell("line.nobody")
        found.append(RosterProblem("empty_roster", 0, "", tell("line.nothing_below", row=row), fix, False))
    for sheet in sheets:
        found += _shown_otherwise(sheet) + _hidden_columns(sheet)
    return found


def _shown_otherwise(sheet: _Sheet) -> list[RosterProblem]:
    """Employee numbers that the sheet shows in a way that cannot be followed: one remark on the column."""
    at = sheet.columns.place.get("number")
    lines = [sheet.grid.lines[i] for i, j in sorted(sheet.grid.unfollowed) if j == at and i >= sheet.header.below]
    if at is None or not lines:
        return []
    fix = tell("line.number_format", row=lines[0])
    return [RosterProblem("number_format", 0, sheet.columns.headers[at], tell("line.numbers", len(lines)), fix, False)]


def _hidden_columns(sheet: _Sheet) -> list[RosterProblem]:
    hidden = [sheet.columns.headers[j] for j in sorted(sheet.grid.hidden_columns) if j in sheet.columns.place.values()]
    fix = tell("line.hidden_column")
    return [RosterProblem("hidden_column", 0, header, tell("line.a_hidden_column"), fix, False) for header in hidden]


def _computed(sheet: _Sheet, index: int) -> list[RosterProblem]:
    """Cells of a workbook that hold a formula: their last computed value was read, which may be an old one."""
    fix = tell("line.computed")
    row = sheet.grid.rows[index]
    return [
        RosterProblem(
            "formula_cell",
            sheet.row(index),
            sheet.columns.headers[j],
            tell("line.a_formula"),
            fix,
            False,
            sheet.place(index),
        )
        for j in sorted(set(sheet.columns.place.values()))
        if (index, j) in sheet.grid.formulas and j < len(row) and not row[j].startswith("=")
    ]


def _understood(sheets: Sequence[_Sheet], main: _Sheet, not_read: list[str]) -> Understood:
    grid, columns = main.grid, main.columns
    mapping = {field: columns.headers[place] for field, place in columns.place.items()}
    names = ", ".join(sheet.grid.sheet for sheet in sheets)
    header = grid.lines[main.header.row]
    return Understood(grid.kind, grid.encoding, grid.delimiter, header, mapping, columns.unused, names, tuple(not_read))
