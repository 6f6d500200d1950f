"""Turns the bytes of any HR export into rows of text, and says how.

Spreadsheet programs and HR systems agree on nothing: four encodings, four delimiters, numbers that lost their zeros.
Nothing here guesses by statistics (a guess turns Núñez into Núńez): encodings are tried in a fixed order, and the one
that was used is part of the answer. Every cell leaves as text, exactly as a person would see it in the sheet.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tasks.roster.cells import unforced
from tasks.roster.rows import Unreadable
from tasks.roster.workbook_look import refuse_monsters

MAX_BYTES = 32 * 1024 * 1024  # a roster of 100,000 people is about 15 MB
DELIMITERS = (",", ";", "\t", "|")
# What a spreadsheet would run as a formula (OWASP's list, with the full-width forms that some programs fold to ASCII).
RISKY = "=+-@\t\r＝＋－＠"
_QUOTED = re.compile(rf"^'+[{re.escape(RISKY)}]")


# Counts the headers a row would give: the only evidence used to choose a delimiter, a sheet and a header row.
Scorer = Callable[[list[str]], int]


@dataclass(frozen=True)
class Grid:
    """The cells of a file as text. `lines[i]` is where row i begins in the file, counted from 1 as spreadsheets do."""

    kind: str
    encoding: str
    delimiter: str
    rows: list[list[str]]
    lines: list[int]
    sheet: str = ""
    formulas: frozenset[tuple[int, int]] = frozenset()  # (index into rows, column) of computed cells


def parse_grid(data: bytes, name: str, encoding: str | None, score: Scorer) -> Grid:
    """CSV in any usual form, or XLSX/XLS/ODS; only ever called in the sandbox (tables.py). `score` tells how well a row
    serves as header (see columns.py)."""
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large", f"The file has {len(data) // 2**20} MiB; {MAX_BYTES // 2**20} is the most read.")
    if not data.strip(b"\x00\r\n\t ,;\xef\xbb\xbf\xff\xfe"):
        raise Unreadable("empty_file", "The file is empty: export the roster again.")
    if data[:4] == b"PK\x03\x04" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _read_sheets(data, score)
    text, used = decode(data, encoding)
    return _read_text(text, used, score)


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Bytes → text and the encoding's name. Order: what was asked for, byte order marks, UTF-8, cp1252."""
    if encoding:
        try:
            return data.decode(encoding).removeprefix("\ufeff"), encoding
        except (UnicodeDecodeError, LookupError) as error:
            raise Unreadable(
                "encoding", f"The file is not {encoding!r}: leave the encoding out, or correct it."
            ) from error
    marks = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
    for mark, codec in marks:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(codec.removesuffix("-sig")), codec
            except UnicodeDecodeError as error:
                fix = f"The file begins as {codec} but does not go on so: it is cut off; export it again."
                raise Unreadable("encoding", fix) from error
    if b"\x00" in data:
        raise Unreadable("encoding", "The file is not text (zero bytes): save it as “CSV UTF-8” or as XLSX.")
    for codec in ("utf-8", "cp1252"):
        try:
            return data.decode(codec), codec
        except UnicodeDecodeError:
            continue
    raise Unreadable("encoding", "Neither UTF-8 nor Windows-1252: save it as “CSV UTF-8”, or name the encoding.")


def _read_text(text: str, encoding: str, score: Scorer) -> Grid:
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
    return Grid("csv", encoding, best, [unquoted(row) for row, _ in pairs], [line + offset - 1 for _, line in pairs])


def _rows_of(text: str, delimiter: str, limit: int | None = None) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    line = 1
    while limit is None or line <= limit:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a cell beyond 128 KiB: an unclosed quote swallowed the rest of the file
            raise Unreadable("broken_quotes", f"A quote opened in or before line {line} never closes.") from error
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


def _read_sheets(data: bytes, score: Scorer) -> Grid:
    # Imported here: reading a CSV should not pay for spreadsheets.
    from python_calamine import CalamineError, PasswordError, load_workbook

    refuse_monsters(data)
    try:
        book = load_workbook(io.BytesIO(data))
        # to_python(skip_empty_area=False): otherwise row and column numbers would not be HR's any more.
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except PasswordError as error:
        raise Unreadable("password", "The workbook is protected by a password: save a copy without one.") from error
    except (CalamineError, ValueError, OSError) as error:
        raise Unreadable("workbook", "The workbook cannot be opened: save it again as XLSX or CSV.") from error
    if not any(sheets.values()):
        raise Unreadable("empty_file", "The workbook has no rows: export the roster again.")
    heads = {name: [[_cell_text(v) for v in row] for row in rows[:30]] for name, rows in sheets.items()}
    best = max(heads, key=lambda n: (max(map(score, heads[n]), default=0), -book.sheet_names.index(n)))
    sheets = {best: sheets[best]}
    marks = _number_formats(data, best) if data[:2] == b"PK" else {}
    rows = [
        _trimmed(unquoted([_cell_text(v, *marks.get((i, j), ("", ""))) for j, v in enumerate(row)]))
        for i, row in enumerate(sheets.pop(best))
    ]
    formulas = frozenset(place for place, (_, formula) in marks.items() if formula)
    return Grid("xlsx", "-", "-", rows, list(range(1, len(rows) + 1)), best, formulas)


def _trimmed(row: list[str]) -> list[str]:
    """Without the empty cells at its end: a sheet is as wide as its widest row."""
    while row and not row[-1]:
        row.pop()
    return row


def _number_formats(data: bytes, sheet: str) -> dict[tuple[int, int], tuple[str, str]]:
    """(row, column) → (number format, formula) of the cells where either matters.

    Calamine is fast but gives the bare number: an id shown as 007 by the format 000 would come out as 7.
    """
    from openpyxl import load_workbook

    found: dict[tuple[int, int], tuple[str, str]] = {}
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        for row in book[sheet].iter_rows():
            for cell in row:
                if cell.value is None:
                    continue
                formula = str(cell.value) if cell.data_type == "f" else ""
                number_format = cell.number_format if re.fullmatch(r"0{2,}", str(cell.number_format)) else ""
                if formula or number_format:
                    found[(cell.row - 1, cell.column - 1)] = (number_format, formula)
        book.close()
    except Exception:
        # ODS in a zip, a damaged part, or one of the style sheets of HR systems that openpyxl chokes on in a dozen ways
        # (ParseError, TypeError, zlib.error, ...): the values are still right, only formats are unknown.
        return found
    return found


def _cell_text(value: object, number_format: str = "", formula: str = "") -> str:
    """One cell as a person sees it. A formula that was never computed shows its own text."""
    if value is None or value == "":
        return formula
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if isinstance(value, float) and not value.is_integer():
            return repr(value)
        return str(int(value)).zfill(len(number_format))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)
