"""Is a picture one of the selfies over again? Likeness has a ceiling as it has a floor.

What is compared is the fine structure of the aligned face, mirrored or not, once the two faces lie on each other. Pose,
expression and light never repeat to it, and neither tint, size nor another wall change it, so that it says the same
before and after finishing. How far it runs along between two shots of one face differs from face to face: each person's
ceiling is the 95th percentile between their own photos, within bounds. A face encoder cannot say this: a good new
picture lies in the middle of the photos, and so nearer to each of them than they are to one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from tasks.headshots.measure import ALIGNED
from tasks.vision.faces import Face
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_to

Floats = NDArray[np.float32]
OWN = 95.0  # percentile between a person's own photos
# Bounds of the ceiling: below the first no two pictures are one photograph, however much a person's photos differ, and
# photos that repeat one another allow no picture to repeat them. docs/recipe.md says what lies on either side.
LEAST, MOST = 0.84, 0.87
COARSE, FINE = (2.0, 12.0), (2.0, 3.6)  # px of the aligned face: what faces are laid on each other by, what is compared
SHIFT = 5  # px by which landmarks may be off
# Top, bottom, left, right of the aligned face that is compared: no hair, and no wall beside turned heads.
INNER = (0.33, 0.9, 0.28, 0.72)
ALIKE = 0.4  # less than this at the best place is no face of the same kind, and nothing to lay on
TRIES = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 60, 1e-5)


@dataclass(frozen=True)
class OwnPhotos:
    """A person's photos as the copy check sees them."""

    structures: tuple[Structure, ...]
    ceiling: float

    @staticmethod
    def of(faces: Sequence[Picture]) -> OwnPhotos:
        """From aligned faces. One photo has no neighbour: then the least bound is the ceiling."""
        found = tuple(read_structure(face) for face in faces)
        pairs = [runs_along(one, other) for place, one in enumerate(found) for other in found[:place]]
        own = float(np.percentile(pairs, OWN)) if pairs else LEAST
        return OwnPhotos(found, float(np.clip(own, LEAST, MOST)))

    def nearest(self, picture: Picture, face: Face) -> Copying:
        """How near a picture comes to the nearest of these photos."""
        crop, _ = align_to(picture, face.landmarks, FACE_TEMPLATE, ALIGNED)
        own = read_structure(crop)
        near = max((runs_along(own, other) for other in self.structures), default=0.0)
        return Copying(near, self.ceiling)


@dataclass(frozen=True)
class Copying:
    """How near a picture comes to one photo (1: the same), and from where on it is that photo."""

    nearness: float
    ceiling: float

    @property
    def copied(self) -> bool:
        return self.nearness > self.ceiling


@dataclass(frozen=True)
class Structure:
    """Lightness of a whole aligned face between two widths, twice."""

    coarse: Floats
    fine: Floats

    @property
    def mirrored(self) -> Structure:
        return Structure(np.ascontiguousarray(self.coarse[:, ::-1]), np.ascontiguousarray(self.fine[:, ::-1]))


def read_structure(crop: Picture) -> Structure:
    """Of an aligned face, `ALIGNED` px wide."""
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32)

    def between(narrow: float, wide: float) -> Floats:
        blurred = (cv2.GaussianBlur(grey, (0, 0), width) for width in (narrow, wide))
        return np.asarray(next(blurred) - next(blurred), np.float32)

    return Structure(between(*COARSE), between(*FINE))


def runs_along(one: Structure, other: Structure) -> float:
    """Correlation of the fine structure of two inner faces, -1..1, once they lie on each other; mirrored or not."""
    return max(_on_each_other(one, other), _on_each_other(one.mirrored, other))


def _on_each_other(one: Structure, other: Structure) -> float:
    """Shifted to where the coarse structure agrees best, then turned and scaled as well."""
    top, bottom, left, right = (round(share * ALIGNED) for share in INNER)
    inner = np.ascontiguousarray(one.coarse[top:bottom, left:right])
    around = other.coarse[top - SHIFT : bottom + SHIFT, left - SHIFT : right + SHIFT]
    agreement = cv2.matchTemplate(around, inner, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(agreement.argmax()), agreement.shape)
    if agreement.max() < ALIKE:
        return 0.0
    place: MatLike = np.array([[1, 0, left - SHIFT + column], [0, 1, top - SHIFT + row]], np.float32)
    with suppress(cv2.error):  # no better place is found: the shift has to do
        _, place = cv2.findTransformECC(inner, other.coarse, place, cv2.MOTION_AFFINE, TRIES)
    size = (right - left, bottom - top)
    laid = cv2.warpAffine(other.fine, place, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    pair = np.stack([one.fine[top:bottom, left:right].ravel(), np.asarray(laid, np.float32).ravel()])
    pair -= pair.mean(1, keepdims=True)
    lengths = np.linalg.norm(pair, axis=1)
    return float(pair[0] @ pair[1] / max(float(lengths[0] * lengths[1]), 1e-6))
