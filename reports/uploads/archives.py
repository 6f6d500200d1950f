"""Looks into a ZIP before and while it is unpacked: what lies in it, under which names, and what is left out and why.

Nothing an archive announces is believed. Entries that share their data are refused (a few kilobytes would become
gigabytes), an entry that swells is left out, and an archive inside is opened as a folder of its name.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from reports.uploads.archive_names import Names, read_names
from tasks.failures import RollcallError
from tasks.sentences import tell

SWELL = 100  # times: photos do not shrink, so what unpacks to more than this is no photo
SMALL = 2**20  # bytes that may swell as they like
SHOWN = 5  # names in a line; the others are counted
LEVELS = 3  # archives within archives
# What `zipfile` says while it reads a damaged archive: bad records, methods it does not know, ends that come too early,
# places outside the file, and data that does not unpack.
UNREADABLE = (
    zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, IndexError, zlib.error, RuntimeError
)  # fmt: skip


class BadUpload(RollcallError):
    """The upload cannot become a drop. The message is for the person who sent it and names no file."""


class BadArchive(BadUpload):
    """An archive cannot be what it says it is; within another one it is left out, and named."""


@dataclass
class LeftOut:
    """Everything that did not become a photo of the drop, by reason, in the order of its arrival."""

    names: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)

    def add(self, reason: str, name: str) -> None:
        self.names[reason].append(name)

    def lines(self) -> list[str]:
        """`Left out, a link: a.jpg, b.jpg and 3 more.`"""
        found = list(self.notes)
        for reason, names in self.names.items():
            shown = {"reason": reason, "names": ", ".join(names[:SHOWN])}
            more = len(names) - SHOWN
            found.append(tell("sent.left_out_more", more, **shown) if more > 0 else tell("sent.left_out", **shown))
        return found


@contextmanager
def reading_an_archive() -> Iterator[None]:
    """Whatever reading fails with is the archive's fault. A full disk is not: nothing is written in here."""
    try:
        yield
    except UNREADABLE as broken:
        raise BadArchive(tell("sent.unreadable")) from broken


def files_in(archive: zipfile.ZipFile, names: Names | None, left: LeftOut) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """(name, entry) of everything to unpack; BadUpload when the archive cannot be what it says it is."""
    entries = archive.infolist()
    if _overlap(entries):
        raise BadArchive(tell("sent.overlapping"))
    readings = read_names(entries, names)
    if readings.page:
        left.notes.append(tell("sent.read_in", page=readings.page))
    elif readings.untold:
        left.notes.append(tell("sent.untold", readings.untold))
    for name, entry in zip(readings.names, entries, strict=True):
        if not entry.filename:
            left.add(tell("sent.why_nameless"), tell("sent.nameless"))
        elif name.endswith(("/", "\\")) and not entry.file_size:
            continue
        elif stat.S_ISLNK(entry.external_attr >> 16):
            left.add(tell("sent.why_link"), name)
        elif entry.flag_bits & 0x1:
            raise BadArchive(tell("sent.password"))
        else:
            yield name, entry


def announced(archive: zipfile.ZipFile) -> int:
    """Bytes that the archive says it unpacks to."""
    return sum(entry.file_size for entry in archive.infolist())


class Swollen(RollcallError):
    """An entry unpacks to far more than it holds."""


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, chunk: int) -> Iterator[bytes]:
    """What really comes out, chunk by chunk. Raises BadUpload, or Swollen."""
    with reading_an_archive():
        file = archive.open(entry)
    total = 0
    with file:
        while data := _read(file, chunk):
            total += len(data)
            if total > max(SMALL, SWELL * entry.compress_size):
                raise Swollen
            yield data


def _read(file: IO[bytes], chunk: int) -> bytes:
    with reading_an_archive():
        return file.read(chunk)


def _overlap(entries: list[zipfile.ZipInfo]) -> bool:
    """Whether two entries lie on the same bytes: 30 bytes of header, the name and the data are the least each takes."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + 30 + len(entry.orig_filename) + entry.compress_size
    return False
