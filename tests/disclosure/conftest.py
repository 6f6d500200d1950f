"""Pictures to mark: smooth ones as the embedded base draws them, and busy ones as cameras take them."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.disclosure.pattern import MarkKey
from tasks.vision.images import Picture

Copy = Callable[[Picture], Picture]


@pytest.fixture(scope="session")
def key() -> MarkKey:
    return MarkKey(hashlib.sha256(b"a test's key").digest())


@pytest.fixture(scope="session")
def masters(northwind: Path) -> list[Picture]:
    """Two drawn people at the size of a finished headshot."""
    photos = sorted((northwind / "selfies").glob("*/*.jpg"))[:10:5]
    return [
        np.asarray(Image.open(path).convert("RGB").resize((1024, 1024), Image.Resampling.LANCZOS)) for path in photos
    ]


def encoded(picture: Picture, how: str, quality: int) -> Picture:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, how, quality=quality)
    return np.asarray(Image.open(out).convert("RGB"))


def sized(picture: Picture, short: int) -> Picture:
    height, width = picture.shape[:2]
    ratio = short / min(height, width)
    size = (round(width * ratio), round(height * ratio))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def cropped(picture: Picture, share: float) -> Picture:
    height, width = picture.shape[:2]
    top, left = int(height * share * 0.7), int(width * share * 0.2)
    return np.ascontiguousarray(picture[top : top + int(height * (1 - share)), left : left + int(width * (1 - share))])


def circled(picture: Picture) -> Picture:
    side = min(picture.shape[:2])
    down, across = np.mgrid[:side, :side]
    round_one = picture[:side, :side].copy()
    round_one[np.hypot(down - side / 2, across - side / 2) > side / 2] = 255
    return round_one


def screenshot(picture: Picture) -> Picture:
    small = sized(cropped(picture, 0.05), int(min(picture.shape[:2]) * 0.37))
    return np.clip(255 * (small / 255.0) ** 1.15, 0, 255).astype(np.uint8)


COPIES: dict[str, Copy] = {
    "the file itself": lambda picture: picture,
    "JPEG 70": lambda picture: encoded(picture, "JPEG", 70),
    "200 px, JPEG 70": lambda picture: encoded(sized(picture, 200), "JPEG", 70),
    "a tenth cropped": lambda picture: encoded(cropped(picture, 0.1), "JPEG", 85),
    "a circle of 256 px": lambda picture: encoded(sized(circled(picture), 256), "JPEG", 80),
    "WebP 70 at 400 px": lambda picture: encoded(sized(picture, 400), "WEBP", 70),
    "a screenshot": screenshot,
    "a mirrored copy of 300 px": lambda picture: encoded(
        sized(np.ascontiguousarray(picture[:, ::-1]), 300), "JPEG", 80
    ),
}
