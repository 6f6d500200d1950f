"""A stranger's look at a delivered file: eyes are where people expect them, or as high as tall hair lets them be."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.delivered import EYES_BETWEEN, FREE, air_above, in_place
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import Painting, paint
from tasks.vision.open_eyes import open_eyes


def nobody_asks() -> float:
    raise AssertionError("the air above was measured where it did not matter")


@pytest.mark.parametrize("eye_line", [EYES_BETWEEN[0], 0.42, EYES_BETWEEN[1]])
def test_usual_eyes_are_in_place_whatever_is_above_them(eye_line: float) -> None:
    assert in_place(eye_line, nobody_asks)


def test_low_eyes_are_a_fault_where_there_is_room_above_the_hair() -> None:
    """Hair is never cut: one with an afro has their eyes lower, and somebody bald with the same eyes is cut wrong."""
    assert in_place(0.58, lambda: FREE)
    assert not in_place(0.58, lambda: FREE + 0.01)


def test_high_eyes_are_a_fault_with_and_without_room() -> None:
    assert not in_place(EYES_BETWEEN[0] - 0.01, lambda: 0.0)


@pytest.fixture(scope="module")
def painting() -> Painting:
    """Somebody with hair, before a grey wall."""
    person = draw_identity(1000)
    wish = CaptureWish(background="grey", light="softbox light from the left")
    return paint(person, draw_capture(1000, person, "studio", wish), 256, 1.0, "aligned")


def test_the_air_is_what_lies_above_the_hair(painting: Painting) -> None:
    eyes, picture = open_eyes("embedded"), painting.picture
    below = air_above(picture, eyes)
    assert below < 0.2
    higher = np.concatenate([np.repeat(picture[:1], 64, axis=0), picture])
    assert air_above(higher, eyes) == pytest.approx((64 + below * 256) / 320, abs=0.02)
    assert air_above(np.full_like(picture, 140), eyes) == 1
