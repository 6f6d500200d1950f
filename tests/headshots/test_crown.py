"""A head that is cut off at the top is said; a kit that frames tightly is nobody's fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthetic.painter.painting import Painting
from tasks.headshots.crown import cut_width, lost_of_head
from tasks.headshots.finish import finish
from tasks.headshots.kit import BrandKit
from tasks.headshots.studio import CROWN, HEAD_LOST, studio_flags
from tasks.vision.faces import Eyes
from tests.headshots.test_finish import measured_well


def cut_above(painting: Painting, rows: int) -> np.ndarray:
    """The picture that ends `rows` below the top of the hair."""
    top = int(np.flatnonzero((painting.alpha > 0.5).any(axis=1))[0])
    return np.ascontiguousarray(painting.picture[top + rows :])


@pytest.mark.parametrize("name", ["northwind", "harbour", "daylight", "signal"])
def test_a_head_with_all_its_hair_is_not_accused(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes, name: str
) -> None:
    """Signal's frame cuts tall hair for everybody: that is the kit's look, and no other picture would change it."""
    tallest = min(painted, key=lambda one: int(np.flatnonzero((one.alpha > 0.5).any(axis=1))[0]))
    assert finish(tallest.picture, kits[name], eyes, 160).measures.crown <= CROWN / 2


@pytest.mark.parametrize("lane", ["generated", "faithful"])
def test_hair_that_ends_with_its_source_is_said(
    painted: list[Painting], kits: dict[str, BrandKit], eyes: Eyes, lane: str
) -> None:
    kit = kits["harbour"]
    made = finish(cut_above(painted[0], 6), kit, eyes, 160, lane="faithful" if lane == "faithful" else "generated")
    assert made.measures.crown > 1.5 * CROWN
    assert "crown_cut" in {flag.code for flag in studio_flags(made.measures, kit)}


@pytest.mark.parametrize(("share", "said"), [(CROWN - 0.001, False), (CROWN + 0.001, True)])
def test_a_little_width_is_a_parting_and_more_is_a_cut(kits: dict[str, BrandKit], share: float, said: bool) -> None:
    kit = kits["northwind"]
    codes = [flag.code for flag in studio_flags(replace(measured_well(kit), crown=share), kit)]
    assert codes == (["crown_cut"] if said else [])


def test_what_was_continued_is_read_at_its_new_top_and_what_could_not_be_at_the_old() -> None:
    alpha = np.zeros((20, 30), np.float32)
    alpha[4:, 5:25] = 1  # hair that widens downwards only: nothing was put on top of it
    assert cut_width(alpha, 4) == 20
    alpha[1:4, 10:20] = 1  # it closed before the top
    assert cut_width(alpha, 4) == 0
    alpha[0, 12:18] = 1  # it did not
    assert cut_width(alpha, 4) == 6
    assert cut_width(alpha[4:], 0) == 20


def test_a_turban_that_was_taken_for_a_wall_is_said(painted: list[Painting], kits: dict[str, BrandKit]) -> None:
    """Cut away from the forehead up, as a net does that knows hair only; nobody's whole head is accused."""
    for painting in painted:
        alpha = painting.alpha.astype(np.float32)
        assert lost_of_head(alpha, painting.landmarks) == 0
        eyes, mouth = painting.landmarks[:2].mean(axis=0), painting.landmarks[3:5].mean(axis=0)
        x, y = round(float(eyes[0])), round(float(eyes[1] - 0.55 * (mouth - eyes)[1]))
        bitten = alpha.copy()
        bitten[:y, x - 6 : x + 7] = 0
        assert lost_of_head(bitten, painting.landmarks) > 5 * HEAD_LOST
    flagged = replace(measured_well(kits["signal"]), head_lost=HEAD_LOST + 0.01)
    assert [flag.code for flag in studio_flags(flagged, kits["signal"])] == ["head_lost"]
