"""Reading a head: glasses or none, the outline of whatever is on it, and its colour, at any resolution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.painting import Painting, paint
from tasks.likeness.head import OUTLINE, Head, read_head
from tasks.vision.faces import Face
from tasks.vision.glasses import read_glasses, wears_glasses
from tasks.vision.images import Picture

Numbers = Mapping[str, float]
NOTHING: Numbers = {}


class Knows:
    """A matter that was told the answer; it must still hold when it is asked about a part of the picture."""

    def __init__(self, shot: Painting) -> None:
        self.alpha = shot.alpha

    def matte(self, picture: Picture) -> np.ndarray:
        return np.asarray(cv2.resize(self.alpha, (picture.shape[1], picture.shape[0])), np.float32)


def shoot(person: Identity, numbers: Numbers = NOTHING, size: int = 320) -> tuple[Painting, Face]:
    somebody = replace(person, numbers={**person.numbers, **numbers})
    shot = paint(somebody, draw_capture(3, person, "studio", CaptureWish(frontal=0.5)), size, 1.0, "aligned")
    return shot, Face(shot.face_box, shot.landmarks, 1.0)


def look(person: Identity, numbers: Numbers = NOTHING, size: int = 320) -> Head:
    shot, face = shoot(person, numbers, size)
    return read_head(shot.picture, face, Knows(shot))


@pytest.mark.parametrize("size", [128, 400])
@pytest.mark.parametrize("seed", [1005, 1012])
def test_glasses_show_at_any_resolution(seed: int, size: int) -> None:
    person = draw_identity(seed)
    bare, worn = (
        read_glasses(shot.picture, face) for shot, face in (shoot(person, {"g_on": on}, size) for on in (0, 1))
    )
    assert wears_glasses(bare) is False
    assert wears_glasses(worn) is True


def test_the_outline_follows_the_hair_and_nothing_else() -> None:
    person = draw_identity(1005)
    plain = {"h_kind": 0.0, "h_off": 0.0, "cover": 0.0, "h_top": 0.08, "h_side": 0.05, "h_vol": 0.0, "h_hl": 0.7}
    short = dict(zip(OUTLINE, look(person, plain).outline, strict=True))
    tall = dict(zip(OUTLINE, look(person, plain | {"h_top": 0.28}).outline, strict=True))
    long = dict(zip(OUTLINE, look(person, plain | {"h_kind": 1.0, "h_len": 0.9}).outline, strict=True))
    assert tall["top"] > short["top"] + 0.2
    assert tall["mouth"] == pytest.approx(short["mouth"], abs=0.05)
    assert long["mouth"] > short["mouth"] + 0.3
    spectacled = dict(zip(OUTLINE, look(person, plain | {"g_on": 1.0}).outline, strict=True))
    assert spectacled["top"] == pytest.approx(short["top"], abs=0.05)


def test_resolution_changes_no_reading_much() -> None:
    small, large = (look(draw_identity(1012), size=size) for size in (128, 512))
    assert np.allclose(small.outline, large.outline, atol=0.12, equal_nan=True)
    assert small.hair is not None
    assert large.hair is not None
    assert np.allclose(small.hair, large.hair, atol=0.03)


def test_a_place_that_the_picture_cuts_off_says_nothing() -> None:
    shot, face = shoot(draw_identity(1005))
    above = round(float(face.landmarks[:2, 1].mean() - face.inter_eye))  # through the forehead
    cropped = Painting(**{**shot.__dict__, "picture": shot.picture[above:], "alpha": shot.alpha[above:]})
    moved = Face(face.box, face.landmarks - np.array([0, above], np.float32), 1.0)
    outline = dict(zip(OUTLINE, read_head(cropped.picture, moved, Knows(cropped)).outline, strict=True))
    assert math.isnan(outline["top"])
    assert math.isfinite(outline["mouth"])


def test_colour_is_of_the_hair() -> None:
    person = draw_identity(1005)
    shown = {"h_off": 0.0, "cover": 0.0, "grey": 0.0, "h_top": 0.2, "h_kind": 0.0}
    dark, fair = (
        look(person, shown | {"hr": r, "hg": g, "hb": b}).hair for r, g, b in ((0.02, 0.01, 0.01), (0.5, 0.33, 0.14))
    )
    assert dark is not None
    assert fair is not None
    assert fair[0] > 5 * dark[0]
    assert fair[0] > 1.5 * fair[2]
