"""The manifest of a delivery: what was handed over, for whom, as what; written with it, checked against it.

manifest.csv is for people and for directory imports, changes.csv for whoever carries them on into another system;
manifest.json is for machines, and names nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from tasks.delivery.changes import Changes, Lying, say_why
from tasks.delivery.destinations import Destination
from tasks.disclosure.credentials import read_credentials
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
    batch: str
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
    recipe: str = ""  # how it was made, whatever the picture; empty for what version 0.1 wrote
    before: bool = False  # it lay there already, and stays


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
    changes: Changes  # against what an earlier delivery had left there

    @property
    def own(self) -> tuple[PackedFile, ...]:
        """The files that this delivery wrote; the others lay there before and are another batch's, or other sizes."""
        return tuple(file for file in self.files if file.batch == self.batch and not file.before)

    @property
    def people(self) -> int:
        return len({file.employee for file in self.own})

    @property
    def retired(self) -> int:
        """Files of earlier deliveries that were taken away."""
        return len(self.changes.going)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def earlier_files(place: Destination) -> list[Lying]:
    """What earlier deliveries wrote here, by their own manifest. Anything else in the folder is not ours."""
    data = place.get("manifest.json")
    if data is None:
        return []
    try:
        listed: Any = json.loads(data)
        if listed.get("format") != FORMAT:
            return []
        return [
            Lying(
                file["employee"],
                file.get("batch") or listed["batch"],
                file["output"],
                file["path"],
                file["headshot"],
                file,
            )
            for file in listed["files"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def carried(file: Lying, people: Mapping[str, Employee]) -> PackedFile:
    """A file that stays as it lies there, for the new manifest."""
    known = {field.name for field in fields(PackedFile)}
    values = {name: value for name, value in file.listed.items() if name in known}
    return PackedFile(**{**values, "batch": file.batch, "number": people[file.employee].number, "before": True})


def change_rows(changes: Changes, people: Mapping[str, Employee]) -> list[tuple[str, str, str, str, str, str]]:
    """Whose picture is new, changed or removed, and why: number, name, e-mail, change, reason, files that went.

    Of who was forgotten nothing is left to be named.
    """
    why = dict(changes.removed)
    said = [(one, "new", "") for one in changes.new] + [(one, "changed", "another picture") for one in changes.changed]
    said += [(one, "removed", say_why(why[one])) for one in why]
    rows = []
    for one, change, reason in said:
        person = people.get(one)
        named = person is not None and person.state == "active"
        number, name, email = (person.number, person.name, person.email) if person and named else ("", "", "")
        paths = [going.path for going in changes.going if going.employee == one] if named else []
        rows.append((number, name, email, change, reason, " ".join(paths)))
    return rows


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
    change = ("Employee ID", "Name", "Work Email", "Change", "Why", "Files taken away")
    place.put("changes.csv", table_csv(change, change_rows(manifest.changes, people)))
    listed = [{k: v for k, v in asdict(file).items() if k not in ("number", "before")} for file in manifest.files]
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
    """Reads every file back: its digest, and that metadata and credentials say how it was made."""
    for file in manifest.files:
        data = place.get(file.path)
        if data is None or hashlib.sha256(data).hexdigest() != file.sha256:
            raise DeliveryFault(f"a file of {file.employee} is not what was written")
        origin = read_origin(data)
        if origin is None or origin.source_type != file.source_type:
            raise DeliveryFault(f"a file of {file.employee} does not say how it was made")
        signed = read_credentials(data, file.format) if file.recipe else None
        if file.recipe and (signed is None or signed.changed or signed.source_type != file.source_type):
            raise DeliveryFault(f"a file of {file.employee} has no credentials, or others than it should")
