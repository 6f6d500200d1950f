"""Writes a file whole or not at all, and durably: the old one stands until the new one outlives a power cut.

Flushing the file alone is not enough: its name lives in the folder, which has to be flushed as well. A new file is
written beside its place under a name of its own (`.<name>.<random>.part`), so that two writers never share one, and a
sweep can tell what a kill left behind.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

PART = ".part"  # how the name of a file ends that is still being written; it begins with a dot
TRIES = 3  # times a folder is emptied into which somebody else still writes


def replace_file(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o600) -> None:
    """Put these bytes (or chunks of them) in the place of whatever `path` was; makes its folders when they are missing.

    Raises OSError when it cannot, and whatever the chunks raise; the old file then stands untouched and nothing lies
    beside it. `mode` is for files that leave the house: what we keep is the owner's alone.
    """
    make_folders(path.parent)
    part = part_of(path)
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, mode)) as file:
            for chunk in (data,) if isinstance(data, bytes) else data:
                file.write(chunk)
        put_in_place(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """Where a file is written before it gets this name; another one with each call."""
    return path.with_name(f".{path.name}.{token_hex(4)}{PART}")


def replace_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """The same for many files of one folder, by name: each whole, and the folder flushed once for all of them."""
    if not files:
        return
    make_folders(folder)
    for name, data in files.items():
        part = part_of(folder / name)
        try:
            with open(part, "xb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600)) as file:
                file.write(data)
            _named(part, folder / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_folder(folder)


def put_in_place(part: Path, path: Path) -> None:
    """Give a file that was written beside its place its name, durably."""
    _named(part, path)
    sync_folder(path.parent)


def _named(part: Path, path: Path) -> None:
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(part, path)


def make_folders(folder: Path, *, mode: int = 0o700) -> None:
    """Make the missing folders, and flush each parent: a flushed file in an unflushed folder can still vanish."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True, mode=mode)
        sync_folder(made.parent)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One at a time, of all processes and threads that ask, works in this folder; the others wait."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or removed in this folder so far outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def take_away(path: Path) -> None:
    """Remove a file, a link, or a folder with everything in it. What others take away or put there meanwhile is no
    matter; whatever else keeps it from going is raised."""
    for left in reversed(range(TRIES)):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, onerror=_unless_gone)
            else:
                path.unlink(missing_ok=True)
            return
        except OSError as fault:
            if not left or fault.errno != errno.ENOTEMPTY:  # somebody wrote into it while it was emptied
                raise


def _unless_gone(_function: object, _path: str, fault: tuple[Any, BaseException, Any]) -> None:
    if not isinstance(fault[1], FileNotFoundError):
        raise fault[1]
