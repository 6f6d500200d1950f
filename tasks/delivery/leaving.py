"""Makes one person's files for one delivery: mark, crop, label, encode, sign; what lies there unchanged stays.

A signature is another one each time, so files cannot be compared by their bytes: each is known by its recipe, the hash
of everything that decides how it looks and what it says. A file that lies there whole, made by the same recipe of the
same picture, is left alone, so that a second delivery writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tasks.delivery.changes import Lying
from tasks.delivery.crop import HeadPlace, head_of
from tasks.delivery.destinations import Delivered, Destination, Leaving
from tasks.delivery.manifest import PackedFile
from tasks.delivery.pack import Pack, Size
from tasks.delivery.sitters import Sitter
from tasks.delivery.sizes import encode_output, fit
from tasks.delivery.snippet import signature_block
from tasks.disclosure.chain import SigningChain
from tasks.disclosure.credentials import sign, weight
from tasks.disclosure.installation import marked
from tasks.disclosure.label import with_label
from tasks.disclosure.of_photos import sentence
from tasks.disclosure.pattern import MarkKey
from tasks.disclosure.source import Origin, origin_of, xmp_packet
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.kit_sections import Output
from tasks.vault.records import Headshot
from tasks.vision.images import Picture, read_picture

FORMAT = 2  # of what leaves: raised when files made before should be written anew


@dataclass(frozen=True)
class Means:
    """What every file of a delivery is made with."""

    kit: BrandKit
    packs: tuple[Pack, ...]
    mark: MarkKey
    chain: SigningChain
    labels: Path  # the kit's folder with the company's icons, which may be missing

    @cached_property
    def sizes(self) -> tuple[Size, ...]:
        return tuple(size for pack in self.packs for size in pack.sizes())

    def icon(self, lane: str) -> Path | None:
        path = self.labels / f"{lane}.png"
        return path if path.is_file() else None


@dataclass(frozen=True)
class Subject:
    """One person's approved picture on its way out."""

    sitter: Sitter
    shot: Headshot
    data: bytes  # the finished picture's file; decoded only when something has to be made of it
    origin: Origin


def subject_of(sitter: Sitter, shot: Headshot, data: bytes) -> Subject:
    photo = sentence(str(shot.scores.get("photo_signed_by") or ""))
    return Subject(sitter, shot, data, origin_of(shot.lane, f"{system_version()} {sitter.base}".strip(), photo))


@dataclass(frozen=True)
class Lacking:
    """What of one person's files has to be made, and with what; the others lie there."""

    means: Means
    subject: Subject
    there: Mapping[str, Delivered]  # by size
    missing: tuple[Size, ...]


def look_what_lacks(
    means: Means, subject: Subject, place: Destination, paths: Mapping[str, str], lying: Mapping[str, Lying]
) -> Lacking:
    """`paths`: size → path; `lying`: path → what an earlier delivery wrote there."""
    there, missing = {}, []
    for size in means.sizes:
        recipe = recipe_of(means, size.output, subject.origin, subject.shot.lane)
        held = _there(place, lying.get(paths[size.folder]), subject.shot.digest, recipe)
        if held is None:
            missing.append(size)
        else:
            there[size.folder] = held
    return Lacking(means, subject, there, tuple(missing))


def make_files(lacking: Lacking) -> dict[str, bytes]:
    """The missing files, by size: nothing is read or written, so that several people's can be made at once. NotSigned,
    TooManyBytes: their sentences are for people."""
    if not lacking.missing:
        return {}
    means, shot = lacking.means, lacking.subject.shot
    master, head = marked(read_picture(lacking.subject.data).picture, means.mark, shot.lane), head_in(shot, means.kit)
    return {
        size.folder: made(means, size.output, master, lacking.subject.origin, shot, head) for size in lacking.missing
    }


def write_files(
    batch: str, lacking: Lacking, made_of_it: Mapping[str, bytes], place: Destination, paths: Mapping[str, str]
) -> list[PackedFile]:
    """Delivers what was made; all of the person's pictures, those that lay there included."""
    means = lacking.means
    subject, files = lacking.subject, []
    for size in means.sizes:
        there = lacking.there.get(size.folder)
        if there is None:
            leaving = Leaving(
                paths[size.folder], made_of_it[size.folder], size.output.format, subject.origin.source_type
            )
            there = place.deliver(leaving, subject.sitter.employee)
        files.append(
            _packed(subject, batch, size, there, recipe_of(means, size.output, subject.origin, subject.shot.lane))
        )
    return files


def write_snippets(
    batch: str, lacking: Lacking, place: Destination, paths: Mapping[str, str], lying: Mapping[str, Lying]
) -> list[PackedFile]:
    """The blocks of HTML, for packs that have one."""
    means, subject = lacking.means, lacking.subject
    files = []
    for size in means.sizes:
        asked = size.pack.snippet
        if asked is None or asked.picture != size.output.name:
            continue
        path = paths[snippet_folder(size)]
        data = signature_block(subject.sitter.employee, paths[size.folder], asked)
        recipe = hashlib.sha256(data).hexdigest()[:16]
        there = _there(place, lying.get(path), subject.shot.digest, recipe)
        if there is None:
            there = place.deliver(Leaving(path, data, "html", ""), subject.sitter.employee)
        files.append(_packed(subject, batch, size, there, recipe, snippet=True))
    return files


def snippet_folder(size: Size) -> str:
    """What a size's snippet is called among the paths; it lies beside its picture."""
    return f"{size.folder} snippet"


def _there(place: Destination, lying: Lying | None, headshot: str, recipe: str) -> Delivered | None:
    """A file that lies there already, made of the same picture in the same way."""
    if lying is None or lying.headshot != headshot or lying.listed.get("recipe") != recipe:
        return None
    return place.holds(lying)


def _packed(
    subject: Subject, batch: str, size: Size, there: Delivered, recipe: str, *, snippet: bool = False
) -> PackedFile:
    person, output = subject.sitter.employee, size.output
    return PackedFile(
        employee=person.id,
        batch=batch,
        number=person.number,
        pack=size.pack.name,
        output=snippet_folder(size) if snippet else size.folder,
        path=there.path,
        width=0 if snippet else output.width,
        height=0 if snippet else output.height,
        format="html" if snippet else output.format,
        bytes=there.bytes,
        sha256=there.sha256,
        lane=subject.shot.lane,
        source_type="" if snippet else subject.origin.source_type,
        headshot=subject.shot.digest,
        recipe=recipe,
    )


def head_in(shot: Headshot, kit: BrandKit) -> HeadPlace:
    """Where the head is, as judging measured it on this very picture."""
    return head_of(shot.scores.get("measures"), kit.framing)


def made(means: Means, output: Output, master: Picture, origin: Origin, shot: Headshot, head: HeadPlace) -> bytes:
    """One file, signed last: whatever is changed afterwards breaks the signature."""
    picture = fit(master, output, means.kit, head)
    if output.label:
        picture = with_label(picture, shot.lane, means.icon(shot.lane))
    spare = weight(output.format, means.chain)
    return sign(encode_output(picture, output, xmp_packet(origin), spare), output.format, origin, means.chain)


def recipe_of(means: Means, output: Output, origin: Origin, lane: str) -> str:
    """The identity of how a file is made, whatever the picture."""
    icon = means.icon(lane) if output.label else None
    decides = {
        "format": FORMAT,
        "output": output.model_dump(mode="json"),
        "kit": kit_digest(means.kit),
        "origin": [origin.source_type, origin.version, origin.photo],
        "signer": hashlib.sha256(means.chain.certificates).hexdigest(),
        "stamped": means.chain.time_stamps is not None,
        "icon": hashlib.sha256(icon.read_bytes()).hexdigest() if icon else "",
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def system_version() -> str:
    """Rollcall's own version, as files name it."""
    try:
        return version("rollcall-headshots")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
