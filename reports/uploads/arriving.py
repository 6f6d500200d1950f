"""Files on their way into an upload: sealed from their first byte, and nobody's before all of them are whole.

Until they are taken in they wait in one folder, under no name; which of them will be called what is known to this
process only. So a path may still be lifted out of a folder that merely wraps the others, and a kill leaves noise.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reports.uploads.archives import BadUpload
from tasks.roster.upload import Upload
from tasks.sentences import tell


@dataclass(frozen=True)
class _Waiting:
    place: Path
    size: int
    digest: bytes


@dataclass
class Arriving:
    """What came in one request. Paths are relative, with forward slashes."""

    upload: Upload
    folder: Path
    files: dict[str, _Waiting] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)
    _next: dict[str, int] = field(default_factory=dict)

    def add(self, path: str, content: Iterable[bytes]) -> None:
        """Take one file under this name, or under `name-2.jpg` when there is one: old phones call all photos the same.
        BadUpload where one name is a file and a folder; whatever `content` raises, with nothing left of the file."""
        parents = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        if path in self._folders or not self.files.keys().isdisjoint(parents):
            raise BadUpload(tell("sent.same_name"))
        digest, size = hashlib.sha256(), 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in content:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        place = self.upload.sealed.begin(counted(), self.folder)
        self.files[self._free(path, self.files.__contains__)] = _Waiting(place, size, digest.digest())
        self._folders.update(parents)

    def lift(self, prefix: str) -> None:
        """Take everything out of this folder, which must hold everything."""
        self.files = {path.removeprefix(prefix): one for path, one in self.files.items()}

    def take_in(self, folder: str, *, durable: bool) -> int:
        """Give everything its name in this folder of the upload; how many were there already, to the byte. What is
        there stays."""
        repeated = 0
        self.files = {f"{folder}{path}": one for path, one in self.files.items()}
        # Asked by name: one photo of many that come one by one must not cost a look at all that are there.
        for path, one in sorted(self.files.items()):
            if any(self.upload.holds(str(parent)) for parent in PurePosixPath(path).parents):
                raise BadUpload(tell("sent.same_name"))
            if self.upload.holds(path) and self._same(path, one):
                repeated += 1
                continue
            self.upload.sealed.finish(one.place, self._free(path, self.upload.holds), durable=durable)
        return repeated

    def _same(self, path: str, one: _Waiting) -> bool:
        if self.upload.size(path) != one.size:
            return False
        return hashlib.sha256(self.upload.content(path)).digest() == one.digest

    def _free(self, path: str, taken: Callable[[str], bool]) -> str:
        """`image.jpg`, `image-2.jpg`, `image-3.jpg`, ..."""
        if not taken(path):
            return path
        whole, number = PurePosixPath(path), self._next.get(path, 2)
        while taken(other := str(whole.with_name(f"{whole.stem}-{number}{whole.suffix}"))):
            number += 1
        self._next[path] = number + 1
        return other
