"""Faithful, not idealised: per person against their own selfies, per company by thirds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.headshots.kit import BrandKit
from tasks.headshots.measure import PictureMeasures, cheek_texture
from tasks.likeness.faithful import (
    Faithfulness,
    can_tell,
    compare_appearance,
    faithfulness_flags,
    skin_is_off,
    texture_is_off,
    tone_bias,
)
from tasks.likeness.reference import NoReference, PersonReference, SkinTone, read_reference, reference_texture
from tasks.vision.colour import to_lab
from tasks.vision.faces import Face
from tasks.vision.portrait import FACE_TEMPLATE, align_to


def reference(ita: float = 30.0, spread: float = 3.0, photos: int = 6) -> PersonReference:
    crops = tuple(
        np.random.default_rng(i).normal(150, 4, (224, 224, 3)).clip(0, 255).astype(np.uint8) for i in range(photos)
    )
    tone = SkinTone(ita, spread, photos)
    return PersonReference((np.ones(4, np.float32) / 2,) * photos, tone, crops, (80.0,) * photos)


def own_texture(one: PersonReference, inter_eye: float = 70.0) -> float:
    found = reference_texture(one, inter_eye)
    assert found is not None
    return found.value


def test_lightening_is_flagged_and_the_persons_own_spread_is_allowed(kit: BrandKit, clean: PictureMeasures) -> None:
    texture = own_texture(reference())
    lighter = replace(clean, skin_ita=45.0, texture=texture)
    found = compare_appearance(lighter, reference(), kit.floors, 70.0)
    assert found.skin_shift == pytest.approx(15)
    assert [flag.code for flag in faithfulness_flags(found, kit.floors)] == ["skin_tone"]
    assert "15 degrees lighter" in faithfulness_flags(found, kit.floors)[0].sentence
    varied = compare_appearance(lighter, reference(spread=9.0), kit.floors, 70.0)
    assert faithfulness_flags(varied, kit.floors) == []


def test_photographs_under_chance_light_say_nothing_about_one_pictures_skin(
    kit: BrandKit, clean: PictureMeasures
) -> None:
    """Two photographs of one person differ as much as two people's: the shift is kept for the company, not judged."""
    lighter = replace(clean, skin_ita=45.0, texture=own_texture(reference()))
    found = compare_appearance(lighter, reference(), kit.floors, 70.0, chance_light=True)
    assert (found.skin_shift, found.skin_limit) == (pytest.approx(15), None)
    assert faithfulness_flags(found, kit.floors) == []
    assert tone_bias([found])[0].shift == pytest.approx(15)


def test_few_selfies_say_nothing_about_skin(kit: BrandKit, clean: PictureMeasures) -> None:
    few = reference(photos=4)
    found = compare_appearance(replace(clean, skin_ita=80.0, texture=own_texture(few)), few, kit.floors, 70.0)
    assert found.skin_limit is None
    assert faithfulness_flags(found, kit.floors) == []


def test_smoothing_and_noise_are_flagged(kit: BrandKit, clean: PictureMeasures) -> None:
    texture = own_texture(reference())
    for factor, code in ((0.4, "smoothed"), (1.7, "roughened")):
        found = compare_appearance(replace(clean, texture=texture * factor), reference(), kit.floors, 70.0)
        assert found.texture_ratio == pytest.approx(factor)
        assert [flag.code for flag in faithfulness_flags(found, kit.floors)] == [code]


def test_selfies_that_differ_too_much_say_nothing_about_texture(kit: BrandKit, clean: PictureMeasures) -> None:
    varied = tuple(
        np.random.default_rng(i).normal(150, 2.0 * 2**i, (224, 224, 3)).clip(0, 255).astype(np.uint8) for i in range(5)
    )
    unlike = replace(reference(photos=5), faces=varied)
    found = compare_appearance(replace(clean, texture=0.4 * own_texture(unlike)), unlike, kit.floors, 70.0)
    assert found.texture_ratio == pytest.approx(0.4)
    assert found.texture_unsure is not None
    assert found.texture_unsure > 0.3
    assert not can_tell(found, kit.floors.texture[0])
    assert faithfulness_flags(found, kit.floors) == []
    assert reference_texture(reference(photos=2), 70.0) is None


def test_a_beard_is_not_texture_and_noise_is_taken_off() -> None:
    person = draw_identity(1005)
    shot = paint(person, draw_capture(3, person, "studio", CaptureWish()), 400, 1.0, "aligned")
    face = Face(shot.face_box, shot.landmarks, 1.0)
    crop, _ = align_to(shot.picture, face.landmarks, FACE_TEMPLATE, 224)
    aligned = Face((0.0, 0.0, 224.0, 224.0), FACE_TEMPLATE * np.float32(224), 1.0)
    before = cheek_texture(crop, aligned)
    bearded = crop.copy()
    bearded[round(0.7 * 224) :] = (40, 25, 20)
    assert cheek_texture(bearded, aligned) == pytest.approx(before, rel=0.35)
    # A sensor's noise on a flat face is not skin.
    flat = np.full((224, 224, 3), (190, 150, 130), np.float32)
    grain = np.random.default_rng(0).normal(0, 4, flat.shape)
    noisy = np.clip(flat + grain, 0, 255).astype(np.uint8)
    lightness = to_lab(noisy)[..., 0]
    assert cheek_texture(noisy, aligned) < 0.7 * float(
        (cv2.GaussianBlur(lightness, (0, 0), 0.7) - cv2.GaussianBlur(lightness, (0, 0), 1.4)).std()
    )


def test_texture_falls_with_blur_at_any_resolution() -> None:
    person = draw_identity(1005)
    shot = paint(person, draw_capture(3, person, "studio", CaptureWish()), 320, 1.0, "aligned")
    face = Face(shot.face_box, shot.landmarks, 1.0)
    blurred = np.asarray(cv2.GaussianBlur(shot.picture, (0, 0), 4), np.uint8)
    for inter_eye in (24.0, 60.0):
        assert cheek_texture(blurred, face, inter_eye) < cheek_texture(shot.picture, face, inter_eye)


def test_a_picture_of_the_same_face_keeps_its_texture() -> None:
    """The same shot, aligned as selfies are kept: the ratio of a picture to itself must be one."""
    person = draw_identity(1005)
    shot = paint(person, draw_capture(3, person, "studio", CaptureWish()), 400, 1.0, "aligned")
    face = Face(shot.face_box, shot.landmarks, 1.0)
    crop, _ = align_to(shot.picture, face.landmarks, FACE_TEMPLATE, 224)
    own = PersonReference((), None, (crop,) * 3, (face.inter_eye,) * 3)
    ratio = cheek_texture(shot.picture, face, 40.0) / own_texture(own, 40.0)
    assert ratio == pytest.approx(1, abs=0.25)


def test_bias_is_told_by_thirds() -> None:
    def person(ita: float, shift: float) -> Faithfulness:
        return Faithfulness(shift, 12.0, 1.0, ita)

    pulled = [person(-30 + 10 * i, 9.0 - 2 * i) for i in range(9)]  # dark made lighter, light made darker
    bias = {one.group: one for one in tone_bias(pulled)}
    assert bias["all"].shift == pytest.approx(1.0)
    assert bias["all"].within_target
    assert bias["darkest third"].shift == pytest.approx(7.0)
    assert not bias["darkest third"].within_target
    assert bias["darkest third"].error == pytest.approx(2 / 3**0.5)
    assert bias["lightest third"].shift == pytest.approx(-5.0)
    assert [one.group for one in tone_bias(pulled[:4])] == ["all"]
    assert tone_bias([]) == []


def test_what_earlier_versions_measured_besides_is_passed_over() -> None:
    found = Faithfulness(2.0, 12.0, 1.0, 30.0, 0.1)
    assert Faithfulness.from_json({**found.as_json(), "chroma_shift": 1.5}) == found
    assert Faithfulness.from_json({"skin_shift": 2.0, "chroma_shift": 1.5}).texture_ratio is None


def told(**numbers: float | None) -> Faithfulness:
    """A picture of which only these numbers are known."""
    return Faithfulness(**{"skin_shift": None, "skin_limit": None, "texture_ratio": None,
                           "reference_ita": None, **numbers})  # fmt: skip


@pytest.mark.parametrize(
    ("unsure", "limit", "tells"),
    [(None, 0.5, True), (0.5, math.exp(-1), True), (0.5, math.exp(1), True), (0.501, math.exp(-1), False),
     (0.34, math.exp(-1), True), (0.0, 0.5, True)],
)  # fmt: skip
def test_two_standard_deviations_of_chance_must_fit_within_the_limit(
    unsure: float | None, limit: float, tells: bool
) -> None:
    assert can_tell(told(texture_unsure=unsure), limit) is tells


@pytest.mark.parametrize(
    ("ratio", "unsure", "off"),
    [(None, 0.0, False), (0.6, 0.0, False), (0.599, 0.0, True), (1.4, 0.0, False), (1.401, 0.0, True),
     # The lower limit is further from even than the upper one: what cannot be told there may be told here.
     (0.5, 0.2, True), (1.5, 0.2, False), (0.5, 0.3, False), (1.0, 9.0, False)],
)  # fmt: skip
def test_texture_is_off_beyond_the_kits_limits_where_the_selfies_can_say(
    kit: BrandKit, ratio: float | None, unsure: float, off: bool
) -> None:
    assert kit.floors.texture == (0.6, 1.4)
    assert texture_is_off(told(texture_ratio=ratio, texture_unsure=unsure), kit.floors) is off


@pytest.mark.parametrize(
    ("shift", "limit", "off"),
    [
        (None, 8.0, False),
        (9.0, None, False),
        (8.0, 8.0, False),
        (-8.0, 8.0, False),
        (8.1, 8.0, True),
        (-8.1, 8.0, True),
    ],
)
def test_skin_is_off_only_beyond_what_their_selfies_allow(shift: float | None, limit: float | None, off: bool) -> None:
    assert skin_is_off(told(skin_shift=shift, skin_limit=limit)) is off


def test_whoever_has_no_skin_to_compare_with_counts_in_no_bias() -> None:
    known = [told(reference_ita=float(10 * n), skin_shift=2.0) for n in range(3)]
    beside = [told(reference_ita=None, skin_shift=50.0), told(reference_ita=50.0, skin_shift=None)]
    [everybody] = tone_bias(known + beside)
    assert (everybody.people, everybody.shift) == (3, 2.0)


def test_without_a_face_in_any_selfie_there_is_nothing_to_judge_by() -> None:
    nobody_looks: Any = None
    with pytest.raises(NoReference, match="no face in any selfie"):
        read_reference([], nobody_looks)
