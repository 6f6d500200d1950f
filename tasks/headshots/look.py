"""Looking several times: landmarks steady enough to frame by, and mattes that have lost nothing.

A single look of a small detector is off by about 3 % of the eye distance and 2 degrees (measured on portraits), more
than the framing targets allow. Six looks, at three croppings and mirrored, and their median bring that under half. In
the same way a small matting net loses half a head of hair at one look and not at the next.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture

Floats = NDArray[np.float32]
CROPPINGS = (2.2, 2.8, 3.5)  # sides of the square looked at, in longer sides of the face box
LOOKED_AT = 640  # px: squares larger than this are reduced first
WIDER = (0.1, 0.25)  # of the longer side: how much wall is added for further looks of the matting net
MIRRORED = (1, 0, 2, 4, 3)  # landmarks of a mirrored face, back in order


def find_head(picture: Picture, eyes: Eyes) -> Face | None:
    """The largest face with steadied landmarks, or None."""
    faces = eyes.finder.find(picture) or _find_padded(picture, eyes)
    if not faces:
        return None
    first = faces[0]
    x, y, w, h = first.box
    looks = [first.landmarks.astype(np.float64)]
    for cropping in CROPPINGS:
        side = max(8.0, cropping * max(w, h))
        scale = min(1.0, LOOKED_AT / side)
        shift = np.array([x + w / 2 - side / 2, y + h / 2 - side / 2])
        matrix = np.column_stack([np.eye(2) * scale, -shift * scale])
        pixels = max(8, round(side * scale))
        square = _square(picture, matrix, pixels)
        for mirror in (False, True):
            found = eyes.finder.find(np.ascontiguousarray(square[:, ::-1]) if mirror else square)
            if not found:
                continue
            points = min(found, key=lambda face: _off_centre(face, pixels)).landmarks.astype(np.float64)
            if mirror:
                points = np.column_stack([pixels - points[:, 0], points[:, 1]])[list(MIRRORED)]
            looks.append(points / scale + shift)
    steady = np.median(np.stack(looks), axis=0).astype(np.float32)
    return Face(box=first.box, landmarks=steady, score=first.score)


def find_person(picture: Picture, eyes: Eyes, *, drawn: bool = True) -> list[Floats]:
    """Several mattes (H, W) of one picture: as it is, mirrored, and, of `drawn` ones, with more wall round about.

    Renders fill their frame before a plain wall, and more of that wall shows the net where the head ends. Round a
    photograph the repeated edge is long streaks of the room, which the net takes for person (`benchmarks/faces.py`).
    """
    height, width = picture.shape[:2]
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    looks = [eyes.matter.matte(picture), np.asarray(eyes.matter.matte(mirrored))[:, ::-1]]
    for share in WIDER if drawn else ():
        more = max(1, round(share * max(height, width)))
        wide = np.asarray(cv2.copyMakeBorder(picture, more, 0, more, more, cv2.BORDER_REPLICATE), np.uint8)
        looks.append(np.asarray(eyes.matter.matte(wide))[more:, more:-more])
    return [np.asarray(look, np.float32) for look in looks]


def _square(picture: Picture, matrix: np.ndarray, pixels: int) -> Picture:
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5  # OpenCV counts from pixel centres
    moved = cv2.warpAffine(picture, shifted, (pixels, pixels), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _find_padded(picture: Picture, eyes: Eyes) -> list[Face]:
    """Close-ups that fill the picture are found once there is something around them."""
    border = max(picture.shape[:2]) // 3
    wide = cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_REPLICATE)
    shift = np.array([border, border], np.float32)
    return [
        Face((f.box[0] - border, f.box[1] - border, f.box[2], f.box[3]), f.landmarks - shift, f.score)
        for f in eyes.finder.find(np.asarray(wide, np.uint8))
    ]


def _off_centre(face: Face, pixels: int) -> float:
    return float(np.hypot(face.box[0] + face.box[2] / 2 - pixels / 2, face.box[1] + face.box[3] / 2 - pixels / 2))
