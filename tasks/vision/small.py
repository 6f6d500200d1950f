"""Pictures in the sizes of pages: made once, when their pixels are open anyway, so that no page opens a large one."""

from __future__ import annotations

import io

from PIL import Image

from tasks.vision.pixels import Picture

# Boxes in pixels (width, height): twice the size on the page, for dense screens.
THUMB = (440, 550)
LARGE = (1000, 1250)
SELFIE = (720, 720)

Box = tuple[int, int]


def small(picture: Picture, box: Box) -> bytes:
    """A picture fitted into `box` (never enlarged), as WebP."""
    return small_webp(Image.fromarray(picture), box)


def small_webp(image: Image.Image, box: Box, quality: int = 86, xmp: bytes = b"") -> bytes:
    """The same of an opened RGB image, which is reduced in place."""
    image.thumbnail(box, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=2, xmp=xmp)
    return out.getvalue()
