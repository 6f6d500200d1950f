"""The one delivery that form, desk and command line make: approved headshots, as packs, to a place, with a manifest.

Who leaves, and why the rest does not, says `sitters.py`; what that changes where it goes, `changes.py`. Leave is asked
for again when each picture is read and once more at the end: who withdrew meanwhile is taken out. Every file that lies
there afterwards was read back by its destination.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tasks.delivery.at_once import made_at_once
from tasks.delivery.changes import Changes, Lying, compare, say_reasons
from tasks.delivery.destinations import Destination, DestinationFault
from tasks.delivery.handover import handover_page
from tasks.delivery.leaving import (
    Lacking,
    Means,
    look_what_lacks,
    snippet_folder,
    subject_of,
    write_files,
    write_snippets,
)
from tasks.delivery.manifest import Manifest, PackedFile, Skipped, carried, manifest_papers, says_the_same
from tasks.delivery.names import apart, check_template, file_stem
from tasks.delivery.pack import KIT, Pack, kit_pack
from tasks.delivery.sitters import Sitter, people_of, sitters_of, why_absent, why_gone
from tasks.delivery.sizes import SUFFIX
from tasks.disclosure.installation import mark_key
from tasks.disclosure.trust import signing_chain
from tasks.failures import RollcallError
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.progress import tell as tell_progress
from tasks.sentences import tell
from tasks.vault.audit_log import Event
from tasks.vault.failures import MissingBlob, NoConsent
from tasks.vault.records import Employee
from tasks.vault.store import Vault


class NothingToDeliver(RollcallError):
    """Not one picture of the batch may leave; nothing at the destination was touched."""


class TooManyGo(RollcallError):
    """A delivery that would take away more than a tenth of what lies there; nothing was touched. Says how many and why;
    `changes` says whose, by id."""

    def __init__(self, batch: str, changes: Changes) -> None:
        self.batch, self.changes = batch, changes
        going = [one for one in changes.going if one.why != "replaced"]
        super().__init__(tell("place.too_many_go", going=len(going), before=changes.before, reasons=say_reasons(going)))


@dataclass(frozen=True)
class DeliveryOrder:
    """What is to be delivered."""

    batch: str
    kit: BrandKit
    packs: tuple[Pack, ...]
    names: str = ""  # a template for all file names; each pack's own when empty
    may_remove: bool = False  # more than a tenth of what lies there
    actor: str = "delivery"
    others: Mapping[str, BrandKit] = field(default_factory=dict)  # kits by name that some people have instead

    def kit_of(self, sitter: Sitter) -> BrandKit | None:
        """The kit this person is photographed under; None when it cannot be used."""
        return BatchKits(self.kit, self.others).of(sitter.seat)

    def packs_of(self, kit: BrandKit) -> tuple[Pack, ...]:
        """What people under this kit get: of "the kit's own sizes" those of their own."""
        return tuple(kit_pack(kit) if pack.name == KIT else pack for pack in self.packs)

    @property
    def folders(self) -> list[str]:
        """What its files are called by size, snippets included."""
        kits = (self.kit, *self.others.values())
        sizes = [size for kit in kits for pack in self.packs_of(kit) for size in pack.sizes()]
        snippets = [snippet_folder(size) for size in sizes if _has_snippet(size.pack, size.output.name)]
        return [*(size.folder for size in sizes), *snippets]


def _has_snippet(pack: Pack, name: str) -> bool:
    return pack.snippet is not None and pack.snippet.picture == name


@dataclass(frozen=True)
class _Run:
    """One delivery on its way."""

    vault: Vault
    place: Destination
    order: DeliveryOrder
    sitters: Sequence[Sitter]
    absent: dict[str, str]
    clock: Callable[[], datetime]
    earlier: Sequence[Lying]
    workers: int


def hand_over(
    vault: Vault,
    order: DeliveryOrder,
    place: Callable[[], Destination],
    clock: Callable[[], datetime],
    *,
    workers: int | None = None,
) -> Manifest:
    """Delivers. Where nobody's picture may leave, only the files of who withdrew, left or was forgotten are taken away.
    For what HR can mend NothingToDeliver, and TooManyGo unless `may_remove`, before anything is touched. DeliveryFault
    when the destination does not hold what was written to it."""
    if order.names:
        check_template(order.names)
    sitters, now = sitters_of(vault, order.batch), clock()
    absent = {
        sitter.employee.id: why
        for sitter in sitters
        if (why := why_absent(vault, sitter, now) or ("" if order.kit_of(sitter) else "kit_broken"))
    }
    to = place()
    try:
        run = _Run(vault, to, order, sitters, absent, clock, to.earlier(), workers or os.cpu_count() or 1)
        coming, changes = _plan(run)
        if not coming and not changes.going:
            raise NothingToDeliver(tell("place.nobody"))
        if changes.must_ask and not order.may_remove:
            raise TooManyGo(order.batch, changes)
        manifest = _fill(run, coming, changes)
        to.close()
    except OSError as error:  # its own message would name a file, and with it a person
        to.abandon()
        raise DestinationFault(tell("place.cannot_write", why=error.strerror)) from None
    except BaseException:
        to.abandon()
        raise
    if coming:
        _register(vault, manifest, order.actor, clock())
    return manifest


def _plan(run: _Run) -> tuple[dict[str, dict[str, str]], Changes]:
    """Employee → size → path of everything that is to be written, and what that changes at the destination."""
    order = run.order
    coming: dict[str, dict[str, str]] = {
        one.employee.id: {} for one in run.sitters if one.employee.id not in run.absent
    }
    packs = {one.employee.id: order.packs_of(kit) for one in run.sitters if (kit := order.kit_of(one))}
    for number, pack in enumerate(order.packs):
        template = order.names or pack.names
        # Everybody in the batch takes a name, so that a name does not move to somebody else when one person is absent.
        stems = apart((one.employee.id, _stem(template, one.employee)) for one in run.sitters)
        for one, paths in coming.items():
            for size in packs[one][number].sizes():
                paths[size.folder] = run.place.path_for(size.folder, stems[one], SUFFIX[size.output.format])
                if _has_snippet(pack, size.output.name):
                    paths[snippet_folder(size)] = run.place.path_for(size.folder, stems[one], SUFFIX["html"])
    pictures = {one.employee.id: one.headshot.digest for one in run.sitters if one.headshot is not None}
    known = people_of(run.vault, (file.employee for file in run.earlier))
    gone = {
        one: why
        for one in {file.employee for file in run.earlier}
        if (why := why_gone(run.vault, known.get(one), run.clock()))
    }
    planned = {path: (one, pictures[one]) for one, mine in coming.items() for path in mine.values()}
    # An empty delivery is more likely a mistake than a wish: it takes away whose leave is gone, and nobody else.
    absent, batch = (run.absent, order.batch) if coming else ({}, "")
    return coming, compare(run.earlier, planned, gone, absent, batch, order.folders)


def _stem(template: str, person: Employee) -> str:
    return file_stem(template, number=person.number, email=person.email, name=person.name, id=person.id)


def _fill(run: _Run, coming: dict[str, dict[str, str]], changes: Changes) -> Manifest:
    """Writes everybody's files, takes away what is to go, and writes the papers if they would say anything new."""
    files, skipped = _write_all(run, coming)
    late = {one.employee.id: why for one in run.sitters
            if one.employee.id in coming and (why := why_gone(run.vault, _now(run, one), run.clock()))}  # fmt: skip
    skipped += [Skipped(one, why) for one, why in late.items() if one not in {skip.employee for skip in skipped}]
    files = [file for file in files if file.employee not in late]
    going = [one.path for one in changes.going]
    going += [path for skip in skipped for path in coming.get(skip.employee, {}).values()]
    stuck = [path for path in going if not run.place.withdraw(path) and run.place.read(path) is not None]
    people = people_of(run.vault, {*(file.employee for file in changes.staying), *(who for who, _ in changes.removed),
                                   *(one.employee.id for one in run.sitters)})  # fmt: skip
    files += [carried(file, people) for file in changes.staying if run.place.holds(file) is not None]
    order = run.order
    manifest = Manifest(
        order.batch, order.kit.name, kit_digest(order.kit), run.place.kind, tuple(files), tuple(skipped),
        _corrected(changes, {skip.employee: skip.code for skip in skipped}, coming),
    )  # fmt: skip
    if not says_the_same(run.place, manifest):
        papers = manifest_papers(manifest, people, run.clock())
        page = handover_page(manifest, order.packs, people, stuck, run.clock())
        run.place.hand_over({"handover.html": page, **papers})
    return manifest


def _now(run: _Run, sitter: Sitter) -> Employee | None:
    """The person as they are on record at this moment."""
    return people_of(run.vault, [sitter.employee.id]).get(sitter.employee.id)


def _corrected(changes: Changes, skipped: Mapping[str, str], coming: Mapping[str, object]) -> Changes:
    """The plan, less whoever turned out not to leave after all."""
    late = {one: why for one, why in skipped.items() if one in coming}
    if not late:
        return changes
    had = [one for one in (*changes.changed, *changes.unchanged) if one in late]
    return replace(
        changes,
        new=tuple(one for one in changes.new if one not in late),
        changed=tuple(one for one in changes.changed if one not in late),
        unchanged=tuple(one for one in changes.unchanged if one not in late),
        removed=(*changes.removed, *((one, late[one]) for one in had)),
    )


def _write_all(run: _Run, coming: Mapping[str, dict[str, str]]) -> tuple[list[PackedFile], list[Skipped]]:
    """Everybody's files, those of a few people being made at once; they are written one after the other."""
    order, settings = run.order, run.vault.settings
    mark, chain = mark_key(run.vault.keys), signing_chain(settings, run.clock())
    means = {
        kit.name: Means(kit, order.packs_of(kit), mark, chain, settings.kits / kit.name / "labels")
        for kit in (order.kit, *order.others.values())
    }
    lying = {file.path: file for file in run.earlier}
    files: list[PackedFile] = []
    skipped = [Skipped(one, why) for one, why in run.absent.items()]

    def subjects() -> Iterator[Lacking]:
        for sitter in (one for one in run.sitters if one.employee.id in coming):
            data, code = _picture_of(run, sitter)
            if data is None or sitter.headshot is None:
                skipped.append(Skipped(sitter.employee.id, code))
            else:
                subject = subject_of(sitter, sitter.headshot, data)
                mine = means[sitter.seat.kit or order.kit.name]
                yield look_what_lacks(mine, subject, run.place, coming[sitter.employee.id], lying)

    for done, (lacking, made) in enumerate(made_at_once(subjects(), run.workers)):
        one = lacking.subject.sitter.employee.id
        files += write_files(order.batch, lacking, made, run.place, coming[one])
        files += write_snippets(order.batch, lacking, run.place, coming[one], lying)
        tell_progress("delivery", done + 1, len(coming), one)
    return files, skipped


def _picture_of(run: _Run, sitter: Sitter) -> tuple[bytes | None, str]:
    """The approved picture's file, or why there is none after all: leave may have been taken back a moment ago."""
    assert sitter.headshot is not None
    try:
        permit = run.vault.permit(sitter.employee.id, now=run.clock())
        return run.vault.read(permit, sitter.headshot.finished_key or sitter.headshot.original_key), ""
    except NoConsent as refusal:
        return None, refusal.code
    except MissingBlob:
        return None, "picture_missing"


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
