"""Pictures to mark: smooth ones as the embedded base draws them, and busy ones as cameras take them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.mark import circled, cropped, encoded, screenshot, sized
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
