"""What a finished picture's own photograph says about it: framing by the transform used, detail, colour, remnants.

A render is judged by its pixels alone. Of a photograph more is known: which pixels it came from and how they were
moved. Landmarks found again in the finished picture are off by half a per cent of the frame, which is what the floors
allow, so a third of well placed faces were flagged by the noise of the second look.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.framing import head_height
from tasks.headshots.measure import PictureMeasures
from tasks.vision.faces import Face
from tasks.vision.flaws import read_flaws
from tasks.vision.images import Picture
from tasks.vision.quality import read_quality

Floats = NDArray[np.float32]


def known_of(
    measures: PictureMeasures, photo: Picture, face: Face, landmarks: Floats, remnant: float
) -> PictureMeasures:
    """The measures of a finished photograph, with what its source says in the place of what pixels can.

    `face` is in `photo`, `landmarks` (5, 2) are the same points carried into the finished picture by the transform.
    """
    quality = read_quality(photo, face)
    return replace(
        measures,
        remnant=remnant,
        enlarged=float(np.hypot(*(landmarks[1] - landmarks[0]))) / max(face.inter_eye, 1e-6),
        photo_chroma=read_flaws(photo, face).chroma,
        photo_eyes=min(quality.eye_contrast, quality.eye_structure),
        photo_turned=quality.turned,
    )


def placed(measures: PictureMeasures, landmarks: Floats, width: int, height: int) -> PictureMeasures:
    """The framing that the transform made, in shares of the frame."""
    points = landmarks.astype(np.float64)
    middle, across = points[:2].mean(axis=0), points[1] - points[0]
    return replace(
        measures,
        eye_line=float(middle[1]) / height,
        centre=float(middle[0]) / width,
        inter_eye=float(np.hypot(*across)) / width,
        head_height=head_height(points[:2], points[3:5]) / height,
        roll=math.degrees(math.atan2(across[1], across[0])),
    )
