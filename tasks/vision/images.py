"""Safe decoding: a stranger's bytes become plain sRGB pixels, or are refused with a code and two numbers.

Photographs arrive from phones, scanners and attackers alike. What the header claims is judged first (glance.py): the
bytes that decoding takes, not the pixels, since a phone's 200 megapixels read at an eighth are small, and a tenth of
them as WebP are not. What comes out is rebuilt from pixels: no GPS, no maker notes, no profile survives. The only
exception that leaves `read_picture` is `Refused`. It opens what is our own (pictures from the vault); what strangers
send is opened in the sandbox (photos.py).
"""

from __future__ import annotations

import functools
import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from tasks.vision.glance import Format, Glance, Refused, glance, refuse_size
from tasks.vision.jpeg_ends import with_its_end
from tasks.vision.pixels import Picture, from_image, from_pixels

__all__ = ["MAX_BYTES", "MAX_SIDE", "Decoded", "Picture", "Refused", "encode", "read_picture", "resize"]

MAX_BYTES = 50 * 2**20  # above any phone's photo
MAX_SIDE = 4096  # larger pictures are reduced while decoding; a head in 4096 px is far more than any model takes


@dataclass(frozen=True)
class Decoded:
    """An upright sRGB picture, and the digest of the bytes that it was decoded from."""

    picture: Picture
    format: str
    digest: str  # sha256 of the original bytes, in hex
    longest: int = 0  # longer side of the original, px
    table: float = 0.0  # mean step of a JPEG's table of lightness: 2 is hardly compressed, above 100 crushed


def read_picture(data: bytes, side: int = MAX_SIDE, least: int | None = None) -> Decoded:
    """Decode one photograph, its longer side at most `side` px. A JPEG may be decoded at a fraction of its size, but
    not below `least` px (`side`, where none is given). Raises `Refused`, and nothing else, whatever the bytes are."""
    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"{len(data) / 2**20:.0f} MiB", f"{MAX_BYTES // 2**20} MiB")
    if len(data) < 16:
        raise Refused("truncated", f"{len(data)} bytes", "a whole picture")
    look = glance(data)
    # Decoders raise eight or more classes on damaged bytes (SyntaxError, struct.error, ...), and warn about
    # damaged metadata that we throw away anyway: this is the one place where everything is caught.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if look.format == "HEIF":
                (picture, longest), table = _heif(data, look, side), 0.0
            else:
                picture, longest, table = _pillow(data, look, side, least or side)
        except (Refused, MemoryError):
            raise
        except Exception as error:
            raise Refused("truncated", type(error).__name__, "a whole picture") from None
    return Decoded(picture, look.format, hashlib.sha256(data).hexdigest(), longest, table)


def jpeg_scale(width: int, height: int, least: int) -> int:
    """1, 2, 4 or 8: the smallest fraction of a JPEG whose longer side is not below `least` px."""
    return next(scale for scale in (8, 4, 2, 1) if scale == 1 or max(width, height) // scale >= least)


def _pillow(data: bytes, look: Glance, side: int, least: int) -> tuple[Picture, int, float]:
    scale = 1
    if look.format == "JPEG":
        scale = jpeg_scale(look.width, look.height, least)
    if look.width:
        refuse_size(look, look.width, look.height, scale)
    if not look.ends:
        data = with_its_end(data, look, scale)
    with _OPENERS[look.format](io.BytesIO(data)) as image:
        refuse_size(look, *image.size, scale)
        # A JPEG of a phone may have a second frame (depth, gain map): the first one is the photograph. In the other
        # formats more than one frame means that something moves.
        if look.format != "JPEG" and getattr(image, "is_animated", False):
            raise Refused("animated", "more than 1 frame", "1 frame")
        longest = max(image.size)
        if scale > 1:
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
        table = getattr(image, "quantization", {}).get(0, ()) if look.format == "JPEG" else ()
        image.load()
        return from_image(image, side, _orientation(image)), longest, sum(table) / max(len(table), 1)


def _heif(data: bytes, look: Glance, side: int) -> tuple[Picture, int]:
    """A HEIC may hold a burst: its primary picture is the photograph, and the reader has turned it upright already."""
    import pillow_heif  # only when one comes along: it costs a quarter of a second

    options = pillow_heif.options
    options.THUMBNAILS, options.DEPTH_IMAGES, options.AUX_IMAGES, options.DECODE_THREADS = False, False, False, 1
    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    refuse_size(look, *file.size)
    pixels = np.asarray(file)  # decoded here, and not copied: Pillow's own image would take as much again
    plain = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return from_pixels(plain, side, file.info.get("icc_profile")), max(file.size)


def _orientation(image: Image.Image) -> int:
    """The EXIF turn, 1 to 8. Damaged EXIF means no turn."""
    try:
        return int(image.getexif().get(274, 1))
    except Exception:
        return 1


@functools.cache
def _avif() -> Callable[[io.BytesIO], Image.Image]:
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    return AvifImagePlugin.AvifImageFile


# Not `Image.open`: that would let every decoder try, and turns phone JPEGs with a second frame into MPO, for which
# decoding at reduced size is switched off.
_OPENERS: dict[Format, Callable[[io.BytesIO], Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "AVIF": lambda file: _avif()(file),
}


def encode(
    picture: Picture,
    format: Literal["jpeg", "png", "webp", "avif"] = "jpeg",
    quality: int = 92,
    xmp: bytes | None = None,
) -> bytes:
    """Bytes of a picture with nothing in them but pixels, and an XMP packet if one is given."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    out = io.BytesIO()
    if format == "png":
        info = PngImagePlugin.PngInfo()
        if xmp is not None:
            info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
        image.save(out, "PNG", pnginfo=info)
    else:
        extra = {"xmp": xmp} if xmp is not None else {}
        if format == "jpeg":
            # Full colour resolution: the edge of a person before a saturated backdrop shows subsampling.
            image.save(out, "JPEG", quality=quality, subsampling=0, optimize=True, **extra)
        elif format == "avif":
            image.save(out, "AVIF", quality=quality, max_threads=1, **extra)
        else:
            image.save(out, "WEBP", quality=quality, method=4, **extra)
    return out.getvalue()


def resize(picture: Picture, width: int, height: int) -> Picture:
    """Area averaging when shrinking (no moire), Lanczos when enlarging."""
    import cv2  # only here: a process that opens pictures does without it

    if picture.shape[1] == width and picture.shape[0] == height:
        return picture.copy()
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)
