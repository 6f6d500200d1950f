"""A drop in a folder on this machine.

It is somebody else's folder, so nothing in it is trusted: symbolic links are never followed, only plain files are
opened, each below the folder it was listed in, and none is read beyond a size.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.roster.drop import MAX_FILE, MAX_FILES, DropFault, is_litter
from tasks.sentences import tell


@dataclass(frozen=True)
class FolderDrop:
    """A folder on this machine."""

    location: str

    def files(self) -> list[str]:
        root = Path(self.location)
        if not root.is_dir():
            raise DropFault("no_drop", tell("drop.no_folder"))
        found: list[str] = []
        for path in _plain_files(root):
            found.append(path)
            if len(found) > MAX_FILES:
                raise DropFault("too_many_files", tell("drop.too_many", most=MAX_FILES))
        return sorted(found)

    def read(self, path: str) -> bytes:
        parts = path.split("/")
        if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise DropFault("not_a_file", tell("drop.leads_out"))
        with _opened(self.location, parts) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE:
                raise DropFault("too_large", tell("drop.too_large", size=size // 2**20, most=MAX_FILE // 2**20))
            return file.read(MAX_FILE + 1)

    def stamp(self, path: str) -> str:
        try:
            status = os.lstat(os.path.join(self.location, path))
        except OSError:  # gone since it was listed; the system's message would name it
            return "gone"
        return f"{status.st_size}:{status.st_mtime_ns}"


def _plain_files(root: Path) -> Iterator[str]:
    """Relative paths. A link is not followed, neither as a folder nor as a file."""
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(f for f in folders if not is_litter(f) and not os.path.islink(os.path.join(folder, f)))
        for name in names:
            whole = os.path.join(folder, name)
            # isfile follows links, so links are asked for first; a file that vanished meanwhile is neither.
            if not is_litter(name) and not os.path.islink(whole) and os.path.isfile(whole):
                yield Path(whole).relative_to(root).as_posix()


def _opened(root: str, parts: list[str]) -> BinaryIO:
    """Opens folder by folder, refusing links at each step: a name that was plain when listed may be a link by now."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = deeper
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write into it.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(parts[-1], flags, dir_fd=folder)
    except OSError as error:
        raise DropFault("not_a_file", tell("drop.system_refuses", code=error.errno)) from None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DropFault("not_a_file", tell("drop.no_plain_file"))
    return os.fdopen(handle, "rb")
