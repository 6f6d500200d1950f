"""Reads a roster: any HR export in, people and problems out, nobody lost.

`read_roster` is pure. It never drops a line: a bad row is a row with a problem, so that the number of people HR put in
is the number of people the report accounts for.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from tasks.roster.columns import Columns, find_header, header_score, map_columns
from tasks.roster.grid import Grid
from tasks.roster.person import read_row
from tasks.roster.rows import (
    ConsentCell,
    Roster,
    RosterProblem,
    RosterRow,
    Understood,
    Unreadable,
    rows_named,
    shape_of,
)
from tasks.roster.tables import read_grid

__all__ = ["ConsentCell", "Roster", "RosterProblem", "RosterRow", "Understood", "Unreadable", "read_roster"]

MAX_PEOPLE = 100_000


def read_roster(data: bytes, name: str, encoding: str | None = None, today: date | None = None) -> Roster:
    """Reads `data` (the file `name`). `today` turns a last day of work in the past into a leaver.

    Raises Unreadable when there is no table to be found; everything smaller is a problem in the result.
    """
    grid = read_grid(data, name, encoding, header_score)
    at = find_header(grid.rows)
    if at is None:
        raise Unreadable("no_header", "No row names an employee number, e-mail or name column: add a header row.")
    columns = map_columns(grid.rows[at])
    people = [(i, row) for i, row in enumerate(grid.rows) if i > at and any(row)]
    if len(people) > MAX_PEOPLE:
        raise Unreadable("too_large", f"More than {MAX_PEOPLE} rows: split the roster.")
    problems = _file_problems(columns, len(people), grid.lines[at])
    rows: list[RosterRow] = []
    for i, cells in people:
        row, found = read_row(cells, columns, grid.lines[i], today)
        rows.append(row)
        problems += found + _computed(grid, i, columns)
    problems += _duplicates(rows, columns)
    mapping = {field: columns.headers[place] for field, place in columns.place.items()}
    understood = Understood(
        grid.kind, grid.encoding, grid.delimiter, grid.lines[at], mapping, columns.unused, grid.sheet
    )
    return Roster(tuple(rows), tuple(sorted(problems, key=lambda p: (p.row, p.column, p.code))), understood)


def _file_problems(columns: Columns, people: int, header_row: int) -> list[RosterProblem]:
    """Problems of the whole file: row 0."""
    found = []
    if "number" not in columns.place:
        way = "The work e-mail stands in for it." if "email" in columns.place else "Nobody can be told apart safely."
        fix = f"Add a column “Employee ID”. {way}"
        found.append(RosterProblem("missing_column", 0, "Employee ID", "no such header", fix, False))
    if not columns.place.keys() & {"name", "first", "last", "preferred_first"}:
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


def _duplicates(rows: list[RosterRow], columns: Columns) -> list[RosterProblem]:
    """The same number twice: the line that stands first keeps it, with a remark; the others wait for their own."""
    by_number: defaultdict[str, list[RosterRow]] = defaultdict(list)
    by_email: defaultdict[str, list[RosterRow]] = defaultdict(list)
    for row in rows:
        if row.number:
            by_number[row.number].append(row)
        if row.email:
            by_email[row.email.casefold()].append(row)
    found = []
    header = columns.header("number") or "Employee ID"
    for number, group in by_number.items():
        places = rows_named([row.row for row in group])
        same = len({(row.name.casefold(), row.email.casefold()) for row in group}) == 1
        todo = "It is the same person: delete the extra row." if same else "Give each person their own number."
        for row in group if len(group) > 1 else []:
            first = row is group[0]
            keeps = "Consent and photos are taken for the first of them. " if first else ""
            fix = f"Rows {places} share one number. {keeps}{todo}"
            found.append(RosterProblem("duplicate_id", row.row, header, shape_of(number), fix, not first))
    for email, group in by_email.items():
        if len({row.number for row in group}) > 1:
            places = rows_named([row.row for row in group])
            fix = f"Rows {places} share one address: give each person their own. Photos are not matched by it."
            found += [
                RosterProblem("duplicate_email", row.row, columns.header("email"), shape_of(email), fix, False)
                for row in group
            ]
    return found
