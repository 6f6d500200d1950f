"""Tone: the kit's grading of the person, the same for every pixel.

Nothing here knows skin from cloth, and every step is small: it may warm a whole picture, never lighten a face. The
backdrop is not graded, because it is the brand's colour already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit import BrandKit
from tasks.vision.colour import linear_to_srgb, srgb_to_linear

Floats = NDArray[np.float32]
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear sRGB (ITU-R BT.709)
WARMTH_GAIN = 0.05  # red up, blue down by this share at warmth 1


def graded(light: Floats, kit: BrandKit) -> Floats:
    """Linear light (..., 3) after exposure, warmth, saturation and contrast."""
    tone, warmth = kit.tone, kit.lighting.warmth
    out = np.asarray(light * np.float32(2**tone.exposure), np.float32)
    if warmth:
        gain = np.array([1 + WARMTH_GAIN * warmth, 1, 1 - WARMTH_GAIN * warmth], np.float32)
        out = np.asarray(out * (gain / float(LUMINANCE @ gain)), np.float32)  # a grey keeps its luminance
    if tone.saturation != 1:
        grey = (out @ LUMINANCE)[..., None]
        out = np.asarray(grey + (out - grey) * np.float32(tone.saturation), np.float32)
    if tone.contrast:
        coded = linear_to_srgb(np.clip(out, 0, 1))
        # A curve that is fixed at black, middle and white: x + c * sin-like bend.
        out = srgb_to_linear(np.clip(coded - tone.contrast * np.sin(2 * np.pi * coded) / (2 * np.pi), 0, 1))
    return np.asarray(np.clip(out, 0, 1), np.float32)
