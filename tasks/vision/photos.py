"""Opens pictures that came from outside in the sandbox, and makes of each the one reduced picture that is judged.

A check and a run look at the same pixels, so that they never disagree. They come at a fraction of a phone's size, as a
JPEG's decoder gives them in half the time. Whoever keeps the photo gets it as large as ever besides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tasks.sandbox import Fallen, Limits, Opened, the_sandbox
from tasks.vision.glance import Refused
from tasks.vision.images import MAX_BYTES, MAX_SIDE, Decoded, jpeg_scale, read_picture
from tasks.vision.pixels import Picture

LONG_SIDE = 2048  # px; larger photos are judged and kept at this size
LEAST_SIDE = 1536  # px; a JPEG is judged at 1/2, 1/4 or 1/8 of its size, if that leaves so much
# Processor time is counted in whole seconds, begun ones too: 8 leaves nobody beyond 10.
LIMITS = Limits(memory=384 * 2**20, cpu=8.0)


@dataclass(frozen=True)
class Photo:
    """One photo from outside, upright in sRGB."""

    judged: Picture
    kept: Picture | None  # as large as it is kept, where that was asked for
    size: tuple[int, int]  # width and height at which it is kept
    enlarged: float  # pixels of what is kept for one of what is judged, along a side
    table: float = 0.0  # mean step of a JPEG's table of lightness

    def turned(self, quarters: int) -> Photo:
        """The photo after so many quarter turns against the clock."""
        if not quarters:
            return self
        judged = np.ascontiguousarray(np.rot90(self.judged, quarters))
        kept = None if self.kept is None else np.ascontiguousarray(np.rot90(self.kept, quarters))
        width, height = self.size if quarters % 2 == 0 else self.size[::-1]
        return replace(self, judged=judged, kept=kept, size=(width, height))


def open_photo(data: bytes, *, keep: bool = False) -> Photo:
    """What is judged of a photo, and with `keep` what is kept of it. Raises `Refused`, whatever the bytes do."""
    opened = _opened("open_photo_inside", data, {"keep": keep})
    pictures = _pictures(opened, LONG_SIDE)
    judged, kept = pictures[0], pictures[-1] if keep else None
    height, width = (kept if kept is not None else judged).shape[:2]
    longest = int(opened.value["longest"])
    if not keep:
        side = min(max(longest, width, height), LONG_SIDE)
        width, height = (max(1, round(value * side / max(judged.shape[:2]))) for value in (width, height))
    table = float(opened.value.get("table", 0.0))
    return Photo(judged, kept, (width, height), max(width, height) / max(judged.shape[:2]), table)


def open_picture(data: bytes) -> Decoded:
    """Any picture from outside, such as a kit's backdrop, with its longer side at most MAX_SIDE. Raises `Refused`."""
    opened = _opened("open_picture_inside", data, {})
    picture = _pictures(opened, MAX_SIDE)[0]
    return Decoded(picture, str(opened.value["format"])[:8], hashlib.sha256(data).hexdigest(), max(picture.shape[:2]))


def open_photo_inside(data: bytes, *, keep: bool) -> tuple[Any, list[Any]]:
    """Runs in the sandbox."""
    try:
        decoded = read_picture(data, LONG_SIDE, LEAST_SIDE)
        pictures = [decoded.picture]
        longest = decoded.longest
        same = decoded.format != "JPEG" or jpeg_scale(longest, 1, LEAST_SIDE) == jpeg_scale(longest, 1, LONG_SIDE)
        if keep and not same:
            pictures.append(read_picture(data, LONG_SIDE).picture)
    except Refused as refused:
        return {"refused": [refused.code, refused.measured, refused.limit]}, []
    shapes = [list(picture.shape[:2]) for picture in pictures]
    return {"shapes": shapes, "longest": longest, "table": decoded.table}, list(pictures)


def open_picture_inside(data: bytes) -> tuple[Any, list[Any]]:
    """Runs in the sandbox."""
    try:
        decoded = read_picture(data)
    except Refused as refused:
        return {"refused": [refused.code, refused.measured, refused.limit]}, []
    return {"shapes": [list(decoded.picture.shape[:2])], "format": decoded.format}, [decoded.picture]


def _opened(opener: str, data: bytes, options: dict[str, Any]) -> Opened:
    if len(data) > MAX_BYTES:  # not worth the way
        raise Refused("too_large", f"{len(data) / 2**20:.0f} MiB", f"{MAX_BYTES // 2**20} MiB")
    try:
        return the_sandbox().open(f"{__name__}:{opener}", data, LIMITS, options)
    except Fallen as fallen:
        raise _refusal(fallen.how) from None


def _refusal(how: str) -> Refused:
    if how == "memory":
        return Refused("bomb", "more memory than there is for one photo", f"{LIMITS.memory // 2**20} MiB")
    if how == "time":
        return Refused("unopenable", "opening it never ends", f"{LIMITS.cpu:.0f} s")
    return Refused("unopenable", f"what opens photos broke: {how}", "a photo that opens")


def _pictures(opened: Opened, side: int) -> list[Picture]:
    """Believed only as far as the numbers fit together."""
    try:
        if "refused" in opened.value:
            raise Refused(*(str(word)[:80] for word in opened.value["refused"]))
        shapes = [(int(height), int(width)) for height, width in opened.value["shapes"]]
        if not shapes or any(not 0 < min(shape) <= max(shape) <= side for shape in shapes):
            raise _refusal("nonsense")
        return [
            np.frombuffer(block, np.uint8).reshape(*shape, 3)
            for shape, block in zip(shapes, opened.blocks, strict=True)
        ]
    except (ValueError, TypeError, KeyError):
        raise _refusal("nonsense") from None
