"""Turns a finished headshot into one output of the kit: the right crop, exactly the size, never too many bytes.

The crop is made by the eyes, like everything in a kit: a square cut from an upright picture keeps the eye line where
people expect it and never cuts the head before it cuts the chest.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Output
from tasks.vision.images import Picture, resize

EYE_LINE = 0.42  # of a crop that is lower than the finished picture, share of its height
SUFFIX = {"jpeg": "jpg", "png": "png", "webp": "webp"}
_STEP = 7  # of the quality, while a file is too large
_LEAST = 25


class TooManyBytes(ValueError):
    """An output's limit cannot be met at its size and in its format: the kit asks for what does not exist."""


def fit(picture: Picture, output: Output, kit: BrandKit) -> Picture:
    """The finished picture at exactly the output's size."""
    height, width = picture.shape[:2]
    if output.crop == "contain":
        return _contained(picture, output, kit)
    share = min(width / output.width, height / output.height)
    across, down = min(width, round(output.width * share)), min(height, round(output.height * share))
    left = _within(kit.framing.centre * width - across / 2, width - across)
    top = _within(kit.framing.eye_line * height - EYE_LINE * down, height - down)
    return resize(np.ascontiguousarray(picture[top : top + down, left : left + across]), output.width, output.height)


def _within(place: float, room: int) -> int:
    return int(min(max(round(place), 0), room))


def _contained(picture: Picture, output: Output, kit: BrandKit) -> Picture:
    """The whole picture, on the kit's own backdrop: centred, and standing on the lower edge as a body does."""
    height, width = picture.shape[:2]
    share = min(output.width / width, output.height / height)
    across, down = max(1, round(width * share)), max(1, round(height * share))
    frame = draw_backdrop(kit, output.width, output.height)
    left, top = (output.width - across) // 2, output.height - down
    frame[top : top + down, left : left + across] = resize(picture, across, down)
    return frame


def encode_output(picture: Picture, output: Output, xmp: bytes, spare: int = 0) -> bytes:
    """The file's bytes with the XMP packet in them; the quality goes down until the output's limit is met with `spare`
    bytes to go, which the signature will take."""
    quality = output.quality
    while True:
        data = _encoded(picture, output, quality, xmp)
        if output.max_bytes is None or len(data) + spare <= output.max_bytes:
            return data
        if output.format == "png" or quality <= _LEAST:
            raise TooManyBytes(
                f"output {output.name}: {len(data) + spare} bytes at best; the limit is {output.max_bytes}"
            )
        quality = max(_LEAST, quality - _STEP)


def _encoded(picture: Picture, output: Output, quality: int, xmp: bytes) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(picture))
    out = io.BytesIO()
    extra: dict[str, Any] = {"dpi": (output.dpi, output.dpi)} if output.dpi and output.format != "webp" else {}
    if output.format == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
        image.save(out, "PNG", pnginfo=info, optimize=True, **extra)
    elif output.format == "webp":
        image.save(out, "WEBP", quality=quality, method=4, xmp=xmp)
    else:
        # Full colour resolution at good qualities: subsampling shows at a person's edge before a saturated backdrop.
        subsampling = 0 if quality >= 80 else 2
        extra |= {"quality": quality, "subsampling": subsampling, "xmp": xmp}
        try:
            image.save(out, "JPEG", optimize=True, **extra)
        except OSError:  # Pillow's buffer for optimised files takes one byte a pixel: noise needs more
            out = io.BytesIO()
            image.save(out, "JPEG", **extra)
    return out.getvalue()
