"""The aligned frame: there and back again, the same at every size, never a stretch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.vision.faces import Face
from tasks.vision.portrait import (
    FACE_TEMPLATE,
    PORTRAIT_TEMPLATE,
    align_portrait,
    fit_similarity,
    invert,
    move_points,
    warp,
    zoomed,
)

numbers = st.floats(-400, 400, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 20), st.floats(-3.1, 3.1), numbers, numbers)
def test_a_similarity_is_recovered_exactly_and_inverted(scale: float, angle: float, x: float, y: float) -> None:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    truth = np.array([[c, -s, x], [s, c, y]])
    points = PORTRAIT_TEMPLATE * np.float32(100)
    moved = points.astype(np.float64) @ truth[:, :2].T + truth[:, 2]
    found = fit_similarity(points, moved.astype(np.float32))
    assert np.allclose(found, truth, rtol=1e-3, atol=2e-2)
    back = move_points(move_points(points, found), invert(found))
    assert np.allclose(back, points, atol=1e-2)


@settings(max_examples=30, deadline=None)
@given(st.lists(numbers, min_size=10, max_size=10))
def test_any_landmarks_give_a_turn_without_stretch(values: list[float]) -> None:
    points = np.array(values, dtype=np.float32).reshape(5, 2)
    if np.ptp(points, axis=0).max() < 1:
        return
    matrix = fit_similarity(points, PORTRAIT_TEMPLATE)
    a, b = matrix[:, 0], matrix[:, 1]
    assert a @ b == pytest.approx(0, abs=1e-9)
    assert np.linalg.norm(a) == pytest.approx(np.linalg.norm(b))


def test_coinciding_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match="coincide"):
        fit_similarity(np.zeros((5, 2), np.float32), PORTRAIT_TEMPLATE)


def test_landmarks_arrive_at_the_template(drawn_face: tuple[npt.NDArray[np.uint8], Face]) -> None:
    picture, face = drawn_face
    for size in (64, 128, 512):
        crop, matrix = align_portrait(picture, face.landmarks, size)
        assert crop.shape == (size, size, 3)
        eyes = move_points(face.landmarks, matrix)[:2] / size
        assert eyes[:, 1].mean() == pytest.approx(0.45, abs=0.02)
        assert eyes[1, 0] - eyes[0, 0] == pytest.approx(0.185, abs=0.02)


def test_frames_of_different_sizes_agree_to_a_fraction_of_a_pixel() -> None:
    """Half a pixel is forgotten easily: a ramp shows it."""
    ramp = np.repeat(np.linspace(0, 250, 256, dtype=np.float32)[None], 256, 0)
    points = PORTRAIT_TEMPLATE * np.float32(256)
    small = warp(ramp, fit_similarity(points, PORTRAIT_TEMPLATE * np.float32(64)), 64, 64)
    expected = ramp.reshape(64, 4, 64, 4).mean((1, 3))
    assert np.abs(small - expected)[:, 2:-2].max() < 0.6


def test_warp_there_and_back_keeps_the_picture(noise_picture: npt.NDArray[np.uint8]) -> None:
    matrix = np.array([[1.5, -0.6, 40.0], [0.6, 1.5, 10.0]])
    there = warp(noise_picture, matrix, 640, 560, fill="black")
    back = warp(there, invert(matrix), 320, 240)
    inside = warp(np.ones((240, 320), np.float32), matrix, 640, 560, fill="black")
    seen = warp(inside, invert(matrix), 320, 240, fill="black") > 0.99
    assert seen.mean() > 0.5
    assert np.abs(back.astype(int) - noise_picture)[seen].mean() < 3


def test_zoom_keeps_the_centre() -> None:
    assert np.allclose(zoomed(PORTRAIT_TEMPLATE, 1), PORTRAIT_TEMPLATE)
    near = zoomed(FACE_TEMPLATE, 2.0, (0.5, 0.5))
    assert np.ptp(near[:2, 0]) == pytest.approx(2 * np.ptp(FACE_TEMPLATE[:2, 0]))
