"""A sheet of hair to look at: soft edges, curls, afros, bald and grey heads, headscarves, on a dark and on a pale wall.

No figure says whether hair looks like hair. Drawn people bring the kinds that a folder of photographs lacks; they stand
before the rooms of selfies, and are cut out as photographs are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.faces_lane import write_sheet
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.painting import paint
from tasks.headshots.faithful import finish_photo
from tasks.headshots.finish import CannotFinish
from tasks.headshots.kit import BrandKit
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

FIRST_SEED = 970_000  # far from every seed that anything is trained on
DRAWN_SIDE = 384  # px
TALL = 300  # px of a finished picture on the sheet, of which the upper part shows hair
HAIR = 0.72  # of the height
KINDS: dict[str, Callable[[Identity], bool]] = {
    "curls": lambda who: who.style == "curly" and who.cover == "none",
    "coils": lambda who: who.style == "coily" and who.cover == "none",
    "afro": lambda who: who.style == "afro" and who.cover == "none",
    "locs": lambda who: who.style == "locs" and who.cover == "none",
    "waves": lambda who: who.style == "long wavy" and who.cover == "none",
    "blonde": lambda who: who.hair == "blonde" and who.style in ("long", "bob") and who.cover == "none",
    "bald": lambda who: who.style == "bald" and who.cover == "none",
    "grey": lambda who: who.hair == "grey" and who.style not in ("bald", "buzzed") and who.cover == "none",
    "white": lambda who: who.hair == "white" and who.style not in ("bald", "buzzed") and who.cover == "none",
    "headscarf": lambda who: who.cover == "hijab",
    "turban": lambda who: who.cover == "turban",
}


def hair_sheet(shots: Sequence[tuple[str, Picture]], kits: Sequence[BrandKit], eyes: Eyes, folder: Path) -> None:
    """One sheet: a photograph of each person and a drawn person of each kind, under each of these kits."""
    people = [*shots, *drawn_hair().items()]
    tiles = []
    for name, picture in people:
        for kit in kits:
            try:
                made = finish_photo(picture, kit, eyes, TALL).picture
            except CannotFinish:
                print(f"{name}: no face under {kit.name}")
                continue
            tiles.append((np.ascontiguousarray(made[: round(HAIR * TALL)]), f"{name} {kit.name}"))
    print(f"\n{len(tiles)} heads: photographs, then {', '.join(KINDS)}")
    write_sheet(folder / "faces-hair.png", tiles, across=6, side=TALL)


def drawn_hair() -> dict[str, Picture]:
    """A selfie of the first drawn person of each kind; kinds that no thousand people hold are left out."""
    found: dict[str, Picture] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + 1000):
        who = draw_identity(seed)
        for kind, fits in KINDS.items():
            if kind not in found and fits(who):
                capture = draw_capture(seed, who, "selfie", CaptureWish(frontal=0.2))
                found[kind] = paint(who, capture, DRAWN_SIDE, 1.5).picture
                break
        if len(found) == len(KINDS):
            break
    return {kind: found[kind] for kind in KINDS if kind in found}
