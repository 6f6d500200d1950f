"""What of a photo changes from one to the next, as far as these eyes can tell: a smile, glasses, out of doors.

Of 21 web portraits, the eyes for real people call 11 of the 13 smiling that do, and nobody else; out of doors 2 of 4,
and none of the 17 taken indoors. The limits were found on these, so that is a ceiling. Drawn people's glasses
have limits of their own, their parks are told from their rooms (16 of 16, 0 of 80), and their smiles are not read: the
drawn eyes' landmarks do not move with them. `python -m benchmarks.captions` prints all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.colour import to_lab
from tasks.vision.faces import Eyes, Face
from tasks.vision.glasses import GLASSES, read_glasses, wears_glasses
from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]

SMILES = 0.72  # of `Lids.smile`: from this on nobody asks whether it is one
SIDE = 192  # px: leaves and sky are looked for in a copy so large
LEAVES = 0.35  # of the background: a park has .5 and more, a coloured room at most .17
SKY = 0.12  # of the background: the one photo under a sky .29, all others at most .04
WALL = 0.85  # of the background: what covers more of it in one colour is a wall
VARIED = 5.0  # of L*, standard deviation: leaves are light and dark, paint is not
NOTHING_BEHIND = 0.05  # of the picture: less background says nothing


@dataclass(frozen=True)
class PhotoLooks:
    """One photo's reading; None where these eyes cannot tell."""

    smiling: bool | None = None
    glasses: bool | None = None
    outdoors: bool | None = None


def read_looks(eyes: Eyes, picture: Picture, face: Face, alpha: Floats) -> PhotoLooks:
    """Of one photo. `alpha`: 1 where the person is."""
    smile = eyes.lids.read(picture, face).smile if eyes.lids is not None else None
    limits = GLASSES.get(eyes.name)
    return PhotoLooks(
        smiling=True if smile is not None and smile >= SMILES else None,
        glasses=wears_glasses(read_glasses(picture, face), limits) if limits else None,
        outdoors=True if is_outdoors(picture, alpha) else None,
    )


def is_outdoors(picture: Picture, alpha: Floats) -> bool:
    """Whether leaves or a sky are behind the person; false also where it cannot be told."""
    scale = min(1.0, SIDE / max(picture.shape[:2]))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    behind = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)) < 0.1
    if behind.mean() < NOTHING_BEHIND:
        return False
    hue, saturation, value = (np.asarray(part, np.float32) for part in cv2.split(_hsv(small)))
    leaves = behind & (hue > 60) & (hue < 160) & (saturation > 0.25) & (value > 0.08)
    sky = behind & (hue > 190) & (hue < 235) & (saturation > 0.15) & (saturation < 0.7) & (value > 0.8)
    sky[size[1] // 2 :] = False
    green, blue = (float(part.sum() / behind.sum()) for part in (leaves, sky))
    varied = green > 0 and float(to_lab(small)[..., 0][leaves].std()) > VARIED
    return (green > LEAVES and varied) or (blue > SKY and blue < WALL * float(_upper(behind)))


def _upper(behind: npt.NDArray[np.bool_]) -> float:
    """Which share of the background lies in the upper half, where a sky can be."""
    return float(behind[: len(behind) // 2].sum() / behind.sum())


def _hsv(picture: Picture) -> Floats:
    """Degrees, 0..1, 0..1."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2HSV), np.float32)
