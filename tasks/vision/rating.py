"""One number per photo, 0 to 100: which of mine is best for a headshot? What finishing cannot give counts most.

Frontal, sharp and large first; then light, a plain background and room round the head, which decide whether the
real-photo lane will look good. A comparison of one person's photos, never of people.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from tasks.vision.colour import to_lab
from tasks.vision.faces import Around, Face, Matter
from tasks.vision.images import Picture
from tasks.vision.matting import touching_sides
from tasks.vision.quality import Quality

ABOVE, BESIDE = 2.4, 2.2  # eye distances that the shipped kits' frames show above the eyes and beside their middle
BUSY = 20.0  # spread of L*a*b* over the background: a plain wall has 3 to 8
SEEN_AT = 320  # px of the longer side at which it is looked at whether an edge cuts the person
LOOKED_AT = 160  # px of the longer side at which the background is looked at


def read_room(face: Face, width: int, height: int) -> float:
    """How much of an ordinary frame the photo fills round the head: 1 is all of it, .8 means drawn in by a quarter."""
    x, y = (float(v) for v in face.landmarks[:2].mean(axis=0))
    apart = max(face.inter_eye, 1e-6)
    return min(1.0, y / (ABOVE * apart), min(x, width - x) / (BESIDE * apart))


def read_around(picture: Picture, face: Face, matter: Matter) -> Around:
    """How far the photo goes on round the eyes; without end on a side that cuts nobody, since wall can be added."""
    scale = min(1.0, SEEN_AT / max(picture.shape[:2]))
    height, width = picture.shape[:2]
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    cut = touching_sides(matter.matte(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)))
    x, y = (float(v) for v in face.landmarks[:2].mean(axis=0))
    ends = ((y, cut.top), (x, cut.left), (width - x, cut.right), (height - y, cut.bottom))
    return Around(*(end / max(face.inter_eye, 1e-6) if cuts else math.inf for end, cuts in ends))


def read_background(picture: Picture, face: Face) -> float:
    """Spread of colour above the shoulders and beside the head, in L*a*b*; 0 where there is no background to see."""
    scale = LOOKED_AT / max(picture.shape[:2])
    size = (max(8, round(picture.shape[1] * scale)), max(8, round(picture.shape[0] * scale)))
    lab = to_lab(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8))
    eyes, apart = face.landmarks[:2].mean(axis=0) * scale, face.inter_eye * scale
    y, x = np.mgrid[: size[1], : size[0]]
    head = ((x - eyes[0]) / (1.5 * apart)) ** 2 + ((y - eyes[1] - 0.2 * apart) / (2.1 * apart)) ** 2 < 1
    wall = ~head & (y < eyes[1] + 1.2 * apart)
    return float(np.sqrt(lab[wall].var(axis=0).sum())) if wall.sum() > 50 else 0.0


def rate(quality: Quality, room: float, background: float) -> int:
    """The number. Weights: frontal 30, detail 20, size 20, light 10, level 5, plain background 10, room 5."""
    points = (
        30 * (1 - min(1.0, quality.turned / 0.4))
        + 20 * min(1.0, quality.sharpness / 0.1)
        + 20 * min(1.0, quality.inter_eye_px / 150)
        + 10 * (1 - min(1.0, quality.clipped_share / 0.3))
        + 5 * (1 - min(1.0, abs(quality.roll) / 20))
        + 10 * (1 - min(1.0, background / BUSY))
        + 5 * room
    )
    return round(points)
