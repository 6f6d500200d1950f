"""Real portraits through the faithful lane: the same backdrop, edges and frame as for renders.

The photographs lie outside the repository; where they are absent these tests say so and are skipped.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.headshots.faithful import finish_photo
from tasks.headshots.kit import BrandKit
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture

# Portraits of one person in front of a wall, a flag, a window, and far off before a striped white wall.
PORTRAITS = ("d04_1.jpg", "d06_1.jpg", "d09_1.jpg")


@pytest.fixture(scope="session", params=PORTRAITS)
def photograph(request: pytest.FixtureRequest, photographs: Path) -> bytes:
    return (photographs / str(request.param)).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["daylight", "harbour", "northwind"])
def test_a_photograph_meets_the_same_targets(
    photograph: bytes, kits: dict[str, BrandKit], opencv_eyes: Eyes, name: str
) -> None:
    kit = kits[name]
    finished = finish_photo(read_picture(photograph).picture, kit, opencv_eyes, 400)
    measures, frame = finished.measures, kit.framing
    assert finished.lane == "faithful"
    assert measures.background <= 1
    assert measures.halo <= 3
    assert measures.holes <= 0.005
    assert measures.zoom == 1
    assert abs(measures.eye_line - frame.eye_line) <= 0.01
    assert abs(measures.centre - frame.centre) <= 0.01
    assert abs(measures.inter_eye - frame.inter_eye) <= 0.01
