"""From a coarse person mask to an edge that follows the hair.

A guided filter (He, Sun, Tang 2010) fits, in every small window, alpha as a linear function of the picture's
colours: where hair differs from the wall, the mask's edge moves onto it. Costs milliseconds and needs no network.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]


_GUIDE_SIDE = 768  # px; window statistics are taken at this size, the fit is applied at full size


def guided_filter(guide: Picture, mask: Floats, radius: float, epsilon: float) -> Floats:
    """Colour guided filter: `mask` (H, W) smoothed along the edges of `guide` (H, W, 3); radius in px of `guide`.

    The linear fits vary slowly, so they are computed on a reduced copy and enlarged (He and Sun's fast variant).
    """
    height, width = mask.shape
    k = min(1.0, _GUIDE_SIDE / max(height, width))
    size = (max(1, round(width * k)), max(1, round(height * k)))
    small = np.asarray(cv2.resize(guide, size, interpolation=cv2.INTER_AREA), dtype=np.float32) / np.float32(255)
    small_mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    slope, offset = _window_fits(small, small_mask, max(1, round(radius * k)), epsilon)
    fits = np.dstack([slope, offset])
    if k < 1:
        fits = np.asarray(cv2.resize(fits, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    full = guide.astype(np.float32) / 255
    return np.asarray((fits[..., :3] * full).sum(-1) + fits[..., 3], dtype=np.float32)


def _window_fits(image: Floats, mask: Floats, radius: int, epsilon: float) -> tuple[Floats, Floats]:
    """mask = slope . colour + offset, the fits of all windows that hold a pixel averaged: (H, W, 3) and (H, W)."""
    side = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, side, borderType=cv2.BORDER_REFLECT), dtype=np.float32)

    m_image, m_mask = mean(image), mean(mask)
    covariance = mean(image * mask[..., None]) - m_image * m_mask[..., None]
    # The 3x3 colour covariance of each window, inverted by cofactors: much faster than a solver per pixel.
    r, g, b = image[..., 0], image[..., 1], image[..., 2]
    mr, mg, mb = m_image[..., 0], m_image[..., 1], m_image[..., 2]
    rr, gg, bb = (mean(c * c) - m * m + epsilon for c, m in ((r, mr), (g, mg), (b, mb)))
    rg, rb, gb = mean(r * g) - mr * mg, mean(r * b) - mr * mb, mean(g * b) - mg * mb
    i_rr, i_rg, i_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    i_gg, i_gb, i_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = i_rr * rr + i_rg * rg + i_rb * rb
    cr, cg, cb = covariance[..., 0], covariance[..., 1], covariance[..., 2]
    slope = np.stack(
        [
            (i_rr * cr + i_rg * cg + i_rb * cb) / determinant,
            (i_rg * cr + i_gg * cg + i_gb * cb) / determinant,
            (i_rb * cr + i_gb * cg + i_bb * cb) / determinant,
        ],
        axis=-1,
    ).astype(np.float32)
    offset = np.asarray(m_mask - (slope * m_image).sum(-1), dtype=np.float32)
    return mean(slope), mean(offset)


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
    fine = np.clip(guided_filter(picture, steep, band, 3e-4), 0, 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    hard = (up > 0.5).astype(np.uint8)
    certain = (np.asarray(cv2.erode(hard, kernel)) == 1) | (np.asarray(cv2.dilate(hard, kernel)) == 0)
    # Soft hand-over between the certain part and the band, or a seam would show.
    keep = cv2.GaussianBlur(certain.astype(np.float32), (0, 0), max(1.0, radius / 3))
    surely = hard.astype(np.float32)
    alpha = np.asarray(keep, dtype=np.float32) * surely + (1 - np.asarray(keep, dtype=np.float32)) * fine
    # What is left of the haze goes by stretching the ends: "surely person" is one and "surely not" zero.
    return np.clip((alpha - 0.20) / 0.60, 0, 1).astype(np.float32)
