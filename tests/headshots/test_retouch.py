"""What finishing did to the person: nothing that the kit does not ask for, and more than nothing is found."""

from __future__ import annotations

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from synthetic.painter.painting import Painting
from tasks.headshots.finish import Finished, finish
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Tone
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.retouch import Retouch, compare_with_source
from tasks.headshots.studio import studio_flags
from tasks.vision.colour import linear_to_srgb, to_linear
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

OF_THE_PERSON = {"finished_skin", "finished_texture"}


@pytest.fixture(scope="module")
def source(painted: list[Painting]) -> Picture:
    return painted[1].picture


@pytest.fixture(scope="module")
def clean(source: Picture, kits: dict[str, BrandKit], eyes: Eyes) -> Finished:
    return finish(source, kits["northwind"], eyes, 320)


def found_after(clean: Finished, source: Picture, hurt: Picture, kit: BrandKit) -> PictureMeasures:
    found = compare_with_source(source, clean.source_landmarks, hurt, clean.landmarks, clean.seen, kit)
    return replace(clean.measures, **asdict(found))


def codes(measures: PictureMeasures, kit: BrandKit) -> set[str]:
    return {flag.code for flag in studio_flags(measures, kit)} & OF_THE_PERSON


@pytest.mark.parametrize("name", ["daylight", "harbour", "signal"])
def test_finishing_leaves_skin_and_texture_alone(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes, name: str
) -> None:
    measures = finish(painted[0].picture, kits[name], eyes, 320).measures
    assert measures.finished_light == pytest.approx(0, abs=0.08)
    assert measures.finished_texture == pytest.approx(1.03, abs=0.08)
    assert not codes(measures, kits[name])


def test_the_kits_own_tone_is_not_held_against_it(source: Picture, kits: dict[str, BrandKit], eyes: Eyes) -> None:
    strong = kits["northwind"].model_copy(update={"tone": Tone(exposure=0.3, contrast=0.15, saturation=1.1)})
    assert not codes(finish(source, strong, eyes, 320).measures, strong)


def test_lightened_skin_is_told_in_stops(clean: Finished, source: Picture, kits: dict[str, BrandKit]) -> None:
    brighter = np.rint(linear_to_srgb(to_linear(clean.picture) * 2**0.2) * 255).astype(np.uint8)
    measures = found_after(clean, source, brighter, kits["northwind"])
    assert measures.finished_light == pytest.approx(0.2, abs=0.06)
    (flag,) = [flag for flag in studio_flags(measures, kits["northwind"]) if flag.code == "finished_skin"]
    assert flag.sentence == "Finishing has made the skin 0.2 stops lighter."


def test_a_backdrop_that_shows_through_the_face_is_found(
    clean: Finished, source: Picture, kits: dict[str, BrandKit]
) -> None:
    veiled = cv2.addWeighted(clean.picture, 0.85, np.full_like(clean.picture, (120, 140, 190)), 0.15, 0)
    assert codes(found_after(clean, source, np.asarray(veiled, np.uint8), kits["northwind"]), kits["northwind"])


def test_smoothed_skin_is_found(clean: Finished, source: Picture, kits: dict[str, BrandKit]) -> None:
    reach = 0.1 * float(np.hypot(*(clean.landmarks[1] - clean.landmarks[0])))
    soft = np.asarray(cv2.bilateralFilter(clean.picture, 0, 40, reach), np.uint8)
    measures = found_after(clean, source, soft, kits["northwind"])
    assert codes(measures, kits["northwind"]) == {"finished_texture"}


def test_added_grain_is_found_and_sharpening_is_not(
    clean: Finished, source: Picture, kits: dict[str, BrandKit], eyes: Eyes
) -> None:
    kit = kits["northwind"]
    sharp = kit.model_copy(update={"tone": Tone(sharpen=1.5)})
    assert not codes(finish(source, sharp, eyes, 200).measures, sharp)
    away = clean.picture.astype(np.float32) - cv2.GaussianBlur(clean.picture.astype(np.float32), (0, 0), 3)
    rough = np.clip(clean.picture + 1.5 * away, 0, 255).astype(np.uint8)
    assert codes(found_after(clean, source, rough, kit), kit) == {"finished_texture"}


def test_where_the_source_shows_nothing_nothing_is_said(
    clean: Finished, source: Picture, kits: dict[str, BrandKit]
) -> None:
    kit = kits["northwind"]
    near = (clean.source_landmarks / 2).astype(np.float32)
    small = compare_with_source(source, near, clean.picture, clean.landmarks, clean.seen, kit)
    assert small == Retouch()  # 12 px between the eyes
    flat = np.full_like(source, 254)
    burnt = compare_with_source(flat, clean.source_landmarks, clean.picture, clean.landmarks, clean.seen, kit)
    assert burnt.finished_light is None
    assert burnt.finished_texture is None
    assert not codes(found_after(clean, flat, clean.picture, kit), kit)


def test_a_face_stays_solid_at_every_enlargement(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes
) -> None:
    for size in (140, 180, 240, 320):  # enlarged 1.2, 1.5, 2 and 2.7 times
        finished = finish(painted[0].picture, kits["northwind"], eyes, size)
        middle = finished.landmarks.mean(axis=0)
        reach = float(np.hypot(*(finished.landmarks[1] - finished.landmarks[0]))) / 2
        rows, columns = (slice(round(at - reach), round(at + reach)) for at in middle[::-1])
        assert finished.alpha[rows, columns].min() > 0.99, size
