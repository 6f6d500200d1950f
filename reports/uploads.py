"""Puts what a browser sent into a drop: roster, register and photos in a folder of their own, and nothing outside it.

Nothing about an upload is trusted. A photo's path is rebuilt from its harmless parts, an archive is unpacked by what
really comes out of it, and the free disk is the end of it: the records lie there too. What is left out has a line that
says so. A drop that breaks a limit is removed whole.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from reports.archive_names import Names
from reports.archives import BadUpload
from reports.unpacking import DEEPEST, Room, Sent, chunks, copy, keep_all
from tasks.roster.drop import COMING, FolderDrop
from tasks.roster.read import read_roster
from tasks.roster.rows import Unreadable
from tasks.selfies.picks import LEFT_OUT, read_left_out
from tasks.selfies.whose import People
from tasks.vault.files import make_folders, put_in_place, replace_file

TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"}
TABLE_BYTES = 50 * 2**20
ADDING = ".adding-"  # how a folder begins in which something is on its way into a drop


def keep_upload(
    folder: Path, roster: Sent, consents: Sent | None, photos: Iterable[Sent], *, coming: bool = False
) -> int:
    """Write a drop into `folder`, which must not exist yet, and return the number of photos. `coming`: more photos
    follow in parts."""
    part = folder.with_name(f".{folder.name}.part")
    make_folders(part)
    room = Room(part)
    with _in_work(part):
        keep_table(part, "roster", roster, room)
        if consents is not None:
            keep_table(part, "consents", consents, room)
        room.names = people_of(part)
        photo_folder = part / "selfies"
        photo_folder.mkdir()
        keep_all(photo_folder, photos, room)
        _lift_single_folder(photo_folder, room.names)
        _write_lines(part, room)
        if coming:
            (part / COMING).touch()
        part.rename(folder)  # a half-written drop is never a drop
    return room.kept


def add_photos(folder: Path, photos: Iterable[Sent], *, lift: bool = True) -> tuple[int, int]:
    """Add photos to a drop; (new ones, those that were there already). What is there stays; each file comes whole.
    Without `lift` they lie where their names say, and no archive is among them."""
    room = Room(folder)
    room.names = people_of(folder) if lift else None
    (folder / "selfies").mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder, prefix=ADDING))
    with _in_work(place):
        arrived = place / "selfies"
        arrived.mkdir()
        keep_all(arrived, photos, room)
        if lift:
            _lift_single_folder(arrived, room.names)
        with _in_work(folder, remove=False):  # one at a time, of those that add to this drop
            _merge(arrived, folder / "selfies", room)
            room.left.notes = [*left_out(folder), *room.left.notes]
            _write_lines(folder, room)
    return room.kept - room.repeated, room.repeated


def people_of(folder: Path) -> Names | None:
    """Whom a word names on this drop's roster; None when that cannot be read, which the check will say."""
    roster = next((path for path in folder.iterdir() if path.stem == "roster"), None)
    if roster is None:
        return None
    try:
        people = People(read_roster(roster.read_bytes(), roster.name).rows)
    except Unreadable:
        return None
    return lambda text: people.claim(text, is_file=False).who


def left_out(folder: Path) -> list[str]:
    """What was left out of this drop so far, in lines for HR."""
    return list(read_left_out(FolderDrop(str(folder))))


def _write_lines(folder: Path, room: Room) -> None:
    if lines := room.left.lines():
        replace_file(folder / LEFT_OUT, json.dumps(list(dict.fromkeys(lines)), ensure_ascii=False).encode())


def keep_table(folder: Path, stem: str, sent: Sent, room: Room) -> Path:
    """Write a roster or a register as it came; its suffix tells the reader what it is."""
    suffix = PurePosixPath(sent.name).suffix.lower()
    if suffix not in TABLES:
        raise BadUpload("The roster and the consent register must be CSV or Excel files.")
    target = folder / f"{stem}{suffix}"
    if not copy(chunks(sent.content), target, TABLE_BYTES, room):
        raise BadUpload(f"The table is larger than {TABLE_BYTES // 2**20} MB. Export only the people.")
    return target


def replace_table(folder: Path, stem: str, sent: Sent) -> None:
    """Put another roster or register in the place of a drop's. The old one stands until the new one is whole."""
    place = Path(tempfile.mkdtemp(dir=folder, prefix=ADDING))
    with _in_work(place):
        arrived = keep_table(place, stem, sent, Room(folder))
        before = [path for path in folder.iterdir() if path.stem == stem and path.suffix in TABLES]
        put_in_place(arrived, folder / arrived.name)
        for old in before:
            if old.name != arrived.name:
                old.unlink()


def _merge(arrived: Path, photos: Path, room: Room) -> None:
    """Move what arrived beside what is there. The same file under the same name is there already."""
    for path in sorted(arrived.rglob("*")):
        if not path.is_file():
            continue
        target = photos / path.relative_to(arrived)
        if target.is_file() and _same(path, target):
            room.repeated += 1
            continue
        try:
            make_folders(target.parent)
            if target.is_dir():
                raise FileExistsError
        except (FileExistsError, NotADirectoryError) as clash:
            raise BadUpload("A file and a folder have the same name.") from clash
        put_in_place(path, room.free_name(target))


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        return hashlib.file_digest(first, "sha256").digest() == hashlib.file_digest(second, "sha256").digest()


def _lift_single_folder(folder: Path, names: Names | None) -> None:
    """An archive often holds one folder with everybody in it: it says nothing about whose photos they are. One that
    names somebody is theirs, and stays."""
    for _ in range(DEEPEST):
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir() or not any(path.is_dir() for path in inside[0].iterdir()):
            return
        if names and names(inside[0].name):
            return
        outer = inside[0].rename(folder / ".lifted")
        for path in outer.iterdir():
            path.rename(folder / path.name)
        outer.rmdir()


@contextmanager
def _in_work(place: Path, *, remove: bool = True) -> Iterator[None]:
    """Holds a lock on a folder that is being filled, so that no other process takes it for a dead one's, and removes it
    afterwards if it still stands there by this name."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if remove:
            shutil.rmtree(place, ignore_errors=True)
        os.close(handle)


def clear_parts(drops: Path) -> int:
    """Remove what a crash left half unpacked, in clear; how many such folders. What a living process fills is left."""
    gone = 0
    for place in [*drops.glob(".*.part"), *drops.glob(f"*/{ADDING}*")]:
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place)
            gone += 1
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
    return gone
