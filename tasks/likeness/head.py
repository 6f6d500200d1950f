"""What a head shows besides a face: glasses, and whatever grows or is worn on it. Read from pixels, one picture a time.

Head coverings count like hair: nothing here asks what it is, only how wide it stands round the face and what colour it
has. Everything is read in frames with a fixed number of pixels between the eyes, so that a selfie of 12 megapixels and
a 128 px render answer at the same resolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.headshots.measure import bare_skin
from tasks.vision.colour import delta_e, luminance, to_lab, to_linear
from tasks.vision.faces import Face, Matter
from tasks.vision.glasses import read_glasses
from tasks.vision.images import Picture
from tasks.vision.portrait import fit_similarity, frame_apart, warp

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Colour = tuple[float, float, float]

CUT_OUT_APART = 64.0  # px between the eyes at which people are cut out: more costs time and shows no other outline
AROUND = 5.0  # eye distances to each side of the mid-eyes that are looked at
HEAD_APART = 20.0  # px between the eyes where the outline is read
HEAD_FRAME = (160, 150)  # px, width and height: four eye distances to each side
HEAD_MIDDLE = (80.0, 84.0)  # px, the point between the eyes
ANGLES = (90.0, 65.0, 40.0, 15.0)  # degrees above the line of the eyes, to both sides
ROWS = (0.6, 1.1)  # eye distances below it: where long hair hangs beside cheek and mouth
OUTLINE = ("top", "upper", "temples", "sides", "cheeks", "mouth")  # the places of an outline, in their order
COLOURED = (0.12, 0.5)  # eye distances inside the outline, above the face: the colour is read in this band
FEWEST = 40  # px of that band
# CIEDE2000 by which the outer and the inner half of the band may differ: under a shaved head's thin cap lies the
# forehead, and a median over both is now the one and now the other.
ONE_COLOUR = 12.0


@dataclass(frozen=True)
class Head:
    """One picture's reading."""

    glasses: float  # log of how strongly lines run where a frame's would: bare faces about 1, glasses about 7
    outline: tuple[float, ...]  # eye distances from the mid-eyes to the edge, by `OUTLINE`; NaN where it is cut off
    hair: Colour | None  # linear rgb of what is on the head (a bald one's is skin); None where too little of it shows
    skin: Colour | None  # linear rgb of the better lit half of the face


def read_head(picture: Picture, face: Face, matter: Matter) -> Head:
    """Read one picture."""
    part, own = _around_the_head(picture, face)
    matrix = fit_similarity(own.landmarks, frame_apart(HEAD_APART, HEAD_MIDDLE))
    crop = warp(part, matrix, *HEAD_FRAME).astype(np.uint8)
    person = warp(np.asarray(matter.matte(part), np.float32), matrix, *HEAD_FRAME) > 0.5
    seen = warp(np.ones(part.shape[:2], np.float32), matrix, *HEAD_FRAME, fill="black") > 0.99
    return Head(read_glasses(picture, face), _outline(person, seen), _hair(crop, person, seen), _skin(part, own))


def _around_the_head(picture: Picture, face: Face) -> tuple[Picture, Face]:
    """What the frame needs and no more: a net that looks at 192 px must not spend them on the room."""
    x, y = face.landmarks[:2].mean(axis=0)
    reach = AROUND * face.inter_eye
    height, width = picture.shape[:2]
    left, top = max(0, math.floor(x - reach)), max(0, math.floor(y - reach))
    part = picture[top : min(height, math.ceil(y + reach)), left : min(width, math.ceil(x + reach))]
    scale = min(1.0, CUT_OUT_APART / face.inter_eye)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    small = np.ascontiguousarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    by = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
    box = np.array(face.box).reshape(2, 2) - [[left, top], [0, 0]]
    x, y, w, h = (box * by).ravel().tolist()
    points = np.asarray((face.landmarks - [left, top]) * by, np.float32)
    return small, Face((x, y, w, h), points, face.score)


def _outline(person: Mask, seen: Mask) -> tuple[float, ...]:
    """Both sides averaged: a turned head moves one side out and the other in."""
    reach = np.arange(0, 4 * HEAD_APART, 0.5)
    level = np.zeros_like(reach)
    found = []
    for angle in np.radians(ANGLES):
        c, s = math.cos(angle), math.sin(angle)
        found.append(np.mean([_length(person, seen, side * c * reach, -s * reach) for side in (-1, 1)]))
    for row in ROWS:
        found.append(np.mean([_length(person, seen, side * reach, level + row * HEAD_APART) for side in (-1, 1)]))
    return tuple(float(value) for value in found)


def _length(person: Mask, seen: Mask, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Eye distances of person along a ray from the mid-eyes; NaN when the picture ends before the person does."""
    columns = np.floor(HEAD_MIDDLE[0] + x).astype(int)
    rows = np.floor(HEAD_MIDDLE[1] + y).astype(int)
    within = (columns >= 0) & (rows >= 0) & (columns < person.shape[1]) & (rows < person.shape[0])
    columns, rows = columns[within], rows[within]
    gone = np.flatnonzero(~seen[rows, columns])
    end = int(gone[0]) if gone.size else rows.size
    on = person[rows, columns][:end]
    if end == 0 or on[-1]:
        return math.nan
    return float(on.sum()) * float(np.hypot(x[1] - x[0], y[1] - y[0])) / HEAD_APART


def _hair(crop: Picture, person: Mask, seen: Mask) -> Colour | None:
    """The colour of the head's upper rim; None where it is thin, or of two colours."""
    halves = [_band(person, seen, COLOURED[0], sum(COLOURED) / 2), _band(person, seen, sum(COLOURED) / 2, COLOURED[1])]
    band = halves[0] | halves[1]
    if band.sum() < FEWEST or not all(half.any() for half in halves):
        return None
    outer, inner = (np.median(to_lab(crop)[half], axis=0) for half in halves)
    return None if float(delta_e(outer, inner)) > ONE_COLOUR else _median(to_linear(crop)[band])


def _band(person: Mask, seen: Mask, start: float, end: float) -> Mask:
    """The upper rim of the head, so deep inside its outline; at its very edge the wall shines through."""
    closed = np.where(seen, person, True).astype(np.uint8)
    depth = cv2.distanceTransform(closed, cv2.DIST_L2, 5) / HEAD_APART
    rows, columns = np.mgrid[: person.shape[0], : person.shape[1]]
    up, across = (HEAD_MIDDLE[1] - rows) / HEAD_APART, np.abs(columns - HEAD_MIDDLE[0]) / HEAD_APART
    inside = (depth > start) & (depth <= end)
    return np.asarray(person & seen & inside & (up > 0.8) & (up > across), np.bool_)


def _skin(picture: Picture, face: Face) -> Colour | None:
    pixels = picture[bare_skin(picture, face)]
    if not len(pixels):
        return None
    light = luminance(pixels)
    return _median(to_linear(pixels[light >= np.median(light)]))


def _median(values: Floats) -> Colour:
    r, g, b = np.median(values, axis=0)
    return float(r), float(g), float(b)
