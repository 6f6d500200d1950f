"""Lids drawn shut over open eyes, by the points round each eye: what tells shut eyes where no photograph of them is.

The skin between brow and lashes is stretched down until the lashes lie on the lower lid, as a lid does it. Nothing is
painted, so light, skin, glasses and lens stay those of the photograph.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.readers.mesh import FaceMesh

# Upper and lower lid of each eye from corner to corner, in MediaPipe's numbering.
LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
BESIDE, LASHES, BROW = 0.25, 0.06, 0.55  # eye widths: how far the change fades out, and what lies above the lid


def with_lids_shut(picture: Picture, points: npt.NDArray[np.float64], share: float = 1.0) -> Picture:
    """The picture with both lids `share` of the way down; `points` (478, 2) in its pixels."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    for upper, lower in LIDS:
        above, below = (points[list(lid)][np.argsort(points[list(lid), 0])] for lid in (upper, lower))
        left, right = above[0, 0], above[-1, 0]
        wide = right - left
        first, last = left - BESIDE * wide, right + BESIDE * wide
        for x in range(max(0, int(first)), min(width, int(last) + 1)):
            lid = float(np.interp(x, above[:, 0], above[:, 1])) - LASHES * wide
            end = float(np.interp(x, below[:, 0], below[:, 1]))
            fade = float(np.clip(min(x - first, last - x) / (BESIDE * wide), 0, 1))
            brow, down = lid - BROW * wide, lid + (end - lid) * share * fade
            y = np.arange(max(0, int(brow)), min(height, int(np.ceil(down))))
            if down - brow >= 1:
                rows[y, x] = brow + (y - brow) * (lid - brow) / (down - brow)
    moved = cv2.remap(picture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def lids_table(shots: Sequence[tuple[str, Picture, Face]], eyes: Eyes) -> None:
    """How shut the lids read, open, half down and shut; by halves of the people, since limits were set on these."""
    if not isinstance(eyes.lids, FaceMesh):
        print("\nlids: face_landmarker.task is not here")
        return
    limits, people = eyes.limits, sorted({person for person, _, _ in shots})
    print(f"\n{'lids':<12}{'least, median, most':<24}remarked on (refused), by halves of the people")
    for name, share in (("open", 0.0), ("half down", 0.5), ("shut", 1.0)):
        found: list[tuple[int, float]] = []
        for person, picture, face in shots:
            shown = with_lids_shut(picture, eyes.lids.points(picture, face), share) if share else picture
            found.append((people.index(person) % 2, eyes.lids.read(shown, face).shut))
        values = np.array([value for _, value in found])
        cells = []
        for half in (0, 1):
            part = np.array([value for which, value in found if which == half])
            seen, refused = int((part > limits.lids_warn).sum()), int((part > limits.lids_shut).sum())
            cells.append(f"{seen} of {len(part)} ({refused})")
        print(f"{name:<12}{f'{values.min():.2f} {np.median(values):.2f} {values.max():.2f}':<24}{', '.join(cells)}")
