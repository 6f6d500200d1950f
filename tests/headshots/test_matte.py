"""Mattes against the painter's truth, and the colours of what was cut out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synthetic.painter.painting import Painting
from tasks.headshots.backdrop import dithered, draw_backdrop_linear
from tasks.headshots.crown import continued_crown
from tasks.headshots.kit import BrandKit
from tasks.headshots.matte import cut_out, estimate_colours, largest_part
from tasks.headshots.wall import weigh_with_plain_wall
from tasks.vision.colour import delta_e, to_lab, to_linear
from tasks.vision.matting import guided_filter


def coarse_of(painting: Painting) -> np.ndarray:
    """What a small net would give: the silhouette, soft by 1.2 % of the width."""
    return np.clip(cv2.GaussianBlur(painting.alpha, (0, 0), 0.012 * painting.alpha.shape[0]), 0, 1)


def face_width(painting: Painting) -> float:
    return 2.1 * float(np.hypot(*(painting.landmarks[1] - painting.landmarks[0])))


def test_alpha_is_nearer_to_the_truth_than_the_coarse_matte(painted: list[Painting]) -> None:
    for painting in painted:
        coarse = coarse_of(painting)
        found = cut_out(painting.picture, coarse, face_width(painting)).alpha
        assert np.abs(found - painting.alpha).mean() < 0.015
        assert np.abs(found - painting.alpha).mean() < 0.8 * np.abs(coarse - painting.alpha).mean()
        assert found[painting.alpha > 0.999].mean() > 0.985
        assert found[cv2.dilate(painting.alpha, np.ones((15, 15))) < 0.001].max() == 0


@pytest.mark.parametrize("name", ["northwind", "harbour", "signal"])
def test_no_halo_of_the_old_backdrop_is_left(painted: list[Painting], kits: dict[str, BrandKit], name: str) -> None:
    wall = draw_backdrop_linear(kits[name], 128, 128)
    for painting in painted:
        found = cut_out(painting.picture, coarse_of(painting), face_width(painting))
        share, truth = found.alpha[..., None], painting.alpha[..., None]
        colours, _ = estimate_colours(to_linear(painting.picture), painting.alpha)
        made = dithered(share * found.colours + (1 - share) * wall)
        naive = dithered(truth * to_linear(painting.picture) + (1 - truth) * wall)  # old backdrop left in the edge
        wanted = dithered(truth * colours + (1 - truth) * wall)
        edge = (painting.alpha > 0.02) & (painting.alpha < 0.98)
        outside = cv2.dilate(painting.alpha, np.ones((9, 9))) < 0.001
        assert delta_e(to_lab(made), to_lab(wanted))[edge].mean() < 12
        assert delta_e(to_lab(made), to_lab(dithered(wall)))[outside].mean() < 0.5
        assert np.isfinite(delta_e(to_lab(naive), to_lab(wanted))).all()


def test_colours_explain_the_picture_and_stay_clean_in_the_edge() -> None:
    """A red disc on green, blended over 12 px: the estimate must be red and green where the picture is neither."""
    y, x = np.mgrid[0:96, 0:96]
    alpha = np.clip((30 - np.hypot(x - 48, y - 48)) / 12 + 0.5, 0, 1).astype(np.float32)
    red, green = np.array([0.6, 0.05, 0.05], np.float32), np.array([0.05, 0.5, 0.1], np.float32)
    light = alpha[..., None] * red + (1 - alpha[..., None]) * green
    person, back = estimate_colours(light, alpha)
    edge = (alpha > 0.1) & (alpha < 0.9)
    assert np.abs(alpha[..., None] * person + (1 - alpha[..., None]) * back - light).max() < 0.02
    assert np.abs(person[edge] - red).mean() < 0.03
    assert np.abs(back[edge] - green).mean() < 0.03


def test_a_shoulder_that_the_net_gave_away_comes_back(painted: list[Painting]) -> None:
    painting = painted[0]
    coarse = coarse_of(painting)
    bitten = coarse.copy()
    y, x = np.mgrid[0:128, 0:128]
    bite = (np.hypot(x - 100, y - 118) < 13) & (painting.alpha > 0.99)
    bitten[bite] = 0
    assert bite.sum() > 100
    found = cut_out(painting.picture, bitten, face_width(painting)).alpha
    assert found[bite].mean() > 0.75


def test_specks_are_not_part_of_the_person() -> None:
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:, 30:70] = 1
    alpha[5:15, 80:95] = 0.9
    assert largest_part(alpha)[10, 85] == 0
    assert largest_part(alpha)[50, 50] == 1


def test_behind_no_plain_wall_nothing_is_added() -> None:
    rng = np.random.default_rng(3)
    light = cv2.GaussianBlur(rng.random((120, 120, 3)).astype(np.float32), (0, 0), 3)
    coarse = np.zeros((120, 120), np.float32)
    coarse[60:, 40:80] = 1
    assert (weigh_with_plain_wall(light, coarse) == coarse).all()


def test_the_guided_filter_leaves_a_constant_alone() -> None:
    guide = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    assert guided_filter(guide, np.full((40, 50), 0.3, np.float32), radius=4, epsilon=1e-3) == pytest.approx(
        np.full((40, 50), 0.3), abs=1e-3
    )


def small_wall(lightness: float) -> np.ndarray:
    """A 96 px wall in linear light, a little uneven, as a small base draws it."""
    noise = np.random.default_rng(5).normal(0, 0.006, (96, 96, 1)).astype(np.float32)
    ramp = np.linspace(0.95, 1.05, 96, dtype=np.float32)[None, :, None]
    return np.clip(lightness * ramp + noise * lightness + np.zeros(3, np.float32), 0, 1).astype(np.float32)


def head_and_shoulders() -> np.ndarray:
    """Where a person of 96 px is, softly."""
    y, x = np.mgrid[0:96, 0:96]
    head = np.hypot((x - 48) / 20, (y - 44) / 27) < 1
    shoulders = (np.hypot((x - 48) / 42, (y - 100) / 32) < 1) | ((abs(x - 48) < 10) & (y > 60))
    return np.clip(cv2.GaussianBlur((head | shoulders).astype(np.float32), (0, 0), 1.0), 0, 1)


def test_haze_beside_hair_stays_wall() -> None:
    """A veil of a fifth of the hair's darkness, next to the head: the net is not taken in, and neither is the wall."""
    wall, person = small_wall(0.6), head_and_shoulders()
    light = wall * (1 - person[..., None]) + 0.02 * person[..., None]
    veil = np.zeros((96, 96), np.float32)
    veil[20:50, 68:78] = 0.2
    light = light * (1 - (veil * (1 - person))[..., None])
    settled = weigh_with_plain_wall(light.astype(np.float32), person)
    assert settled[(veil > 0) & (person < 0.05)].max() < 0.5
    assert settled[(veil > 0) & (person < 0.05)].mean() < 0.02
    assert settled[person > 0.99].min() > 0.95


def test_half_of_an_afro_comes_back_even_where_the_wall_is_dark() -> None:
    for lightness in (0.6, 0.08):
        wall, person = small_wall(lightness), head_and_shoulders()
        light = wall * (1 - person[..., None]) + 0.004 * person[..., None]
        lost = person.copy()
        lost[:40, :50] = 0
        settled = weigh_with_plain_wall(light.astype(np.float32), lost)
        assert settled[(lost == 0) & (person > 0.99)].mean() > 0.95
        assert settled[person < 0.01].max() < 0.1


def test_no_face_gets_a_hole_for_having_the_walls_colour() -> None:
    wall, person = small_wall(0.5), head_and_shoulders()
    light = wall.copy()
    light[60:] = wall[60:] * (1 - person[60:, :, None]) + 0.05 * person[60:, :, None]
    settled = weigh_with_plain_wall(light, person)
    assert settled[person > 0.99].min() > 0.9


def test_gaps_inside_are_filled_and_islands_are_not_the_person() -> None:
    wall, person = small_wall(0.6), head_and_shoulders()
    light = (wall * (1 - person[..., None]) + 0.02 * person[..., None]).astype(np.float32)
    gappy = person.copy()
    gappy[40:44, 44:50] = 0
    light[40:44, 44:50] = wall[40:44, 44:50]
    light[10:18, 4:12] = 0.02
    settled = weigh_with_plain_wall(light, gappy)
    assert settled[40:44, 44:50].min() == 1
    assert settled[10:18, 4:12].max() < 0.5


def disc(radius: float, centre: tuple[float, float], height: int = 80, width: int = 100) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return np.clip(radius - np.hypot(x - centre[0], y - centre[1]) + 0.5, 0, 1).astype(np.float32)


def test_a_crown_that_was_cut_off_closes_as_round_as_it_was() -> None:
    cut, whole = disc(40, (50, 36)), disc(40, (50, 46), 90)
    colours = np.random.default_rng(1).random((80, 100, 3)).astype(np.float32)
    alpha, taller = continued_crown(cut, colours, 10)
    assert alpha.shape == (90, 100)
    assert taller.shape == (90, 100, 3)
    assert (alpha[10:] == cut).all()
    assert (taller[10:] == colours).all()
    assert np.abs(alpha[:10] - whole[:10]).mean() < 0.06
    assert alpha[0].sum() < alpha[9].sum()


def test_nothing_grows_on_what_does_not_narrow() -> None:
    colours = np.zeros((80, 100, 3), np.float32)
    widening = np.zeros((80, 100), np.float32)
    for y in range(80):
        widening[y, 20 + y // 2 : 80 - y // 2] = 1
    assert continued_crown(widening, colours, 8)[0][:8].max() == 0
    assert continued_crown(np.zeros((80, 100), np.float32), colours, 8)[0].max() == 0
