"""Turns a finished headshot into one file of a pack: cropped, exactly the size, in sRGB and said so, not too large."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from tasks.delivery.crop import HeadPlace, cut, window
from tasks.failures import RollcallError
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Output
from tasks.vision.images import Picture, resize

SUFFIX = {"jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif", "html": "htm"}
_LEAST = 25  # the lowest quality that is tried
_AVIF_SPEED = 7  # of 10: slower ones take seconds a file and save a twentieth of its bytes


class TooManyBytes(RollcallError):
    """An output's limit cannot be met at its size and in its format: the pack asks for what does not exist."""


def fit(picture: Picture, output: Output, kit: BrandKit, head: HeadPlace) -> Picture:
    """The finished picture at exactly the output's size."""
    if output.crop == "contain":
        return _contained(picture, output, kit)
    height, width = picture.shape[:2]
    return resize(cut(picture, window((width, height), output, head)), output.width, output.height)


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
    """The file's bytes with the XMP packet in them, in the best quality up to the output's with which `spare` more
    bytes, which the signature takes, stay within its limit. TooManyBytes when there is none."""
    data = _encoded(picture, output, output.quality, xmp)
    if output.max_bytes is None or len(data) + spare <= output.max_bytes:
        return data
    found, least = None, len(data)
    low, high = _LEAST, output.quality - 1
    while output.format != "png" and low <= high:
        quality = (low + high) // 2
        data = _encoded(picture, output, quality, xmp)
        least = min(least, len(data))
        if len(data) + spare <= output.max_bytes:
            found, low = data, quality + 1
        else:
            high = quality - 1
    if found is None:
        raise TooManyBytes(f"file {output.name}: {least + spare} bytes at best; the limit is {output.max_bytes}")
    return found


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """The colour profile of everything that leaves; the same bytes at any time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # made on 1 January 2026, not at this moment
    profile[84:100] = bytes(16)  # its digest, which is optional and was of the other date
    return bytes(profile)


def _encoded(picture: Picture, output: Output, quality: int, xmp: bytes) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(picture))
    out = io.BytesIO()
    extra: dict[str, Any] = {"icc_profile": srgb()}
    if output.dpi and output.format in ("jpeg", "png"):
        extra["dpi"] = (output.dpi, output.dpi)
    if output.format == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
        image.save(out, "PNG", pnginfo=info, optimize=True, **extra)
    elif output.format == "webp":
        image.save(out, "WEBP", quality=quality, method=4, xmp=xmp, **extra)
    elif output.format == "avif":
        image.save(out, "AVIF", quality=quality, speed=_AVIF_SPEED, max_threads=1, xmp=xmp, **extra)
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
