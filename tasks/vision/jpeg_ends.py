"""Tells a JPEG that only lost its end mark from one that was cut off: the first is a whole picture.

Some programs leave the last two bytes away. A decoder given a mark in their place fills whatever is missing with plain
colour, so the place where the data really end is looked for: what the last bytes draw has to be at the bottom.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import JpegImagePlugin

from tasks.vision.glance import Glance, Refused

END = b"\xff\xd9"
BOTTOM = 1 / 12  # of the height: where the last bytes of a whole picture draw
_TAILS = (1 / 400, 1 / 40)  # of the file: taken away to see what they drew; the second for plain floors and walls


def with_its_end(data: bytes, look: Glance, scale: int) -> bytes:
    """The file with an end mark. Raises `Refused` when more than that is missing."""
    mended = data.rstrip(b"\xff") + END
    whole = _grey(mended, look, scale)
    for share in _TAILS:
        cut = _grey(data[: len(data) - max(16, int(len(data) * share))] + END, look, scale)
        rows = np.nonzero((whole != cut).any(axis=1))[0]
        if len(rows) and rows[-1] >= len(whole) * (1 - BOTTOM):
            return mended
    raise Refused("truncated", "no end", "a whole picture")


def _grey(data: bytes, look: Glance, scale: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        image.draft("L", (max(1, look.width // scale), max(1, look.height // scale)))
        image.load()
        return np.asarray(image.convert("L"))
