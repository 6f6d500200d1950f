"""Takes photos in parts, so that an upload of a whole company goes on after a cut instead of beginning anew.

A file is known by its name, size and time. Its parts wait in the upload, sealed one by one, in a folder that no check
looks into; when all are there the file goes the way of every upload. What has arrived is remembered until it is done.
"""

import fcntl
import hmac
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from reports.uploads.archives import BadUpload
from reports.uploads.receiving import add_photos, must_be_here
from reports.uploads.unpacking import FILE_BYTES, Room, Sent
from tasks.roster.drop import COMING
from tasks.roster.upload import ARRIVING, Upload
from tasks.sentences import tell
from tasks.vault.files import make_folders, replace_file
from tasks.vault.sealing import plain_size, seal, unseal

PART_BYTES = 16 * 2**20  # the most that is taken at once


@dataclass(frozen=True)
class Arrival:
    """One file on its way. `stamp`: when it was last changed, as the browser tells it."""

    name: str
    size: int
    stamp: str

    def place(self, upload: Upload) -> Path:
        """Where its parts wait: a folder whose name says nothing of the file's."""
        told = f"{self.name}\0{self.size}\0{self.stamp}".encode()
        return upload.folder / ARRIVING / hmac.new(upload.key, told, sha256).hexdigest()[:32]


def have(upload: Upload, arrival: Arrival) -> int:
    """How many bytes of this file are here; its size when it has arrived."""
    place = arrival.place(upload)
    if place.with_suffix(".whole").exists():
        return arrival.size
    return sum(size for _, _, size in _parts(place))


def take_part(upload: Upload, arrival: Arrival, at: int, data: bytes) -> int:
    """Add the next part; how many bytes are here now. One that does not begin where the last one ended is not taken.

    Raises BadUpload when the disk is full, the upload was removed, or the file cannot become part of it.
    """
    must_be_here(upload)
    place = arrival.place(upload)
    make_folders(place.parent)
    with _alone(place):
        here = have(upload, arrival)
        if at != here or here == arrival.size > 0:
            return here
        packed = PurePosixPath(arrival.name).suffix.lower() == ".zip"
        if here + len(data) > arrival.size or (arrival.size > FILE_BYTES and not packed):
            raise BadUpload(tell("sent.file_large", most=FILE_BYTES // 2**20))
        Room(upload.folder).must_hold((arrival.size - here) * (2 if packed else 1))
        part = place / f"{at:015}"
        replace_file(part, seal(upload.key, _bound(part), data))
        if here + len(data) == arrival.size:
            _arrived(upload, arrival, place)
        return here + len(data)


def _parts(place: Path) -> list[tuple[Path, int, int]]:
    """(file, where it begins, bytes) of the parts that follow each other from the first byte on."""
    found: list[tuple[Path, int, int]] = []
    end = 0
    for path in sorted(place.glob("[0-9]*")):
        if int(path.name) == end:
            found.append((path, end, plain_size(path.stat().st_size)))
            end += found[-1][2]
    return found


def _bound(part: Path) -> str:
    """What a part's sealed bytes are bound to: the file, and the place in it."""
    return f"part {part.parent.name}/{part.name}"


class _Whole(io.RawIOBase):
    """The parts of one file, opened as they are read; an archive is read from its end first."""

    def __init__(self, key: bytes, place: Path) -> None:
        self._key, self._parts, self._at = key, _parts(place), 0
        self._open: tuple[Path | None, bytes] = (None, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = sum(size for _, _, size in self._parts)
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        for path, begins, size in self._parts:
            if begins <= self._at < begins + size:
                if self._open[0] != path:
                    self._open = (path, unseal(self._key, _bound(path), path.read_bytes()))
                piece = self._open[1][self._at - begins :][: len(buffer)]
                buffer[: len(piece)] = piece
                self._at += len(piece)
                return len(piece)
        return 0


def _arrived(upload: Upload, arrival: Arrival, place: Path) -> None:
    try:
        with io.BufferedReader(_Whole(upload.key, place), 2**20) as file:
            add_photos(upload, [Sent(arrival.name, file)], lift=arrival.name.lower().endswith(".zip"))
        place.with_suffix(".whole").touch()
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One at a time for one file: two windows may send the same folder."""
    handle = os.open(place.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def begin(folder: Path) -> None:
    """Say that photos are on their way: until they are all here the drop is nobody's newest."""
    (folder / COMING).touch()


def is_coming(folder: Path) -> bool:
    return (folder / COMING).exists()


def done(folder: Path) -> None:
    """Everything has arrived, or is given up."""
    shutil.rmtree(folder / ARRIVING, ignore_errors=True)
    (folder / COMING).unlink(missing_ok=True)
