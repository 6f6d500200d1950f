"""Where HR puts things, as whoever reads it sees it: a roster, perhaps a consent register, and photos.

Three kinds keep these promises: a folder (`folder_drop`), an S3 prefix (`drop_s3`), and what was uploaded at the desk,
which lies sealed (`upload`); `open_drop` tells them apart. File names are people's data: they stay inside the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tasks.failures import RollcallError
from tasks.sentences import tell

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods")
PHOTOS = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".hif", ".gif", ".bmp", ".tif", ".tiff", ".avif")
_LITTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"}
MAX_FILES = 200_000  # twenty photos each of 10,000 people; more is a whole disk by mistake
COMING = ".coming"  # lies in a drop whose photos are still on their way
MAX_FILE = 50 * 2**20  # bytes; larger files are refused unread


class DropFault(RollcallError):
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


def is_litter(name: str) -> bool:
    """What operating systems and office programs leave lying about."""
    return name.startswith((".", "~$")) or name.lower() in _LITTER


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
        raise DropFault("no_roster", tell("drop.several_tables" if others else "drop.no_table"))
    photos = [f for f in files if not f.lower().endswith(TABLES)]
    inside = [f for f in photos if "/" in f]
    return Contents(roster, consents, manifest, tuple(inside or photos))


def _named(files: list[str], words: tuple[str, ...]) -> str | None:
    fitting = [f for f in files if any(word in f.rsplit("/", 1)[-1].lower() for word in words)]
    return min(fitting, key=lambda f: (f.count("/"), len(f), f), default=None)
