"""Backdrops: exact, smooth, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.headshots.backdrop import draw_backdrop, draw_backdrop_linear, linear_of, mean_colour
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Backdrop


def with_backdrop(kit: BrandKit, **said: object) -> BrandKit:
    return kit.model_copy(update={"backdrop": Backdrop.model_validate(said)})


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#1d2c4d", "#c9ced6", "#7f0103"])
def test_a_flat_colour_is_that_colour_to_the_last_level(kits: dict[str, BrandKit], colour: str) -> None:
    drawn = draw_backdrop(with_backdrop(kits["northwind"], kind="colour", colour=colour), 37, 21)
    assert drawn.shape == (21, 37, 3)
    assert {tuple(pixel) for pixel in drawn.reshape(-1, 3)} == {tuple(bytes.fromhex(colour[1:]))}


def test_a_linear_gradient_runs_one_way_without_bands(kits: dict[str, BrandKit]) -> None:
    kit = with_backdrop(kits["northwind"], kind="gradient", colour="#404040", to="#505050", shape="linear", angle=90)
    drawn = draw_backdrop(kit, 64, 512).astype(float)
    rows = drawn.mean(axis=(1, 2))
    assert rows[0] == pytest.approx(0x40, abs=0.6)
    assert rows[-1] == pytest.approx(0x50, abs=0.6)
    # Without dither 16 levels over 512 rows would stand still for 32 rows at a time; means of 8 rows must move.
    steps = np.diff(rows.reshape(-1, 8).mean(axis=1))
    assert (steps > -0.15).all()
    assert (steps[8:-8] > 0.05).all()


def test_a_radial_gradient_is_purest_at_its_centre(kits: dict[str, BrandKit]) -> None:
    kit = kits["northwind"]
    light = draw_backdrop_linear(kit, 200, 200)
    away = np.abs(light - linear_of(kit.backdrop.colour)).sum(-1)
    y, x = np.unravel_index(int(away.argmin()), away.shape)
    assert abs(x / 200 - kit.backdrop.centre[0]) < 0.02
    assert abs(y / 200 - kit.backdrop.centre[1]) < 0.02


def test_a_vignette_darkens_corners_and_leaves_the_middle(kits: dict[str, BrandKit]) -> None:
    drawn = draw_backdrop(kits["harbour"], 80, 100)
    assert tuple(drawn[50, 40]) == tuple(bytes.fromhex(kits["harbour"].backdrop.colour[1:]))
    assert drawn[0, 0].mean() < 0.85 * drawn[50, 40].mean()


def test_a_picture_covers_every_frame(kits: dict[str, BrandKit]) -> None:
    for width, height in ((96, 128), (128, 96), (128, 128)):
        drawn = draw_backdrop(kits["daylight"], width, height)
        assert drawn.shape == (height, width, 3)
        assert drawn.std() > 5


def test_drawing_twice_gives_the_same_and_hands_out_no_shared_memory(kits: dict[str, BrandKit]) -> None:
    first = draw_backdrop(kits["daylight"], 90, 120)
    kept = first.copy()
    first[:] = 0
    assert (draw_backdrop(kits["daylight"], 90, 120) == kept).all()


def test_the_mean_colour_is_what_is_drawn(kits: dict[str, BrandKit]) -> None:
    flat = with_backdrop(kits["northwind"], kind="colour", colour="#336699")
    assert mean_colour(flat) == "#336699"
