"""Light and tone are read off skin: no beard is either, dark or white; shade and shine are light and no beard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.painting import Painting, paint
from tasks.headshots import measure
from tasks.headshots.measure import bare_skin, read_light, skin_colour
from tasks.vision.colour import ita
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


SHAVEN = {"b_geo": 0.0, "b_full": 0.0, "b_mous": 0.0, "b_chin": 0.0, "b_stub": 0.0}
WHITE_BEARD = 3_050_004  # on tanned skin: counted as skin it made him as fair as anybody
FAIR = (910_002, 910_017, 910_021)  # shine takes half of their colour


def tone_of(person: Identity, seed: int) -> float:
    capture = draw_capture(seed, person, "studio", CaptureWish(background="navy", light="softbox light", frontal=0.6))
    shot = paint(person, capture, 128, 1.0, "aligned")
    return float(ita(skin_colour(shot.picture, bare_skin(shot.picture, Face(shot.face_box, shot.landmarks, 1.0)))))


def test_a_white_beard_is_not_taken_for_fair_skin() -> None:
    bearded = draw_identity(WHITE_BEARD)
    shaven = replace(bearded, numbers=bearded.numbers | SHAVEN)
    assert bearded.beard == "full"
    assert tone_of(bearded, WHITE_BEARD) == pytest.approx(tone_of(shaven, WHITE_BEARD), abs=7)  # 37 before


@pytest.mark.parametrize("seed", FAIR)
def test_shine_on_fair_skin_stays_skin(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tone_of(draw_identity(seed), seed)
    monkeypatch.setattr(measure, "PALE", (0.0, 99.0))  # nothing is ever paler
    assert seen == pytest.approx(tone_of(draw_identity(seed), seed), abs=2)
