"""Two worlds: drawn people and real ones. Base, eyes and photos belong to the same one, and that is asked early.

A base that has only seen drawings learns minutes long from photographs and makes smears of them; eyes that have only
seen drawings then call the smears a clear likeness. What tells a photograph from a drawing is texture: every lens
leaves some in the smoothest wall, and a renderer none. Measured at 320 px: 60 drawn selfies at most .28; of 21
photographs the median 1.3, nine of ten above .60, one (blurred, before a blank wall) .23: so it is asked of all photos
of a person together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from tasks.vision.colour import to_lab
from tasks.vision.images import Picture

World = Literal["drawn", "real"]

SIDE = 320  # px of the longer side: small photos are brought up to it, so that all are judged at one scale
TILE = 8  # px
PHOTOGRAPH = 0.3  # texture from which a person's photos are photographs
DRAWING = 0.2  # and up to which they look drawn
EYES_OF: dict[str, World] = {"embedded": "drawn"}  # every other pair of eyes sees real people


@dataclass(frozen=True)
class BaseWorld:
    """Who the base of a run can draw, and whether to go on where the photos are of the other world (`--yes`)."""

    world: World
    anyway: bool = False
    resolution: int | None = None  # px of a side of what it draws


def read_texture(picture: Picture) -> float:
    """Texture in the median tile of a photo, in L*: fine times coarse, the root of it."""
    scale = SIDE / max(picture.shape[:2])
    size = (max(TILE, round(picture.shape[1] * scale)), max(TILE, round(picture.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    light = np.ascontiguousarray(to_lab(np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8))[..., 0])
    blurred = [cv2.GaussianBlur(light, (0, 0), sigma) for sigma in (0.8, 1.5, 4.0)]
    rows, columns = (n // TILE * TILE for n in light.shape)
    found = 1.0
    for band in (light - blurred[0], blurred[1] - blurred[2]):
        tiles = band[:rows, :columns].reshape(rows // TILE, TILE, columns // TILE, TILE)
        found *= float(np.median(tiles.std(axis=(1, 3))))
    return float(found**0.5)


def misfit(eyes: str, base: str, world: World) -> str:
    """What is to be said where eyes and base are not of one world; empty where they are."""
    sees = EYES_OF.get(eyes, "real")
    if sees == world:
        return ""
    if world == "drawn":
        other = "ROLLCALL_EYES=embedded to try things out, or ROLLCALL_BASE=... for real people"
    else:
        other = "ROLLCALL_EYES=opencv (`rollcall models pull opencv` fetches them)"
    kinds = {"drawn": "drawn people only", "real": "real people"}
    return f"The base {base} draws {kinds[world]}, and the eyes {eyes} see {kinds[sees]}. Set {other}."
