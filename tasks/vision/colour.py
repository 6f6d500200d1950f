"""Colour as people see it: CIE L*a*b* (D65), the CIEDE2000 difference, and the skin angle ITA.

All pictures here are sRGB already (`images.read_picture` sees to that). Differences of a few tenths matter, so the
formulas are written out in floating point and checked against published pairs.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.faces import Face
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_to, invert, warp

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Linear sRGB to CIE XYZ under D65 (IEC 61966-2-1).
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65


def srgb_to_linear(values: npt.ArrayLike) -> Floats:
    """sRGB 0..1 to linear light 0..1."""
    v = np.asarray(values, dtype=np.float32)
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_to_srgb(values: npt.ArrayLike) -> Floats:
    """Linear light to sRGB, both 0..1; values outside are clipped."""
    v = np.clip(np.asarray(values, dtype=np.float32), 0, 1)
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055).astype(np.float32)


_LINEAR_OF_BYTE = srgb_to_linear(np.arange(256) / 255)


def to_linear(picture: Picture) -> Floats:
    """A picture in linear light, float32 0..1, same shape."""
    return np.asarray(_LINEAR_OF_BYTE[picture], dtype=np.float32)


def luminance(picture: Picture) -> Floats:
    """Relative luminance Y, 0..1, (H, W)."""
    # Not by matrix product: its last bit depends on where in memory the pixels lie.
    return dot(to_linear(picture), _TO_XYZ[1].astype(np.float32))


def dot(first: Floats, second: Floats) -> Floats:
    """Sum over the three channels (last axis) of the products. Written out: numpy's own sum over so short an axis gives
    the same to the last bit and takes several times as long."""
    product = first * second
    return np.asarray(product[..., 0] + product[..., 1] + product[..., 2], np.float32)


def to_lab(picture: Picture) -> Floats:
    """L* 0..100, a*, b*; float32, same shape as the picture (any leading shape, last axis RGB)."""
    xyz = to_linear(picture).astype(np.float64) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def delta_e(first: npt.ArrayLike, second: npt.ArrayLike) -> Doubles:
    """CIEDE2000 between L*a*b* values (last axis), with broadcasting."""
    p, q = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    l1, a1, b1 = p[..., 0], p[..., 1], p[..., 2]
    l2, a2, b2 = q[..., 0], q[..., 1], q[..., 2]
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0  # a grey has no hue: its angle must not count

    dl, dc = l2 - l1, c2 - c1
    dh = h2 - h1
    dh = np.where(dh > 180, dh - 360, np.where(dh < -180, dh + 360, dh))
    dh = np.where(grey, 0.0, dh)
    big_dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))

    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    far = np.abs(h1 - h2) > 180
    total = h1 + h2
    mean_h = np.where(far, np.where(total < 360, total + 360, total - 360) / 2, total / 2)
    mean_h = np.where(grey, total, mean_h)
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    mean_c7 = mean_c**7
    turn = 60 * np.exp(-(((mean_h - 275) / 25) ** 2))
    rt = -2 * np.sqrt(mean_c7 / (mean_c7 + 25.0**7)) * np.sin(np.radians(turn))
    l_, c_, h_ = dl / sl, dc / sc, big_dh / sh
    return np.asarray(np.sqrt(np.maximum(l_**2 + c_**2 + h_**2 + rt * c_ * h_, 0)), dtype=np.float64)


def ita(lab: npt.ArrayLike) -> Doubles:
    """Individual typology angle in degrees: above 55 very light, below -30 very dark skin."""
    values = np.asarray(lab, dtype=np.float64)
    return np.asarray(np.degrees(np.arctan2(values[..., 0] - 50, values[..., 2])), dtype=np.float64)


def _skin_template(size: int) -> Mask:
    """The face below the brows, less eyes and mouth, in the tight frame: drawn once per size."""
    canvas = np.zeros((size, size), dtype=np.uint8)

    def ellipse(x: float, y: float, rx: float, ry: float, value: int) -> None:
        axes = (max(1, round(rx * size)), max(1, round(ry * size)))
        cv2.ellipse(canvas, (round(x * size), round(y * size)), axes, 0, 0, 360, value, -1)

    ellipse(0.50, 0.64, 0.33, 0.36, 255)
    canvas[: round(0.40 * size)] = 0  # forehead and brows: hair, hats and fringes live there
    for x, y in FACE_TEMPLATE[:2]:
        ellipse(float(x), float(y), 0.155, 0.095, 0)
    ellipse(0.50, float(FACE_TEMPLATE[3:, 1].mean()), 0.20, 0.10, 0)
    return canvas > 0


def skin_mask(picture: Picture, face: Face) -> Mask:
    """Pixels (H, W) that show facial skin: the template area, without what differs from most of it.

    Glasses, beards, shadows of hair and highlights fall out by robust distance in L*a*b*; no colour is assumed,
    so it holds for every skin tone.
    """
    size = 96
    crop, matrix = align_to(picture, face.landmarks, FACE_TEMPLATE, size)
    area = _skin_template(size)
    lab = to_lab(crop)
    values = lab[area]
    # The cheeks beside the nose are bare on nearly everybody: they say what this skin looks like.
    cheeks = np.zeros_like(area)
    cheeks[round(0.56 * size) : round(0.72 * size)] = True
    cheeks &= area
    reference = np.median(lab[cheeks], axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(values - reference), axis=0), (6.0, 3.0, 3.0))
    distance = np.sqrt((((lab - reference) / spread) ** 2).mean(-1))
    keep = area & (distance < 1.8)
    if keep.sum() < 0.2 * area.sum():
        keep = area
    height, width = picture.shape[:2]
    back = warp(keep.astype(np.float32), invert(matrix), width, height, fill="black")
    return np.asarray(back, dtype=np.float32) > 0.5
