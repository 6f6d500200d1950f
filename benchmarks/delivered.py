"""Opens every file of every pack that a delivery wrote, and checks what it must show: a stranger's look at each.

    python -m benchmarks.delivered HOME BATCH            # delivers all packs of a reviewed batch into a folder
    python -m benchmarks.delivered HOME BATCH --approve  # approves everybody's first picture before (a demo's home!)

Size in pixels and bytes by the pack, colour profile, dots per inch; the eye line and the whole head inside the circle,
found again by the eyes; IPTC metadata, signed credentials and one flipped byte; the mark, from 200 px up.
"""

from __future__ import annotations

import argparse
import io
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from sqlmodel import select

from tasks.delivery.crop import HEAD_BREADTH
from tasks.delivery.handing_over import DeliveryOrder, hand_over
from tasks.delivery.manifest import PackedFile
from tasks.delivery.pack import Pack, Size, kit_pack, sort_packs
from tasks.delivery.places import open_destination
from tasks.disclosure.credentials import read_credentials
from tasks.disclosure.finding import Copy, find_mark
from tasks.disclosure.installation import mark_key
from tasks.disclosure.pattern import MarkKey, lane_of
from tasks.disclosure.source import read_origin
from tasks.disclosure.trust import own_root
from tasks.headshots.framing import head_height
from tasks.headshots.kit import load_kit
from tasks.headshots.look import find_head
from tasks.vault.batches import load_batch
from tasks.vault.records import Consent, Decision, Employee, Headshot, Showing, new_id
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.faces import Eyes
from tasks.vision.loaded import the_eyes

MARKED_FROM = 200  # px of the short side
SMALLEST_FACE = 200  # px: in a smaller file the eyes are not asked
EYES_BETWEEN = (0.30, 0.55)  # of a file's height; lower where tall hair, which is never cut, fills all above them
FREE = 0.06  # of a file's height above somebody's hair: with more air than this the eyes could stand higher
HAIR = 0.02  # of a row's breadth, from which on it is somebody's hair and no speck
PLAY = 0.05  # of the circle's radius: two readings of one head may differ by 2 % of the frame (design, section 6)


@dataclass(frozen=True)
class Look:
    """What was found wrong with one file; nothing when `faults` is empty."""

    size: Size
    faults: tuple[str, ...]
    marked: bool | None  # None where the file is too small to ask
    eye_line: float | None
    reach: float | None  # of the head, in radii of the circle


def look_at(file: PackedFile, size: Size, data: bytes, key: MarkKey, roots: bytes, eyes: Eyes) -> Look:
    """One file as a stranger sees it."""
    output, faults = size.output, []
    with Image.open(io.BytesIO(data)) as image:
        if image.size != (output.width, output.height):
            faults.append(f"size {image.size}")
        if not image.info.get("icc_profile"):
            faults.append("no colour profile")
        if output.dpi and tuple(round(n) for n in image.info.get("dpi", (0, 0))) != (output.dpi, output.dpi):
            faults.append("dots per inch")
        picture = np.asarray(image.convert("RGB"))
    if len(data) > (output.max_bytes or len(data)):
        faults.append(f"{len(data)} bytes")
    origin, signed = read_origin(data), read_credentials(data, output.format, roots)
    if origin is None or origin.source_type != file.source_type:
        faults.append("metadata")
    if signed is None or not signed.valid or not signed.trusted or signed.source_type != file.source_type:
        faults.append("credentials")
    for place in picture_bytes(data):
        changed = bytearray(data)
        changed[place] ^= 1
        again = read_credentials(bytes(changed), output.format, roots)
        if again is not None and again.valid:
            faults.append("a flipped byte is not noticed")
    short = min(output.width, output.height)
    found = find_mark(Copy(picture), key) if short >= MARKED_FROM else None
    marked = None if found is None else found.payload is not None and lane_of(key, found.payload) == file.lane
    if marked is False or (found is not None and found.verdict == "none"):
        faults.append("mark")
    eye_line, reach = _head(picture, eyes) if short >= SMALLEST_FACE else (None, None)
    if eye_line is not None and not in_place(eye_line, lambda: air_above(picture, eyes)):
        faults.append(f"eyes at {eye_line:.2f}")
    if reach is not None and output.crop == "circle" and reach > 1 + PLAY:
        faults.append(f"head reaches {reach:.2f}")
    return Look(size, tuple(faults), marked, eye_line, reach)


def in_place(eye_line: float, air: Callable[[], float]) -> bool:
    """Whether eyes are where people expect them, or as high as the hair above them lets them be."""
    highest, lowest = EYES_BETWEEN
    return highest <= eye_line <= lowest or (eye_line > lowest and air() <= FREE)


def air_above(picture: np.ndarray, eyes: Eyes) -> float:
    """How far above somebody's hair the picture ends, in shares of its height; all of it where there is nobody."""
    person = eyes.matter.matte(picture) > 0.5
    rows = np.flatnonzero(person.mean(axis=1) > HAIR)
    return float(rows[0] / len(picture)) if len(rows) else 1.0


def picture_bytes(data: bytes) -> tuple[int, int]:
    """Two places in the picture's own bytes: the credentials end in padding that nothing reads and no hash covers."""
    box = data.index(b"jumb") - 4
    end = box + int.from_bytes(data[box : box + 4], "big")
    before, after = range(len(data) // 50, box), range(end + 300, len(data))  # a JPEG splits long boxes into segments
    longer = max(before, after, key=len)
    return longer[len(longer) // 3], longer[len(longer) * 9 // 10]


def _head(picture: np.ndarray, eyes: Eyes) -> tuple[float | None, float | None]:
    """Eye line, in shares of the height, and how far the head reaches in the inscribed circle; by the pixels alone."""
    height, width = picture.shape[:2]
    face = find_head(picture, eyes)
    if face is None:
        return None, None
    marks = face.landmarks
    middle = np.mean(marks[:2], axis=0)
    head = head_height(np.asarray(marks[:2], float), np.asarray(marks[3:5], float))
    x, y, radius = width / 2, height / 2, min(width, height) / 2
    points = [
        (middle[0], middle[1] - head / 2), (middle[0], middle[1] + head / 2),
        (middle[0] - HEAD_BREADTH * head, middle[1]), (middle[0] + HEAD_BREADTH * head, middle[1]),
    ]  # fmt: skip
    return float(middle[1] / height), max(math.hypot(px - x, py - y) for px, py in points) / radius


def deliver_all(vault: Vault, batch: str, folder: Path, packs: list[Pack]) -> list[PackedFile]:
    kit = load_kit(load_batch(vault, batch).kit, vault.settings.kits)
    order = DeliveryOrder(batch, kit, tuple(packs))
    manifest = hand_over(vault, order, lambda: open_destination(str(folder)), lambda: datetime.now(UTC))
    return list(manifest.own)


def approve_first(vault: Vault, batch: str) -> None:
    """Everybody's first picture, as a reviewer would: for a demo's home only."""
    ordered = load_batch(vault, batch)
    with vault.session() as session:
        for shown in session.exec(select(Showing).where(Showing.batch_id == batch, Showing.choice == 1)).all():
            row = session.get_one(Headshot, shown.headshot_digest)
            person = session.get_one(Employee, shown.employee_id)
            consents = session.exec(select(Consent).where(Consent.employee_id == person.id)).all()
            if row.state == "approved" or not consents:
                continue
            row.state = "approved"
            session.add(row)
            session.add(
                Decision(
                    id=new_id("d"), employee_id=person.id, headshot_digest=row.digest, batch_id=batch, kit=ordered.kit,
                    identity=person.identity, consent_id=consents[-1].id, verdict="approve", by="benchmark",
                    at=datetime.now(UTC),
                )
            )  # fmt: skip


def looks(vault: Vault, batch: str, folder: Path) -> list[Look]:
    """Delivers every pack there is into this folder, and opens each file."""
    kit = load_kit(load_batch(vault, batch).kit, vault.settings.kits)
    eyes, key = the_eyes(vault.settings.eyes, vault.settings.models), mark_key(vault.keys)
    found = []
    for place, packs in (("directories", list(sort_packs(vault.settings.packs)[0].values())), ("kit", [kit_pack(kit)])):
        sizes = {size.folder: size for pack in packs for size in pack.sizes()}
        for file in deliver_all(vault, batch, folder / place, packs):
            if file.format == "html":
                continue
            data = (folder / place / file.path).read_bytes()
            found.append(look_at(file, sizes[file.output], data, key, own_root(vault.settings), eyes))
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("home", type=Path)
    words.add_argument("batch")
    words.add_argument("--approve", action="store_true")
    asked = words.parse_args()
    with open_vault(Settings(home=asked.home)) as vault, tempfile.TemporaryDirectory() as folder:
        if asked.approve:
            approve_first(vault, asked.batch)
        every = looks(vault, asked.batch, Path(folder))
    by_size: dict[str, list[Look]] = defaultdict(list)
    for one in every:
        by_size[f"{one.size.pack.name}: {one.size.folder}"].append(one)
    print(f"{'file':<40}{'files':>6}{'right':>7}{'marked':>8}{'eyes at':>9}{'head reaches':>14}")
    for name, some in by_size.items():
        asked_for = [one.marked for one in some if one.marked is not None]
        at = [one.eye_line for one in some if one.eye_line is not None]
        reach = [one.reach for one in some if one.reach is not None]
        print(
            f"{name:<40}{len(some):>6}{sum(not one.faults for one in some):>7}"
            f"{f'{sum(asked_for)}/{len(asked_for)}' if asked_for else '-':>8}"
            f"{f'{np.mean(at):.2f}' if at else '-':>9}{f'{max(reach):.2f}' if reach else '-':>14}"
        )
        for fault in sorted({fault for one in some for fault in one.faults}):
            print(f"    {fault}")
    print(f"{sum(not one.faults for one in every)} of {len(every)} files are right")


if __name__ == "__main__":
    main()
