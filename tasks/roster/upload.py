"""What HR uploaded at the desk: a drop of ours, sealed under a key of its own while it lies here.

Files that an older version, or somebody's hand, put there in clear are read as well, until they are sealed
(`seal_clear`: at the desk's start and by every sweep). Killed in between, a file is there twice and read once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tasks.roster.drop import MAX_FILE, DropFault, is_litter
from tasks.roster.folder_drop import FolderDrop
from tasks.sentences import tell
from tasks.vault.failures import Unreadable
from tasks.vault.files import alone_in, sync_folder
from tasks.vault.sealed_folder import SealedFolder, is_sealed_place

_BESIDE = (".answers.json", ".left-out.json")  # what is kept with an upload and no part of it (selfies/picks.py)
ARRIVING = ".arriving"  # holds the parts of files that are on their way, each sealed by itself
_CHUNK = 2**20  # bytes read at a time


@dataclass(frozen=True)
class Upload:
    """A drop that also takes. `location`: its folder."""

    location: str
    key: bytes = field(repr=False)

    @property
    def folder(self) -> Path:
        return Path(self.location)

    @cached_property
    def sealed(self) -> SealedFolder:
        return SealedFolder(self.folder, self.key)

    def files(self) -> list[str]:
        found = {name for name in self._sealed_names() if not any(is_litter(part) for part in name.split("/"))}
        return sorted(found | set(self._clear()))

    def sealed_files(self) -> list[str]:
        """What lies here sealed, with what is kept beside the drop; nothing where the key does not fit."""
        try:
            return self.sealed.names()
        except Unreadable:
            return []

    def read(self, path: str) -> bytes:
        try:
            size = self.sealed.size(path)
            if size > MAX_FILE:
                raise DropFault("too_large", tell("drop.too_large", size=size // 2**20, most=MAX_FILE // 2**20))
            return self.sealed.read(path)
        except FileNotFoundError:
            return FolderDrop(self.location).read(path)
        except Unreadable:
            raise DropFault("damaged", tell("drop.damaged")) from None

    def holds(self, path: str) -> bool:
        """Whether a file of this name is here, whatever else is."""
        return self.sealed.holds(path) or (self.folder / path).is_file()

    def size(self, path: str) -> int:
        """Bytes of a file that is here."""
        return self.sealed.size(path) if self.sealed.holds(path) else (self.folder / path).stat().st_size

    def content(self, path: str) -> bytes:
        """All of a file that is here, also of one that is larger than what a check reads."""
        return self.sealed.read(path) if self.sealed.holds(path) else (self.folder / path).read_bytes()

    def stamp(self, path: str) -> str:
        try:
            return f"{self.sealed.size(path)}:{self.sealed.place(path).stat().st_mtime_ns}"
        except FileNotFoundError:
            return FolderDrop(self.location).stamp(path)

    def write(self, path: str, data: bytes | Iterable[bytes]) -> None:
        """Put a file there, or in the place of what had this name, whole or not at all."""
        self.sealed.write(path, data)
        self._unlink_clear(path)

    def remove(self, path: str) -> bool:
        """Whether there was one. A folder in clear that bears a name and holds nothing more goes with it."""
        gone = self.sealed.remove(path)
        return self._unlink_clear(path) or gone

    def seal_clear(self) -> int:
        """Seal what lies here in clear; how many files that were."""
        done = 0
        with self.alone():
            beside = [name for name in _BESIDE if (self.folder / name).is_file()]
            for path in (*self._clear(), *beside):
                before = (self.folder / path).stat()
                if not self.sealed.holds(path):
                    self.sealed.write(path, _chunks(self.folder / path))
                    os.utime(self.sealed.place(path), ns=(before.st_atime_ns, before.st_mtime_ns))
                self._unlink_clear(path)
                done += 1
        return done

    def drop_halves(self) -> int:
        """Remove the parts of files that are not here whole; how many files they would have become."""
        gone = 0
        for place in (self.folder / ARRIVING).glob("*"):
            if place.suffix == "":
                shutil.rmtree(place) if place.is_dir() else place.unlink()  # a file: as an older version left it
                gone += 1
        return gone

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time changes what lies here."""
        with alone_in(self.folder):
            yield

    def sync(self) -> None:
        """Make what was removed here outlive a power cut."""
        sync_folder(self.folder)

    def _sealed_names(self) -> list[str]:
        try:
            return self.sealed.names()
        except Unreadable:
            raise DropFault("damaged", tell("drop.damaged")) from None

    def _clear(self) -> list[str]:
        return [path for path in FolderDrop(self.location).files() if not is_sealed_place(path)]

    def _unlink_clear(self, path: str) -> bool:
        place = self.folder / path
        if not place.is_file():
            return False
        place.unlink()
        folder = place.parent
        while folder != self.folder and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
        return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
