"""Light is read off skin: a beard is neither, and one side in shade is light and no beard."""

from __future__ import annotations

import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import Painting, paint
from tasks.headshots.measure import bare_skin, read_light
from tasks.vision.faces import Face

BEARDED = (910_001, 910_005, 910_009)  # dark on light skin, red, black on dark skin


def lit(seed: int, light: str) -> Painting:
    person = draw_identity(seed)
    capture = draw_capture(seed, person, "studio", CaptureWish(background="navy", light=light, frontal=0.6))
    return paint(person, capture, 128, 2.0, "aligned")


def light_on(shot: Painting) -> tuple[float, float, float]:
    face = Face(shot.face_box, shot.landmarks, 1.0)
    return read_light(shot.picture, face, bare_skin(shot.picture, face))


@pytest.mark.parametrize("seed", BEARDED)
def test_a_beard_is_not_taken_for_light_from_above(seed: int) -> None:
    _, top_bottom, contrast = light_on(lit(seed, "softbox light"))
    assert abs(top_bottom) < 0.5  # more than 1.8 where the beard counted as skin
    assert contrast < 2.5


@pytest.mark.parametrize("seed", BEARDED)
def test_the_shaded_side_of_a_face_stays_skin(seed: int) -> None:
    left, right = (light_on(lit(seed, f"softbox light from the {side}"))[0] for side in ("left", "right"))
    assert left > 0.2
    assert right < -0.2
