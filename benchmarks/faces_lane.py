"""What the real-photo lane makes of photographs, kit by kit: remnants, halo, holes, framing, and a sheet to look at."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tasks.headshots.kit import BrandKit
from tasks.headshots.photograph import placed
from tasks.headshots.studio import DRAWN_IN, FinishedCandidate, finish_candidate, studio_flags
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

FRAMING = {"eye_line", "centre", "inter_eye", "head_height", "roll"}
SHIFT = 0.015  # of the frame: what a placement may not be off by unseen
SHIFTS = ((SHIFT, 0.0), (-SHIFT, 0.0), (0.0, SHIFT), (0.0, -SHIFT))


@dataclass
class _Column:
    """One kit's figures, picture by picture."""

    remnants: list[float] = field(default_factory=list)
    halos: list[float] = field(default_factory=list)
    holes: list[float] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    well_placed: int = 0  # not drawn in, since the photograph goes on where the frame does
    accused: int = 0  # of the well placed: flagged for framing
    caught: int = 0  # of the well placed, put off by SHIFT each way: flagged for framing


def by_thirds(found: Sequence[bool], thirds: Sequence[str]) -> str:
    """How many, and how many of each third of skin."""
    counts = [
        f"{sum(f for f, t in zip(found, thirds, strict=True) if t == name)}/{list(thirds).count(name)}"
        for name in ("dark", "mid", "light")
    ]
    return f"{sum(found):>3} of {len(found)}  ({' '.join(counts)})"


def lane_table(
    shots: Sequence[tuple[str, Picture]],
    thirds: Sequence[str],
    kits: Sequence[BrandKit],
    eyes: Eyes,
    size: int,
    sheets: Path | None,
) -> None:
    """A row a kit. Framing is judged of those that were not drawn in; the others are told that there is no room. Then a
    row a flag, by thirds of skin (`thirds`: dark, mid or light for each shot), over all kits."""
    print(
        f"\n{'kit':<11}{'no flag':<10}{'remnant':<10}{'halo':<7}{'holes':<7}{'halo p50/p90':<14}{'holes p90':<11}"
        f"{'framing':<12}{'1.5 % off':<12}{'no room':<9}{'s':<6}other flags"
    )
    flagged: list[set[str]] = []
    for kit in kits:
        column, tiles = _Column(), []
        start = time.process_time()
        for name, picture in shots:
            made = finish_candidate(picture, kit, eyes, size, lane="faithful")
            _count(column, made, kit)
            flagged.append({flag.code for flag in made.flags})
            tiles.append((made.finished.picture, f"{name} {' '.join(flag.code for flag in made.flags)}"))
        print(_row(kit.name, column, len(shots), (time.process_time() - start) / max(len(shots), 1)), flush=True)
        if sheets is not None:
            write_sheet(sheets / f"faces-{kit.name}.jpg", tiles)
    print("\nflag, of all kits            dark/mid/light")
    everybody = [*thirds] * len(kits)
    for code, _ in Counter(code for codes in flagged for code in codes).most_common():
        print(f"  {code:<24}{by_thirds([code in codes for codes in flagged], everybody)}")
    print(f"  {'any':<24}{by_thirds([bool(codes) for codes in flagged], everybody)}", flush=True)


def _count(column: _Column, made: FinishedCandidate, kit: BrandKit) -> None:
    measures = made.finished.measures
    codes = {flag.code for flag in made.flags}
    column.flags.update(codes)
    column.clean += not codes
    column.remnants.append(measures.remnant)
    column.halos.append(measures.halo)
    column.holes.append(measures.holes)
    if measures.zoom > DRAWN_IN:
        return
    column.well_placed += 1
    column.accused += bool(codes & FRAMING)
    height, width = made.finished.picture.shape[:2]
    for x, y in SHIFTS:
        moved = made.finished.landmarks + np.array([x * width, y * height], np.float32)
        flags = studio_flags(placed(measures, moved, width, height), kit)
        column.caught += any(flag.code in FRAMING for flag in flags)


def _row(name: str, column: _Column, count: int, seconds: float) -> str:
    named = {"remnant", "halo", "holes", "no_room"} | FRAMING
    other = ", ".join(f"{code} {number}" for code, number in column.flags.most_common() if code not in named)
    halos = f"{np.median(column.halos):.1f} / {np.percentile(column.halos, 90):.1f}"
    cells = (
        (f"{column.clean} of {count}", 10), (f"{column.flags['remnant']}", 10), (f"{column.flags['halo']}", 7),
        (f"{column.flags['holes']}", 7), (halos, 14), (f"{np.percentile(column.holes, 90):.2%}", 11),
        (f"{column.accused} of {column.well_placed}", 12),
        (f"{column.caught} of {len(SHIFTS) * column.well_placed}", 12),
        (f"{column.flags['no_room']}", 9), (f"{seconds:.1f}", 6),
    )  # fmt: skip
    return f"{name:<11}" + "".join(f"{text:<{wide}}" for text, wide in cells) + other


def write_sheet(path: Path, tiles: Sequence[tuple[Picture, str]], across: int = 7, side: int = 260) -> None:
    """A contact sheet: each picture with what was said of it."""
    cells = []
    for picture, text in tiles:
        scale = side / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cell = np.full((side + 18, side, 3), 255, np.uint8)
        cell[: small.shape[0], : small.shape[1]] = small
        cv2.putText(cell, text[:44], (2, side + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % across)
    rows = [np.hstack(cells[at : at + across]) for at in range(0, len(cells), across)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])
    print(f"  sheet: {path}")
