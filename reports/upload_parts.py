"""Takes photos in parts, so that an upload of a whole company goes on after a cut instead of beginning anew.

A file is known by its name, size and time. Its parts wait in the drop, in a folder that no check looks into; when it is
whole it goes the way of every upload. What has arrived is remembered until the upload is done.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from reports.archives import BadUpload
from reports.unpacking import FILE_BYTES, Room, Sent
from reports.uploads import add_photos
from tasks.roster.drop import COMING
from tasks.vault.files import make_folders

PART_BYTES = 16 * 2**20  # the most that is taken at once
ARRIVING = ".arriving"


@dataclass(frozen=True)
class Arrival:
    """One file on its way. `stamp`: when it was last changed, as the browser tells it."""

    name: str
    size: int
    stamp: str

    def place(self, folder: Path) -> Path:
        key = sha256(f"{self.name}\0{self.size}\0{self.stamp}".encode()).hexdigest()[:32]
        return folder / ARRIVING / key


def have(folder: Path, arrival: Arrival) -> int:
    """How many bytes of this file are here; its size when it has arrived."""
    place = arrival.place(folder)
    if place.with_suffix(".whole").exists():
        return arrival.size
    return place.stat().st_size if place.exists() else 0


def take_part(folder: Path, arrival: Arrival, at: int, data: bytes) -> int:
    """Add the next part; how many bytes are here now. One that does not begin where the last one ended is not taken.

    Raises BadUpload when the disk is full, or the file cannot become part of the drop.
    """
    place = arrival.place(folder)
    make_folders(place.parent)
    with _alone(place):
        here = have(folder, arrival)
        if at != here or here == arrival.size > 0:
            return here
        packed = PurePosixPath(arrival.name).suffix.lower() == ".zip"
        if here + len(data) > arrival.size or (arrival.size > FILE_BYTES and not packed):
            raise BadUpload(f"One file is larger than {FILE_BYTES // 2**20} MB. Send photos as the phone makes them.")
        Room(folder).must_hold((arrival.size - here) * (2 if packed else 1))
        with place.open("ab") as file:
            file.write(data)
        if here + len(data) == arrival.size:
            _arrived(folder, arrival, place)
        return here + len(data)


def _arrived(folder: Path, arrival: Arrival, place: Path) -> None:
    try:
        with place.open("rb") as file:
            add_photos(folder, [Sent(arrival.name, file)], lift=arrival.name.lower().endswith(".zip"))
        place.with_suffix(".whole").touch()
    finally:
        place.unlink()


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
