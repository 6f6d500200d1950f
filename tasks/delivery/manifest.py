"""The manifest of a delivery: what was handed over, for whom, as what; written with it, checked against it.

manifest.csv is for people and for directory imports; manifest.json is for machines, and names nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tasks.delivery.destinations import Destination
from tasks.disclosure.source import read_origin
from tasks.roster.write import table_csv
from tasks.vault.records import Employee

FORMAT = 1  # of manifest.json


class DeliveryFault(Exception):
    """A delivery that must not be trusted: what was written is not what is there. Ids and codes only."""


@dataclass(frozen=True)
class PackedFile:
    """One delivered file."""

    employee: str  # the opaque id
    number: str
    output: str
    path: str
    width: int
    height: int
    format: str
    bytes: int
    sha256: str
    lane: str
    source_type: str
    headshot: str  # digest of the record it was made from


@dataclass(frozen=True)
class Skipped:
    """Somebody in the batch for whom nothing was delivered, and why."""

    employee: str
    code: str  # not_approved, no_consent, consent_withdrawn, left_company, picture_missing, or the seat's reason


@dataclass(frozen=True)
class Manifest:
    """What a delivery consists of. Everybody in the batch is in `files` or in `skipped`."""

    batch: str
    kit: str
    kit_digest: str
    destination: str  # folder, zip or s3: where exactly is the business of whoever asked
    files: tuple[PackedFile, ...]
    skipped: tuple[Skipped, ...]
    retired: int = 0  # files of an earlier delivery to the same place that were taken away

    @property
    def people(self) -> int:
        return len({file.employee for file in self.files})

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def earlier_paths(place: Destination) -> set[str]:
    """Paths that an earlier delivery wrote here, by its own manifest. Anything else in the folder is not ours."""
    data = place.get("manifest.json")
    if data is None:
        return set()
    try:
        listed: Any = json.loads(data)
        return {str(file["path"]) for file in listed["files"]} if listed.get("format") == FORMAT else set()
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()


def write_manifests(place: Destination, manifest: Manifest, people: Mapping[str, Employee], now: datetime) -> None:
    """Both forms, last: a delivery that was interrupted has the manifest of the one before, or none."""
    header = ("Employee ID", "Name", "Work Email", "Size", "File", "Width", "Height", "Bytes", "SHA-256", "Made by")
    made = {"generated": "AI, from photos", "faithful": "photo, background and tone by algorithm"}
    rows = [
        (
            file.number,
            people[file.employee].name,
            people[file.employee].email,
            file.output,
            file.path,
            str(file.width),
            str(file.height),
            str(file.bytes),
            file.sha256,
            made.get(file.lane, file.lane),
        )
        for file in manifest.files
    ]
    place.put("manifest.csv", table_csv(header, rows))
    listed = [{k: v for k, v in asdict(file).items() if k != "number"} for file in manifest.files]
    body = {
        "format": FORMAT,
        "batch": manifest.batch,
        "kit": manifest.kit,
        "kit_digest": manifest.kit_digest,
        "delivered_at": now.isoformat(),
        "files": listed,
        "skipped": [asdict(one) for one in manifest.skipped],
    }
    place.put("manifest.json", json.dumps(body, indent=1, ensure_ascii=False).encode())


def verify(place: Destination, manifest: Manifest) -> None:
    """Reads every file back: its digest, and that it says how it was made."""
    for file in manifest.files:
        data = place.get(file.path)
        if data is None or hashlib.sha256(data).hexdigest() != file.sha256:
            raise DeliveryFault(f"a file of {file.employee} is not what was written")
        origin = read_origin(data)
        if origin is None or origin.source_type != file.source_type:
            raise DeliveryFault(f"a file of {file.employee} does not say how it was made")
