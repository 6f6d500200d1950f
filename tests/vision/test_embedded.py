"""The shipped eyes on people drawn here and now: they find, tell apart, cut out, and need no torch."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from synthetic.eyes.people import TEST, shot
from synthetic.painter.painting import Painting
from tasks.shipped import SHIPPED
from tasks.vision.faces import Eyes, Face
from tasks.vision.quality import read_quality
from tasks.vision.readers.embedded import decode_faces, letterbox

PEOPLE, SHOTS = 4, 3


@pytest.fixture(scope="module")
def paintings() -> list[Painting]:
    """Four unseen people, two selfies and a studio portrait each."""
    return [
        shot(TEST + 7000 + i, k, "studio" if k == 2 else "selfie", 256, head=False)
        for i in range(PEOPLE)
        for k in range(SHOTS)
    ]


@pytest.fixture(scope="module")
def faces(paintings: list[Painting], embedded_eyes: Eyes) -> list[list[Face]]:
    return [embedded_eyes.finder.find(p.picture) for p in paintings]


def test_one_face_each_and_landmarks_in_place(paintings: list[Painting], faces: list[list[Face]]) -> None:
    assert [len(f) for f in faces] == [1] * len(paintings)
    errors = [
        np.hypot(*(found[0].landmarks - painting.landmarks).T).mean()
        / np.hypot(*(painting.landmarks[1] - painting.landmarks[0]))
        for painting, found in zip(paintings, faces, strict=True)
    ]
    assert np.median(errors) < 0.08
    assert max(errors) < 0.25


def test_the_same_face_at_every_size(paintings: list[Painting], faces: list[list[Face]], embedded_eyes: Eyes) -> None:
    picture, face = paintings[0].picture, faces[0][0]
    for size in (128, 700):
        again = embedded_eyes.finder.find(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA))
        assert len(again) == 1
        gap = np.abs(again[0].landmarks * (256 / size) - face.landmarks).mean()
        assert gap < 0.1 * face.inter_eye


def test_pictures_without_people_have_no_faces(embedded_eyes: Eyes) -> None:
    rng = np.random.default_rng(3)
    plain = np.full((200, 300, 3), 128, np.uint8)
    noise = cv2.resize(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8), (300, 300), interpolation=cv2.INTER_CUBIC)
    assert embedded_eyes.finder.find(plain) == []
    assert embedded_eyes.finder.find(np.asarray(noise, dtype=np.uint8)) == []
    assert embedded_eyes.finder.find(np.zeros((3, 500, 3), np.uint8)) == []


def test_two_people_are_two_faces_largest_first(paintings: list[Painting], embedded_eyes: Eyes) -> None:
    right = cv2.resize(paintings[3].picture, (200, 200), interpolation=cv2.INTER_AREA)
    both = np.full((256, 456, 3), 90, np.uint8)
    both[:, :256] = paintings[0].picture
    both[56:, 256:] = right
    found = embedded_eyes.finder.find(both)
    assert len(found) == 2
    assert found[0].area > found[1].area


def test_people_are_told_apart(paintings: list[Painting], faces: list[list[Face]], embedded_eyes: Eyes) -> None:
    person = np.repeat(np.arange(PEOPLE), SHOTS)
    same = person[:, None] == person[None]
    off = ~np.eye(len(person), dtype=bool)
    for encoder in (embedded_eyes.embedder, embedded_eyes.judge):
        vectors = np.stack([encoder.embed(p.picture, f[0]) for p, f in zip(paintings, faces, strict=True)])
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
        cosines = vectors @ vectors.T
        assert cosines[same & off].mean() > cosines[~same].mean() + 0.3
    assert embedded_eyes.embedder.name != embedded_eyes.judge.name


def test_thresholds_are_in_order(embedded_eyes: Eyes) -> None:
    for t in (embedded_eyes.thresholds, embedded_eyes.judge_thresholds):
        assert t.stranger <= t.belongs <= t.same <= t.twin_folder
        assert t.likeness_slope > 0
        assert t.probability(1.0) > 0.9 > 0.1 > t.probability(-0.5)
        assert 0 < t.margin < 0.5


def test_mattes_agree_with_the_truth(paintings: list[Painting], embedded_eyes: Eyes) -> None:
    overlaps = []
    for painting in paintings[::2]:
        alpha = embedded_eyes.matter.matte(painting.picture)
        assert alpha.dtype == np.float32
        assert 0 <= alpha.min() <= alpha.max() <= 1
        mine, truth = alpha > 0.5, painting.alpha > 0.5
        overlaps.append((mine & truth).sum() / (mine | truth).sum())
    assert np.mean(overlaps) > 0.93


def test_good_selfies_pass_every_limit(paintings: list[Painting], faces: list[list[Face]], embedded_eyes: Eyes) -> None:
    limits = embedded_eyes.limits
    for painting, found in zip(paintings, faces, strict=True):
        quality = read_quality(painting.picture, found[0])
        assert limits.sharpness < quality.sharpness < limits.noise
        assert quality.eye_contrast > limits.eye_contrast
        assert quality.turned < limits.yaw_reject
        assert limits.median_l_low < quality.exposure_median_L < limits.median_l_high


def test_eyes_open_without_torch() -> None:
    code = (
        "import sys, numpy; from tasks.vision.open_eyes import open_eyes; "
        "open_eyes().finder.find(numpy.zeros((64, 64, 3), numpy.uint8)); "
        "sys.exit('torch' in sys.modules or 'prefect' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SHIPPED)


def test_letterbox_keeps_the_aspect() -> None:
    picture = np.full((50, 100, 3), 255, np.uint8)
    square, k, (x, y) = letterbox(picture, 160)
    assert square.shape == (160, 160, 3)
    assert (k, x, y) == (1.6, 0, 40)
    assert square[41:119].min() == 255
    assert (square[:40] == 127).all()


def test_peaks_are_decoded_where_they_are() -> None:
    heat = np.full((40, 40), -9.0, np.float32)
    geometry: npt.NDArray[np.float32] = np.zeros((14, 40, 40), np.float32)
    heat[10, 20] = 6
    geometry[2:4, 10, 20] = np.log(8)
    geometry[4:, 10, 20] = np.array([-0.2, -0.1, 0.2, -0.1, 0, 0, -0.1, 0.2, 0.1, 0.2])
    (face,) = decode_faces(heat, geometry, 0.5, (0.0, 10.0), 0.5)
    assert face.box == pytest.approx(((82 - 16) / 0.5, (42 - 16 - 10) / 0.5, 64, 64))
    assert face.landmarks[2] == pytest.approx((82 / 0.5, 32 / 0.5))
    assert face.inter_eye == pytest.approx(0.4 * 64)
