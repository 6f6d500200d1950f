"""Framing: laws of the one transform, for any head anywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.headshots.framing import EYES_PLAY, HEAD_PLAY, OVERHANG, head_height, place_head
from tasks.headshots.kit_sections import Framing
from tasks.vision.matting import Touching, touching_sides
from tasks.vision.portrait import PORTRAIT_TEMPLATE, move_points

FREE = Touching(left=False, right=False, top=False, bottom=False)
CUT = Touching(left=True, right=True, top=False, bottom=True)
FRAME = (800, 1000)
framings = st.builds(
    Framing,
    aspect=st.just("4:5"),
    eye_line=st.floats(0.35, 0.55),
    inter_eye=st.floats(0.12, 0.28),
    head_height=st.floats(0.45, 0.85),
    centre=st.floats(0.45, 0.55),
)


def head(x: float, y: float, inter_eye: float, degrees: float, longer: float = 1.0) -> np.ndarray:
    """Five landmarks of an average face, turned, `longer` than average."""
    points = (PORTRAIT_TEMPLATE.astype(float) - PORTRAIT_TEMPLATE[:2].mean(axis=0)) / 0.185 * inter_eye
    points[:, 1] *= longer
    turn = math.radians(degrees)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return (points @ rotation.T + np.array([x, y])).astype(np.float32)


heads = st.builds(
    head, st.floats(200, 800), st.floats(200, 800), st.floats(20, 200), st.floats(-25, 25), st.floats(0.85, 1.15)
)


@settings(max_examples=60, deadline=None)
@given(heads, framings)
def test_the_eyes_land_on_their_line_level_and_centred(points: np.ndarray, framing: Framing) -> None:
    placed = place_head(points, framing, FREE, (1000, 1000), FRAME)
    moved = move_points(points, placed.matrix)
    middle = moved[:2].mean(axis=0)
    assert middle[0] == pytest.approx(framing.centre * FRAME[0], abs=0.5)
    assert middle[1] == pytest.approx(framing.eye_line * FRAME[1], abs=0.5)
    assert abs(moved[0, 1] - moved[1, 1]) < 0.5
    distance = float(moved[1, 0] - moved[0, 0]) / FRAME[0]
    assert abs(distance - framing.inter_eye) <= EYES_PLAY * 1.1
    assert placed.zoom == 1


@settings(max_examples=60, deadline=None)
@given(heads, framings)
def test_eyes_and_head_share_what_a_long_or_short_face_asks(points: np.ndarray, framing: Framing) -> None:
    """Neither reaches its limit while the other still has room; both do only for a face that nothing can fit."""
    moved = move_points(points, place_head(points, framing, FREE, (1000, 1000), FRAME).matrix).astype(float)
    eyes = math.log((moved[1, 0] - moved[0, 0]) / FRAME[0] / framing.inter_eye) * framing.inter_eye / EYES_PLAY
    tall = head_height(moved[:2], moved[3:5]) / FRAME[1]
    head = math.log(tall / framing.head_height) * framing.head_height / HEAD_PLAY
    assert eyes == pytest.approx(-head, abs=0.02) or (abs(eyes) == pytest.approx(1, abs=0.02) and abs(head) > 1)


@settings(max_examples=60, deadline=None)
@given(heads, framings)
def test_it_is_a_similarity_and_never_a_stretch(points: np.ndarray, framing: Framing) -> None:
    linear = place_head(points, framing, CUT, (1000, 1000), FRAME).matrix[:, :2]
    scale = math.sqrt(np.linalg.det(linear))
    assert linear @ linear.T == pytest.approx(np.eye(2) * scale**2, rel=1e-6, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(heads, framings)
def test_a_cut_side_is_never_shown(points: np.ndarray, framing: Framing) -> None:
    placed = place_head(points, framing, CUT, (1000, 1000), FRAME)
    assert placed.zoom >= 1
    if placed.zoom >= 1.59:
        return  # drawn in as far as is allowed
    inverse = np.linalg.inv(placed.matrix[:, :2])
    corners = (np.array([[0, FRAME[1]], [FRAME[0], FRAME[1]]]) - placed.matrix[:, 2]) @ inverse.T
    slack = 2 * OVERHANG * max(FRAME) / placed.scale
    assert corners[0, 0] >= -slack
    assert corners[1, 0] <= 1000 + slack
    assert corners[:, 1].max() <= 1000 + slack


@settings(max_examples=30, deadline=None)
@given(heads, framings, st.floats(0.5, 3))
def test_the_size_of_the_source_does_not_matter(points: np.ndarray, framing: Framing, factor: float) -> None:
    one = place_head(points, framing, CUT, (1000, 1000), FRAME)
    size = (round(1000 * factor), round(1000 * factor))
    other = place_head((points * (size[0] / 1000)).astype(np.float32), framing, CUT, size, FRAME)
    assert move_points(points, one.matrix) == pytest.approx(
        move_points((points * (size[0] / 1000)).astype(np.float32), other.matrix), abs=0.6
    )


def test_the_sides_that_cut_a_person_are_seen() -> None:
    alpha = np.zeros((100, 100), np.float32)
    alpha[40:, 20:80] = 1
    alpha[80:, :] = 1
    assert touching_sides(alpha) == Touching(left=True, right=True, top=False, bottom=True)
