"""Builds a delivery: every approved headshot in every size of the kit, signed, verified, and listed in a manifest.

What leaves, and why the rest does not, says `sitters.py`; what that changes where it goes, `changes.py`. Every file
that lies there afterwards is read back: its digest must be the one in the manifest, and its metadata and its signed
credentials must say how the picture was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.delivery.changes import Changes, Lying, compare, say_reasons
from tasks.delivery.destinations import Destination, DestinationFault, open_destination
from tasks.delivery.leaving import Means, write_person
from tasks.delivery.manifest import Manifest, PackedFile, Skipped, carried, earlier_files, verify, write_manifests
from tasks.delivery.names import DEFAULT, apart, check_template, file_stem
from tasks.delivery.sitters import Sitter, people_of, sitters_of, why_absent, why_gone
from tasks.delivery.sizes import SUFFIX
from tasks.disclosure.installation import mark_key, signing_chain
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.kit_sections import Output
from tasks.progress import tell
from tasks.vault.audit_log import Event
from tasks.vault.failures import MissingBlob, NoConsent, NotLikeThis
from tasks.vault.records import Employee
from tasks.vault.store import Vault
from tasks.vision.images import Picture, read_picture


class NothingToDeliver(ValueError):
    """Not one picture of the batch may leave; nothing at the destination was touched."""


class TooManyGo(ValueError):
    """A delivery that would take away more than a tenth of what lies there; nothing was touched. Says how many and why;
    `changes` says whose, by id."""

    def __init__(self, batch: str, changes: Changes) -> None:
        self.batch, self.changes = batch, changes
        going = [one for one in changes.going if one.why != "replaced"]
        super().__init__(
            f"{len(going)} of the {changes.before} files there would be taken away ({say_reasons(going)}), and that is "
            f"more than a tenth. Look at whose they are, on the batch's page about the run or with `rollcall deliver`; "
            f"if that is meant, deliver once more and allow it. Nothing was changed."
        )


def build_pack(
    vault: Vault,
    batch_id: str,
    kit: BrandKit,
    destination: str | Path,
    *,
    now: datetime,
    names: str = DEFAULT,
    outputs: Sequence[str] = (),
    may_remove: bool = False,
    actor: str = "delivery",
) -> Manifest:
    """Delivers a batch. `outputs`: names of the kit's outputs to make, all when empty. Raises ValueError for what HR
    can mend: NothingToDeliver, and TooManyGo unless `may_remove`, before anything is touched. DeliveryFault when the
    destination does not hold what was written to it."""
    check_template(names)
    chosen = [output for output in kit.outputs if not outputs or output.name in outputs]
    if not chosen:
        raise NotLikeThis(f"Kit {kit.name} has no such output; it has {', '.join(o.name for o in kit.outputs)}.")
    sitters = sitters_of(vault, batch_id)
    absent = {sitter.employee.id: why for sitter in sitters if (why := why_absent(vault, sitter, now))}
    if len(absent) == len(sitters):
        raise NothingToDeliver(
            "Nobody in this batch has a picture that may leave: approve some first, or choose another batch. "
            "Nothing at the destination was changed."
        )
    place = open_destination(str(destination))
    try:
        order = _Order(vault, place, sitters, absent, batch_id, kit, chosen, names, now, earlier_files(place))
        coming, changes = _plan(order)
        if changes.must_ask and not may_remove:
            raise TooManyGo(batch_id, changes)
        manifest = _fill(order, coming, changes)
        place.close()
    except OSError as error:  # its own message would name a file, and with it a person
        place.abandon()
        raise DestinationFault(f"The destination cannot be written to: {error.strerror}.") from None
    except BaseException:
        place.abandon()
        raise
    _register(vault, manifest, actor, now)
    return manifest


@dataclass(frozen=True)
class _Order:
    """What is to be delivered, and where."""

    vault: Vault
    place: Destination
    sitters: Sequence[Sitter]
    absent: dict[str, str]
    batch: str
    kit: BrandKit
    outputs: Sequence[Output]
    names: str
    now: datetime
    earlier: Sequence[Lying]


def _means(order: _Order) -> Means:
    settings = order.vault.settings
    labels = settings.kits / order.kit.name / "labels"
    chain = signing_chain(settings, order.now)
    return Means(order.kit, tuple(order.outputs), mark_key(order.vault.keys), chain, labels)


def _plan(order: _Order) -> tuple[dict[str, dict[str, str]], Changes]:
    """Employee → output → path of everything that is to be written, and what that changes at the destination."""
    stems = apart((s.employee.id, _stem(order.names, s.employee, order.place.kind)) for s in order.sitters)
    coming = {
        s.employee.id: {out.name: f"{out.name}/{stems[s.employee.id]}.{SUFFIX[out.format]}" for out in order.outputs}
        for s in order.sitters
        if s.employee.id not in order.absent
    }
    pictures = {s.employee.id: s.headshot.digest for s in order.sitters if s.headshot is not None}
    earlier = order.earlier
    known = people_of(order.vault, (file.employee for file in earlier))
    gone = {
        one: why for one in {f.employee for f in earlier} if (why := why_gone(order.vault, known.get(one), order.now))
    }
    paths = {path: (one, pictures[one]) for one, mine in coming.items() for path in mine.values()}
    changes = compare(earlier, paths, gone, order.absent, order.batch, [output.name for output in order.outputs])
    return coming, changes


def _fill(order: _Order, coming: dict[str, dict[str, str]], changes: Changes) -> Manifest:
    """Writes everybody's files, takes away what is to go, writes the manifests and checks it all."""
    place, means = order.place, _means(order)
    lying = {file.path: file for file in order.earlier}
    files: list[PackedFile] = []
    skipped = [Skipped(one.employee.id, order.absent[one.employee.id]) for one in order.sitters
               if one.employee.id in order.absent]  # fmt: skip
    going = [one.path for one in changes.going]
    for done, sitter in enumerate(order.sitters):
        if paths := coming.get(sitter.employee.id):
            picture, code = _picture_of(order.vault, sitter, order.now)
            if picture is None:
                skipped.append(Skipped(sitter.employee.id, code))
                going += paths.values()
            else:
                files += write_person(means, order.batch, sitter, picture, place, paths, lying)
        tell("delivery", done + 1, len(order.sitters), sitter.employee.id)
    for path in going:
        place.remove(path)
    people = people_of(order.vault, {*(file.employee for file in changes.staying), *(who for who, _ in changes.removed),
                                     *(one.employee.id for one in order.sitters)})  # fmt: skip
    files += [carried(file, people) for file in changes.staying if place.get(file.path) is not None]
    manifest = Manifest(
        order.batch, order.kit.name, kit_digest(order.kit), place.kind, tuple(files), tuple(skipped), changes
    )
    write_manifests(place, manifest, people, order.now)
    verify(place, manifest)
    return manifest


def _stem(names: str, employee: Employee, kind: str) -> str:
    stem = file_stem(names, number=employee.number, email=employee.email, name=employee.name, id=employee.id)
    return stem.replace("@", "_at_") if kind == "s3" else stem  # the store's keys know no @


def _picture_of(vault: Vault, sitter: Sitter, now: datetime) -> tuple[Picture | None, str]:
    """The approved picture, or why there is none after all: leave may have been taken back a moment ago."""
    assert sitter.headshot is not None
    try:
        permit = vault.permit(sitter.employee.id, now=now)
        data = vault.read(permit, sitter.headshot.finished_key or sitter.headshot.original_key)
    except NoConsent as refusal:
        return None, refusal.code
    except MissingBlob:
        return None, "picture_missing"
    return read_picture(data).picture, ""


def _register(vault: Vault, manifest: Manifest, actor: str, now: datetime) -> None:
    """One audit entry per person: an erasure later names what had been handed over, and to what kind of place."""
    by_person: dict[str, list[PackedFile]] = {}
    for file in manifest.files:
        if file.batch == manifest.batch:
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
