"""After people were forgotten: are their names still in any file here, in any spelling?

Every file below `home` is read, and below whatever else the caller names; sealed uploads are opened for it. What is
left out is counted, and stands on the receipt: encrypted pictures of others, noise without their keys. Reading takes
time by the byte and by the person, so above a limit (`ROLLCALL_SEARCH_LIMIT`) nothing is read, and the receipt says so.
"""

import os
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.retention.mentions import Mentioned
from tasks.retention.search import Hit, paths_below, search_bytes, search_name, search_path
from tasks.retention.spelled import Spellings, spellings
from tasks.retention.tables_postgresql import bytes_of_rows, search_rows
from tasks.roster.upload import Upload
from tasks.vault.failures import Unreadable
from tasks.vault.sealed_folder import is_sealed_file

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
    rows: int | None = None  # read in PostgreSQL; None where the records are files

    def evidence(self, who: Mentioned) -> dict[str, Any]:
        """For one person's case: counts and kinds of words, never a word or a path."""
        shared = {"shared": list(who.shared)} if who.shared else {}
        if self.places is None:
            return {"bytes": self.bytes, "limit": self.limit, **shared}
        found = self.places.get(who.id, 0)
        kinds = [*who.kinds, *(["wrapped keys"] if who.secrets else [])]
        rows = {} if self.rows is None else {"rows": self.rows}
        return {
            "files": self.files, "bytes": self.bytes, "sealed": self.sealed, "places": found, "for": kinds, **rows,
            **shared,
        }  # fmt: skip


def look_for(
    people: Sequence[Mentioned],
    home: Path,
    elsewhere: Sequence[Path],
    limit: int,
    progress: Progress | None = None,
    uploads: Sequence[Upload] = (),
    databases: Sequence[sa.Engine] = (),
) -> Search:
    """Read everything once for all of these people, what lies sealed in `uploads` opened, and the rows of `databases`,
    whose files are not ours. `limit`: bytes to read, times people to look for."""
    readable, sealed = _sorted_out((home, *elsewhere), home)
    opened = [(upload, path) for upload in uploads for path in upload.sealed_files()]
    sealed -= {str(upload.sealed.place(path)) for upload, path in opened}
    files = len(readable) + len(opened)
    total = sum(size for _, size in readable) + sum(_plain_size(upload, path) for upload, path in opened)
    total += sum(bytes_of_rows(engine) for engine in databases)
    if total * len(people) > limit:
        return Search(files, total, len(sealed), limit, None)
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
    for upload, path in opened:
        note(_search_sealed(upload, path, wanted))
        done += _plain_size(upload, path)
    rows = 0
    for engine in databases:
        for found in search_rows(engine, wanted):
            rows += found is None
            if found is not None:
                note([Hit(f"PostgreSQL, {engine.url.database}", found[0].spelling, found[0].needle, found[1])])
        done += bytes_of_rows(engine)
    for path, size in readable:
        note(search_path(path, wanted))
        done += size
        if progress is not None and time.monotonic() - begun > _PATIENCE:
            progress(done, total)
    counted = {person: len(there) for person, there in places.items()}
    hits = {person: tuple(there.values()) for person, there in places.items()}
    return Search(files, total, len(sealed), limit, counted, hits, rows if databases else None)


def _search_sealed(upload: Upload, path: str, wanted: Spellings) -> Iterator[Hit]:
    """Every needle in a file that lies sealed in this upload: its name and its content, told by HR's path."""
    where = f"{upload.location}/{path}"
    yield from search_bytes(path.encode(), wanted, f"name of {where}")
    try:
        yield from search_bytes(upload.sealed.read(path), wanted, where)
    except (FileNotFoundError, Unreadable):  # gone meanwhile, or noise to us too
        return


def _plain_size(upload: Upload, path: str) -> int:
    try:
        return upload.sealed.size(path)
    except FileNotFoundError:
        return 0


def _sorted_out(roots: Sequence[Path], home: Path) -> tuple[list[tuple[str, int]], set[str]]:
    """What can be read as it lies there, with its size; and what is encrypted: in noise anything is found."""
    readable: list[tuple[str, int]] = []
    sealed: set[str] = set()
    ours = f"{home / 'blobs'}{os.sep}", f"{home / 'drops'}{os.sep}"
    for path in paths_below(roots, skip=(home / LEFT,)):
        size = _size(path)
        if path.startswith(ours) and size and is_sealed_file(path):
            sealed.add(path)
        else:
            readable.append((path, size))
    return readable, sealed


def _size(path: str) -> int:
    """Bytes to read; nothing for folders, links, and what is gone meanwhile."""
    try:
        seen = os.lstat(path)
    except FileNotFoundError:
        return 0
    return seen.st_size if stat.S_ISREG(seen.st_mode) else 0


def _rows(search: dict[str, Any]) -> str:
    return f", {search['rows']:,} rows of PostgreSQL" if "rows" in search else ""


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
            f"{search['files']:,} files and folders{_rows(search)}, {search['bytes']:,} bytes: {found}",
        )
        yield (
            "Not searched",
            f"{search['sealed']:,} encrypted pictures of others; what is not on this machine",
        )
