"""Puts what a browser sent into an upload: roster, register and photos in a folder of their own, nothing outside.

Nothing about an upload is trusted. A photo's path is rebuilt from its harmless parts, an archive is unpacked by what
really comes out of it, and the free disk is the end of it: the records lie there too. What is left out has a line that
says so. An upload that breaks a limit is removed whole. Nothing of it is ever on the disk in clear.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from reports.uploads.archive_names import Names
from reports.uploads.archives import BadUpload
from reports.uploads.arriving import Arriving
from reports.uploads.unpacking import DEEPEST, Room, Sent, TooLarge, at_most, chunks, keep_all
from tasks.roster.drop import COMING, DropFault
from tasks.roster.read import read_roster
from tasks.roster.rows import UnreadableTable
from tasks.roster.upload import Upload
from tasks.selfies.picks import LEFT_OUT, PHOTO_FOLDER, read_left_out
from tasks.selfies.whose import People
from tasks.sentences import tell
from tasks.vault.files import make_folders

TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"}
TABLE_BYTES = 50 * 2**20  # a roster of 100,000 lines with 20 columns has about 20 MB
ADDING = ".adding-"  # how a folder begins in which something is on its way into an upload that is there
WAITING = ".waiting"  # the same in an upload that is not there yet


def keep_upload(
    upload: Upload, roster: Sent, consents: Sent | None, photos: Iterable[Sent], *, coming: bool = False
) -> int:
    """Fill an upload whose folder must not exist yet, and return the number of photos. `coming`: more photos follow in
    parts."""
    part = half_written(upload.folder)
    make_folders(part)
    filling = Upload(str(part), upload.key)
    room = Room(part)
    with _in_work(part):
        keep_table(filling, "roster", roster, room)
        if consents is not None:
            keep_table(filling, "consents", consents, room)
        room.names = people_of(filling)
        arriving = Arriving(filling, part / WAITING)
        keep_all(arriving, photos, room)
        _lift_single_folder(arriving, room.names)
        arriving.take_in(PHOTO_FOLDER, durable=False)
        shutil.rmtree(part / WAITING, ignore_errors=True)
        _write_lines(filling, room)
        if coming:
            (part / COMING).touch()
        part.rename(upload.folder)  # a half-written drop is never a drop
    return room.kept


def half_written(folder: Path) -> Path:
    """Where an upload is written before its folder gets its name."""
    return folder.with_name(f".{folder.name}.part")


def must_be_here(upload: Upload) -> None:
    """Raises BadUpload when this upload was removed while something was on its way into it: its key is gone, and
    nothing may bring its folder back."""
    if not upload.folder.is_dir():
        raise BadUpload(tell("sent.removed"))


def add_photos(upload: Upload, photos: Iterable[Sent], *, lift: bool = True) -> tuple[int, int]:
    """Add photos to an upload; (new ones, those that were there already). What is there stays; each file comes whole.
    Without `lift` they lie where their names say, and no archive is among them."""
    must_be_here(upload)
    room = Room(upload.folder)
    room.names = people_of(upload) if lift else None
    place = Path(tempfile.mkdtemp(dir=upload.folder, prefix=ADDING))
    with _in_work(place):
        arriving = Arriving(upload, place)
        keep_all(arriving, photos, room)
        if lift:
            _lift_single_folder(arriving, room.names)
        with upload.alone():  # one at a time, of those that add to this upload
            repeated = arriving.take_in(PHOTO_FOLDER, durable=True)
            room.left.notes = [*left_out(upload), *room.left.notes]
            _write_lines(upload, room)
    return room.kept - repeated, repeated


def people_of(upload: Upload) -> Names | None:
    """Whom a word names on this upload's roster; None when that cannot be read, which the check will say."""
    roster = next((path for path in upload.files() if PurePosixPath(path).stem == "roster" and "/" not in path), None)
    if roster is None:
        return None
    try:
        people = People(read_roster(upload.read(roster), roster).rows)
    except (UnreadableTable, DropFault):
        return None
    return lambda text: people.claim(text, is_file=False).who


def left_out(upload: Upload) -> list[str]:
    """What was left out of this upload so far, in lines for HR."""
    return list(read_left_out(upload))


def _write_lines(upload: Upload, room: Room) -> None:
    if lines := room.left.lines():
        upload.write(LEFT_OUT, json.dumps(list(dict.fromkeys(lines)), ensure_ascii=False).encode())


def keep_table(upload: Upload, stem: str, sent: Sent, room: Room) -> str:
    """Take a roster or a register as it came; its suffix tells the reader what it is. Its name in the upload."""
    suffix = PurePosixPath(sent.name).suffix.lower()
    if suffix not in TABLES:
        raise BadUpload(tell("sent.no_table"))
    try:
        upload.write(stem + suffix, at_most(chunks(sent.content), TABLE_BYTES, room))
    except TooLarge:
        raise BadUpload(tell("sent.table_large", most=TABLE_BYTES // 2**20)) from None
    return stem + suffix


def replace_table(upload: Upload, stem: str, sent: Sent) -> None:
    """Put another roster or register in the place of an upload's. The old one stands until the new one is whole."""
    must_be_here(upload)
    before = [path for path in upload.files() if PurePosixPath(path).stem == stem and "/" not in path]
    arrived = keep_table(upload, stem, sent, Room(upload.folder))
    for old in before:
        if old != arrived:
            upload.remove(old)


def _lift_single_folder(arriving: Arriving, names: Names | None) -> None:
    """An archive often holds one folder with everybody in it: it says nothing about whose photos they are. One that
    names somebody is theirs, and stays."""
    for _ in range(DEEPEST):
        tops = {path.split("/")[0] for path in arriving.files}
        # A folder that holds files only, and no folders, is one person's.
        if len(tops) != 1 or not any(path.count("/") > 1 for path in arriving.files):
            return
        (top,) = tops
        if names and names(top):
            return
        arriving.lift(f"{top}/")


@contextmanager
def _in_work(place: Path) -> Iterator[None]:
    """Holds a lock on a folder that is being filled, so that no other process takes it for a dead one's, and removes it
    afterwards if it still stands there by this name."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(handle)


def clear_parts(drops: Path) -> int:
    """Remove what a crash left half unpacked; how many such folders. What a living process fills is left."""
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
