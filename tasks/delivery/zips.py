"""Zips as places of delivery: a file on this machine, and a download that has no name on it."""

from __future__ import annotations

import os
import threading
import weakref
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from tasks.delivery.changes import Lying
from tasks.delivery.destinations import LIST, Delivered, DestinationFault, Files, Leaving, checked_parts, proven
from tasks.sentences import tell
from tasks.vault.files import PART, part_of, put_in_place
from tasks.vault.process import company_umask
from tasks.vault.records import Employee
from tasks.vault.sealed_spool import SealedSpool

Held = IO[bytes] | SealedSpool  # what an archive is written into


class _Archive:
    """A zip that is being written. What was put in can be taken out again until it is finished."""

    def __init__(self, new_file: Callable[[], Held]) -> None:
        self._new_file = new_file
        self.file = new_file()
        self._zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED)
        self._out: set[str] = set()

    def put(self, path: str, data: bytes) -> None:
        """The same files give the same bytes: no time stands in an entry."""
        entry = zipfile.ZipInfo("/".join(checked_parts(path)), date_time=(1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        self._zip.writestr(entry, data)

    def read(self, path: str) -> bytes | None:
        held = path in self._zip.NameToInfo and path not in self._out
        return self._zip.read(path) if held else None

    def take_out(self, path: str) -> None:
        if path in self._zip.NameToInfo:
            self._out.add(path)

    def finish(self) -> Held:
        """The whole archive's file, without what was taken out."""
        if self._out:
            rest = _Archive(self._new_file)
            for entry in self._zip.infolist():
                if entry.filename not in self._out:
                    rest.put(entry.filename, self._zip.read(entry))
            self.give_up()
            self.file, self._zip, self._out = rest.file, rest._zip, set()
        self._zip.close()
        return self.file

    def give_up(self) -> None:
        """Closing writes the directory of an archive that is thrown away, and on a full disk it cannot."""
        for held in (self._zip, self.file):
            try:
                held.close()
            except OSError:
                continue


class ZipDestination(Files):
    """One zip file, written beside its place and moved there when complete, and only if something changed."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        if path.is_symlink() or path.is_dir():
            raise DestinationFault(tell("place.no_zip"))
        for left in path.parent.glob(f".{path.name}.*{PART}"):  # by a delivery that was killed
            left.unlink()
        self._place, self._parts = path, list[Path]()
        self._before = _opened(path)
        self._new: _Archive | None = None
        self._kept: list[str] = []

    def _new_part(self) -> IO[bytes]:
        self._parts.append(part_of(self._place))
        with company_umask():
            self._place.parent.mkdir(parents=True, exist_ok=True)
            return self._parts[-1].open("x+b")

    def _writing(self) -> _Archive:
        """The new archive, begun with the first thing that is written; what was kept so far is carried over."""
        if self._new is None:
            self._new = _Archive(self._new_part)
            for path in self._kept:
                self._carry(self._new, path)
        return self._new

    def _carry(self, new: _Archive, path: str) -> None:
        if self._before is not None:
            new.put(path, self._before.read(path))

    def read(self, path: str) -> bytes | None:
        if self._new is not None and (data := self._new.read(path)) is not None:
            return data
        there = self._before is not None and path in self._before.NameToInfo
        return self._before.read(path) if there and self._before is not None else None

    def holds(self, file: Lying) -> Delivered | None:
        there = super().holds(file)
        if there is not None and file.path not in self._kept:
            self._kept.append(file.path)
            if self._new is not None:
                self._carry(self._new, file.path)
        return there

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        new = self._writing()
        new.put(file.path, file.data)
        return proven(file, new.read(file.path), person.id)

    def withdraw(self, path: str) -> bool:
        self._kept = [kept for kept in self._kept if kept != path]
        self._writing().take_out(path)  # what is neither kept nor delivered is not carried over
        return True

    def hand_over(self, papers: Mapping[str, bytes]) -> None:
        for name, data in papers.items():
            self._writing().put(name, data)

    def close(self) -> None:
        if self._before is not None:
            self._before.close()
        if self._new is not None:
            self._new.finish().close()
            put_in_place(self._parts[-1], self._place)
        self._clear()

    def abandon(self) -> None:
        if self._before is not None:
            self._before.close()
        if self._new is not None:
            self._new.give_up()
        self._clear()

    def _clear(self) -> None:
        for part in self._parts:
            part.unlink(missing_ok=True)


def _opened(path: Path) -> zipfile.ZipFile | None:
    """An earlier delivery's archive. DestinationFault when the file is something else: it is somebody's."""
    if not path.exists():
        return None
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise DestinationFault(tell("place.no_zip_file")) from None
    if LIST not in archive.NameToInfo:
        archive.close()
        raise DestinationFault(tell("place.other_zip"))
    return archive


class DownloadDestination(Files):
    """A zip that somebody takes from the desk. It has no name on this machine, and is sealed where it lies on the disk:
    whatever happens, nothing is left."""

    kind = "download"

    def __init__(self, scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._archive = _Archive(lambda: SealedSpool(scratch))
        self.file: Held | None = None  # the whole of it, once closed
        self.reading = threading.Lock()  # of that file: it has one place that it is read at
        self.size = 0
        weakref.finalize(self, self._archive.give_up)  # with the desk that ends before anybody took it, too

    def read(self, path: str) -> bytes | None:
        return self._archive.read(path)

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        self._archive.put(file.path, file.data)
        return proven(file, self._archive.read(file.path), person.id)

    def withdraw(self, path: str) -> bool:
        self._archive.take_out(path)
        return True

    def hand_over(self, papers: Mapping[str, bytes]) -> None:
        for name, data in papers.items():
            self._archive.put(name, data)

    def close(self) -> None:
        self.file = self._archive.finish()
        self.size = self.file.seek(0, os.SEEK_END)
        self.file.seek(0)

    def abandon(self) -> None:
        self._archive.give_up()
