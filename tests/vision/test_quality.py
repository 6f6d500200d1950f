"""Dosed damage moves the figure that is meant to see it, and only in the right direction."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.faces_degraded import DEGRADED
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.vision.faces import Eyes, Face, QualityLimits
from tasks.vision.images import encode, read_picture
from tasks.vision.quality import difference_hashes, hamming, read_quality

Picture = npt.NDArray[np.uint8]
Drawn = tuple[Picture, Face]


def _changed(picture: npt.NDArray[np.floating | np.integer]) -> Picture:  # type: ignore[type-arg]
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_a_good_face_has_good_figures(drawn_face: Drawn) -> None:
    quality = read_quality(*drawn_face)
    assert quality.inter_eye_px == pytest.approx(80, abs=0.1)
    assert quality.face_share == pytest.approx(260 / 400)
    assert quality.sharpness > 0.02
    assert 40 < quality.exposure_median_L < 88
    assert abs(quality.yaw) < 0.02
    assert abs(quality.roll) < 0.5
    assert quality.light_left_right > 0.2  # lit from the left


def test_blur_in_all_or_one_direction_lowers_sharpness(drawn_face: Drawn) -> None:
    picture, face = drawn_face
    sharp = read_quality(picture, face).sharpness
    soft = read_quality(_changed(cv2.GaussianBlur(picture, (0, 0), 6)), face).sharpness
    motion = read_quality(_changed(cv2.blur(picture, (25, 1))), face).sharpness
    assert soft < 0.1 * sharp
    assert motion < 0.4 * sharp  # an isotropic Laplacian would miss it


def test_darkness_and_glare(drawn_face: Drawn) -> None:
    picture, face = drawn_face
    dark = read_quality(_changed(picture * 0.08), face)
    glare = read_quality(_changed(picture.astype(float) * 1.9), face)
    assert dark.exposure_median_L < 15
    assert dark.dark_share > 0.5
    assert glare.clipped_share > 0.4


def test_sunglasses_lower_eye_contrast(drawn_face: Drawn) -> None:
    picture, face = drawn_face
    covered = picture.copy()
    for x in (160, 240):
        cv2.ellipse(covered, (x, 182), (34, 24), 0, 0, 360, (14, 14, 16), -1)
    assert read_quality(covered, face).eye_contrast < 0.25
    assert read_quality(picture, face).eye_contrast > 0.3


@pytest.mark.parametrize("kind", ["black glasses", "brown glasses, 85 %", "mirrored glasses"])
def test_lenses_of_any_colour_flatten_the_eyes(kind: str) -> None:
    """Only near-black ones darken them as well."""
    who = draw_identity(2001)
    shown = paint(who, draw_capture(2001, who, "studio", CaptureWish(background="grey")), 128, 1.0, "aligned")
    face = Face((0.0, 0.0, 128.0, 128.0), shown.landmarks.astype(np.float32), 0.99)
    worn = DEGRADED[kind](shown.picture, face, np.random.default_rng(1))
    limit = QualityLimits().eye_structure
    assert read_quality(shown.picture, face).eye_structure > 2 * limit
    assert read_quality(worn, face).eye_structure < limit


def test_mirror_turns_signs(drawn_face: Drawn) -> None:
    picture, face = drawn_face
    points = face.landmarks.copy()
    points[2, 0] += 20
    turned = read_quality(picture, Face(face.box, points, 1.0))
    mirrored = points[[1, 0, 2, 4, 3]].copy()
    mirrored[:, 0] = picture.shape[1] - mirrored[:, 0]
    other = read_quality(np.ascontiguousarray(picture[:, ::-1]), Face(face.box, mirrored, 1.0))
    assert turned.yaw == pytest.approx(0.25)
    assert other.yaw == pytest.approx(-turned.yaw)
    assert other.light_left_right == pytest.approx(-turned.light_left_right, abs=0.1)


def test_hash_knows_copies_from_others(noise_picture: Picture, drawn_face: Drawn) -> None:
    original, mirrored = difference_hashes(noise_picture)
    copy = read_picture(encode(cv2.resize(noise_picture, (200, 150)), "jpeg", quality=40)).picture
    assert hamming(original, difference_hashes(copy)[0]) <= 6
    assert hamming(original, difference_hashes(drawn_face[0])[0]) >= 14
    turned = difference_hashes(np.ascontiguousarray(noise_picture[:, ::-1]))
    assert max(hamming(turned[0], mirrored), hamming(turned[1], original)) <= 2


def test_real_portraits_pass_and_their_spoilt_copies_fail(photos: Path, opencv_eyes: Eyes) -> None:
    picture = read_picture((photos / "d08_1.jpg").read_bytes()).picture
    face = opencv_eyes.finder.find(picture)[0]
    good, limits = read_quality(picture, face), opencv_eyes.limits
    assert good.sharpness > limits.sharpness
    assert limits.median_l_low < good.exposure_median_L < limits.median_l_high
    assert good.eye_contrast > limits.eye_contrast
    assert good.turned < limits.yaw
    blurred = read_quality(_changed(cv2.GaussianBlur(picture, (0, 0), 16)), face)
    assert blurred.sharpness < limits.sharpness
    assert read_quality(_changed(picture * 0.08), face).exposure_median_L < limits.median_l_low
