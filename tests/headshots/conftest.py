"""Painted people with the truth about their outlines, the shipped kits, and whichever eyes this machine has."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import Painting, paint
from tasks.headshots.kit import BrandKit, list_kits, load_kit
from tasks.shipped import SHIPPED
from tasks.vision.faces import Eyes, EyesMissing
from tasks.vision.images import Picture, read_picture
from tasks.vision.open_eyes import open_eyes

KITS = SHIPPED / "brand_kits"
SHARED = Path(os.environ.get("ROLLCALL_SHARED", SHIPPED.parent / "shared"))


@pytest.fixture(scope="session")
def kits() -> dict[str, BrandKit]:
    return {name: load_kit(name, KITS) for name in list_kits(KITS)}


@pytest.fixture(scope="session")
def eyes() -> Eyes:
    """The embedded eyes; where they are not trained yet, the small production models, if they are here."""
    try:
        found = open_eyes("embedded")
        found.matter.matte(np.zeros((64, 64, 3), np.uint8))
    except EyesMissing:
        return real_eyes()
    return found


def real_eyes() -> Eyes:
    folder = SHARED / "models"
    if not (folder / "face_detection_yunet_2023mar.onnx").is_file():
        pytest.skip("the folder with small production models is not here (set ROLLCALL_SHARED)")
    return open_eyes("opencv", folder)


@pytest.fixture(scope="session")
def opencv_eyes() -> Eyes:
    return real_eyes()


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder with real portraits in the public domain."""
    folder = SHARED / "testdata" / "photos"
    if not (folder / "d11_1.jpg").is_file():
        pytest.skip("the folder with real portraits is not here (set ROLLCALL_SHARED)")
    return folder


@pytest.fixture(scope="session")
def portrait(photographs: Path) -> Picture:
    """A real portrait, 1024 px."""
    return read_picture((photographs / "d11_1.jpg").read_bytes()).picture


@pytest.fixture(scope="session")
def painted() -> list[Painting]:
    """Three people in the studio, 128 px, in the frame that the embedded base draws in."""
    people = []
    for seed in (1000, 1002, 1005):
        person = draw_identity(seed)
        capture = draw_capture(
            seed, person, "studio", CaptureWish(background="grey", light="softbox light from the left")
        )
        people.append(paint(person, capture, 128, 2.0, "aligned"))
    return people
