"""Places that pictures are delivered to: a folder, and a bucket of the company's own; zips stand in `zips.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tasks.delivery.destinations import (
    Delivered,
    Destination,
    DestinationFault,
    Files,
    Leaving,
    checked_parts,
    proven,
)
from tasks.delivery.zips import ZipDestination
from tasks.sentences import tell
from tasks.vault.blobs_company import CompanyBucket
from tasks.vault.files import PART, replace_file
from tasks.vault.process import company_umask
from tasks.vault.records import Employee


def open_destination(location: str) -> Destination:
    """By its look: `s3://...`, something ending in `.zip`, or a folder."""
    if location.startswith("s3://"):
        return BucketDestination(location)
    if not location.strip():
        raise DestinationFault(tell("place.say_where"))
    path = Path(location).expanduser()
    return ZipDestination(path) if path.suffix.lower() == ".zip" else FolderDestination(path)


class FolderDestination(Files):
    """Files below a folder, each complete or absent."""

    kind = "folder"

    def __init__(self, root: Path) -> None:
        if root.is_symlink() or (root.exists() and not root.is_dir()):
            raise DestinationFault(tell("place.no_folder"))
        self.root = root.resolve()  # made with the first file
        for left in self.root.rglob(f".*{PART}"):  # by a delivery that was killed: a face that no manifest names
            left.unlink()

    def _path(self, path: str) -> Path:
        whole = self.root.joinpath(*checked_parts(path))
        if whole.parent.resolve() != whole.parent:
            raise DestinationFault(tell("place.link"))
        return whole

    def _put(self, path: str, data: bytes) -> None:
        whole = self._path(path)
        with company_umask():
            whole.parent.mkdir(parents=True, exist_ok=True)
            replace_file(whole, data, mode=0o666)

    def read(self, path: str) -> bytes | None:
        whole = self._path(path)
        return whole.read_bytes() if whole.is_file() and not whole.is_symlink() else None

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        self._put(file.path, file.data)
        return proven(file, self.read(file.path), person.id)

    def withdraw(self, path: str) -> bool:
        self._path(path).unlink(missing_ok=True)
        return True

    def hand_over(self, papers: Mapping[str, bytes]) -> None:
        for name, data in papers.items():
            self._put(name, data)

    def close(self) -> None:
        """Nothing is held open."""

    def abandon(self) -> None:
        """What was written stays until the next delivery replaces it; without a manifest it counts for nothing."""


class BucketDestination(Files):
    """Objects below a prefix of the company's own bucket. It is not held to the vault's rules: versions, locks and
    copies are the company's business, and the hand-over page says so."""

    kind = "s3"

    def __init__(self, location: str) -> None:
        self._bucket = CompanyBucket(location)

    def read(self, path: str) -> bytes | None:
        return self._bucket.get("/".join(checked_parts(path)))

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        self._bucket.put(file.path, file.data)
        return proven(file, self.read(file.path), person.id)

    def withdraw(self, path: str) -> bool:
        return self._bucket.remove("/".join(checked_parts(path)))

    def hand_over(self, papers: Mapping[str, bytes]) -> None:
        for name, data in papers.items():
            self._bucket.put(name, data)

    def close(self) -> None:
        """Nothing is held open."""

    def abandon(self) -> None:
        """What was written stays until the next delivery replaces it; without a manifest it counts for nothing."""
