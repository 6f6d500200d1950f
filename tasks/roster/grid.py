"""Rows of text: the form that every table of HR's takes, and how a CSV comes into it.

Spreadsheet programs and HR systems agree on nothing: four delimiters, hints in the first line, apostrophes against
formulas. Every cell leaves as text, exactly as a person would see it in the sheet.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tasks.roster.cells import unforced
from tasks.roster.rows import UnreadableTable

DELIMITERS = (",", ";", "\t", "|")
# What a spreadsheet would run as a formula (OWASP's list, with the full-width forms that some programs fold to ASCII).
RISKY = "=+-@\t\r＝＋－＠"
_QUOTED = re.compile(rf"^'+[{re.escape(RISKY)}]")


# Counts the headers a row would give: the only evidence used to choose a delimiter, a sheet and a header row.
Scorer = Callable[[list[str]], int]


@dataclass(frozen=True)
class Grid:
    """The cells of a table as text. `lines[i]` is where row i begins in the file, counted from 1 as spreadsheets do."""

    kind: str
    encoding: str
    delimiter: str
    rows: list[list[str]]
    lines: list[int]
    sheet: str = ""
    formulas: frozenset[tuple[int, int]] = frozenset()  # (index into rows, column) of computed cells
    unfollowed: frozenset[tuple[int, int]] = frozenset()  # numbers shown in a way that cannot be followed
    hidden_rows: frozenset[int] = frozenset()  # indices into rows: hidden by hand, by a filter or in a closed group
    hidden_columns: frozenset[int] = frozenset()
    other_letters: frozenset[int] = frozenset()  # indices into rows that are not in the file's encoding


@dataclass(frozen=True)
class Tables:
    """Every table of a file in which a header may stand, in its order, and what was not read, with the reason."""

    grids: tuple[Grid, ...]
    not_read: tuple[tuple[str, str], ...] = ()


def read_text(text: str, encoding: str, others: frozenset[int], score: Scorer) -> Grid:
    """CSV by whichever delimiter gives the best header. `others`: lines, from 0, that were in another encoding."""
    text = text.replace("\x00", "")
    first, _, rest = text.partition("\n")
    offset = 1
    candidates: tuple[str, ...] = DELIMITERS
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        candidates, text, offset = (first.strip()[4],), rest, 2

    def quality(delimiter: str) -> tuple[int, int]:
        head = [row for row, _ in _rows_of(text, delimiter, limit=30)]
        return max((score(row) for row in head), default=0), max((len(row) for row in head), default=0)

    best = max(candidates, key=lambda d: (*quality(d), -candidates.index(d)))
    pairs = list(_rows_of(text, best))
    lines = [line + offset - 1 for _, line in pairs]
    odd = frozenset(i for i, line in enumerate(lines) if line - 1 in others)
    return Grid("csv", encoding, best, [unquoted(row) for row, _ in pairs], lines, other_letters=odd)


def _rows_of(text: str, delimiter: str, limit: int | None = None) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    line = 1
    while limit is None or line <= limit:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a cell beyond 128 KiB: an unclosed quote swallowed the rest of the file
            raise UnreadableTable("broken_quotes", "table.broken_quotes", line=line) from error
        yield row, line
        line = reader.line_num + 1


def unquoted(row: list[str]) -> list[str]:
    """Undoes `safe_cell` and `="0417"`, and trims what nobody sees (spaces, no-break spaces, zero-width marks)."""
    trimmed = [unforced(cell.strip("\u200b\ufeff\u00a0 \n\v\f\t\r")) for cell in row]
    return [cell[1:] if _QUOTED.match(cell) else cell for cell in trimmed]


def safe_cell(value: str) -> str:
    """The same text, harmless in a spreadsheet: what would run as a formula gets an apostrophe in front."""
    return "'" + value if value[:1] in tuple(RISKY) or _QUOTED.match(value) else value


def is_formula(value: str) -> bool:
    """Would a spreadsheet run it? A lone sign or a signed number is somebody's dash or telephone, not a program."""
    return len(value) > 1 and value[0] in RISKY and not re.fullmatch(r"[+\-－＋][\d\s()./-]+", value)
