"""What a photo must not be, in a few lines each, no network: cut off, crushed, grainy, lit from one side, grey.

Each figure was tried on 121 photographs of 70 people and on degraded copies of 30; how often it was wrong, by thirds of
skin tone, stands beside it. None of them rests on how light somebody's skin is. `benchmarks/faces.py` prints them for
any folder of photographs. Limits come with the eyes (`QualityLimits`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.colour import to_lab
from tasks.vision.faces import Face
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_to

Floats = npt.NDArray[np.float32]

_SIDE = 128  # px of the aligned face
CHEEKS = ((0.30, 0.66, 0.07, 0.06), (0.70, 0.66, 0.07, 0.06))  # x, y, half width, half height of the aligned frame
# In distances from the eyes to the mouth, and beside the eyes in eye distances: where a face surely is.
FOREHEAD, CHIN, CHEEK = 1.05, 1.75, 0.55
LEAST_BLOCKS = 12  # blocks of 8 px a side: in fewer there is no telling a grid from a picture
DETAIL = (60, 48, 34, 24)  # px between the eyes, at which detail is looked for
DIFFER = 0.02  # second differences over the whole face's variance, from which there is detail: good .024 and more
BINS = 24  # of lightness, for comparing the halves of a face


@dataclass(frozen=True)
class Flaws:
    """Measured properties of one face in one photo. The defaults are those of a photo without a flaw."""

    beyond: float = -1.0  # eye distances by which forehead, chin or a cheek lies outside the picture; below 0 inside
    noise: float = 0.0  # sd of grain on the calmer cheek, levels of 255
    halves: float = 1.0  # overlap of the lightness of the face's two halves, 0..1
    chroma: float = 20.0  # median chroma of the cheeks: bare skin of every tone has 8 and more
    detail: float = 1e3  # px between the eyes of a photo that would show as much; beyond DETAIL nobody asks
    blocks: float = 1.0  # steps at the worst of eight phases over the usual one: a JPEG's grid


def read_flaws(picture: Picture, face: Face) -> Flaws:
    """Measure one face; `picture` as it came, at its own size."""
    crop, _ = align_to(picture, face.landmarks, FACE_TEMPLATE, _SIDE)
    lab = to_lab(crop)
    return Flaws(
        beyond=read_beyond(face.landmarks, picture.shape[1], picture.shape[0]),
        noise=read_noise(picture, face),
        halves=read_halves(lab),
        chroma=read_chroma(lab),
        blocks=read_blocks(picture),
        detail=read_detail(picture, face),
    )


def read_detail(picture: Picture, face: Face) -> float:
    """px between the eyes up to which the photo really has detail: an enlarged thumbnail keeps that of the thumbnail.

    Looked at smaller and smaller, until neighbouring pixels differ as they do in a photo of that size. Of 21
    photographs none is called smaller than it is; enlarged from 30 px, 18 of 21 are told at 48 px and all at 60.
    """
    real = face.inter_eye
    asked = [size for size in DETAIL if size <= real]
    for size in asked:
        side = round(size / float(FACE_TEMPLATE[1, 0] - FACE_TEMPLATE[0, 0]))
        crop, _ = align_to(picture, face.landmarks, FACE_TEMPLATE, side)
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
        across = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
        down = grey[:-2] - 2 * grey[1:-1] + grey[2:]
        if min(across.var(), down.var()) >= DIFFER * max(float(grey.var()), 1e-3):
            return real if size == asked[0] else float(size)  # the largest that could be asked: nothing is missing
    return min(real, float(DETAIL[-1]))


def read_beyond(landmarks: Floats, width: int, height: int) -> float:
    """False alarms of 121: 0 (the nearest good photo is .22 inside); caught of 30 cut at forehead, mouth, side: 30."""
    points = landmarks.astype(np.float64)
    eyes, mouth = points[:2].mean(0), points[3:5].mean(0)
    drop, across = mouth - eyes, points[1] - points[0]
    distance = max(float(np.hypot(*across)), 1e-6)
    ends = (eyes - FOREHEAD * drop, eyes + CHIN * drop, points[0] - CHEEK * across, points[1] + CHEEK * across)
    out = [max(-x, x - width, -y, y - height) for x, y in ends]
    return float(max(out)) / distance


def read_noise(picture: Picture, face: Face) -> float:
    """False alarms of 121 at 6: 0 (the 99th percentile is 2.2); caught of 30 with grain of sd 12: 30.

    Second differences both ways see neither shape nor light, and of the two cheeks the calmer one has no stubble.
    """
    points = face.landmarks.astype(np.float64)
    distance = max(float(np.hypot(*(points[1] - points[0]))), 1e-6)
    eyes, mouth = points[:2].mean(0), points[3:5].mean(0)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found = []
    for eye, corner in ((points[0], points[3]), (points[1], points[4])):
        x, y = 0.35 * eye + 0.65 * corner + 0.12 * (corner - (eyes + mouth) / 2)
        half = max(3, round(0.16 * distance))
        part = grey[max(0, round(y) - half) : round(y) + half, max(0, round(x) - half) : round(x) + half]
        if min(part.shape, default=0) >= 6:
            down = part[:-2] - 2 * part[1:-1] + part[2:]
            both = down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:]
            found.append(1.4826 * float(np.median(np.abs(both))) / 6)
    return min(found, default=0.0)


def read_halves(lab: Floats) -> float:
    """False alarms of 121 below .25: 1 (0/0/1 by thirds); caught of 30 with one half at a quarter of its values: 24."""
    inner = lab[round(0.3 * _SIDE) : round(0.95 * _SIDE), round(0.15 * _SIDE) : round(0.85 * _SIDE), 0]
    middle = inner.shape[1] // 2
    halves = [np.histogram(part, BINS, (0, 100))[0] for part in (inner[:, :middle], inner[:, -middle:])]
    left, right = (counts / max(int(counts.sum()), 1) for counts in halves)
    return float(np.minimum(left, right).sum())


def read_chroma(lab: Floats) -> float:
    """False alarms of 121 below 3: 0 (both black-and-white ones are found); caught of 30 made grey: 30."""
    cheeks = []
    for x, y, w, h in CHEEKS:
        rows, columns = ((round((at - half) * _SIDE), round((at + half) * _SIDE)) for at, half in ((y, h), (x, w)))
        cheeks.append(lab[rows[0] : rows[1], columns[0] : columns[1]].reshape(-1, 3))
    skin = np.concatenate(cheeks)
    return float(np.median(np.hypot(skin[:, 1], skin[:, 2])))


def read_blocks(picture: Picture) -> float:
    """False alarms of 121 above 1.6: 1 (a 2448 px phone photo); caught of 30 at q10, saved again at q92: 30.

    The lesser of both axes: blinds and shelves have one direction, a JPEG's grid two.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if min(grey.shape) < 8 * LEAST_BLOCKS:
        return 1.0
    found = []
    for steps in (np.abs(np.diff(grey, axis=1)).mean(0), np.abs(np.diff(grey, axis=0)).mean(1)):
        whole = steps[: len(steps) // 8 * 8].reshape(-1, 8).mean(0)
        found.append(float(whole.max() / max(float(np.median(whole)), 1e-3)))
    return min(found)
