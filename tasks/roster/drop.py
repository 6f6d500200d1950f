"""Where HR puts things: a folder (or an S3 prefix) with a roster, perhaps a consent register, and photos.

A drop is somebody else's folder, so nothing in it is trusted: symbolic links are never followed, only plain files are
opened, each below the folder it was listed in, and none is read beyond a size. File names are people's data: they stay
inside the process.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from tasks.vault.settings import Settings

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods")
PHOTOS = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".hif", ".gif", ".bmp", ".tif", ".tiff", ".avif")
_LITTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"}
MAX_FILES = 200_000
COMING = ".coming"  # lies in a drop whose photos are still on their way
MAX_FILE = 50 * 2**20  # bytes; larger files are refused unread


class DropFault(ValueError):
    """The drop cannot be used. Carries a code and a fix; never a file's name."""

    def __init__(self, code: str, fix: str) -> None:
        super().__init__(f"{code}: {fix}")
        self.code = code
        self.fix = fix


class Drop(Protocol):
    """What intake needs of a drop. Paths are relative, with forward slashes, in a stable order."""

    @property
    def location(self) -> str: ...

    def files(self) -> list[str]:
        """Every plain file below it, hidden ones and litter of operating systems left out."""

    def read(self, path: str) -> bytes:
        """The whole file; DropFault("too_large") beyond MAX_FILE, DropFault("not_a_file") for anything but a file."""

    def stamp(self, path: str) -> str:
        """Changes when the file does, without reading it."""


@dataclass(frozen=True)
class FolderDrop:
    """A folder on this machine."""

    location: str

    def files(self) -> list[str]:
        root = Path(self.location)
        if not root.is_dir():
            raise DropFault("no_drop", "The folder does not exist, or is not a folder: check its address.")
        found: list[str] = []
        for path in _plain_files(root):
            found.append(path)
            if len(found) > MAX_FILES:
                raise DropFault("too_many_files", f"More than {MAX_FILES} files: this is not a folder of selfies.")
        return sorted(found)

    def read(self, path: str) -> bytes:
        parts = path.split("/")
        if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise DropFault("not_a_file", "A path leads out of the folder.")
        with _opened(self.location, parts) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE:
                raise DropFault("too_large", f"{size // 2**20} MiB; {MAX_FILE // 2**20} MiB is the most read.")
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


def is_litter(name: str) -> bool:
    """What operating systems and office programs leave lying about."""
    return name.startswith((".", "~$")) or name.lower() in _LITTER


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
        raise DropFault("not_a_file", f"The system refuses to open it ({error.errno}).") from None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DropFault("not_a_file", "Not a plain file.")
    return os.fdopen(handle, "rb")


def open_drop(location: str) -> Drop:
    """A folder by its path, or `s3://bucket/prefix?endpoint=...`."""
    if location.startswith("s3://"):
        from tasks.roster.drop_s3 import S3Drop  # boto3 takes a while, and most drops are folders

        return S3Drop(location)
    return FolderDrop(location)


@dataclass(frozen=True)
class Contents:
    """What lies where in a drop."""

    roster: str
    consents: str | None
    manifest: str | None  # a table that says which photo is whose
    photos: tuple[str, ...]


def sort_contents(files: list[str]) -> Contents:
    """Tells roster, register, manifest and photos apart by their names, and says what is missing.

    Everything that is not a table is taken for a photo: a PDF among the selfies is a finding, not a secret.
    """
    tables = [f for f in files if f.lower().endswith(TABLES) and "/" not in f]
    consents = _named(tables, ("consent", "einwilligung", "release", "consentement", "consentimiento"))
    manifest = _named([f for f in files if f.lower().endswith(TABLES)], ("manifest", "photos", "selfies", "fotos"))
    others = [f for f in tables if f not in (consents, manifest)]
    roster = _named(others, ("roster", "employee", "mitarbeiter", "staff", "people", "worker", "personal")) or (
        others[0] if len(others) == 1 else None
    )
    if roster is None:
        many = "Several tables lie there" if others else "No table (CSV, XLSX) lies there"
        raise DropFault("no_roster", f"{many}: put the roster there and call it roster.csv or roster.xlsx.")
    photos = [f for f in files if not f.lower().endswith(TABLES)]
    inside = [f for f in photos if "/" in f]
    return Contents(roster, consents, manifest, tuple(inside or photos))


def _named(files: list[str], words: tuple[str, ...]) -> str | None:
    fitting = [f for f in files if any(word in f.rsplit("/", 1)[-1].lower() for word in words)]
    return min(fitting, key=lambda f: (f.count("/"), len(f), f), default=None)


def find_drop(location: str) -> Drop:
    """The drop at this address; DropFault, with what to do, when there is none or no roster lies in it."""
    drop = open_drop(location)
    sort_contents(drop.files())
    return drop


def newest_drop(settings: Settings) -> str:
    """The newest upload to the review desk, which keeps each in a folder of its own below `<home>/drops`."""
    folders = [
        path
        for path in (settings.home / "drops").glob("*/")
        if not path.is_symlink() and not path.name.startswith(".") and not (path / COMING).exists()
    ]
    if not folders:
        raise DropFault("no_drop", "Nothing was uploaded yet: name the folder that holds the roster and the photos.")
    return str(max(folders, key=lambda path: (path.stat().st_mtime_ns, path.name)))
