"""Writes tables HR can open again: every cell text, none of it able to run.

The inverse of reading: what `roster_csv` writes, `read_roster` reads back unchanged, in every encoding and delimiter.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from tasks.roster.grid import safe_cell
from tasks.roster.rows import RosterRow

HEADER = (
    "Employee ID", "Name", "Work Email", "Department", "Job Title", "Status", "Wardrobe", "Glasses",
    "Headshot generation",
)  # fmt: skip
_STATUS = {"active": "Active", "leave": "On Leave", "left": "Terminated", "unknown": "To be clarified"}


def table_csv(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8-sig"
) -> bytes:
    """A CSV file. UTF-8 with its mark by default: without it Excel reads José as JosÃ©."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    for row in (header, *rows):
        writer.writerow([safe_cell(cell) for cell in row])
    text = out.getvalue()
    if encoding.startswith("utf-16-"):  # the codecs with a fixed byte order write no mark
        text = "\ufeff" + text
    return text.encode(encoding)


def roster_csv(rows: Iterable[RosterRow], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> bytes:
    """A roster in our own headers."""
    lines = (
        (
            row.number,
            row.name,
            row.email,
            row.department,
            row.title,
            _STATUS[row.status],
            row.wardrobe or "",
            row.glasses,
            "yes" if row.generation else "no",
        )
        for row in rows
    )
    return table_csv(HEADER, lines, delimiter=delimiter, encoding=encoding)
