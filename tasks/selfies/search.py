"""Looks for a face a second time, where the first look found none: to say what is wrong instead of “no face”.

A finder is trained on usual photos. In one that is nearly black, burnt out, or shows somebody across a room, it may
see nothing; the same picture with its light evened out, or a part of it seen closer, often tells. What is found so is
measured in the picture as it came, so evening out the light cannot make a bad photo good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tasks.vision.colour import linear_to_srgb, srgb_to_linear
from tasks.vision.faces import Face, FaceFinder
from tasks.vision.images import Picture

PARTS = (0.75, 0.5)  # of the picture's sides: how much of it a closer look sees at a time
SMALLEST = 24  # px: in less of a picture nobody is to be seen
WEAK = 0.65  # of the usual score: enough to name a problem, never enough to accept a photo


def search(picture: Picture, finder: FaceFinder, score: float) -> list[Face]:
    """Faces as in the picture, largest first; the surest single one when only closer looks find any."""
    evened = [face for face in finder.find(even_out(picture)) if face.score >= score]
    if evened:
        return evened
    for part in PARTS:
        best: Face | None = None
        for left, top, piece in _pieces(picture, part):
            for face in finder.find(piece):
                if face.score >= score * WEAK and (best is None or face.score > best.score):
                    best = _moved(face, left, top)
        if best is not None and (best.score >= score or part == PARTS[-1]):
            return [best]
    return []


def even_out(picture: Picture) -> Picture:
    """The picture with its middle brightness where an ordinary photo has it."""
    light = srgb_to_linear(picture.astype(np.float32) / 255)
    gain = 0.2 / max(float(np.percentile(light.mean(-1), 60)), 1e-4)
    return np.asarray(np.clip(linear_to_srgb(np.clip(light * gain, 0, 1)) * 255 + 0.5, 0, 255), np.uint8)


def _pieces(picture: Picture, part: float) -> Iterator[tuple[int, int, Picture]]:
    height, width = picture.shape[:2]
    h, w = round(height * part), round(width * part)
    if min(h, w) < SMALLEST:
        return
    for top in (0, (height - h) // 2, height - h):
        for left in (0, (width - w) // 2, width - w):
            yield left, top, np.ascontiguousarray(picture[top : top + h, left : left + w])


def _moved(face: Face, left: int, top: int) -> Face:
    x, y, w, h = face.box
    return replace(face, box=(x + left, y + top, w, h), landmarks=face.landmarks + np.array([left, top], np.float32))
