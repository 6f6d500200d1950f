"""The manifest of a delivery: what was handed over, for whom, as what; written with it, if something changed.

manifest.csv is for people and for directory imports, changes.csv for whoever carries them on into another system;
manifest.json is for machines, and names nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from tasks.delivery.changes import Changes, Lying, say_why
from tasks.delivery.destinations import FORMAT, LIST, Destination
from tasks.roster.write import table_csv
from tasks.vault.records import Employee


@dataclass(frozen=True)
class PackedFile:
    """One delivered file."""

    employee: str  # the opaque id
    batch: str
    number: str
    output: str  # the size: below which folder it lies
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
    pack: str = ""
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


def manifest_papers(manifest: Manifest, people: Mapping[str, Employee], now: datetime) -> dict[str, bytes]:
    """The three lists, by file name; manifest.json last, since it makes the others count."""
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
    change = ("Employee ID", "Name", "Work Email", "Change", "Why", "Files taken away")
    return {
        "manifest.csv": table_csv(header, rows),
        "changes.csv": table_csv(change, change_rows(manifest.changes, people)),
        LIST: json.dumps(_body(manifest) | {"delivered_at": now.isoformat()}, indent=1, ensure_ascii=False).encode(),
    }


def _body(manifest: Manifest) -> dict[str, Any]:
    listed = [{k: v for k, v in asdict(file).items() if k not in ("number", "before")} for file in manifest.files]
    return {
        "format": FORMAT,
        "batch": manifest.batch,
        "kit": manifest.kit,
        "kit_digest": manifest.kit_digest,
        "files": listed,
        "skipped": [asdict(one) for one in manifest.skipped],
    }


def says_the_same(place: Destination, manifest: Manifest) -> bool:
    """Whether the manifest that lies there says all of this already, so that nothing needs to be written."""
    if manifest.changes.going or manifest.changes.removed:
        return False
    try:
        there: Any = json.loads(place.read(LIST) or b"null")
    except ValueError:
        return False
    if not isinstance(there, dict):
        return False
    there.pop("delivered_at", None)
    return bool(there == json.loads(json.dumps(_body(manifest))))
