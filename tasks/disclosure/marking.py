"""Puts the imperceptible mark into a finished picture, as weak as it can be and still be read from a small copy.

Once, into the master: every size derived from it carries the mark. Strength follows texture: hair and cloth hide noise,
a smooth cheek or a plain wall shows it, and the ground beside an outline counts as smooth, not as busy.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from tasks.disclosure.finding import Plane, luminance, read_whole
from tasks.disclosure.pattern import SHORT, MarkKey, pattern
from tasks.vision.images import Picture, resize

# Levels of 255. Drawn skin has no texture of its own: there .45 on flat ground is a mottling that is found only beside
# the unmarked picture, .9 is seen alone. Busy ground takes .4 of its own strength, 1.3 at most.
FLAT, SHARE, MOST = 0.45, 0.40, 1.3

# However strong, nowhere more than this: 44 dB of what carries it, rounding included.
LIMIT = 1.55

# Where a harsh copy would not be read with a margin, the mark is made stronger, and read again.
STRONGER = (1.0, 1.15, 1.35, 1.6)
COPIES = (
    (200, "JPEG", 70),
    (400, "WEBP", 70),
)  # px of the short side, format, quality: the harshest that directories make
MARGIN = 14.5  # evidence in those copies: two over `marked`, since other copies lose more


@dataclass(frozen=True)
class MarkedPicture:
    """A picture with its mark: how many times the least strength it took, and the evidence in its weakest copy."""

    picture: Picture
    strength: float
    evidence: float


def put_mark(picture: Picture, key: MarkKey, payload: int) -> MarkedPicture:
    """The same picture, marked. RGB, any size; the same input gives the same output."""
    marked = MarkedPicture(picture, 0.0, 0.0)
    noise, room = pattern(key, payload), strength(luminance(picture))
    for factor in STRONGER:
        changed = _add(picture, noise, np.minimum(room * np.float32(factor), np.float32(LIMIT)))
        evidence = min(_evidence(_copy(changed, *how), key, payload) for how in COPIES)
        if evidence >= marked.evidence:
            marked = MarkedPicture(changed, factor, evidence)
        if evidence >= MARGIN:
            break
    return marked


def strength(luma: Plane) -> Plane:
    """How many levels of noise each place of the picture hides, on the canvas's units."""
    ratio = SHORT / min(luma.shape)
    size = (round(luma.shape[1] * ratio), round(luma.shape[0] * ratio))
    units = np.asarray(
        cv2.resize(luma, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC), np.float32
    )
    fine = units - cv2.GaussianBlur(units, (0, 0), 3.0)
    busy = np.sqrt(np.maximum(cv2.GaussianBlur(fine * fine, (0, 0), 3.0), 0))
    # A strong edge is busy on both its sides: what is smooth two units further on stays smooth.
    busy = np.minimum(busy, cv2.erode(busy, np.ones((5, 5), np.uint8)) * 2 + 1)
    room: Plane = np.clip(FLAT + SHARE * busy, FLAT, MOST).astype(np.float32)
    return room


def _add(picture: Picture, noise: Plane, room: Plane) -> Picture:
    height, width = picture.shape[:2]
    # The noise has no seam: a picture longer than the canvas takes it again from its beginning.
    beyond = [(0, max(0, have - of)) for have, of in zip(room.shape, noise.shape, strict=True)]
    small = room * np.pad(noise, beyond, mode="wrap")[: room.shape[0], : room.shape[1]]
    change = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    changed: Picture = np.clip(np.round(picture.astype(np.float32) + change[..., None]), 0, 255).astype(np.uint8)
    return changed


def _evidence(copy: Picture, key: MarkKey, payload: int) -> float:
    found = read_whole(copy, key)
    return found.evidence if found.payload == payload else 0.0


def _copy(picture: Picture, short: int, encoding: str, quality: int) -> Picture:
    height, width = picture.shape[:2]
    ratio = min(1.0, short / min(height, width))
    small = resize(picture, round(width * ratio), round(height * ratio))
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(small)).save(out, encoding, quality=quality)
    with Image.open(out) as image:
        return np.asarray(image.convert("RGB"))
