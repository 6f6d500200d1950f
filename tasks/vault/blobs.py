"""The blob store's promises, whoever keeps them (`blobs_folder`, `blobs_s3`; `open_blobs` tells them apart).

Keys are person-first (`people/<id>/<kind>/<name>`), so that forgetting somebody is one prefix, always with its
trailing slash: `people/p1` would also match `people/p10`. A put is complete or absent, whatever happens; a temporary
file lies in the person's own folder, so that erasing the folder catches it too. `remains` sees everything a store
can keep behind a key's back: temporary files here, old versions, delete markers and unfinished uploads on S3.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tasks.vault.failures import StoreFault

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
