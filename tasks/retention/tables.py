"""Looks for somebody in a SQLite database: in its rows, and in what lies in the file beside them.

In the file nothing stands between one cell and the next, so a word there has no edges: a colleague's number `EMP-100`
is in the file where `EMP-10` is looked for. The rows have edges. What they hold as part of a longer word is taken out
of the file's bytes, and what is then still there is a trace that no row explains: deleted rows, free pages, the log.
"""

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from tasks.retention.spelled import Spelled, Spellings, places, stands_alone

_MAGIC = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm", "-journal")
UNEXPLAINED = "no row: deleted rows or free pages"
_LONGER = re.compile(rb"[^\s\x00-\x1f\"',;:<>(){}\[\]]*")


def database_of(path: str) -> str | None:
    """The SQLite database this file is, or belongs to; None for any other file."""
    for suffix in ("", *_BESIDE):
        main = path.removesuffix(suffix) if suffix else path
        if (suffix and main == path) or not os.path.isfile(main):
            continue
        with open(main, "rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                return main
    return None


def search_database(main: str, data: bytes, wanted: Spellings) -> Iterator[tuple[Spelled, str]]:
    """Every needle in `data`, the bytes of this database or of a file beside it: (which, table column and row)."""
    present = [one for one in wanted if one.written in data]
    if not present:
        return
    explained: set[tuple[int, str]] = set()
    covers: set[bytes] = set()
    for inside, value in _values(main):
        for one in present:
            for at in places(value, one.written) if one.written in value else ():
                if one.word and not stands_alone(value, at, one):
                    covers.add(_longer_word(value, at, one.written))
                elif (one.needle, inside) not in explained:
                    explained.add((one.needle, inside))
                    yield one, inside
    found = {needle for needle, _ in explained}
    rest = data
    for cover in sorted(covers, key=len, reverse=True):
        rest = rest.replace(cover, b"\0" * len(cover))
    for one in present:
        if one.needle not in found and one.written in rest:
            found.add(one.needle)
            yield one, UNEXPLAINED


def _longer_word(value: bytes, at: int, written: bytes) -> bytes:
    """The word that this is a part of, as it stands in the row."""
    start = at
    while start > 0 and _LONGER.fullmatch(value[start - 1 : at]):
        start -= 1
    tail = _LONGER.match(value[at + len(written) :])
    return value[start : at + len(written)] + (tail[0] if tail else b"")


def _values(main: str) -> Iterator[tuple[str, bytes]]:
    """Every text and blob of every row: ("table column, row", bytes). Nothing of a database that cannot be read."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(Path(main).absolute()))}?mode=ro", uri=True, timeout=5)
    except sqlite3.Error:
        return
    connection.text_factory = bytes
    try:
        tables = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            yield from _values_of(connection, table)
    except sqlite3.Error:
        return
    finally:
        connection.close()


def _values_of(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, bytes]]:
    quoted = '"' + table.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT * FROM {quoted}")
    columns: Sequence[str] = [column[0] for column in cursor.description]
    for number, row in enumerate(cursor, start=1):
        for column, value in zip(columns, row, strict=True):
            if isinstance(value, bytes):
                yield f"table {table}, column {column}, {which_row(columns, row, number)}", value


def which_row(columns: Sequence[str], row: Sequence[object], number: int) -> str:
    """How a keeper finds the row again: by its key where that is a plain id, else by its place."""
    for name in ("id", "digest", "batch_id", "seq", "key"):
        value = row[columns.index(name)] if name in columns else None
        if isinstance(value, bytes) and re.fullmatch(rb"[a-z]?[0-9a-f]{8,64}", value):
            return f"row {name} = {value.decode()}"
        if isinstance(value, int):
            return f"row {name} = {value}"
    return f"row {number}"
