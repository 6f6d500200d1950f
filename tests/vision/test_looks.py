"""What of a photo changes from one to the next: said where it can be told, and nothing where it cannot."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.vision.faces import Eyes, Face, Lids
from tasks.vision.images import read_picture
from tasks.vision.looks import SMILES, is_outdoors, read_looks
from tasks.vision.open_eyes import open_eyes
from tasks.vision.portrait import PORTRAIT_TEMPLATE

SIDE = 96
FACE = Face((30.0, 30.0, 36.0, 36.0), np.asarray(PORTRAIT_TEMPLATE * SIDE, np.float32), 1.0)
BEHIND = np.zeros((SIDE, SIDE), np.float32)
BEHIND[40:, 24:72] = 1


def before(colour: tuple[int, int, int], varied: int = 0, rows: int = SIDE) -> np.ndarray:  # type: ignore[type-arg]
    """A grey picture whose upper `rows` are of this colour, lighter and darker by `varied`."""
    picture = np.full((SIDE, SIDE, 3), 128, np.uint8)
    noise = np.random.default_rng(0).integers(-varied, varied + 1, (rows, SIDE, 1))
    picture[:rows] = np.clip(np.array(colour) + noise, 0, 255)
    return picture


def test_leaves_and_a_sky_are_out_of_doors_and_painted_walls_are_not() -> None:
    leaf, blue = (60, 100, 40), (130, 180, 240)
    assert is_outdoors(before(leaf, varied=50), BEHIND)
    assert not is_outdoors(before(leaf), BEHIND), "paint is of one lightness"
    assert is_outdoors(before(blue, rows=30), BEHIND)
    assert not is_outdoors(before(blue), BEHIND), "a blue wall goes all over"
    assert not is_outdoors(before((128, 128, 128)), BEHIND)
    assert not is_outdoors(before(leaf, varied=50), np.ones_like(BEHIND)), "nothing is seen behind the person"


def test_a_smile_is_said_only_where_one_is_read() -> None:
    def eyes(smile: float | None) -> Any:
        return SimpleNamespace(name="others", lids=SimpleNamespace(read=lambda picture, face: Lids(0.1, 0.01, smile)))

    picture = before((128, 128, 128))
    for smile, said in ((SMILES + 0.01, True), (SMILES - 0.01, None), (None, None)):
        assert read_looks(eyes(smile), picture, FACE, BEHIND).smiling is said
    blind: Any = SimpleNamespace(name="others", lids=None)
    looks = read_looks(blind, picture, FACE, BEHIND)
    assert (looks.smiling, looks.glasses, looks.outdoors) == (None, None, None)


def test_drawn_glasses_and_parks_are_read() -> None:
    eyes, who = open_eyes("embedded"), draw_identity(6_000_001)
    for glasses, scene in ((True, "park"), (False, "kitchen")):
        shot = draw_capture(77, who, "selfie", CaptureWish(frontal=0.3, background=scene))
        worn = replace(who, numbers=who.numbers | {"g_on": float(glasses)})
        picture = paint(worn, shot, 192, 1.5, "natural").picture
        looks = read_looks(eyes, picture, eyes.finder.find(picture)[0], eyes.matter.matte(picture))
        assert (looks.glasses, looks.outdoors, looks.smiling) == (glasses, glasses or None, None)


@pytest.mark.parametrize(("name", "smiling", "outdoors"), [
    ("d04_2.jpg", True, True), ("d01_1.jpg", None, None), ("d07_1.jpg", True, None), ("d02_1.jpg", None, True),
    ("d10_1.jpg", None, None), ("d08_1.jpg", True, None),
])  # fmt: skip
def test_photographs_are_read(
    photos: Path, opencv_eyes: Eyes, name: str, smiling: bool | None, outdoors: bool | None
) -> None:
    picture = read_picture((photos / name).read_bytes()).picture
    looks = read_looks(opencv_eyes, picture, opencv_eyes.finder.find(picture)[0], opencv_eyes.matter.matte(picture))
    assert (looks.smiling, looks.outdoors) == (smiling, outdoors)
