"""Plain walls: what a render's own backdrop says about where the person ends.

Renders are made before a plain backdrop on purpose, so its colour can be fitted, and how far each pixel is from it
is evidence beside the net's matte. What clearly differs from the wall is person though a small net gave it away (a
shoulder in full light, half of an afro); what is nearly the wall is wall though the net was unsure (the grey haze
that small bases draw beside hair). Where the net is sure it is believed, so no face gets a hole because its skin has
the wall's colour. Where the background is not plain, as in photographs, nothing is changed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LEAST_WALL = 0.08  # share of the picture that must be surely background for a fit
FITS = 5  # of the wall, each without what stood out at the one before
LEAST_PLAIN = 0.65  # share of the background that must be one wall
PLAIN = 0.02  # median distance to the fit, in square roots of light, up to which a wall counts as plain
WALL_NOISE = 3.5  # medians up to which a distance is the wall's own noise, and the least that counts as that
LEAST_NOISE = 0.03  # square roots of light, as PLAIN
STANDS_OUT = 16.0  # medians from which a pixel is surely not the wall
LEAST_STEP = 0.10  # and the least distance that counts as that
# Of the wall's own light: haze is a thin veil of hair over the wall, so it differs more from a bright one.
VEIL = 0.18
# Haze fills the gap between tall hair and the top edge, where few heads reach: odds against, in a share of the height.
TOP_DENIES, TOP = 4.0, 0.05
# Evidence is summed as log odds. A wall's "no" may not outvote a sure net, its "yes" must.
NET_SAYS, WALL_DENIES, WALL_AFFIRMS = 4.0, 2.5, 5.5
MOST_ADDED = 0.15  # share of the picture: more than that is no lost shoulder but something else
STEADY = 0.006  # of the width: the evidence is averaged over this reach, so that outlines stay smooth


def weigh_with_plain_wall(light: Floats, coarse: Floats) -> Floats:
    """The coarse matte (H, W) of this picture (linear light), settled with what a plain wall says."""
    width = coarse.shape[1]
    far = cv2.dilate((coarse > 0.05).astype(np.uint8), _disc(max(2, round(0.02 * width)))) == 0
    if far.mean() < LEAST_WALL or not (coarse > 0.9).any():
        return coarse
    eased = np.sqrt(np.maximum(light, 0))
    off, middle = _distance_to_wall(eased, far)
    if middle > PLAIN:
        return coarse
    noise = max(LEAST_NOISE, WALL_NOISE * middle)
    step = max(LEAST_STEP, STANDS_OUT * middle, VEIL * float(np.linalg.norm(np.median(eased[far], axis=0))))
    share = np.clip((off - noise) / (step - noise), 0, 1)
    odds = NET_SAYS * (2 * coarse - 1) + (WALL_AFFIRMS + WALL_DENIES) * share - WALL_DENIES
    odds -= TOP_DENIES * np.clip(1 - np.arange(len(coarse)) / (TOP * len(coarse)), 0, 1)[:, None]
    odds = cv2.GaussianBlur(odds.astype(np.float32), (0, 0), max(0.5, STEADY * width))
    settled = np.asarray(1 / (1 + np.exp(-2 * odds)), np.float32)
    settled = _without_specks(settled, coarse > 0.9)
    if ((settled > 0.5) & (coarse < 0.5)).mean() > MOST_ADDED:
        return coarse
    return settled


def _without_specks(alpha: Floats, sure: NDArray[np.bool_]) -> Floats:
    """Islands that hold nothing of the sure person go, and gaps that the background cannot reach are filled."""
    solid = (alpha > 0.5).astype(np.uint8)
    _, labels = cv2.connectedComponents(solid, connectivity=4)
    person = np.isin(labels, np.unique(labels[sure & (solid > 0)])) & (solid > 0)
    kept = np.where((solid > 0) & ~person, 0, alpha)
    _, rest = cv2.connectedComponents(1 - person.astype(np.uint8), connectivity=8)
    rim = np.concatenate([rest[0], rest[:, 0], rest[:, -1]])
    return np.where(person | np.isin(rest, rim[rim > 0]), kept, 1).astype(np.float32)


def _disc(radius: int) -> NDArray[np.uint8]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(disc, np.uint8)


def _distance_to_wall(eased: Floats, far: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Distance of every pixel to a wall lit as smoothly as a parabola, and the median distance of the wall itself.

    Fitted where the wall surely is, and again without what stands out there: hair that the net has overlooked. If
    most of it stands out, there is no plain wall, and the distance is that of everything.
    """
    height, width = far.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    rows = np.flatnonzero(far)
    rows = rows[:: max(1, rows.size // 4000)]  # a few thousand pixels fix six numbers well enough
    known, seen = terms.reshape(-1, 6)[rows], eased.reshape(-1, 3)[rows]
    keep = np.ones(len(rows), np.bool_)
    for _ in range(FITS):
        fit, *_ = np.linalg.lstsq(known[keep], seen[keep], rcond=None)
        near = np.sqrt(((seen - known @ fit) ** 2).sum(-1))
        middle = float(np.median(near[keep]))
        keep = near <= 2.5 * max(middle, 1e-3)
    if keep.mean() < LEAST_PLAIN:
        middle = float(np.median(near))
    return np.asarray(np.sqrt(((eased - terms @ fit) ** 2).sum(-1)), np.float32), middle
