"""Opens HR's tables in the sandbox: what comes back is rows of text, or a sentence about why not.

A workbook of two kilobytes can ask for 500 gigabytes. What reads it dies there, and whoever asked goes on.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.roster.encodings import decode
from tasks.roster.grid import Grid, Scorer, Tables, read_text
from tasks.roster.rows import UnreadableTable
from tasks.roster.web_tables import is_web_page, is_xml_spreadsheet, read_web_page, read_xml_spreadsheet
from tasks.roster.workbook import read_workbook
from tasks.sandbox import Fallen, Limits, the_sandbox
from tasks.sentences import sentences

LIMITS = Limits(memory=448 * 2**20, cpu=20.0, answer=192 * 2**20)
MAX_BYTES = 32 * 1024 * 1024  # a roster of 100,000 people is about 15 MB
_TABLES = TypeAdapter(Tables)
# What calls itself a table and is something else: its first bytes, and the end of a key of the language.
_NO_TABLES = (
    (b"%PDF", "pdf"), (b"{\\rtf", "rtf"), (b"\xff\xd8\xff", "picture"), (b"\x89PNG", "picture"),
    (b"MIME-Version:", "mhtml"), (b"\x1f\x8b", "gzip"), (b"Rar!", "rar"), (b"7z\xbc\xaf", "seven_zip"),
    (b"SQLite format", "database"),
)  # fmt: skip


def read_tables(data: bytes, name: str, encoding: str | None, score: Scorer) -> Tables:
    """Reads CSV in any usual form, XLSX/XLS/ODS, or a web page or XML that calls itself so: every visible table in
    which a header may stand. `score` tells how well a row serves as header (see columns.py); it goes into the sandbox
    by its name. Raises UnreadableTable."""
    options = {"name": name, "encoding": encoding, "scorer": f"{score.__module__}:{score.__qualname__}"}
    try:
        opened = the_sandbox().open(f"{__name__}:open_table", data, LIMITS, options)
    except Fallen as fallen:
        raise _unreadable(fallen.how) from None
    if opened.value is not None:
        raise _refused(opened.value)
    try:
        return _TABLES.validate_json(bytes(opened.blocks[0]))
    except (ValidationError, IndexError):
        raise _unreadable("nonsense") from None


def read_grid(data: bytes, name: str, encoding: str | None, score: Scorer) -> Grid:
    """The one table of a file that has the best header, the first of them if several have. Raises UnreadableTable."""
    grids = read_tables(data, name, encoding, score).grids
    if not grids:
        raise UnreadableTable("no_header", "table.no_known_column")
    return max(grids, key=lambda grid: max(map(score, grid.rows[:30]), default=0))


def open_table(data: bytes, *, name: str, encoding: str | None, scorer: str) -> tuple[Any, list[bytes]]:
    """Runs in the sandbox."""
    module, _, function = scorer.partition(":")
    try:
        tables = parse_tables(data, encoding, getattr(importlib.import_module(module), function))
    except UnreadableTable as refused:
        return {"code": refused.code, "key": refused.key, "words": refused.words}, []
    del data
    return None, [_TABLES.dump_json(tables)]


def parse_tables(data: bytes, encoding: str | None, score: Scorer) -> Tables:
    """What kind of file it is, by its bytes and never by its name."""
    if len(data) > MAX_BYTES:
        raise UnreadableTable("too_large", "table.too_many_bytes", size=len(data) // 2**20, most=MAX_BYTES // 2**20)
    if not data.strip(b"\x00\r\n\t ,;\xef\xbb\xbf\xff\xfe"):
        raise UnreadableTable("empty_file", "table.empty")
    for mark, kind in _NO_TABLES:
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(mark):
            raise UnreadableTable("no_table", f"table.is_{kind}")
    if data[:4] == b"PK\x03\x04" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if b"Index/Document.iwa" in data[: 2**20] or b"Index.zip" in data[: 2**20]:
            raise UnreadableTable("no_table", "table.is_numbers")
        return read_workbook(data, score)
    text, used, others = decode(data, encoding)
    if is_web_page(text):
        return read_web_page(text, score)
    if is_xml_spreadsheet(text):
        return read_xml_spreadsheet(text, score)
    if text.lstrip("\ufeff \t\r\n").startswith("<?xml"):
        raise UnreadableTable("no_table", "table.is_xml")
    return Tables((read_text(text, used, others, score),))


def _refused(said: Mapping[str, Any]) -> UnreadableTable:
    """What the sandbox says of a file; a child that was taken over can name no sentence that is not one of ours."""
    if said["key"] not in sentences():
        return _unreadable("nonsense")
    return UnreadableTable(str(said["code"]), said["key"], **said["words"])


def _unreadable(how: str) -> UnreadableTable:
    if how in ("memory", "time"):
        return UnreadableTable(
            "too_large", f"table.takes_{how}", memory=LIMITS.memory // 2**20, seconds=round(LIMITS.cpu)
        )
    return UnreadableTable("workbook", "table.broke", how=how)
