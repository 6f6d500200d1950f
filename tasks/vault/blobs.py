"""The blob store's promises, and the folder that keeps them by default.

Keys are person-first (`people/<id>/<kind>/<name>`), so that forgetting somebody is one prefix, always with its
trailing slash: `people/p1` would also match `people/p10`. A put is complete or absent, whatever happens; a temporary
file lies in the person's own folder, so that erasing the folder catches it too. `remains` sees everything a store
can keep behind a key's back: temporary files here, old versions, delete markers and unfinished uploads on S3.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tasks.vault.failures import MissingBlob, StoreFault
from tasks.vault.files import replace_file, sync_folder

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


@dataclass(frozen=True)
class Remnant:
    """One thing that is still there: a blob, or something a plain delete leaves behind."""

    key: str
    what: str  # blob | part (half-written file) | version (an older one) | marker | upload
    version: str = ""
    size: int = 0
    changed: datetime | None = None


@dataclass(frozen=True)
class Refusal:
    """One thing that could not be erased, in the store's own code."""

    remnant: Remnant
    code: str


class Blobs(Protocol):
    """What the vault needs of a store. One test suite runs against every implementation."""

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Store these bytes under this key, all or nothing, durably."""

    def get(self, key: str) -> bytes:
        """The bytes under this key; MissingBlob when there are none."""

    def exists(self, key: str) -> bool:
        """Whether a get would find something."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key a get would find below this prefix, in order."""

    def remains(self, prefix: str) -> list[Remnant]:
        """Everything below this prefix, visible or not. `prefix` ends in a slash, or is empty for all."""

    def erase(self, prefix: str) -> list[Refusal]:
        """Remove everything `remains` would list below this prefix; what could not be removed, with reasons."""

    def erase_keys(self, keys: Sequence[str]) -> list[Refusal]:
        """Remove these keys with all their versions, and nothing beside them."""

    def erase_remnants(self, remnants: Sequence[Remnant]) -> list[Refusal]:
        """Remove exactly these, as `remains` listed them."""

    def settle(self) -> None:
        """What was erased so far is gone even after a power cut. Asked for once after many erasures: it is slow."""


def checked_key(key: str) -> str:
    """The key itself, when it is one: no empty, dotted, absolute or climbing part can become a path."""
    if len(key) > 512 or not _KEY.fullmatch(key):
        raise StoreFault("bad_key")
    return key


def checked_prefix(prefix: str) -> str:
    """A prefix to erase ends in a slash; anything shorter would take a neighbour along."""
    if prefix and not prefix.endswith("/"):
        raise StoreFault("prefix_without_slash")
    if prefix:
        checked_key(prefix[:-1])
    return prefix


class FolderBlobs:
    """Blobs as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        try:
            replace_file(self.root / checked_key(key), chunks)
        except OSError as error:
            raise StoreFault(f"errno_{error.errno}", "put") from error

    def get(self, key: str) -> bytes:
        try:
            return (self.root / checked_key(key)).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise MissingBlob(key) from error
        except OSError as error:
            raise StoreFault(f"errno_{error.errno}", "get") from error

    def exists(self, key: str) -> bool:
        return (self.root / checked_key(key)).is_file()

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(remnant.key for remnant in self.remains(prefix) if remnant.what == "blob"))

    def remains(self, prefix: str) -> list[Remnant]:
        found: list[Remnant] = []
        pending = [self.root / checked_prefix(prefix)]
        while pending:
            try:
                entries = list(os.scandir(pending.pop()))
            except (FileNotFoundError, NotADirectoryError):
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                    continue
                what = "part" if entry.name.startswith(".") else "blob"
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                changed = datetime.fromtimestamp(status.st_mtime, UTC)
                key = os.path.relpath(entry.path, self.root)
                found.append(Remnant(key, what, size=status.st_size, changed=changed))
        return found

    def erase(self, prefix: str) -> list[Refusal]:
        return _erase_tree(self.root / checked_prefix(prefix), self.root)

    def erase_keys(self, keys: Sequence[str]) -> list[Refusal]:
        return self._unlink([checked_key(key) for key in keys])

    def erase_remnants(self, remnants: Sequence[Remnant]) -> list[Refusal]:
        return self._unlink([remnant.key for remnant in remnants])

    def _unlink(self, keys: Sequence[str]) -> list[Refusal]:
        refused = []
        for key in keys:
            try:
                (self.root / key).unlink(missing_ok=True)
            except NotADirectoryError:
                continue
            except OSError as error:
                refused.append(Refusal(Remnant(key, "blob"), f"errno_{error.errno}"))
        return refused

    def settle(self) -> None:
        # Journalling file systems write their journal in order: syncing the top makes every earlier unlink durable.
        sync_folder(self.root)


def _erase_tree(folder: Path, root: Path) -> list[Refusal]:
    """Unlink everything below, never following a link. A file that vanishes meanwhile is no failure."""
    refused: list[Refusal] = []
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return refused
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                refused += _erase_tree(Path(entry.path), root)
            else:
                os.unlink(entry.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            what = "part" if entry.name.startswith(".") else "blob"
            refused.append(Refusal(Remnant(os.path.relpath(entry.path, root), what), f"errno_{error.errno}"))
    if folder != root and not refused:
        try:
            folder.rmdir()
        except OSError:  # a writer put something in meanwhile: the verification that follows will see it
            return refused
    return refused


def open_blobs(location: str) -> Blobs:
    """The store at this location: `s3://bucket/prefix?endpoint=...`, or else a folder."""
    if location.startswith("s3://"):
        # boto3 takes a second to import, and most installations never need it.
        from tasks.vault.blobs_s3 import S3Blobs

        return S3Blobs(location)
    return FolderBlobs(Path(location))
