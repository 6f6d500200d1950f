"""After people were forgotten: are their names still in any file here, in any spelling?

Every file below `home` is read, and below whatever else the caller names. What is left out is counted, and stands on
the receipt: encrypted pictures of others, noise without their keys. Reading takes time by the byte and by the person,
so above a limit (`ROLLCALL_SEARCH_LIMIT`) nothing is read, and the receipt says that instead.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.retention.mentions import Mentioned
from tasks.retention.search import Hit, paths_below, search_name, search_path
from tasks.retention.spelled import spellings
from tasks.vault.sealing import MAGIC

UPLOADS = "drops"
LEFT = "left"  # lists of what a blocked case still has to lose, for the keeper
_PATIENCE = 2.0  # seconds before somebody who waits is told how far it is

Progress = Callable[[int, int], object]  # bytes read, bytes to read


@dataclass(frozen=True)
class Search:
    """What was read, what was not, and in how many places each person was found. Without `places` nothing was read."""

    files: int
    bytes: int  # read, or to be read
    sealed: int  # encrypted pictures, of which only the names were read
    limit: int
    places: dict[str, int] | None  # person -> how many
    hits: dict[str, tuple[Hit, ...]] = field(default_factory=dict)  # person -> where; for the keeper, on no receipt

    def evidence(self, who: Mentioned) -> dict[str, Any]:
        """For one person's case: counts and kinds of words, never a word or a path."""
        shared = {"shared": list(who.shared)} if who.shared else {}
        if self.places is None:
            return {"bytes": self.bytes, "limit": self.limit, **shared}
        found = self.places.get(who.id, 0)
        kinds = [*who.kinds, *(["wrapped keys"] if who.secrets else [])]
        return {
            "files": self.files, "bytes": self.bytes, "sealed": self.sealed, "places": found, "for": kinds, **shared,
        }  # fmt: skip


def look_for(
    people: Sequence[Mentioned], home: Path, elsewhere: Sequence[Path], limit: int, progress: Progress | None = None
) -> Search:
    """Read everything once for all of these people. `limit`: bytes to read, times people to look for."""
    readable, sealed = _sorted_out((home, *elsewhere), home)
    total = sum(size for _, size in readable)
    if total * len(people) > limit:
        return Search(len(readable), total, len(sealed), limit, None)
    owners = [person.id for person in people for _ in (*person.words, *person.secrets)]
    needles: list[str | bytes] = []
    for person in people:
        needles += (*person.words, *person.secrets)
    words = spellings(needles)
    # A key is bytes among bytes; nobody writes one down in another spelling.
    wanted = tuple(one for one in words if one.word or one.spelling == "plain")
    places: dict[str, dict[tuple[str, str], Hit]] = defaultdict(dict)

    def note(hits: Iterable[Hit]) -> None:
        for hit in hits:
            places[owners[hit.needle]].setdefault((hit.where, hit.inside), hit)

    for path in sealed:
        note(search_name(path, wanted))
    begun, done = time.monotonic(), 0
    for path, size in readable:
        note(search_path(path, wanted))
        done += size
        if progress is not None and time.monotonic() - begun > _PATIENCE:
            progress(done, total)
    counted = {person: len(found) for person, found in places.items()}
    hits = {person: tuple(found.values()) for person, found in places.items()}
    return Search(len(readable), total, len(sealed), limit, counted, hits)


def _sorted_out(roots: Sequence[Path], home: Path) -> tuple[list[tuple[str, int]], list[str]]:
    """What can be read, with its size, and encrypted blobs."""
    readable: list[tuple[str, int]] = []
    sealed: list[str] = []
    blobs = str(home / "blobs") + os.sep
    for path in paths_below(roots, skip=(home / LEFT,)):
        size = _size(path)
        if path.startswith(blobs) and size and _begins_sealed(path):
            sealed.append(path)
        else:
            readable.append((path, size))
    return readable, sealed


def _size(path: str) -> int:
    """Bytes to read; nothing for folders, links, and what is gone meanwhile."""
    return os.path.getsize(path) if os.path.isfile(path) and not os.path.islink(path) else 0


def _begins_sealed(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def describe(search: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The lines about a search on a receipt, from its evidence."""
    if not search:
        yield "Searched byte by byte", "no: there was no name, e-mail or number that is this person's alone"
        return
    if shared := search.get("shared"):
        yield "Not looked for", f"{' and '.join(shared)}: somebody else's too, or a part of theirs"
    if "limit" in search:
        yield (
            "Searched byte by byte",
            f"no: {search['bytes']:,} bytes to read are over the limit of {search['limit']:,} (ROLLCALL_SEARCH_LIMIT)",
        )
    else:
        found = f"found in {search['places']} places" if search["places"] else "found nowhere"
        yield (
            f"Searched byte by byte for {' and '.join(search['for'])}",
            f"{search['files']:,} files and folders, {search['bytes']:,} bytes: {found}",
        )
        yield (
            "Not searched",
            f"{search['sealed']:,} encrypted pictures of others; what is not on this machine",
        )
