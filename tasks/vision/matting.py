"""From a coarse person mask to an edge that follows the hair.

A guided filter (He, Sun, Tang 2010) fits, in every small window, alpha as a linear function of the picture's
colours: where hair differs from the wall, the mask's edge moves onto it. Costs milliseconds and needs no network.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.colour import dot
from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]


_GUIDE_SIDE = 768  # px; window statistics are taken at this size, the fit is applied at full size


def guided_filter(guide: Floats, values: Floats, *, radius: int, epsilon: float) -> Floats:
    """He et al.'s colour guided filter: `values` made to follow the edges of `guide` (H, W, 3)."""
    a, b = guided_line(guide, values, radius, epsilon)
    return np.asarray(dot(window_mean(a, radius), guide) + window_mean(b, radius), np.float32)


def guided_line(guide: Floats, values: Floats, radius: int, epsilon: float) -> tuple[Floats, Floats]:
    """Per window, the line values ~ a . guide + b; a (H, W, 3), b (H, W)."""
    mean_guide, mean_values = window_mean(guide, radius), window_mean(values, radius)
    pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    rr, gg, bb, rg, rb, gb = (
        window_mean(guide[..., i] * guide[..., j], radius)
        - mean_guide[..., i] * mean_guide[..., j]
        + (epsilon if i == j else 0)
        for i, j in pairs
    )
    joint = window_mean(guide * values[..., None], radius) - mean_guide * mean_values[..., None]
    # The inverse of the symmetric 3 by 3 covariance, written out: many times faster than a solver per pixel.
    i_rr, i_rg, i_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    i_gg, i_gb, i_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * i_rr + rg * i_rg + rb * i_rb)
    j_r, j_g, j_b = joint[..., 0], joint[..., 1], joint[..., 2]
    a = np.stack(
        [
            (i_rr * j_r + i_rg * j_g + i_rb * j_b) * scale,
            (i_rg * j_r + i_gg * j_g + i_gb * j_b) * scale,
            (i_rb * j_r + i_gb * j_g + i_bb * j_b) * scale,
        ],
        axis=-1,
    ).astype(np.float32)
    return a, mean_values - dot(a, mean_guide)


def fast_guided_filter(guide: Picture, mask: Floats, radius: float, epsilon: float) -> Floats:
    """The same for a whole photograph: `mask` (H, W) and `guide` (H, W, 3) of 8 bits; radius in px of `guide`.

    The linear fits vary slowly, so they are computed on a reduced copy and enlarged (He and Sun's fast variant).
    """
    height, width = mask.shape
    k = min(1.0, _GUIDE_SIDE / max(height, width))
    size = (max(1, round(width * k)), max(1, round(height * k)))
    small = np.asarray(cv2.resize(guide, size, interpolation=cv2.INTER_AREA), dtype=np.float32) / np.float32(255)
    small_mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    reach = max(1, round(radius * k))
    slope, offset = guided_line(small, small_mask, reach, epsilon)
    fits = np.dstack([window_mean(slope, reach), window_mean(offset, reach)])
    if k < 1:
        fits = np.asarray(cv2.resize(fits, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    full = np.asarray(guide, np.float32) / np.float32(255)
    return np.asarray(dot(fits[..., :3], full) + fits[..., 3], dtype=np.float32)


def window_mean(values: Floats, radius: int) -> Floats:
    """Mean over a square window that reaches `radius` px each way."""
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.blur(values, size, borderType=cv2.BORDER_REFLECT), np.float32)


def refine_matte(picture: Picture, coarse: Floats, *, uncertain_px: float | None = None) -> Floats:
    """A coarse mask (any size, 0..1) brought to the picture's size, its edge moved onto the picture's edges.

    Only a band round the coarse edge is decided anew (`uncertain_px`, by default 1.5 % of the longer side, and never
    less than the coarse mask's own pixels): inside, a person has no holes, and outside, a wall of the colour of skin
    stays a wall.
    """
    height, width = picture.shape[:2]
    up = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    up = np.clip(up, 0, 1)
    coarse_px = max(height / coarse.shape[0], width / coarse.shape[1])
    band = uncertain_px if uncertain_px is not None else max(0.015 * max(height, width), 1.25 * coarse_px)
    radius = max(2, round(band))
    # The haze of a coarse mask would stay as a halo round the person: steepen it before the picture decides.
    steep = np.clip((up - 0.5) * 2.5 + 0.5, 0, 1).astype(np.float32)
    fine = np.clip(fast_guided_filter(picture, steep, band, 3e-4), 0, 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    hard = (up > 0.5).astype(np.uint8)
    certain = (np.asarray(cv2.erode(hard, kernel)) == 1) | (np.asarray(cv2.dilate(hard, kernel)) == 0)
    # Soft hand-over between the certain part and the band, or a seam would show.
    keep = cv2.GaussianBlur(certain.astype(np.float32), (0, 0), max(1.0, radius / 3))
    surely = hard.astype(np.float32)
    alpha = np.asarray(keep, dtype=np.float32) * surely + (1 - np.asarray(keep, dtype=np.float32)) * fine
    # What is left of the haze goes by stretching the ends: "surely person" is one and "surely not" zero.
    return np.clip((alpha - 0.20) / 0.60, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Touching:
    """On which sides of the source the person is cut off by its edge."""

    left: bool
    right: bool
    top: bool
    bottom: bool


def touching_sides(alpha: Floats) -> Touching:
    """Which edges of the source cut the person; a few pixels of fluff do not count."""
    height, width = alpha.shape

    def cut(line: Floats, side: int) -> bool:
        return bool((line > 0.5).sum() > 0.02 * side)

    return Touching(
        left=cut(alpha[:, 0], height),
        right=cut(alpha[:, -1], height),
        top=cut(alpha[0], width),
        bottom=cut(alpha[-1], width),
    )
