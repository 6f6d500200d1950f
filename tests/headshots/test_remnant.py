"""A piece of the room that stays with a person is seen though the matte that kept it sees nothing wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.faces_composites import CutPerson, compose
from synthetic.painter.painting import Painting
from tasks.headshots.matte import Cutout, estimate_colours
from tasks.headshots.remnant import read_remnant, without_denied
from tasks.headshots.studio import REMNANT
from tasks.vision.colour import to_linear

Scene = tuple[np.ndarray, np.ndarray, np.ndarray]  # picture, alpha, landmarks


def before(room: str, painting: Painting) -> Scene:
    """A painted person before a drawn room, with their true alpha."""
    alpha = painting.alpha.astype(np.float32)
    colours, _ = estimate_colours(to_linear(painting.picture), alpha)
    made = compose(CutPerson("painted", Cutout(alpha, colours), 24.0), room, False, 5)
    return made.picture, alpha, painting.landmarks


def with_piece(alpha: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The matte that also kept a piece of room beside the head."""
    eyes = landmarks[:2].mean(axis=0)
    row = round(float(eyes[1]))
    edge = int(np.flatnonzero(alpha[row] > 0.5)[-1])
    kept = alpha.copy()
    cv2.ellipse(kept, (edge + 5, row), (9, 7), 0, 0, 360, 1.0, -1)
    return kept


@pytest.mark.parametrize("room", ["flag", "leaves", "tiles", "shelf"])
def test_a_kept_piece_of_room_is_seen_and_a_true_matte_is_not_accused(painted: list[Painting], room: str) -> None:
    for painting in painted[:2]:
        picture, alpha, landmarks = before(room, painting)
        bad = with_piece(alpha, landmarks)
        # The net vouches for itself: its second look says the same, and the colours tell on it all the same.
        assert read_remnant(picture, alpha, landmarks, alpha, witness=False) <= REMNANT / 2
        told = read_remnant(picture, bad, landmarks, bad, witness=False)
        assert told > 4 * read_remnant(picture, alpha, landmarks, alpha, witness=False)
        # Another net, which does not see a person there, settles it.
        assert read_remnant(picture, bad, landmarks, alpha, witness=True) > REMNANT


def test_the_witness_is_believed_above_the_chin_and_below_it_only_where_it_is_sure(painted: list[Painting]) -> None:
    """It bites into low shoulders, and hair stands beyond its silhouette: neither is a remnant."""
    picture, alpha, landmarks = before("leaves", painted[0])
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:5].mean(axis=0)
    chin = round(float(eyes[1] + 1.75 * (mouth - eyes)[1]))
    without_shoulders, without_head = alpha.copy(), alpha.copy()
    without_shoulders[chin + 1 :] *= 0.4
    without_head[: chin - 1] *= 0.4
    assert read_remnant(picture, alpha, landmarks, without_shoulders, witness=True) < REMNANT
    assert read_remnant(picture, alpha, landmarks, without_head, witness=True) > 0.05
    without_shoulders[chin + 1 :] = 0  # it sees nobody at all there
    assert read_remnant(picture, alpha, landmarks, without_shoulders, witness=True) > 0.05
    thinner = cv2.erode(alpha, np.ones((3, 3), np.uint8))
    assert read_remnant(picture, alpha, landmarks, thinner, witness=True) < REMNANT


def test_the_same_picture_says_the_same_twice(painted: list[Painting]) -> None:
    scene = before("flag", painted[0])
    first, second = (read_remnant(*scene, scene[1], witness=False) for _ in range(2))
    assert first == second


def test_where_there_is_no_room_to_compare_with_nothing_is_said(painted: list[Painting]) -> None:
    picture, alpha, landmarks = before("flag", painted[0])
    assert read_remnant(picture, np.ones_like(alpha), landmarks, np.ones_like(alpha), witness=False) == 0


def below_the_chin(landmarks: np.ndarray) -> int:
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:5].mean(axis=0)
    return round(float(eyes[1] + 1.75 * (mouth - eyes)[1])) + 2


def test_what_the_witness_denies_beside_the_head_is_taken_away_and_the_person_stays(painted: list[Painting]) -> None:
    picture, alpha, landmarks = before("flag", painted[0])
    bad = with_piece(alpha, landmarks)
    taken = without_denied(picture, bad, landmarks, alpha)
    piece = (bad > 0.9) & (alpha < 0.1)
    assert taken[piece].mean() < 0.35 * bad[piece].mean()
    person = alpha > 0.99
    assert taken[person].mean() > 0.97
    assert without_denied(picture, alpha, landmarks, alpha) is alpha  # nothing denied, nothing touched


def test_no_shoulder_goes_though_the_witness_sees_none(painted: list[Painting]) -> None:
    """It bites into low ones. What it denies there must have the room's colours, too."""
    picture, alpha, landmarks = before("leaves", painted[0])
    chin = below_the_chin(landmarks)
    blind = alpha.copy()
    blind[chin:] = 0
    shoulders = alpha[chin:] > 0.9
    assert without_denied(picture, alpha, landmarks, blind)[chin:][shoulders].mean() > 0.97
    # A corner of the room that was kept beside them goes.
    kept = alpha.copy()
    beside = np.zeros(alpha.shape, bool)
    beside[chin : chin + 10, :12] = True
    beside &= alpha < 0.05
    kept[beside] = 1
    assert beside.sum() > 60
    assert without_denied(picture, kept, landmarks, blind)[beside].mean() < 0.5


def test_beside_the_head_the_witness_is_enough_though_the_piece_has_the_persons_colours(
    painted: list[Painting],
) -> None:
    picture, alpha, landmarks = before("leaves", painted[0])
    bad = with_piece(alpha, landmarks)
    piece = (bad > 0.9) & (alpha < 0.1)
    nose = np.round(landmarks[2]).astype(int)
    same = picture.copy()
    same[piece] = picture[nose[1], nose[0]]
    blind = alpha.copy()
    blind[below_the_chin(landmarks) :] = 0  # so that colours are asked at all
    assert without_denied(same, bad, landmarks, blind)[piece].mean() < 0.35 * bad[piece].mean()
