"""Whether a face wears glasses, read from pixels: a frame is a level line where skin is smooth."""

from __future__ import annotations

import math

import numpy as np

from tasks.vision.colour import to_lab
from tasks.vision.faces import Face
from tasks.vision.images import Picture
from tasks.vision.portrait import fit_similarity, frame_apart, warp

GLASSES_APART = 24.0  # px between the eyes where glasses are looked for: as many as the smallest base draws
GLASSES_FRAME = (64, 40)  # px, width and height
GLASSES_MIDDLE = (32.0, 16.0)  # px, the point between the eyes
LINE = 2  # px: half of what a line differs from; a rim is one to two px wide
FAINTEST = 0.3  # of L*: a line fainter than this is none
# (top, bottom, left, right) px of where a frame has a level stretch: bridge; under each eye; both arms.
BRIDGE = (9, 22, 28, 37)
RIMS = ((20, 32, 15, 26), (20, 32, 39, 50))
ARMS = ((10, 22, 4, 11), (10, 22, 54, 61))
BARE = 3.7  # of `read_glasses`: up to this there are none,
WORN = 4.4  # from this there are; between the two nobody can say
GLASSES: dict[str, tuple[float, float]] = {"embedded": (BARE, WORN), "opencv": (5.4, 6.5)}  # by eyes: (bare, worn)


def read_glasses(picture: Picture, face: Face) -> float:
    """How clearly a frame runs over the nose, under the eyes and towards the ears.

    The bare bridge of a nose and the skin below the eyes are smooth from top to bottom; a frame is a level line there,
    lighter or darker than both its neighbours. Medians along each stretch leave out lashes, wrinkles and glints.
    """
    matrix = fit_similarity(face.landmarks, frame_apart(GLASSES_APART, GLASSES_MIDDLE))
    light = to_lab(warp(picture, matrix, *GLASSES_FRAME).astype(np.uint8))[..., 0]
    line = np.zeros_like(light)
    line[LINE:-LINE] = light[LINE:-LINE] - (light[2 * LINE :] + light[: -2 * LINE]) / 2

    def strength(place: tuple[int, int, int, int]) -> float:
        top, bottom, left, right = place
        return math.log(max(float(np.abs(np.median(line[top:bottom, left:right], axis=1)).max()), FAINTEST))

    # Of a head that is turned, one arm hides: the clearer one counts.
    return strength(BRIDGE) + sum(map(strength, RIMS)) / 2 + max(map(strength, ARMS)) / 2


def wears_glasses(score: float, between: tuple[float, float] = GLASSES["embedded"]) -> bool | None:
    """Whether a picture shows glasses; None where it cannot be said: `between` the limits of the eyes that read it."""
    bare, worn = between
    return True if score >= worn else False if score <= bare else None
