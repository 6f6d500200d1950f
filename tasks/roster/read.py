"""Reads a roster: any HR export in, people and problems out, nobody lost.

`read_roster` is pure. It never drops a line in silence: a bad row is a row with a problem, a line that is no person is
named, so that the people HR put in are the people the report accounts for.
"""

from __future__ import annotations

from datetime import date

from tasks.roster.cells import read_number
from tasks.roster.columns import Columns, header_score, map_columns
from tasks.roster.doubles import join_same_people, shared_numbers
from tasks.roster.grid import Grid
from tasks.roster.header_rows import find_header
from tasks.roster.no_people import is_no_person, shapes_of
from tasks.roster.person import Reading, read_row
from tasks.roster.rows import ConsentCell, Roster, RosterProblem, RosterRow, Understood, Unreadable, shape_of
from tasks.roster.statuses import uses_sap_codes
from tasks.roster.tables import read_grid
from tasks.roster.words import read_email

__all__ = ["ConsentCell", "Roster", "RosterProblem", "RosterRow", "Understood", "Unreadable", "read_roster"]

MAX_PEOPLE = 100_000


def read_roster(data: bytes, name: str, encoding: str | None = None, today: date | None = None) -> Roster:
    """Reads `data` (the file `name`). `today` turns a last day of work in the past into a leaver.

    Raises Unreadable when there is no table to be found; everything smaller is a problem in the result.
    """
    grid = read_grid(data, name, encoding, header_score)
    header = find_header(grid.rows)
    if header is None:
        raise Unreadable("no_header", "No row names an employee number, e-mail or name column: add a header row.")
    columns = map_columns(header.titles)
    lines = [(i, row) for i, row in enumerate(grid.rows) if i >= header.below and any(row)]
    if len(lines) > MAX_PEOPLE:
        raise Unreadable("too_large", f"More than {MAX_PEOPLE} rows: split the roster.")
    rows, problems, no_people = _read_lines(grid, columns, lines, today)
    problems += _file_problems(columns, len(rows), grid.lines[header.row])
    rows, problems, further = join_same_people(rows, problems)
    spoiled = {problem.row for problem in problems if problem.code == "spoiled_number"}
    problems += shared_numbers(rows, lambda row, field: columns.header(field) or "Employee ID", spoiled)
    mapping = {field: columns.headers[place] for field, place in columns.place.items()}
    understood = Understood(
        grid.kind, grid.encoding, grid.delimiter, grid.lines[header.row], mapping, columns.unused, grid.sheet
    )
    problems.sort(key=lambda p: (p.row, p.column, p.code))
    return Roster(tuple(rows), tuple(problems), understood, tuple(further), tuple(no_people))


def _read_lines(
    grid: Grid, columns: Columns, lines: list[tuple[int, list[str]]], today: date | None
) -> tuple[list[RosterRow], list[RosterProblem], list[int]]:
    """Everybody in a sheet, what is wrong with them, and the lines that are nobody."""
    sure = [row for _, row in lines if read_email(columns.cell(row, "email")) or _name_of(columns, row)]
    shapes = shapes_of(read_number(columns.cell(row, "number"))[0] for row in sure if columns.cell(row, "number"))
    reading = Reading(columns, today, uses_sap_codes(columns.cell(row, "status") for _, row in lines))
    rows: list[RosterRow] = []
    problems: list[RosterProblem] = []
    no_people: list[int] = []
    for i, cells in lines:
        line = grid.lines[i]
        if is_no_person(cells, columns, shapes):
            no_people.append(line)
            problems.append(_no_person(cells, line))
            continue
        row, found = read_row(cells, reading, line)
        rows.append(row)
        problems += found + _computed(grid, i, columns)
    return rows, problems, no_people


def _name_of(columns: Columns, row: list[str]) -> str:
    return columns.cell(row, "name") or columns.cell(row, "last") or columns.cell(row, "last_first")


def _no_person(cells: list[str], line: int) -> RosterProblem:
    text = " ".join(cell for cell in cells if cell)
    fix = "Not a person? This line is counted nowhere. If it is one, write their number, name and e-mail."
    return RosterProblem("no_person", line, "", shape_of(text), fix, False, seen=text[:80])


def _file_problems(columns: Columns, people: int, header_row: int) -> list[RosterProblem]:
    """Problems of the whole file: row 0."""
    found = []
    if "number" not in columns.place:
        way = "The work e-mail stands in for it." if "email" in columns.place else "Nobody can be told apart safely."
        fix = f"Add a column “Employee ID”. {way}"
        found.append(RosterProblem("missing_column", 0, "Employee ID", "no such header", fix, False))
    if not columns.place.keys() & {"name", "first", "last", "preferred_first", "last_first", "first_last"}:
        fix = "Add a column “Name”; without it the pages show employee numbers."
        found.append(RosterProblem("missing_column", 0, "Name", "no such header", fix, False))
    if not people:
        fix = "Below the header there is nobody: export the roster again."
        found.append(RosterProblem("empty_roster", 0, "", f"header in row {header_row}, no rows below", fix, False))
    return found


def _computed(grid: Grid, index: int, columns: Columns) -> list[RosterProblem]:
    """Cells of a workbook that hold a formula: their last computed value was read, which may be an old one."""
    fix = "The cell holds a formula; the value it last showed was read. Paste it as a plain value."
    used = {place: field for field, place in columns.place.items()}
    return [
        RosterProblem("formula_cell", grid.lines[index], columns.headers[j], "a formula", fix, False)
        for (i, j) in sorted(grid.formulas)
        if i == index and j in used and not grid.rows[i][j].startswith("=")
    ]
