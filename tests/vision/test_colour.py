"""Colour formulas against published figures, and their laws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.vision.colour import delta_e, ita, linear_to_srgb, skin_mask, srgb_to_linear, to_lab, to_linear
from tasks.vision.faces import Face

# Sharma, Wu, Dalal (2005): pairs that catch wrong hue averages and rotations.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]
lab = st.tuples(st.floats(0, 100), st.floats(-100, 100), st.floats(-100, 100))


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_published_differences(first: tuple[float, ...], second: tuple[float, ...], expected: float) -> None:
    assert float(delta_e(first, second)) == pytest.approx(expected, abs=1e-4)


@settings(max_examples=80, deadline=None)
@given(lab, lab)
def test_difference_is_symmetric_and_zero_only_for_the_same(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    assert float(delta_e(a, b)) == pytest.approx(float(delta_e(b, a)), abs=1e-6)
    assert float(delta_e(a, a)) == pytest.approx(0, abs=1e-9)
    assert float(delta_e(a, b)) >= 0


def test_known_colours() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], dtype=np.uint8)
    found = to_lab(colours)[0]
    assert np.allclose(found[0], (100, 0, 0), atol=0.02)
    assert np.allclose(found[1], (0, 0, 0), atol=0.02)
    assert np.allclose(found[2], (53.24, 80.09, 67.20), atol=0.05)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_linear_and_back(values: list[float]) -> None:
    assert np.allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=2e-5)


def test_bytes_to_linear_is_monotonous() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    assert (np.diff(to_linear(ramp)[0, :, 0]) > 0).all()


def test_skin_angle_of_light_and_dark_skin() -> None:
    light, dark = ita((75.0, 10.0, 15.0)), ita((30.0, 12.0, 18.0))
    assert float(light) == pytest.approx(59.04, abs=0.01)
    assert float(dark) < -30


def test_skin_mask_covers_skin_and_leaves_out_eyes_and_backdrop(
    drawn_face: tuple[npt.NDArray[np.uint8], Face],
) -> None:
    picture, face = drawn_face
    mask = skin_mask(picture, face)
    assert mask.shape == picture.shape[:2]
    assert mask[225:245, 150:180].mean() > 0.7  # a cheek
    assert not mask[176:184, 152:168].any()  # an eye
    assert not mask[:60].any()
    assert 0.02 < mask.mean() < 0.2
