"""Vectors with known angles between them, and measures of a picture on which nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tasks.headshots.kit import BrandKit, load_kit
from tasks.headshots.measure import PictureMeasures
from tasks.vision.faces import REPOSITORY, Thresholds

Vector = np.ndarray


@pytest.fixture(scope="session")
def kit() -> BrandKit:
    return load_kit("northwind", REPOSITORY / "brand_kits")


@pytest.fixture(scope="session")
def thresholds() -> Thresholds:
    """As fitted for a public encoder."""
    return Thresholds(
        same=0.40, belongs=0.30, stranger=0.25, twin_folder=0.50, likeness_slope=36.7, likeness_bias=-9.3,
        margin=0.10, likeness=0.40, relative=0.8,
    )  # fmt: skip


@pytest.fixture(scope="session")
def near() -> Callable[[Vector, float, int], Vector]:
    """A unit vector at a given cosine from another, in a direction drawn by a seed."""

    def draw(vector: Vector, cosine: float, seed: int) -> Vector:
        other = np.random.default_rng(seed).standard_normal(vector.size)
        other -= (other @ vector) * vector
        other /= np.linalg.norm(other)
        return (cosine * vector + np.sqrt(1 - cosine**2) * other).astype(np.float32)

    return draw


@pytest.fixture(scope="session")
def clean(kit: BrandKit) -> PictureMeasures:
    frame = kit.framing
    return PictureMeasures(
        background=0.2, background_lab=(78.0, -1.0, -8.0), halo=0.8, holes=0.0, eye_line=frame.eye_line,
        centre=frame.centre, inter_eye=frame.inter_eye, head_height=frame.head_height, headroom=0.06, roll=0.2,
        light_left_right=0.6, light_top_bottom=0.3, contrast=1.5, skin_ita=30.0, skin_lab=(62.0, 14.0, 20.0),
        texture=1.0, sharpness=0.08,
    )  # fmt: skip
