"""The visible label: inside every circle, under every chin, the company's own icon where it has one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.disclosure.label import LEAST_SIDE, with_label

GREY = np.full((400, 320, 3), 128, np.uint8)


def changed(size: tuple[int, int], lane: str = "generated", icon: Path | None = None) -> np.ndarray:
    """Where a label changed a grey picture of this height and width."""
    plain = np.full((*size, 3), 128, np.uint8)
    return (with_label(plain, lane, icon) != plain).any(axis=2)


@pytest.mark.parametrize("size", [(1024, 1024), (648, 648), (378, 295), (500, 400), (400, 800)])
@pytest.mark.parametrize("lane", ["generated", "faithful"])
def test_it_lies_inside_the_circle_and_below_the_face(size: tuple[int, int], lane: str) -> None:
    down, across = np.nonzero(changed(size, lane))
    side, (height, width) = min(size), size
    middle = (height - side / 2, width / 2)
    assert down.size > 0
    assert np.hypot(down - middle[0], across - middle[1]).max() < side / 2
    assert down.min() > middle[0] + side * 0.34


def test_the_lanes_say_different_words() -> None:
    assert (changed((400, 400)) != changed((400, 400), "faithful")).any()


def test_a_picture_too_small_to_read_is_left_alone() -> None:
    assert not changed((LEAST_SIDE - 1, 400)).any()
    assert changed((LEAST_SIDE, LEAST_SIDE)).any()


def test_the_company_s_icon_takes_the_place_of_words(tmp_path: Path) -> None:
    Image.new("RGBA", (60, 40), (255, 0, 0, 255)).save(tmp_path / "generated.png")
    found = with_label(GREY, "generated", tmp_path / "generated.png")
    there = (found != GREY).any(axis=2)
    assert (found[there] == (255, 0, 0)).all()
    assert there.sum() > 500
