"""Where a pack goes: a folder, a zip file, or an S3 prefix. All three take the same calls and read back what they took.

A folder and a prefix may hold an earlier delivery: what that one wrote and the new one no longer contains is taken
away, so that somebody who has withdrawn does not stay in a directory's import folder. Nothing else is ever touched.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Protocol

from tasks.vault.blobs import open_blobs
from tasks.vault.failures import MissingBlob
from tasks.vault.files import PART, part_of, put_in_place, replace_file
from tasks.vault.process import company_umask


class DestinationFault(ValueError):
    """The destination cannot be used; says what to do. Never names a person's file."""


class Destination(Protocol):
    """A place for files with relative paths. `close` makes them count, `abandon` gives up."""

    @property
    def kind(self) -> str: ...

    def put(self, path: str, data: bytes) -> None: ...

    def get(self, path: str) -> bytes | None: ...

    def remove(self, path: str) -> None: ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


def open_destination(location: str) -> Destination:
    """By its look: `s3://...`, something ending in `.zip`, or a folder."""
    if location.startswith("s3://"):
        return S3Destination(location)
    if not location.strip():
        raise DestinationFault("Say where the files should go: a folder, a .zip file, or s3://bucket/prefix.")
    path = Path(location).expanduser()
    return ZipDestination(path) if path.suffix.lower() == ".zip" else FolderDestination(path)


def _checked(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise DestinationFault("A file name leads out of the destination.")
    return parts


class FolderDestination:
    """Files below a folder, each complete or absent."""

    kind = "folder"

    def __init__(self, root: Path) -> None:
        if root.is_symlink() or (root.exists() and not root.is_dir()):
            raise DestinationFault("The destination is not a folder: name a new one, or an empty one.")
        with company_umask():
            root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        for left in self.root.rglob(f".*{PART}"):  # by a delivery that was killed: a face that no manifest names
            left.unlink()

    def _path(self, path: str) -> Path:
        whole = self.root.joinpath(*_checked(path))
        if whole.parent.resolve() != whole.parent:
            raise DestinationFault("A link inside the destination leads elsewhere: use another folder.")
        return whole

    def put(self, path: str, data: bytes) -> None:
        whole = self._path(path)
        with company_umask():
            whole.parent.mkdir(parents=True, exist_ok=True)
            replace_file(whole, data, mode=0o666)

    def get(self, path: str) -> bytes | None:
        whole = self._path(path)
        return whole.read_bytes() if whole.is_file() and not whole.is_symlink() else None

    def remove(self, path: str) -> None:
        self._path(path).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is held open."""

    def abandon(self) -> None:
        """What was written stays until the next delivery replaces it; without a manifest it counts for nothing."""


class ZipDestination:
    """One zip file, written beside its place and moved there when complete. The same files give the same bytes."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        if path.is_symlink() or path.is_dir():
            raise DestinationFault("The destination is a folder or a link: name a new .zip file.")
        self._place = path
        self._part = part_of(path)
        with company_umask():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._zip = zipfile.ZipFile(self._part, "w", zipfile.ZIP_STORED)

    def put(self, path: str, data: bytes) -> None:
        name = "/".join(_checked(path))
        entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        self._zip.writestr(entry, data)

    def get(self, path: str) -> bytes | None:
        """What was written so far: a zip has no earlier delivery in it."""
        return self._zip.read(path) if path in self._zip.namelist() else None

    def remove(self, path: str) -> None:
        """There is nothing from before."""

    def close(self) -> None:
        self._zip.close()
        put_in_place(self._part, self._place)

    def abandon(self) -> None:
        self._zip.close()
        self._part.unlink(missing_ok=True)


class S3Destination:
    """Objects below a prefix, through the vault's door to S3."""

    kind = "s3"

    def __init__(self, location: str) -> None:
        self._blobs = open_blobs(location)

    def _key(self, path: str) -> str:
        return "/".join(_checked(path))

    def put(self, path: str, data: bytes) -> None:
        self._blobs.put(self._key(path), [data])

    def get(self, path: str) -> bytes | None:
        try:
            return self._blobs.get(self._key(path))
        except MissingBlob:
            return None

    def remove(self, path: str) -> None:
        self._blobs.erase_keys([self._key(path)])

    def close(self) -> None:
        """Nothing is held open."""

    def abandon(self) -> None:
        """What was written stays until the next delivery replaces it; without a manifest it counts for nothing."""
