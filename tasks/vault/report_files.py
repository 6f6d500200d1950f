"""Where the files of review reports lie: a folder, which may be a volume that machines share, or the blob store.

In the store each file is sealed: what is one person's under a key of that person, so that it dies with them in every
copy, and pages about everybody under a key of the batch's own. They have no intents of their own; whose they are
stands in their names, `reports/<batch>/people/<id>/...`.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from sqlmodel import select

from tasks.vault.failures import MissingBlob, Unreadable
from tasks.vault.files import replace_file
from tasks.vault.records import Batch
from tasks.vault.sealing import seal, unseal
from tasks.vault.store import REPORT, Vault

ROOT = "reports/"
_PERSON = re.compile(r"people/([^/.]+)(/|\.html$)")


class ReportFiles(Protocol):
    """The files of one batch's report, by their names below its folder."""

    def names(self, below: str = "") -> list[str]:
        """Every file there is; below a folder of the report, written with its slash."""

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None when there is none that can be read."""

    def write(self, name: str, data: bytes) -> None:
        """Put a file in the place of an older one, whole or not at all."""

    def remove(self, names: Iterable[str]) -> None:
        """Take files away, with every older version of them; those that are not there are no matter."""


class InFolder:
    """A report in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self, below: str = "") -> list[str]:
        found = [Path(base) / name for base, _, names in os.walk(self.folder / below) for name in names]
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def read(self, name: str) -> bytes | None:
        """Links are not followed out of the folder."""
        path = self.folder / name
        try:
            return path.read_bytes() if path.is_file() and not path.is_symlink() else None
        except FileNotFoundError:  # taken away between the two
            return None

    def write(self, name: str, data: bytes) -> None:
        replace_file(self.folder / name, data)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)


class InStore:
    """A report in the blob store."""

    def __init__(self, vault: Vault, batch: str) -> None:
        self._vault, self._batch, self._prefix = vault, batch, f"{ROOT}{batch}/"

    def names(self, below: str = "") -> list[str]:
        return [key.removeprefix(self._prefix) for key in self._vault.blobs.keys(self._prefix + below)]

    def read(self, name: str) -> bytes | None:
        key = self._prefix + name
        try:
            sealed = self._vault.blobs.get(key)
            data_key = self._vault.keys.existing_key(*self._owner(name))
            return None if data_key is None else unseal(data_key, key, sealed)
        except (MissingBlob, Unreadable):
            return None

    def write(self, name: str, data: bytes) -> None:
        """Raises Fenced for a page of somebody who was forgotten meanwhile."""
        key = self._prefix + name
        self._vault.blobs.put(key, seal(self._vault.report_key(*self._owner(name)), key, data))

    def remove(self, names: Iterable[str]) -> None:
        if keys := [self._prefix + name for name in names]:
            self._vault.blobs.erase_keys(keys)

    def _owner(self, name: str) -> tuple[str, str]:
        person = person_of(name)
        return (person, "pages") if person else (f"{REPORT}-{self._batch}", REPORT)


def person_of(name: str) -> str:
    """Whose file of a report this is; empty for pages about everybody."""
    found = _PERSON.match(name)
    return found[1] if found else ""


def files_of(vault: Vault, batch: str) -> ReportFiles:
    """The files of this batch's report, wherever this installation keeps them. Raises ValueError for no batch's id."""
    if not batch.isalnum():  # an id becomes a folder's name: nothing else may
        raise ValueError("not a batch id")
    if vault.settings.reports_in_store:
        return InStore(vault, batch)
    return InFolder(vault.settings.reports / batch)


def batches_in_store(vault: Vault) -> list[str]:
    """Batches of which something lies in the store."""
    with vault.reading() as session:
        known = session.exec(select(Batch.id)).all()
    return [batch for batch in known if next(iter(vault.blobs.keys(f"{ROOT}{batch}/")), None)]
