"""Photographs are told from drawings before minutes are spent, and the other lane is offered in the same sentence."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from flows.headshots import of_one_world
from tasks.adapters.forecasting import plan_lines
from tasks.roster.rows import RosterRow
from tasks.selfies.findings import finding
from tasks.selfies.judge_set import SetVerdict, of_another_world
from tasks.selfies.people import settle
from tasks.shipped import SHIPPED
from tasks.vault.failures import NotLikeThis
from tasks.vault.settings import Settings
from tasks.vision.images import read_picture
from tasks.vision.worlds import DRAWING, PHOTOGRAPH, BaseWorld, misfit, read_texture

DRAWN, REAL = BaseWorld("drawn"), BaseWorld("real")


@pytest.fixture
def noise() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.fixture
def photos() -> Path:
    folder = Path(os.environ.get("ROLLCALL_SHARED", SHIPPED.parent / "shared")) / "testdata" / "photos"
    if not (folder / "manifest.json").is_file():
        pytest.skip("the folder with real portraits is not here (set ROLLCALL_SHARED)")
    return folder


def row(generation: bool) -> RosterRow:
    return RosterRow("1", "A B", "", "", "", "active", None, "keep", generation, None, 0)


def seen(texture: float) -> SetVerdict:
    return SetVerdict((), (), (), texture)


def test_drawn_selfies_have_no_texture_at_any_size() -> None:
    files = sorted((SHIPPED / "samples" / "northwind" / "selfies" / "NW-1004").glob("*.jpg"))
    for file in files[:4]:
        picture = read_picture(file.read_bytes()).picture
        for side in (128, 320, 640):
            small = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            assert read_texture(small) < PHOTOGRAPH


def test_a_lens_leaves_texture_everywhere(noise: np.random.Generator) -> None:
    """A stand-in for a photograph: a smooth picture with the fine, uneven structure of cloth, plaster and grain."""
    coarse = cv2.resize(noise.normal(0, 1, (160, 160, 3)).astype(np.float32), (640, 640), interpolation=cv2.INTER_CUBIC)
    fine = noise.normal(0, 1, (640, 640, 3))
    picture = np.clip(150 + 4 * coarse + 2 * fine, 0, 255).astype(np.uint8)
    assert read_texture(picture) > PHOTOGRAPH


def test_real_photographs_are_photographs(photos: Path) -> None:
    textures = [read_texture(read_picture(f.read_bytes()).picture) for f in sorted(photos.glob("d*"))]
    assert sum(texture > PHOTOGRAPH for texture in textures) >= 20
    assert min(textures) > DRAWING


def test_each_base_gets_its_own_people() -> None:
    assert [f.severity for f in of_another_world(seen(1.0), DRAWN)] == ["block"]
    assert [f.severity for f in of_another_world(seen(1.0), BaseWorld("drawn", anyway=True))] == ["warn"]
    assert [f.code for f in of_another_world(seen(0.1), REAL)] == ["drawn"]
    assert of_another_world(seen(0.1), DRAWN) == of_another_world(seen(1.0), REAL) == ()
    assert of_another_world(SetVerdict((), ()), DRAWN) == ()  # nothing was accepted, nothing is said


def test_the_sentence_names_both_ways_on() -> None:
    said = finding("photographs").sentence
    assert "models list" in said
    assert "real-photo lane" in said


def test_whoever_is_not_drawn_needs_no_base() -> None:
    drawn = settle(row(generation=True), (), 4, seen(1.0), base=DRAWN)
    kept = settle(row(generation=False), (), 4, seen(1.0), base=DRAWN)
    assert (drawn.state, drawn.reason) == ("blocked", "photographs")
    assert (kept.state, kept.lane) == ("ready", "faithful")


@pytest.mark.parametrize(
    ("eyes", "world", "fits"),
    [("embedded", "drawn", True), ("opencv", "real", True), ("opencv", "drawn", False), ("embedded", "real", False)],
)
def test_eyes_and_base_are_of_one_world(eyes: str, world: str, fits: bool) -> None:
    assert (misfit(eyes, "b", world) == "") == fits  # type: ignore[arg-type]


def test_drawn_eyes_do_not_judge_real_people_unless_told_to() -> None:
    wrong = Settings(base="sdxl", eyes="embedded")
    with pytest.raises(NotLikeThis, match="ROLLCALL_EYES=opencv"):
        of_one_world(wrong)
    of_one_world(wrong.model_copy(update={"mixed_worlds": True}))
    of_one_world(Settings(base="sdxl", eyes="opencv"))
    of_one_world(Settings(base="embedded", eyes="opencv"))  # the real-photo lane needs no base


def test_the_plan_says_whom_the_base_can_draw() -> None:
    assert any("drawn people only" in line for line in plan_lines(Settings(), "draft"))
    assert any("ROLLCALL_EYES=opencv" in line for line in plan_lines(Settings(base="sdxl"), "draft"))
