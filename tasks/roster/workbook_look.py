"""A cheap look into a workbook before anything reads it: how much it unpacks to, how far it reaches, how much it holds.

What reads workbooks makes room for every cell up to the farthest one: a stray value in a sheet's last corner is 17
billion cells. Counting what is written takes a second, no memory, and ends in a sentence that names the cell.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.roster.rows import UnreadableTable

MAX_UNPACKED = 256 * 1024 * 1024  # bytes of all parts: beyond it is a zip bomb, not a company
MAX_CELLS = 3_000_000  # rows times columns of a sheet: 100,000 people with 30 columns
MAX_WRITTEN = 1_000_000  # rows of a sheet, or shared strings, that are written down, with or without anything in them
_CHUNK = 2**20  # bytes read at a time
_REFERENCE = re.compile(rb'\sr="([A-Z]{1,3})(\d{1,12})"')
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]{0,200}?\sr="(\d{1,12})"')
_ROW_OPENS = re.compile(rb"<(?:\w+:)?row[\s/>]")
_STRING_OPENS = re.compile(rb"<(?:\w+:)?si[\s/>]")
_OVERLAP = 400  # bytes: longer than whatever the patterns find


@dataclass
class _Extent:
    """How far a sheet reaches, and how many rows are written in it."""

    rows: int = 1
    columns: int = 1
    written: int = 0


def refuse_monsters(data: bytes) -> None:
    """Raises UnreadableTable for a zipped workbook (XLSX, XLSM, ODS) that nobody's roster is. Other files pass."""
    if data[:2] != b"PK":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_size(sum(entry.file_size for entry in archive.infolist()))
            unpacked = 0
            for entry in archive.infolist():
                folder, _, name = entry.filename.lower().rpartition("/")
                if folder.endswith("worksheets") and name.endswith(".xml"):
                    unpacked += _look_at_sheet(archive, entry)
                elif name == "sharedstrings.xml":
                    unpacked += _look_at_strings(archive, entry)
                _refuse_size(unpacked)  # what really came, whatever was announced
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, RuntimeError) as error:
        raise UnreadableTable("workbook", "table.damaged") from error


def _refuse_size(size: int) -> None:
    if size > MAX_UNPACKED:
        raise UnreadableTable("too_large", "table.swollen", size=size // 2**20)


def _look_at_sheet(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    extent, size = _Extent(), 0
    for chunk, new in _chunks(archive, entry):
        size += new
        extent.written += sum(1 for found in _ROW_OPENS.finditer(chunk) if found.end() > len(chunk) - new)
        rows = [int(row) for row in _ROW.findall(chunk)]
        for letters, row in set(_REFERENCE.findall(chunk)):
            rows.append(int(row))
            extent.columns = max(extent.columns, _column(letters))
        extent.rows = max([extent.rows, extent.written, *rows])
        if extent.rows * extent.columns > MAX_CELLS or extent.written > MAX_WRITTEN:
            raise UnreadableTable("too_large", "table.wide", row=extent.rows, column=extent.columns)
        _refuse_size(size)
    return size


def _look_at_strings(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    strings = size = 0
    for chunk, new in _chunks(archive, entry):
        size += new
        strings += sum(1 for found in _STRING_OPENS.finditer(chunk) if found.end() > len(chunk) - new)
        if strings > MAX_WRITTEN:
            raise UnreadableTable("too_large", "table.too_many_texts", most=MAX_WRITTEN)
        _refuse_size(size)
    return size


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[tuple[bytes, int]]:
    """Pieces of a part, each with the end of the one before it, and how many bytes of each are new."""
    tail = b""
    with archive.open(entry) as part:
        while piece := part.read(_CHUNK):
            yield tail + piece, len(piece)
            tail = (tail + piece)[-_OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
