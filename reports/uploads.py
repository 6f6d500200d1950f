"""Puts what a browser sent into a drop: roster, register and photos in a folder of their own, and nothing outside it.

Nothing about an upload is trusted. A photo's path is rebuilt from its harmless parts, an archive is unpacked by what
really comes out of it, links in it are ignored, and there is an end to size and number. A drop that breaks a limit is
removed whole.
"""

import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"}
MOST_FILES = 50_000
MOST_BYTES = 8 * 2**30  # of a whole drop, unpacked
FILE_BYTES = 100 * 2**20
TABLE_BYTES = 50 * 2**20
DEEPEST = 8
CHUNK = 2**20


# What `zipfile` says while it reads a damaged archive: bad records, methods it does not know, ends that come too early,
# places outside the file, and data that does not unpack.
UNREADABLE = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error)


class BadUpload(ValueError):
    """The upload cannot become a drop. The message is for the person who sent it and names no file."""


@dataclass(frozen=True)
class Sent:
    """One file as it came: the name the browser gave, and its content."""

    name: str
    content: IO[bytes]


@dataclass
class _Room:
    """What a drop may still take."""

    files: int = MOST_FILES
    size: int = MOST_BYTES

    def take(self, number: int) -> None:
        self.size -= number
        if self.size < 0:
            raise BadUpload(f"This is more than {MOST_BYTES // 2**30} GB. Send it in parts, or put it into a folder.")


def safe_path(name: str) -> PurePosixPath | None:
    """The harmless part of a file's path, with its last folder (whose photos they are); None for what is no photo."""
    parts = [_safe(part) for part in name.replace("\\", "/").split("/")]
    if any(part.startswith(".") or part == "__MACOSX" for part in parts if part):
        return None
    kept = [part for part in parts if part]
    return PurePosixPath(*kept) if kept and len(kept) <= DEEPEST else None


def _safe(part: str) -> str:
    """A name without what a file system or a terminal could take for something else."""
    shown = "".join(sign for sign in part if unicodedata.category(sign)[0] != "C" and sign not in '<>:"|?*')
    return shown.strip().rstrip(".").encode()[:120].decode(errors="ignore") if part != ".." else ""


def keep_upload(folder: Path, roster: Sent, consents: Sent | None, photos: Iterable[Sent]) -> int:
    """Write a drop into `folder`, which must not exist yet, and return the number of photos."""
    part = folder.with_name(f".{folder.name}.part")
    part.mkdir(parents=True, mode=0o700)
    room = _Room()
    try:
        _keep_table(part, "roster", roster, room)
        if consents is not None:
            _keep_table(part, "consents", consents, room)
        photo_folder = part / "selfies"
        photo_folder.mkdir()
        for sent in photos:
            if PurePosixPath(sent.name).suffix.lower() == ".zip":
                _unpack(photo_folder, sent.content, room)
            else:
                _keep(photo_folder, sent.name, _chunks(sent.content), room)
        _lift_single_folder(photo_folder)
        part.rename(folder)  # a half-written drop is never a drop
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return MOST_FILES - room.files


def _keep_table(folder: Path, stem: str, sent: Sent, room: _Room) -> None:
    suffix = PurePosixPath(sent.name).suffix.lower()
    if suffix not in TABLES:
        raise BadUpload("The roster and the consent register must be CSV or Excel files.")
    _copy(_chunks(sent.content), folder / f"{stem}{suffix}", TABLE_BYTES, room)


def _keep(folder: Path, name: str, content: Iterable[bytes], room: _Room) -> None:
    path = safe_path(name)
    if path is None:
        return
    if room.files == 0:
        raise BadUpload(f"More than {MOST_FILES} files: this is not a folder of selfies.")
    room.files -= 1
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        while target.exists():
            target = target.with_name(f"{target.stem}+{target.suffix}")
    except (FileExistsError, NotADirectoryError) as clash:  # a file where a folder should be
        raise BadUpload("A file and a folder have the same name.") from clash
    _copy(content, target, FILE_BYTES, room)


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk


def _unpacked(entry: IO[bytes]) -> Iterator[bytes]:
    with _reading_an_archive():
        yield from _chunks(entry)


@contextmanager
def _reading_an_archive() -> Iterator[None]:
    """Whatever reading fails with is the archive's fault. A full disk is not: nothing is written in here."""
    try:
        yield
    except UNREADABLE as broken:
        raise BadUpload("The archive cannot be read. Zip the folder again.") from broken


def _copy(source: Iterable[bytes], target: Path, most: int, room: _Room) -> None:
    """Copy what really comes, not what was announced."""
    written = 0
    with target.open("xb") as out:
        for chunk in source:
            written += len(chunk)
            if written > most:
                raise BadUpload(f"One file is larger than {most // 2**20} MB. Send photos as the phone makes them.")
            room.take(len(chunk))
            out.write(chunk)


def _unpack(folder: Path, content: IO[bytes], room: _Room) -> None:
    with _reading_an_archive():
        archive = zipfile.ZipFile(content)
    with archive:
        for entry in archive.infolist():
            if entry.is_dir() or stat.S_ISLNK(entry.external_attr >> 16):
                continue
            if entry.flag_bits & 0x1:
                raise BadUpload("The archive has a password. Send it without one.")
            with _reading_an_archive():
                file = archive.open(entry)
            with file:
                _keep(folder, entry.filename, _unpacked(file), room)


def _lift_single_folder(folder: Path) -> None:
    """An archive often holds one folder with everybody in it: it says nothing about whose photos they are."""
    for _ in range(DEEPEST):
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir() or not any(path.is_dir() for path in inside[0].iterdir()):
            return
        outer = inside[0].rename(folder / ".lifted")
        for path in outer.iterdir():
            path.rename(folder / path.name)
        outer.rmdir()
