"""Reads the names in a ZIP as they were meant: most archives do not say in which letters they are written.

A Mac writes UTF-8 without the flag that says so; Windows writes the code page of its country. UTF-8 is told by its
shape. Which code page it was is told by the roster's own names and by nothing else: a page counts when folders read in
it name people on the roster and no other page names others. Where that does not settle it the names stay as they come,
and the page says so.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zipfile import ZipInfo

# What Windows and DOS write in Europe, the Near East and East Asia; the usual ones first.
CODE_PAGES = (
    "cp437", "cp850", "cp852", "cp1252", "cp1250", "cp1251", "cp866", "cp1254", "cp857", "cp1253", "cp737", "cp1257",
    "cp775", "cp932", "gb18030", "big5", "cp949", "cp1255", "cp862", "cp1256", "cp720", "cp858", "cp865", "cp861",
    "cp860", "cp1258", "cp874", "mac_roman", "mac_latin2",
)  # fmt: skip
_UTF8_FLAG = 0x800  # general purpose bit 11 of the ZIP format: the name is UTF-8
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: the name in UTF-8, beside the checksum of the other one

# One part of a path → the numbers of those it names.
Names = Callable[[str], frozenset[str]]


@dataclass(frozen=True)
class Readings:
    """`names[i]` belongs to `entries[i]`. `page`: the code page that the roster's names told; `untold`: how many names
    could not be read for sure."""

    names: tuple[str, ...]
    page: str | None
    untold: int


def read_names(entries: Sequence[ZipInfo], names: Names | None) -> Readings:
    """The entries' names. `names` tells whom a word names on the roster; None where there is no roster yet."""
    said = [_said(entry) for entry in entries]
    raws = [entry.orig_filename.encode("cp437", errors="replace") for entry in entries]
    open_ones = [raw for name, raw in zip(said, raws, strict=True) if name is None]
    page = _page_of(open_ones, names) if open_ones and names else None
    read = [
        name if name is not None else raw.decode(page or "cp437", errors="replace")
        for name, raw in zip(said, raws, strict=True)
    ]
    composed = tuple(unicodedata.normalize("NFC", name) for name in read)
    return Readings(composed, page, 0 if page else len(open_ones))


def _said(entry: ZipInfo) -> str | None:
    """The name where the archive says how it is written, or where it shows; None for other letters."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437", errors="replace")
    if (beside := _unicode_path(entry.extra, raw)) is not None:
        return beside
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(data) > 5 and struct.unpack("<I", data[1:5])[0] == zlib.crc32(raw):
            try:
                return data[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


def _page_of(raws: Sequence[bytes], names: Names) -> str | None:
    """The code page in which most of these names are somebody's; None when none is, or when two pages name others."""
    parts = {part for raw in raws for part in raw.replace(b"\\", b"/").split(b"/") if not part.isascii()}
    stems = {part.rsplit(b".", 1)[0] for part in parts} | parts
    readings: dict[str, dict[bytes, frozenset[str]]] = {}
    for page in CODE_PAGES:
        try:
            for raw in raws:
                raw.decode(page)
            found = {part: who for part in stems if (who := names(part.decode(page)))}
        except UnicodeDecodeError:
            continue
        if found:
            readings[page] = found
    if not readings:
        return None
    most = max(len(found) for found in readings.values())
    best = [page for page, found in readings.items() if len(found) == most]
    first = readings[best[0]]
    rivals = [found for page, found in readings.items() if page != best[0]]
    contested = any(part in found and found[part] != who for part, who in first.items() for found in rivals)
    same_people = all(readings[page] == first for page in best)
    return best[0] if same_people and not contested else None
