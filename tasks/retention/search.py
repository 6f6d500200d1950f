"""Looks for somebody in bytes: every file below a folder, every version in a store, in the spellings software uses.

The other parts of erasure know where things should be; this one knows nothing and reads everything, which is why a
receipt may call its result proof. It reports where something was found and how it was spelt, never what.
"""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from tasks.vault.blobs import Blobs

_DEEPEST = 4  # archives within archives
_LARGEST = 1 << 30  # bytes an archive member may unpack to


@dataclass(frozen=True)
class Hit:
    """One place where one of the needles was found."""

    where: str
    spelling: str
    needle: int  # its place in the list that was looked for


Spellings = tuple[tuple[bytes, str, int], ...]


def spellings(needles: Iterable[str | bytes]) -> Spellings:
    """Every way these may be written: plain, UTF-16, escaped for JSON, HTML and URLs, hex, base64 at any offset."""
    found: dict[bytes, tuple[str, int]] = {}
    for number, needle in enumerate(needles):
        for written, name in _spell(needle):
            if len(written) >= 4:  # anything shorter is found everywhere
                found.setdefault(written, (name, number))
    return tuple((written, name, number) for written, (name, number) in found.items())


def _spell(needle: str | bytes) -> Iterator[tuple[bytes, str]]:
    raw = needle if isinstance(needle, bytes) else needle.encode()
    yield raw, "plain"
    if isinstance(needle, str):
        for name in ("latin-1", "utf-16-le", "utf-16-be"):
            try:
                yield needle.encode(name), name
            except UnicodeEncodeError:  # this spelling cannot exist
                continue
        yield json.dumps(needle)[1:-1].encode(), "json"
        yield html.escape(needle).encode(), "html"
        yield needle.encode("ascii", "xmlcharrefreplace"), "html"
        yield quote(needle, safe="").encode(), "url"
        yield quote_plus(needle).encode(), "url"
        yield needle.casefold().encode(), "lower case"
    yield raw.hex().encode(), "hex"
    yield raw.hex().upper().encode(), "hex"
    for offset, skip in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(raw)) // 3 * 4  # characters that depend on the needle alone
        encoded = base64.b64encode(b"\0" * offset + raw)[skip:whole]
        yield encoded, "base64"
        yield encoded.replace(b"+", b"-").replace(b"/", b"_"), "base64"


def search_bytes(data: bytes, wanted: Spellings, where: str, depth: int = 0) -> Iterator[Hit]:
    """Every needle in these bytes, and in whatever is packed inside them."""
    for written, spelling, number in wanted:
        if written in data:
            yield Hit(where, spelling, number)
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
                        yield "zip", member.filename.encode() + b"\n" + archive.read(member)
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
            yield from search_bytes(Path(path).read_bytes(), wanted, path)
            for name in os.listxattr(path):
                yield from search_bytes(os.getxattr(path, name), wanted, f"attribute of {path}", _DEEPEST)
    except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
        return


def search_blobs(blobs: Blobs, wanted: Spellings, prefix: str = "") -> Iterator[Hit]:
    """Every needle in a store's keys and current blobs. Older versions and uploads count by their mere presence."""
    for remnant in blobs.remains(prefix):
        where = f"{remnant.what} {remnant.key}"
        yield from search_bytes(remnant.key.encode(), wanted, where, _DEEPEST)
        if remnant.what == "blob":
            yield from search_bytes(blobs.get(remnant.key), wanted, where)
        else:
            yield Hit(where, remnant.what, -1)
