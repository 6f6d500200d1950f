"""What a place is that pictures are delivered to, and the check that each of them makes of what came back.

A destination names its files so that they fit, writes each whole or not at all, reads it back, knows what earlier
deliveries left there, and takes away what is to go. A folder, a zip file and a company's bucket do; a directory's own
interface would be a fourth. Nothing that no delivery of ours wrote is ever touched.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tasks.delivery.changes import Lying
from tasks.disclosure.credentials import read_credentials
from tasks.disclosure.source import read_origin
from tasks.failures import RollcallError
from tasks.sentences import tell
from tasks.vault.records import Employee

FORMAT = 1  # of manifest.json
LIST = "manifest.json"
PAPERS = (LIST, "manifest.csv", "changes.csv", "handover.html")  # what lies there besides the files


class DestinationFault(RollcallError):
    """The destination cannot be used; says what to do. Never names a person's file."""


class DeliveryFault(RollcallError):
    """A delivery that must not be trusted: what was written is not what is there. Ids and codes only."""


@dataclass(frozen=True)
class Leaving:
    """One file on its way out."""

    path: str  # as the destination named it
    data: bytes
    format: str
    source_type: str  # what metadata and credentials must say; empty for what is no picture


@dataclass(frozen=True)
class Delivered:
    """What came back of it, read where it lies now."""

    path: str
    bytes: int
    sha256: str


class Destination(Protocol):
    """A place for files. `close` makes them count, `abandon` gives up; one of them is called, once."""

    @property
    def kind(self) -> str:
        """folder, zip, s3, ...: where exactly is the business of whoever asked."""

    def path_for(self, folder: str, stem: str, suffix: str) -> str:
        """How a file will be called here."""

    def earlier(self) -> list[Lying]:
        """What earlier deliveries left here."""

    def holds(self, file: Lying) -> Delivered | None:
        """That file, when it lies here as it was delivered, and says how it was made."""

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        """Writes one file and reads it back. DeliveryFault when something else came back."""

    def withdraw(self, path: str) -> bool:
        """Takes a file away; whether it is gone from here."""

    def hand_over(self, papers: Mapping[str, bytes]) -> None:
        """The manifest and what goes with it, last: until then the delivery counts for nothing."""

    def read(self, path: str) -> bytes | None:
        """What lies under a path, if anything does."""

    def close(self) -> None: ...

    def abandon(self) -> None: ...


def checked_parts(path: str) -> list[str]:
    """A path's parts, when none of them leads out of the destination."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise DestinationFault(tell("place.leads_out"))
    return parts


def proven(file: Leaving, back: bytes | None, person: str) -> Delivered:
    """What came back, when it is what was sent and says how it was made; DeliveryFault otherwise."""
    if back is None or back != file.data:
        raise DeliveryFault(tell("place.not_what_was_written", person=person))
    if code := unmarked(back, file.format, file.source_type):
        raise DeliveryFault(tell(f"place.{code}", person=person))
    return Delivered(file.path, len(back), hashlib.sha256(back).hexdigest())


def unmarked(data: bytes, form: str, source_type: str) -> str:
    """Why this file's metadata or credentials do not say how it was made, as the end of a key of the language; empty
    when they do, or are not asked."""
    if not source_type:
        return ""
    origin = read_origin(data)
    if origin is None or origin.source_type != source_type:
        return "says_nothing"
    signed = read_credentials(data, form)
    if signed is None or signed.changed or signed.source_type != source_type:
        return "not_signed_so"
    return ""


def as_it_was(file: Lying, data: bytes | None) -> Delivered | None:
    """A file that lies there, when it is the one that its manifest lists."""
    if data is None or hashlib.sha256(data).hexdigest() != file.listed.get("sha256"):
        return None
    recent = bool(file.listed.get("recipe"))  # version 0.1 did not sign
    source_type = str(file.listed.get("source_type", "")) if recent else ""
    if unmarked(data, str(file.listed.get("format", "")), source_type):
        return None
    return Delivered(file.path, len(data), str(file.listed["sha256"]))


def listed_in(manifest: bytes | None) -> list[Lying]:
    """The files that a manifest.json of ours lists. Nothing when it is none."""
    if manifest is None:
        return []
    try:
        body: Any = json.loads(manifest)
        if body.get("format") != FORMAT:
            return []
        found = [
            Lying(
                str(one["employee"]), str(one.get("batch") or body["batch"]), str(one["output"]), str(one["path"]),
                str(one["headshot"]), one,
            )
            for one in body["files"]
        ]  # fmt: skip
        for one in found:
            checked_parts(one.path)  # somebody may have written it by hand
    except (DestinationFault, ValueError, KeyError, TypeError, AttributeError):
        return []
    return found


class Files(ABC):
    """What places that keep files have in common: paths of one look, and a manifest that says what lies there."""

    kind = ""

    def path_for(self, folder: str, stem: str, suffix: str) -> str:
        return "/".join(checked_parts(f"{folder}/{stem}.{suffix}"))

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """What lies under a path, if anything does."""

    def earlier(self) -> list[Lying]:
        return listed_in(self.read(LIST))

    def holds(self, file: Lying) -> Delivered | None:
        return as_it_was(file, self.read(file.path))
