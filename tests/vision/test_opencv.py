"""The production readers on real portraits: the figures of the study, on whatever machine this is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tasks.vision.faces import Eyes, EyesMissing, Face
from tasks.vision.images import read_picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.portrait import align_portrait, move_points
from tasks.vision.readers.embedded import open_embedded

Seen = dict[str, tuple[np.ndarray, list[Face]]]  # type: ignore[type-arg]


@pytest.fixture(scope="module")
def seen(photos: Path, opencv_eyes: Eyes) -> Seen:
    found: Seen = {}
    for entry in json.loads((photos / "manifest.json").read_text()):
        picture = read_picture((photos / entry["file"]).read_bytes()).picture
        found[entry["file"]] = (picture, opencv_eyes.finder.find(picture))
    return found


def test_every_portrait_has_a_face_and_one_has_bystanders(seen: Seen) -> None:
    assert len(seen) == 21
    assert all(faces for _, faces in seen.values())
    assert [name for name, (_, faces) in seen.items() if len(faces) > 1] == ["d04_4.jpg"]
    for picture, faces in seen.values():
        assert faces[0].area == max(f.area for f in faces)
        points = faces[0].landmarks
        assert (points > 0).all()
        assert (points < picture.shape[1::-1]).all()
        assert points[0, 0] < points[1, 0]


def test_nearest_neighbour_is_the_same_person(seen: Seen, opencv_eyes: Eyes) -> None:
    names = sorted(seen)
    vectors = np.stack([opencv_eyes.embedder.embed(seen[n][0], seen[n][1][0]) for n in names])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = vectors @ vectors.T
    same = np.array([[a[:3] == b[:3] for b in names] for a in names])
    others = cosines[~same]
    assert others.max() < opencv_eyes.thresholds.same
    np.fill_diagonal(cosines, -1)
    several = [i for i, n in enumerate(names) if sum(m[:3] == n[:3] for m in names) > 1]
    assert all(names[int(cosines[i].argmax())][:3] == names[i][:3] for i in several)
    assert opencv_eyes.thresholds.probability(0.6) > 0.99 > 0.01 > opencv_eyes.thresholds.probability(0.1)


def test_mattes_hold_the_face_and_leave_the_corners(seen: Seen, opencv_eyes: Eyes) -> None:
    for name in ("d02_2.jpg", "d08_1.jpg", "d03_1.png"):
        picture, faces = seen[name]
        alpha = opencv_eyes.matter.matte(picture)
        assert alpha.shape == picture.shape[:2]
        x, y, w, h = (round(v) for v in faces[0].box)
        assert alpha[y + h // 4 : y + h, x + w // 4 : x + 3 * w // 4].mean() > 0.95
        assert alpha[: picture.shape[0] // 20, : picture.shape[1] // 20].mean() < 0.2


def test_aligned_again_is_nearly_still(seen: Seen, opencv_eyes: Eyes) -> None:
    """Landmarks found again in the aligned portrait lie where the transform put them, to 1 % of the frame."""
    picture, faces = seen["d11_1.jpg"]
    crop, matrix = align_portrait(picture, faces[0].landmarks, 512)
    again = opencv_eyes.finder.find(crop)[0].landmarks
    assert np.abs(again - move_points(faces[0].landmarks, matrix)).mean() < 5.12


def test_missing_or_changed_files_are_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(EyesMissing, match="models pull"):
        open_eyes("opencv", tmp_path)
    (tmp_path / "face_embedding_mobileface_v2.onnx").write_bytes(b"something else")
    with pytest.raises(EyesMissing, match="sha256"):
        open_eyes("opencv", tmp_path)
    with pytest.raises(EyesMissing, match="embedded"):
        open_eyes("unheard of")
    with pytest.raises(EyesMissing, match="opencv"):
        open_eyes("opencv")  # without a folder there is nothing to open
    with pytest.raises(EyesMissing, match=r"synthetic\.eyes"):
        open_embedded(tmp_path)
