"""Safe decoding: a stranger's bytes become plain sRGB pixels, or are refused with a code and two numbers.

Photographs arrive from phones, scanners and attackers alike. Everything is judged on the header before a
pixel is decoded (format, frames, pixels, scans), so no file costs more than about 400 MiB or a few seconds.
What comes out is rebuilt from pixels: no GPS, no maker notes, no profile survives. The only exception that
leaves `read_picture` is `Refused`.
"""

from __future__ import annotations

import functools
import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

Picture = npt.NDArray[np.uint8]  # (height, width, 3), sRGB

MAX_BYTES = 50 * 2**20
MAX_PIXELS = 64_000_000  # the largest phone pictures have 50 megapixels
MAX_SIDE = 4096  # larger pictures are reduced while decoding; a head in 4096 px is far more than any model takes
MAX_SCAN_PIXELS = 1_200_000_000  # pixels x scans of a progressive JPEG: ordinary files have about ten scans


class Refused(Exception):
    """A file that will not be decoded. Carries a code and numbers, never the file's name or content."""

    def __init__(self, code: str, measured: str, limit: str) -> None:
        super().__init__(f"{code}: {measured} (limit: {limit})")
        self.code = code
        self.measured = measured
        self.limit = limit


@dataclass(frozen=True)
class Decoded:
    """An upright sRGB picture, and the digest of the bytes that it was decoded from."""

    picture: Picture
    format: str
    digest: str  # sha256 of the original bytes, in hex


def read_picture(data: bytes) -> Decoded:
    """Decode one photograph. Raises `Refused`, and nothing else, whatever the bytes are."""
    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"{len(data) / 2**20:.0f} MiB", f"{MAX_BYTES // 2**20} MiB")
    if len(data) < 16:
        raise Refused("truncated", f"{len(data)} bytes", "a whole picture")
    # Decoders raise eight or more classes on damaged bytes (SyntaxError, struct.error, ...), and warn about
    # damaged metadata that we throw away anyway: this is the one place where everything is caught.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _open(data)
        try:
            _check_header(image, data)
            picture = _pixels(image)
        except Refused:
            raise
        except Exception as error:
            raise Refused("truncated", type(error).__name__, "a whole picture") from None
        finally:
            image.close()
    return Decoded(picture, str(image.format), hashlib.sha256(data).hexdigest())


def _open(data: bytes) -> Image.Image:
    format = _format_of(data)
    if format is None:
        raise Refused("not_a_picture", "unknown format", "JPEG, PNG, WebP or HEIC")
    try:
        return _OPENERS[format](io.BytesIO(data))
    except Image.DecompressionBombError:
        raise Refused("bomb", f"more than {2 * MAX_PIXELS} pixels", f"{MAX_PIXELS} pixels") from None
    except Exception as error:
        raise Refused("truncated", type(error).__name__, "a whole picture") from None


def _format_of(data: bytes) -> str | None:
    """By the first bytes: the suffix of a stranger's file says nothing, and no other decoder gets to see it."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"BM"):
        return "BMP"
    return "HEIF" if data[4:8] == b"ftyp" else None


def _open_jpeg(file: io.BytesIO) -> Image.Image:
    # Not `Image.open`: that turns phone pictures with a second frame (depth, gain map) into MPO, for which
    # decoding at reduced size is switched off. The first frame is the photograph.
    return JpegImagePlugin.JpegImageFile(file)


def _open_heif(file: io.BytesIO) -> Image.Image:
    """Loaded only when a HEIC comes along: the plug-in costs a quarter of a second."""
    import pillow_heif

    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    pillow_heif.register_heif_opener()
    return Image.open(file, formats=("HEIF",))


_OPENERS: dict[str, Callable[[io.BytesIO], Image.Image]] = {
    "JPEG": _open_jpeg,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "HEIF": _open_heif,
}


def _check_header(image: Image.Image, data: bytes) -> None:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise Refused("bomb", f"{pixels} pixels", f"{MAX_PIXELS} pixels")
    # A HEIC may hold a burst, and its primary picture is the photograph. In the other formats more than one
    # frame means that something moves.
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format != "HEIF":
        raise Refused("animated", f"{frames} frames", "1 frame")
    if image.format == "JPEG":
        # 0xFF is always escaped inside JPEG data, so the marker counts scans (and those of thumbnails).
        scans = data.count(b"\xff\xda")
        if scans * pixels > MAX_SCAN_PIXELS:
            raise Refused("bomb", f"{scans} scans of {pixels} pixels", f"{MAX_SCAN_PIXELS} in all")


def _pixels(image: Image.Image) -> Picture:
    """Load, shrink, turn upright, convert to sRGB: in this order, so that the costly steps see few pixels."""
    image.draft(None, (MAX_SIDE, MAX_SIDE))  # JPEG only: decode at 1/2, 1/4 or 1/8; never below this size
    image.load()
    profile = image.info.get("icc_profile")
    orientation = _orientation(image)
    plain = _eight_bit(image)
    if max(plain.size) > MAX_SIDE:
        plain.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    rgb = _to_srgb(plain, profile)
    if orientation is not None:
        rgb = rgb.transpose(orientation)
    return np.array(rgb, dtype=np.uint8)  # a copy: nothing of the file but pixels goes on


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """The EXIF turn. HEIF readers have applied theirs already, and damaged EXIF means no turn."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    try:
        return turns.get(image.getexif().get(274, 1))
    except Exception:
        return None


def _eight_bit(image: Image.Image) -> Image.Image:
    """8-bit L, RGB or CMYK, transparency laid on white."""
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow's own conversion would clip 16-bit grey to white.
        values = np.asarray(image, dtype=np.float32)
        top = 65535.0 if float(values.max(initial=0)) > 255 else 255.0
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


def encode(
    picture: Picture,
    format: Literal["jpeg", "png", "webp"] = "jpeg",
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
        else:
            image.save(out, "WEBP", quality=quality, method=4, **extra)
    return out.getvalue()


def resize(picture: Picture, width: int, height: int) -> Picture:
    """Area averaging when shrinking (no moire), Lanczos when enlarging."""
    if picture.shape[1] == width and picture.shape[0] == height:
        return picture.copy()
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)
