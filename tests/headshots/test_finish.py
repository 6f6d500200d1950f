"""Finishing end to end: painted renders and a real portrait, measured on the result."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from synthetic.painter.painting import Painting
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.enlarge import enlarge, sharpen_for_size
from tasks.headshots.faithful import finish_photo, order_photos
from tasks.headshots.finish import CannotFinish, finish
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Lighting, Tone
from tasks.headshots.measure import PictureMeasures, measure_picture
from tasks.headshots.studio import finish_candidate, studio_flags
from tasks.headshots.tone import graded
from tasks.vision.colour import delta_e, to_lab
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture


@pytest.mark.parametrize("name", ["daylight", "harbour", "northwind", "signal"])
def test_a_render_comes_out_in_the_brands_frame(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes, name: str
) -> None:
    kit, painting = kits[name], painted[0]
    before = painting.picture.copy()
    finished = finish(painting.picture, kit, eyes, 320)
    assert (painting.picture == before).all()  # the original is kept as it was
    height = round(320 * kit.framing.height / kit.framing.width)
    assert finished.picture.shape == (height, 320, 3)
    brand = draw_backdrop(kit, 320, height)
    outside = cv2.dilate(finished.alpha, np.ones((5, 5))) == 0
    assert delta_e(to_lab(finished.picture), to_lab(brand))[outside].max() <= 1
    eye_line = finished.landmarks[:2, 1].mean() / height
    assert eye_line == pytest.approx(kit.framing.eye_line, abs=0.01)
    assert finished.landmarks[:2, 0].mean() / 320 == pytest.approx(kit.framing.centre, abs=0.01)
    measures = finished.measures
    assert measures.background <= 1
    assert measures.halo <= 3
    assert measures.holes <= 0.005


def test_finishing_twice_gives_the_same_pixels(painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes) -> None:
    first, second = (finish(painted[1].picture, kits["northwind"], eyes, 256) for _ in range(2))
    assert (first.picture == second.picture).all()
    assert first.measures == second.measures


def test_a_real_portrait_through_the_faithful_lane(
    portrait: Picture, kits: dict[str, BrandKit], opencv_eyes: Eyes
) -> None:
    finished = finish_photo(portrait, kits["harbour"], opencv_eyes, 400)
    assert finished.lane == "faithful"
    assert finished.measures.background <= 1
    assert finished.measures.halo <= 3
    assert finished.measures.holes <= 0.005
    assert abs(finished.measures.eye_line - kits["harbour"].framing.eye_line) <= 0.02


def test_tall_hair_does_not_set_the_scale(painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes) -> None:
    """A picture that ends in the hair: the face comes out as large as everybody's, and the hair closes above it."""
    kit, painting = kits["northwind"], painted[2]
    crown = int(np.flatnonzero((painting.alpha > 0.5).any(axis=1))[0])
    finished = finish(np.ascontiguousarray(painting.picture[crown + 1 :]), kit, eyes, 320)
    assert finished.measures.zoom == 1
    assert abs(finished.measures.inter_eye - kit.framing.inter_eye) <= 0.012
    top = finished.alpha[0]
    assert top.max() < 0.5 or (top > 0.5).sum() < 40
    assert finished.measures.holes <= 0.005


def test_nobody_in_the_picture_is_a_reason_not_a_crash(kits: dict[str, BrandKit], eyes: Eyes) -> None:
    with pytest.raises(CannotFinish) as caught:
        finish(np.full((128, 128, 3), 90, np.uint8), kits["northwind"], eyes, 256)
    assert caught.value.code == "no_face"


def test_photographs_without_a_face_are_not_offered(painted: list[Painting], eyes: Eyes) -> None:
    empty = np.full((128, 128, 3), 90, np.uint8)
    assert order_photos([empty, painted[0].picture], eyes) == [1]


def test_damage_after_finishing_is_flagged(painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes) -> None:
    kit = kits["northwind"]
    measures = finish_candidate(painted[0].picture, kit, eyes, 320).finished.measures

    def flagged(**changed: float) -> set[str]:
        values = {**measures.as_json(), **changed}
        return {flag.code for flag in studio_flags(PictureMeasures.from_json(values), kit)}

    clean = flagged()
    assert flagged(background=2.5) - clean == {"background"}
    assert flagged(holes=0.02) - clean == {"holes"}
    assert flagged(eye_line=measures.eye_line + 0.05) - clean == {"eye_line"}
    assert flagged(background=float("nan")) - clean == {"background"}  # what cannot be measured is not fine


def test_what_is_left_in_the_background_is_found_again(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes
) -> None:
    kit = kits["northwind"]
    finished = finish(painted[0].picture, kit, eyes, 320)
    spoilt = finished.picture.copy()
    spoilt[20:60, 20:50] = (150, 40, 30)
    spoilt[40:90, 270:300] = (90, 110, 40)
    found = measure_picture(spoilt, kit, eyes)
    assert "holes" in {flag.code for flag in studio_flags(found, kit)}
    tinted = np.clip(finished.picture.astype(int) + np.array([6, 0, -6]), 0, 255).astype(np.uint8)
    assert "background" in {flag.code for flag in studio_flags(measure_picture(tinted, kit, eyes), kit)}


def test_measures_survive_the_record(painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes) -> None:
    measures = finish(painted[2].picture, kits["signal"], eyes, 256).measures
    assert PictureMeasures.from_json(dict(measures.as_json())) == measures


def test_enlarging_keeps_colours_and_overshoots_nothing() -> None:
    step = np.zeros((32, 32, 3), np.uint8)
    step[:, 16:] = 200
    large = enlarge(step, 6.5)
    assert large.shape == (208, 208, 3)
    assert large.min() >= 0
    assert large.max() <= 212
    assert abs(int(large[100, 30].mean())) <= 3
    assert abs(int(large[100, 180].mean()) - 200) <= 3
    edge = large[100, :, 0].astype(float)
    assert ((edge > 20) & (edge < 180)).sum() <= 10  # plain interpolation smears this over 13 px and more
    assert (enlarge(step, 0.9) == step).all()


def test_sharpening_leaves_flat_parts_alone() -> None:
    flat = np.full((20, 20, 3), 137, np.uint8)
    assert (sharpen_for_size(flat, 1.0) == flat).all()


def test_tone_is_the_same_everywhere_and_small(kits: dict[str, BrandKit]) -> None:
    plain = kits["northwind"]
    light = np.linspace(0, 1, 90, dtype=np.float32).reshape(30, 3)
    assert graded(light, plain) == pytest.approx(light, abs=1e-6)
    strong = plain.model_copy(
        update={
            "tone": Tone(exposure=0.5, contrast=0.3, saturation=1.2),
            "lighting": Lighting(warmth=1.0),
        }
    )
    out = graded(light, strong)
    assert out.min() >= 0
    assert out.max() <= 1
    grey = np.repeat(np.linspace(0.02, 0.6, 50, dtype=np.float32)[:, None], 3, axis=1)
    assert (np.diff(graded(grey, strong).mean(axis=1)) > 0).all()  # order of lightness is kept
    warm = plain.model_copy(update={"lighting": Lighting(warmth=0.4)})
    shifted = graded(np.full((1, 3), 0.3, np.float32), warm)[0]
    assert shifted[0] > shifted[1] > shifted[2]
    assert abs(shifted / 0.3 - 1).max() < 0.03


def test_a_photographs_framing_is_what_the_transform_made(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes
) -> None:
    """Landmarks found again are noisy; a shift made afterwards is still found again."""
    kit = kits["northwind"]
    finished = finish(painted[0].picture, kit, eyes, 320, lane="faithful")
    measures, height = finished.measures, finished.picture.shape[0]
    assert measures.eye_line == pytest.approx(kit.framing.eye_line, abs=1e-5)
    assert measures.centre == pytest.approx(kit.framing.centre, abs=1e-5)
    shifted = np.roll(finished.picture, round(0.02 * height), axis=0)
    again = studio_flags(measure_picture(shifted, kit, eyes), kit)
    assert "eye_line" in {flag.code for flag in again}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"remnant": 0.02}, "remnant"),
        ({"enlarged": 3.0}, "enlarged"),
        ({"photo_chroma": 1.0}, "no_colour"),
        ({"photo_eyes": 0.1}, "sunglasses"),
        ({"photo_turned": 0.46}, "turned_away"),
    ],
)
def test_what_a_photograph_brings_along_is_flagged(
    kits: dict[str, BrandKit], changed: dict[str, float], code: str
) -> None:
    kit = kits["northwind"]
    measures = measured_well(kit)
    assert studio_flags(measures, kit) == []
    assert [flag.code for flag in studio_flags(replace(measures, **changed), kit)] == [code]
    render = replace(measures, **{**changed, "photo_eyes": None})  # type: ignore[arg-type]
    assert studio_flags(render, kit) == []  # a render has no photograph to answer for


def test_a_photo_that_ends_at_the_shoulders_is_said_in_one_sentence(kits: dict[str, BrandKit]) -> None:
    kit = kits["northwind"]
    near = replace(measured_well(kit), zoom=1.3, inter_eye=1.3 * kit.framing.inter_eye, head_height=0.9)
    (flag,) = studio_flags(near, kit)
    assert flag.code == "no_room"
    assert "30%" in flag.sentence
    long_face = replace(measured_well(kit), head_height=kit.framing.head_height + 0.05)
    assert studio_flags(long_face, kit) == []  # their own proportions, placed by the eyes
    codes = {flag.code for flag in studio_flags(replace(near, photo_chroma=None, photo_eyes=None), kit)}
    assert codes == {"inter_eye", "head_height"}  # a render's frame is the base's, and nobody's shoulders


def test_so_little_zoom_that_nobody_sees_it_is_no_fault_of_the_placement(kits: dict[str, BrandKit]) -> None:
    """Eyes may be off by nearly their floor for a long face; two per cent of zoom on top are the photograph's."""
    kit = kits["signal"]
    play = kit.framing.inter_eye + 0.009
    assert studio_flags(replace(measured_well(kit), zoom=1.02, inter_eye=1.02 * play), kit) == []
    off = replace(measured_well(kit), zoom=1.02, inter_eye=kit.framing.inter_eye + 0.015 + 0.005)
    assert [flag.code for flag in studio_flags(off, kit)] == ["inter_eye"]
    unzoomed = replace(measured_well(kit), inter_eye=1.02 * play)
    assert [flag.code for flag in studio_flags(unzoomed, kit)] == ["inter_eye"]


def measured_well(kit: BrandKit) -> PictureMeasures:
    """A finished photograph with nothing to object to."""
    frame = kit.framing
    return PictureMeasures(
        background=0.0, background_lab=(0.0, 0.0, 0.0), halo=0.0, holes=0.0, eye_line=frame.eye_line,
        centre=frame.centre, inter_eye=frame.inter_eye, head_height=frame.head_height, headroom=0.1, roll=0.0,
        light_left_right=0.0, light_top_bottom=0.0, contrast=1.0, skin_ita=20.0, skin_lab=(60.0, 12.0, 18.0),
        texture=1.0, sharpness=0.1, photo_chroma=20.0, photo_eyes=0.8,
    )  # fmt: skip
