"""Lets a browser's files into an upload: harmless paths, whole files, archives opened, and an end to size and number.

The free disk is the end of it, since the records lie there too. Whatever is not kept has a line that says so.
"""

import io
import shutil
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from reports.uploads.archive_names import Names
from reports.uploads.archives import (
    LEVELS,
    BadArchive,
    BadUpload,
    LeftOut,
    Swollen,
    announced,
    files_in,
    reading_an_archive,
    unpacked,
)
from reports.uploads.arriving import Arriving
from tasks.failures import RollcallError
from tasks.roster.drop import MAX_FILES, is_litter
from tasks.sentences import tell
from tasks.vault.sealed_spool import SealedSpool

PACKED = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zipx"}
MOST_FILES = MAX_FILES
FILE_BYTES = 100 * 2**20  # twice what a photo may have (MAX_BYTES of tasks/vision/images.py): the check then names it
RESERVE = 2 * 2**30  # bytes of the disk that no upload may take: records, keys and forgetting need them
DEEPEST = 40  # folders
LONGEST = 900  # bytes of a path below the folder of photos
NAME_BYTES = 200  # of one part of it; what is longer loses its middle, since names stand at both ends
CHUNK = 2**20  # bytes read at a time
LOOK_EVERY = 64 * 2**20  # bytes between two looks at the free disk


@dataclass(frozen=True)
class Sent:
    """One file as it came: the name the browser gave, and its content."""

    name: str
    content: IO[bytes]


@dataclass
class Room:
    """What a drop may still take, and what it has taken."""

    folder: Path
    files: int = MOST_FILES
    kept: int = 0
    repeated: int = 0
    left: LeftOut = field(default_factory=LeftOut)
    names: Names | None = None
    _unseen: int = LOOK_EVERY

    def take(self, number: int) -> None:
        self._unseen += number
        if self._unseen >= LOOK_EVERY:
            self._unseen = 0
            self.must_hold(0)

    def must_hold(self, number: int) -> None:
        """BadUpload unless so many more bytes fit on the disk, beside what the records need."""
        free = shutil.disk_usage(self.folder).free - RESERVE
        if number > free or free < 0:
            raise BadUpload(tell("sent.disk", room=f"{max(0, free) / 2**30:.1f}"))


def safe_path(name: str) -> PurePosixPath | None:
    """The harmless part of a file's path; None for what a system left lying about, and for paths that are too deep."""
    parts = [_safe(part) for part in unicodedata.normalize("NFC", name).replace("\\", "/").split("/")]
    kept = [part for part in parts if part]
    if any(is_litter(part) for part in kept):
        return None
    path = PurePosixPath(*kept) if kept else None
    return path if path and len(kept) <= DEEPEST and len(str(path).encode()) <= LONGEST else None


def _safe(part: str) -> str:
    """A name without what a file system or a terminal could take for something else."""
    shown = "".join(sign for sign in part if unicodedata.category(sign)[0] != "C" and sign not in '<>:"|?*')
    whole = shown.strip().rstrip(". ").encode() if part != ".." else b""
    if len(whole) <= NAME_BYTES:
        return whole.decode()
    head, tail = whole[: NAME_BYTES // 2], whole[-NAME_BYTES // 2 :]
    return f"{head.decode(errors='ignore')}…{tail.decode(errors='ignore')}"


def keep_all(arriving: Arriving, photos: Iterable[Sent], room: Room) -> None:
    for sent in photos:
        if PurePosixPath(sent.name).suffix.lower() == ".zip":
            _unpack(arriving, sent.content, room, "", 1)
        else:
            _keep(arriving, sent.name, chunks(sent.content), room)


def _keep(arriving: Arriving, name: str, content: Iterable[bytes], room: Room) -> None:
    path = safe_path(name)
    shown = "".join(sign for sign in name if sign.isprintable())[-200:]
    if path is None:
        parts = name.replace("\\", "/").split("/")
        if not any(is_litter(part) and part.strip() not in ("..", ".") for part in parts):
            room.left.add(tell("sent.why_deep"), shown)
        elif not _is_system_litter(parts):
            room.left.add(tell("sent.why_hidden"), shown)
        return
    if path.suffix.lower() in PACKED:
        room.left.add(tell("sent.why_packed"), shown)
        return
    if room.files == 0:
        raise BadUpload(tell("sent.too_many", most=MOST_FILES))
    try:
        arriving.add(str(path), at_most(content, FILE_BYTES, room))
    except TooLarge:
        room.left.add(tell("sent.why_large", most=f"{FILE_BYTES / 2**20:.0f}"), shown)
        return
    except Swollen:
        room.left.add(tell("sent.why_swollen"), shown)
        return
    room.files -= 1
    room.kept += 1


def _is_system_litter(parts: list[str]) -> bool:
    """What systems leave lying about, by its known names: nobody misses it."""
    known = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", ".trashes", ".localized"}
    return any(part.lower() in known or part.startswith(("._", "~$", ".spotlight", ".fseventsd")) for part in parts)


def chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk


class TooLarge(RollcallError):
    """More bytes come than one file may have."""


def at_most(source: Iterable[bytes], most: int, room: Room) -> Iterator[bytes]:
    """What really comes, not what was announced; TooLarge when it is more than `most`, BadUpload when the disk ends."""
    seen = 0
    for chunk in source:
        seen += len(chunk)
        if seen > most:
            raise TooLarge
        room.take(len(chunk))
        yield chunk


def _unpack(arriving: Arriving, content: IO[bytes], room: Room, inside: str, level: int) -> None:
    with reading_an_archive():
        archive = zipfile.ZipFile(content)
    with archive:
        room.must_hold(announced(archive))
        for name, entry in files_in(archive, room.names, room.left):
            if PurePosixPath(name).suffix.lower() == ".zip" and safe_path(name) is not None:
                _unpack_inner(arriving, archive, entry, room, inside + name, level)
            else:
                _keep(arriving, inside + name, unpacked(archive, entry, CHUNK), room)


def _unpack_inner(
    arriving: Arriving, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: Room, name: str, level: int
) -> None:
    """An archive in an archive becomes a folder of its name; one that cannot be opened is named."""
    if level >= LEVELS:
        room.left.add(tell("sent.why_nested"), name)
        return
    with SealedSpool(room.folder) as inner:
        try:
            for chunk in unpacked(archive, entry, CHUNK):
                room.take(len(chunk))
                inner.write(chunk)
            inner.seek(0)
            _unpack(arriving, io.BufferedReader(inner, CHUNK), room, name[: -len(".zip")] + "/", level + 1)
        except Swollen:
            room.left.add(tell("sent.why_bomb"), name)
        except BadArchive:
            room.left.add(tell("sent.why_unreadable"), name)
