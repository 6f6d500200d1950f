"""Builds a delivery: every approved headshot in every size of the kit, marked, verified, and listed in a manifest.

Nothing leaves without a reviewer's approval and a consent that stands at this moment. Every file that was written is
read back: its digest must be the one in the manifest and its mark must say how the picture came about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlmodel import col, select

from tasks.delivery.destinations import Destination, DestinationFault, open_destination
from tasks.delivery.manifest import Manifest, PackedFile, Skipped, earlier_paths, verify, write_manifests
from tasks.delivery.names import DEFAULT, apart, check_template, file_stem
from tasks.delivery.sizes import SUFFIX, encode_output, fit
from tasks.disclosure.source import origin_of, xmp_packet
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.kit_sections import Output
from tasks.progress import tell
from tasks.vault.audit_log import Event
from tasks.vault.failures import MissingBlob, NoConsent
from tasks.vault.records import Adapter, Batch, Employee, Headshot, Seat, Showing
from tasks.vault.review import reviews_of
from tasks.vault.store import Vault
from tasks.vision.images import Picture, read_picture


@dataclass(frozen=True)
class _Sitter:
    employee: Employee
    seat: Seat
    headshot: Headshot | None
    base: str


def build_pack(
    vault: Vault,
    batch_id: str,
    kit: BrandKit,
    destination: str | Path,
    *,
    now: datetime,
    names: str = DEFAULT,
    outputs: Sequence[str] = (),
    actor: str = "delivery",
) -> Manifest:
    """Delivers a batch. `outputs`: names of the kit's outputs to make, all when empty. Raises ValueError for what HR
    can mend, DeliveryFault when the destination does not hold what was written to it."""
    check_template(names)
    chosen = [output for output in kit.outputs if not outputs or output.name in outputs]
    if not chosen:
        raise ValueError(f"Kit {kit.name} has no such output; it has {', '.join(o.name for o in kit.outputs)}.")
    sitters = _sitters(vault, batch_id)
    place = open_destination(str(destination))
    try:
        manifest = _fill(vault, place, sitters, batch_id, kit, chosen, names, now)
        place.close()
    except OSError as error:  # its own message would name a file, and with it a person
        place.abandon()
        raise DestinationFault(f"The destination cannot be written to: {error.strerror}.") from None
    except BaseException:
        place.abandon()
        raise
    _register(vault, manifest, actor, now)
    return manifest


def _fill(
    vault: Vault,
    place: Destination,
    sitters: Sequence[_Sitter],
    batch_id: str,
    kit: BrandKit,
    outputs: Sequence[Output],
    names: str,
    now: datetime,
) -> Manifest:
    """Writes everybody's files, takes away what an earlier delivery left for people who are no longer in it, writes
    the manifests and checks it all."""
    stems = apart((s.employee.id, _stem(names, s.employee, place.kind)) for s in sitters)
    earlier = earlier_paths(place)
    files: list[PackedFile] = []
    skipped: list[Skipped] = []
    for done, sitter in enumerate(sitters):
        picture, code = _picture_of(vault, sitter, now)
        if picture is None:
            skipped.append(Skipped(sitter.employee.id, code))
        else:
            files += _write_person(place, sitter, picture, outputs, kit, stems[sitter.employee.id])
        tell("delivery", done + 1, len(sitters), sitter.employee.id)
    gone = sorted(earlier - {file.path for file in files})
    for path in gone:
        place.remove(path)
    manifest = Manifest(
        batch_id, kit.name, kit_digest(kit), place.kind, tuple(files), tuple(skipped), retired=len(gone)
    )
    write_manifests(place, manifest, {s.employee.id: s.employee for s in sitters}, now)
    verify(place, manifest)
    return manifest


def _stem(names: str, employee: Employee, kind: str) -> str:
    stem = file_stem(names, number=employee.number, email=employee.email, name=employee.name, id=employee.id)
    return stem.replace("@", "_at_") if kind == "s3" else stem  # the store's keys know no @


def _sitters(vault: Vault, batch_id: str) -> list[_Sitter]:
    with vault.reading() as session:
        if session.get(Batch, batch_id) is None:
            raise ValueError("There is no such batch: take its number from the report's address.")
        batch = session.get_one(Batch, batch_id)
        bases = {adapter.digest: adapter.base for adapter in session.exec(select(Adapter))}
        query = (
            select(Seat, Employee)
            .join(Employee, col(Employee.id) == col(Seat.employee_id))
            .where(col(Seat.batch_id) == batch_id)
            .order_by(col(Seat.position), col(Seat.employee_id))
        )
        rows = list(session.exec(query))
        reviews = reviews_of(session, [employee.id for _, employee in rows], batch.kit)
        sitters = []
        for seat, employee in rows:
            approved = reviews[employee.id].approved
            headshot = session.get(Headshot, approved) if approved else None
            base = bases.get(headshot.adapter_digest or "", "") if headshot else ""
            sitters.append(_Sitter(employee, seat, headshot, base))
        return sitters


def _picture_of(vault: Vault, sitter: _Sitter, now: datetime) -> tuple[Picture | None, str]:
    """The approved picture, or why there is none to deliver."""
    if sitter.employee.state != "active":
        return None, "erasing"
    if sitter.employee.status == "left":
        return None, "left_company"
    try:
        permit = vault.permit(sitter.employee.id, now=now)
        if sitter.headshot is None:
            blocked = sitter.seat.state == "blocked"
            return None, (sitter.seat.reason if blocked else None) or "not_approved"
        data = vault.read(permit, sitter.headshot.finished_key or sitter.headshot.original_key)
    except NoConsent as refusal:
        return None, refusal.code
    except MissingBlob:
        return None, "picture_missing"
    return read_picture(data).picture, ""


def _write_person(
    place: Destination, sitter: _Sitter, picture: Picture, outputs: Sequence[Output], kit: BrandKit, stem: str
) -> list[PackedFile]:
    assert sitter.headshot is not None
    origin = origin_of(sitter.headshot.lane, f"{system_version()} {sitter.base}".strip())
    packet = xmp_packet(origin)
    files = []
    for output in outputs:
        data = encode_output(fit(picture, output, kit), output, packet)
        path = f"{output.name}/{stem}.{SUFFIX[output.format]}"
        place.put(path, data)
        files.append(
            PackedFile(
                employee=sitter.employee.id,
                number=sitter.employee.number,
                output=output.name,
                path=path,
                width=output.width,
                height=output.height,
                format=output.format,
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                lane=sitter.headshot.lane,
                source_type=origin.source_type,
                headshot=sitter.headshot.digest,
            )
        )
    return files


def system_version() -> str:
    """Rollcall's own version, as files name it."""
    try:
        return version("rollcall-headshots")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"


def _register(vault: Vault, manifest: Manifest, actor: str, now: datetime) -> None:
    """One audit entry per person: an erasure later names what had been handed over, and to what kind of place."""
    by_person: dict[str, list[PackedFile]] = {}
    for file in manifest.files:
        by_person.setdefault(file.employee, []).append(file)
    vault.audit_all(
        (
            Event(
                "delivered",
                employee,
                manifest.batch,
                {"files": len(files), "to": manifest.destination, "headshot": files[0].headshot},
                actor,
            )
            for employee, files in by_person.items()
        ),
        now=now,
    )


def newest_approved(vault: Vault) -> str:
    """The newest batch in which somebody approved something."""
    with vault.reading() as session:
        query = (
            select(Batch.id)
            .join(Showing, col(Showing.batch_id) == col(Batch.id))
            .join(Headshot, col(Headshot.digest) == col(Showing.headshot_digest))
            .where(col(Headshot.state) == "approved")
            .order_by(col(Batch.created_at).desc(), col(Batch.id))
        )
        found = session.exec(query).first()
    if found is None:
        raise ValueError("No picture has been approved yet: review a batch first.")
    return found
