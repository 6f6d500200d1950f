"""Looks for somebody in bytes: every file below a folder, every version in a store, in the spellings software uses.

The other parts of erasure know where things should be; this one knows nothing and reads everything, which is why a
receipt may call its result proof. It reports where something was found and how it was spelt, never what. In text a word
counts where it stands alone (`spelled`), in a database by the rows it stands in (`tables`), anywhere else as it is.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.retention.spelled import Spellings, places, spellings, stands_alone
from tasks.retention.tables import database_of, search_database
from tasks.vault.blobs import Blobs

__all__ = ["Hit", "spellings"]
_DEEPEST = 4  # archives within archives
_LARGEST = 1 << 30  # bytes an archive member may unpack to
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Hit:
    """One place where one of the needles was found."""

    where: str
    spelling: str
    needle: int  # its place in the list that was looked for
    inside: str = ""  # in a database: table, column and row


def search_bytes(data: bytes, wanted: Spellings, where: str, depth: int = 0) -> Iterator[Hit]:
    """Every needle in these bytes, and in whatever is packed inside them."""
    found = [one for one in wanted if one.written in data]
    if found:
        text = data[:2] in _UTF16 or _NO_TEXT.search(data) is None
        for one in found:
            # Between the fields of a binary format nothing separates a word from its neighbour: there all of it counts.
            if not (text and one.word) or any(stands_alone(data, at, one) for at in places(data, one.written)):
                yield Hit(where, one.spelling, one.needle)
    if depth < _DEEPEST:
        for name, inner in _unpack(data):
            yield from search_bytes(inner, wanted, f"{where}!{name}", depth + 1)


def _unpack(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is inside, when this is an archive or a compressed file; nothing when it is damaged or none."""
    try:
        if data[:2] == b"\x1f\x8b":
            yield "gzip", gzip.decompress(data)
        elif data[:3] == b"BZh":
            yield "bzip2", bz2.decompress(data)
        elif data[:6] == b"\xfd7zXZ\0":
            yield "xz", lzma.decompress(data)
        elif data[:8] == b"\x89PNG\r\n\x1a\n":
            yield from _png_texts(data)
        elif data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for part in tar.getmembers():
                    yield "tar", part.name.encode() + b"\n"
        elif b"PK\x03\x04" in data[:4096] or data[-65557:].find(b"PK\x05\x06") >= 0:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.infolist():
                    if member.file_size <= _LARGEST:
                        yield "zip", member.filename.encode() + b"\n"
                        yield "zip", archive.read(member)
    except (
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        zipfile.BadZipFile,
        lzma.LZMAError,
        tarfile.TarError,
        zlib.error,
    ):
        return  # damaged or encrypted: its raw bytes were searched above


def _png_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Compressed text in a PNG: zlib streams after the keyword of zTXt, iTXt and iCCP chunks."""
    for match in re.finditer(rb"(zTXt|iTXt|iCCP)", data):
        start = match.end()
        size = int.from_bytes(data[match.start() - 4 : match.start()], "big")
        chunk = data[start : start + size]
        for header in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", chunk):
            try:
                yield "png text", zlib.decompressobj().decompress(chunk[header.start() :])
                break
            except zlib.error:
                continue


def search_files(roots: Iterable[Path], wanted: Spellings, *, skip: Iterable[Path] = ()) -> Iterator[Hit]:
    """Every needle below these folders: in contents, names, link targets and extended attributes."""
    for path in paths_below(roots, skip=skip):
        yield from search_path(path, wanted)


def paths_below(roots: Iterable[Path], *, skip: Iterable[Path] = ()) -> Iterator[str]:
    """These folders and everything below them, links as links."""
    left_out = {str(path) for path in skip}
    for root in roots:
        pending = [str(root)]
        while pending:
            path = pending.pop()
            if path in left_out or not os.path.lexists(path):
                continue
            yield path
            try:
                if os.path.isdir(path) and not os.path.islink(path):
                    pending.extend(entry.path for entry in os.scandir(path))
            except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
                continue


def search_name(path: str, wanted: Spellings) -> Iterator[Hit]:
    """Every needle in the last part of a path."""
    yield from search_bytes(os.path.basename(path).encode(), wanted, f"name of {path}", _DEEPEST)


def search_path(path: str, wanted: Spellings) -> Iterator[Hit]:
    """Every needle in one file, folder or link: its name, its content or target, its extended attributes."""
    yield from search_name(path, wanted)
    try:
        if os.path.islink(path):
            yield from search_bytes(os.fsencode(os.readlink(path)), wanted, f"link {path}", _DEEPEST)
        elif os.path.isfile(path):
            yield from _search_content(path, wanted)
            for name in os.listxattr(path):
                yield from search_bytes(os.getxattr(path, name), wanted, f"attribute of {path}", _DEEPEST)
    except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
        return


def _search_content(path: str, wanted: Spellings) -> Iterator[Hit]:
    data = Path(path).read_bytes()
    database = database_of(path)
    if database is None:
        yield from search_bytes(data, wanted, path)
        return
    for one, inside in search_database(database, data, wanted):
        yield Hit(path, one.spelling, one.needle, inside)


def search_blobs(blobs: Blobs, wanted: Spellings, prefix: str = "") -> Iterator[Hit]:
    """Every needle in a store's keys and current blobs. Older versions and uploads count by their mere presence."""
    for remnant in blobs.remains(prefix):
        where = f"{remnant.what} {remnant.key}"
        yield from search_bytes(remnant.key.encode(), wanted, where, _DEEPEST)
        if remnant.what == "blob":
            yield from search_bytes(blobs.get(remnant.key), wanted, where)
        else:
            yield Hit(where, remnant.what, -1)
