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
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tasks.delivery.changes import Lying
from tasks.delivery.destinations import Destination
from tasks.delivery.manifest import PackedFile
from tasks.delivery.sitters import Sitter
from tasks.delivery.sizes import encode_output, fit
from tasks.disclosure.chain import SigningChain
from tasks.disclosure.credentials import sign, weight
from tasks.disclosure.installation import marked
from tasks.disclosure.label import with_label
from tasks.disclosure.pattern import MarkKey
from tasks.disclosure.source import Origin, origin_of, xmp_packet
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.kit_sections import Output
from tasks.vision.images import Picture

FORMAT = 1  # of what leaves: raised when files made before should be written anew


@dataclass(frozen=True)
class Means:
    """What every file of a delivery is made with."""

    kit: BrandKit
    outputs: tuple[Output, ...]
    mark: MarkKey
    chain: SigningChain
    labels: Path  # the kit's folder with the company's icons, which may be missing

    def icon(self, lane: str) -> Path | None:
        path = self.labels / f"{lane}.png"
        return path if path.is_file() else None


def write_person(
    means: Means,
    batch: str,
    sitter: Sitter,
    picture: Picture,
    place: Destination,
    paths: Mapping[str, str],
    lying: Mapping[str, Lying],
) -> list[PackedFile]:
    """Writes what is missing of one person's files and returns all of them. `paths`: output → path; `lying`: path →
    what an earlier delivery wrote there. NotSigned, TooManyBytes: ValueErrors whose sentence is for people."""
    assert sitter.headshot is not None
    origin = origin_of(sitter.headshot.lane, f"{system_version()} {sitter.base}".strip())
    files, master = [], None
    for output in means.outputs:
        path = paths[output.name]
        recipe = recipe_of(means, output, origin, sitter.headshot.lane)
        there = lying.get(path)
        same = there is not None and there.headshot == sitter.headshot.digest and there.listed.get("recipe") == recipe
        data = place.get(path) if same else None
        if there is None or data is None or hashlib.sha256(data).hexdigest() != there.listed.get("sha256"):
            if master is None:
                master = marked(picture, means.mark, sitter.headshot.lane)
            data = made(means, output, master, origin, sitter.headshot.lane)
            place.put(path, data)
        files.append(
            PackedFile(
                employee=sitter.employee.id,
                batch=batch,
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
                recipe=recipe,
            )
        )
    return files


def made(means: Means, output: Output, master: Picture, origin: Origin, lane: str) -> bytes:
    """One file, signed last: whatever is changed afterwards breaks the signature."""
    picture = fit(master, output, means.kit)
    if output.label:
        picture = with_label(picture, lane, means.icon(lane))
    spare = weight(output.format, means.chain)
    return sign(encode_output(picture, output, xmp_packet(origin), spare), output.format, origin, means.chain)


def recipe_of(means: Means, output: Output, origin: Origin, lane: str) -> str:
    """The identity of how a file is made, whatever the picture."""
    icon = means.icon(lane) if output.label else None
    decides = {
        "format": FORMAT,
        "output": output.model_dump(mode="json"),
        "kit": kit_digest(means.kit),
        "origin": [origin.source_type, origin.version],
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
