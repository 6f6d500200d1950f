"""Reads the sheets of a workbook as a person sees them: numbers as they are shown, what is hidden said to be hidden.

Only ever called in the sandbox (tables.py). Hidden sheets are templates, old states, lists for drop-downs: they are not
read, and named. Hidden and filtered rows are read, and marked, so that HR says once what they are.
"""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any

from tasks.roster.grid import Grid, Scorer, Tables, unquoted
from tasks.roster.number_format import shown
from tasks.roster.rows import UnreadableTable
from tasks.roster.workbook_look import refuse_monsters
from tasks.roster.workbook_marks import Marks, read_marks

_LONGEST = 10**15  # a spreadsheet keeps fifteen figures of a number; those behind are noughts that nobody typed


def read_workbook(data: bytes, score: Scorer) -> Tables:
    """XLSX, XLSM, XLS or ODS."""
    # Imported here: reading a CSV should not pay for spreadsheets.
    from python_calamine import CalamineError, PasswordError, SheetVisibleEnum, load_workbook

    refuse_monsters(data)
    grids, not_read = [], []
    try:
        book = load_workbook(io.BytesIO(data))
        marks = read_marks(data) if data[:2] == b"PK" else {}
        for sheet in book.sheets_metadata:
            if sheet.visible != SheetVisibleEnum.Visible:
                not_read.append((sheet.name, "hidden"))
                continue
            # skip_empty_area=False: otherwise row and column numbers would not be HR's any more.
            cells = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
            if not any(score([_plain(value) for value in row]) for row in cells[:30]):
                not_read.append((sheet.name, "no_header"))
                continue
            grids.append(_grid(sheet.name, cells, marks.get(sheet.name), data[:2] == b"PK"))
            del cells
    except PasswordError as error:
        raise UnreadableTable("password", "table.password") from error
    except (CalamineError, ValueError, OSError) as error:
        raise UnreadableTable("workbook", "table.unopenable") from error
    return Tables(tuple(grids), tuple(not_read))


def _grid(name: str, cells: list[list[Any]], marks: Marks | None, zipped: bool) -> Grid:
    """`marks`: None where nothing is known of formats, as of an XLS; then every number in it may be shown otherwise."""
    known = marks or Marks()
    formulas = {place: formula for place, formula in known.formulas.items()}
    unfollowed: set[tuple[int, int]] = set()
    rows: list[list[str]] = []
    for i, row in enumerate(cells):
        texts = []
        for j, value in enumerate(row):
            text = _number(value, known.formats.get((i, j), "")) if _is_number(value) else _plain(value)
            if text is None or (marks is None and not zipped and _is_number(value)):
                unfollowed.add((i, j))
            texts.append(_plain(value) if text is None else text or formulas.get((i, j), ""))
        rows.append(texts)
    for first, column, last, _ in known.merged:
        for i in range(first + 1, min(last + 1, len(rows))):
            if column < len(rows[i]) and not rows[i][column]:
                rows[i][column] = rows[first][column] if column < len(rows[first]) else ""
    return Grid(
        kind="xlsx",
        encoding="-",
        delimiter="-",
        rows=[_trimmed(unquoted(row)) for row in rows],
        lines=list(range(1, len(rows) + 1)),
        sheet=name,
        formulas=frozenset(formulas),
        unfollowed=frozenset(unfollowed),
        hidden_rows=frozenset(i for i in known.hidden_rows if i < len(rows)),
        hidden_columns=frozenset(known.hidden_columns) if len(known.hidden_columns) < 1000 else frozenset(),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: float, code: str) -> str | None:
    """As the sheet shows it; None where the format cannot be followed."""
    if abs(value) >= _LONGEST:
        return f"{value:.5E}"  # the figures behind are lost: it is read as what a shortened number is
    return shown(value, code) if code else _plain(value)


def _plain(value: object) -> str:
    """One cell without its format."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)


def _trimmed(row: list[str]) -> list[str]:
    """Without the empty cells at its end: a sheet is as wide as its widest row."""
    while row and not row[-1]:
        row.pop()
    return row
