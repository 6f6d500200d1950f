"""Plain walls: what a render's own backdrop says about where the person ends.

Renders are made before a plain backdrop on purpose, so its colour can be fitted and whatever clearly differs from it,
and hangs together with the person, is person: a shoulder in full light that a small net gave away comes back. Where
the background is not plain, as in photographs, nothing is changed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LEAST_WALL = 0.08  # share of the picture that must be surely background for a fit
PLAIN = 0.02  # median distance to the fit, in square roots of light, up to which a wall counts as plain
LEAST_STEP = 0.08  # distance at which a pixel is surely not the wall
MOST_ADDED = 0.15  # share of the picture: more than that is no lost shoulder but something else


def regain_from_plain_wall(light: Floats, coarse: Floats) -> Floats:
    """The coarse matte (H, W), with what stands out from a plain wall and touches the person added to it."""
    width = coarse.shape[1]
    reach = max(2, round(0.02 * width))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    far = cv2.dilate((coarse > 0.05).astype(np.uint8), disc) == 0
    if far.mean() < LEAST_WALL:
        return coarse
    eased = np.sqrt(np.maximum(light, 0))
    off = _distance_to_wall(eased, far)
    middle = float(np.median(off[far]))
    if middle > PLAIN:
        return coarse
    different = (off > max(LEAST_STEP, 5 * middle)).astype(np.uint8)
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (reach // 2) + 1, 2 * (reach // 2) + 1))
    solid = cv2.morphologyEx(different, cv2.MORPH_OPEN, small)  # no fringes, no shadows' edges
    _, labels = cv2.connectedComponents(((solid > 0) | (coarse > 0.9)).astype(np.uint8), connectivity=4)
    person = np.unique(labels[coarse > 0.9])
    added = (solid > 0) & np.isin(labels, person[person > 0]) & (coarse < 0.9)
    if not added.any() or added.mean() > MOST_ADDED:
        return coarse
    added = (cv2.dilate(added.astype(np.uint8), disc) > 0) & (different > 0)  # corners that the opening had rounded
    soft = cv2.GaussianBlur(added.astype(np.float32), (0, 0), max(0.8, 0.25 * reach))
    return np.maximum(coarse, np.clip(soft, 0, 1)).astype(np.float32)


def _distance_to_wall(eased: Floats, far: NDArray[np.bool_]) -> Floats:
    """Distance of every pixel to a wall lit as smoothly as a parabola, fitted where the wall surely is."""
    height, width = far.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    rows = np.flatnonzero(far)
    rows = rows[:: max(1, rows.size // 4000)]  # a few thousand pixels fix six numbers well enough
    known, seen = terms.reshape(-1, 6)[rows], eased.reshape(-1, 3)[rows]
    fit, *_ = np.linalg.lstsq(known, seen, rcond=None)
    near = np.sqrt(((seen - known @ fit) ** 2).sum(-1))
    keep = near <= 2.5 * max(float(np.median(near)), 1e-3)  # once more without what a net had overlooked
    fit, *_ = np.linalg.lstsq(known[keep], seen[keep], rcond=None)
    return np.asarray(np.sqrt(((eased - terms @ fit) ** 2).sum(-1)), np.float32)
