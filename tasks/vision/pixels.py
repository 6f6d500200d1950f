"""From what a decoder gives to upright 8-bit sRGB of the size wanted, a band of rows at a time.

The picture is made small first, so that what costs memory and time (transparency, 16 bits, profiles) sees few pixels.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Picture = npt.NDArray[np.uint8]  # (height, width, 3), sRGB
Cut = Callable[[int, int], Image.Image]  # rows from top to bottom of a large picture

_BAND = 2**22  # pixels that are worked on at a time

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def from_image(image: Image.Image, side: int, turn: int = 1) -> Picture:
    """A decoded picture with its longer side at most `side`, turned as EXIF's orientation says."""
    width, height = image.size
    top = _brightest(image)
    if image.mode in ("L", "RGB", "CMYK") and "transparency" not in image.info:
        plain = image
    else:
        plain = _in_bands(width, height, side, lambda y, end: _eight_bit(image.crop((0, y, width, end)), top))
    return _finished(plain, side, image.info.get("icc_profile"), turn)


def from_pixels(pixels: npt.NDArray[np.uint8], side: int, profile: bytes | None) -> Picture:
    """The same for pixels in memory, upright already: copied a band at a time, never as a whole."""
    height, width = pixels.shape[:2]
    plain = _in_bands(width, height, side, lambda y, end: _eight_bit(Image.fromarray(pixels[y:end]), 255.0))
    return _finished(plain, side, profile, 1)


def _in_bands(width: int, height: int, side: int, cut: Cut) -> Image.Image:
    """Band by band, each averaged to a whole fraction that is not smaller than `side`."""
    factor = max(1, max(width, height) // side)
    rows = max(_BAND // width // factor, 1) * factor
    whole: Image.Image | None = None
    for y in range(0, height, rows):
        band = cut(y, min(y + rows, height))
        small = band.reduce(factor) if factor > 1 else band
        if whole is None:
            whole = Image.new(small.mode, (small.width, -(-height // factor)))
        whole.paste(small, (0, y // factor))
    assert whole is not None
    return whole


def _finished(plain: Image.Image, side: int, profile: bytes | None, turn: int) -> Picture:
    longest = max(plain.size)
    if longest > side:
        size = (max(1, round(plain.width * side / longest)), max(1, round(plain.height * side / longest)))
        plain = plain.resize(size, Image.Resampling.BOX)  # averaging over areas: no moire, no halo
    rgb = _to_srgb(plain, profile)
    if turn in TURNS:
        rgb = rgb.transpose(TURNS[turn])
    return np.array(rgb, dtype=np.uint8)  # a copy: nothing of the file but pixels goes on


def _brightest(image: Image.Image) -> float:
    """What white is in a picture of more than 8 bits; Pillow's own conversion would clip 16-bit grey to white."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return 255.0
    _, highest = image.getextrema()
    return 65535.0 if isinstance(highest, (int, float)) and highest > 255 else 255.0


def _eight_bit(image: Image.Image, top: float) -> Image.Image:
    """8-bit L, RGB or CMYK, transparency laid on white."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float32)
        return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert("RGB")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Phones take pictures in Display P3: read as sRGB they would look pale, and every colour figure would err."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image,
                source,
                _srgb_profile(),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return image.convert("RGB")  # a damaged profile, or one for other channels: sRGB is the best guess
    return image.convert("RGB")


@functools.cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
