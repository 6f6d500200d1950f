"""What teaches the eyes: truth travels with pixels, the loop learns, exports compute the same, thresholds separate."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthetic.eyes.export import MOST_BYTES, export
from synthetic.eyes.fit import fit_thresholds, pairs, soften
from synthetic.eyes.learn_identity import standardise
from synthetic.eyes.learn_places import finder_truth
from synthetic.eyes.learning import Batch, learn
from synthetic.eyes.scenes import CutOuts, compose, jitter_matrix, mirror_points, spoil
from synthetic.eyes.train import BUDGETS, build, export_one
from tasks.vision.portrait import PORTRAIT_TEMPLATE, move_points
from tasks.vision.readers.embedded import FINDER_SIDE, decode_faces


def _dotted(size: int = 200) -> CutOuts:
    """A grey disc with five saturated dots where the landmarks are: truth that can be seen in the pixels."""
    rgba = np.zeros((1, size, size, 4), np.uint8)
    points = (PORTRAIT_TEMPLATE - 0.5) * 1.8 * size + size / 2
    cv2.circle(rgba[0], (size // 2, size // 2), round(size * 0.45), (120, 120, 120, 255), -1)
    for x, y in points:
        cv2.circle(rgba[0], (round(float(x) - 0.5), round(float(y) - 0.5)), 9, (255, 0, 0, 255), -1)
    box = np.array([[size * 0.2, size * 0.15, size * 0.6, size * 0.7]], np.float32)
    return CutOuts(rgba, points[None].astype(np.float32), box, np.zeros(1, np.int64))


def test_truth_travels_with_the_pixels() -> None:
    rng = np.random.default_rng(4)
    backgrounds = np.full((1, 64, 64, 3), 30, np.uint8)
    seen = checked = 0
    for _ in range(40):
        scene = compose(_dotted(), backgrounds, 192, rng)
        assert scene.picture.shape == (192, 192, 3)
        for points, box in zip(scene.landmarks, scene.boxes, strict=True):
            assert (points > box[:2] - 1).all()
            assert (points < box[:2] + box[2:] + 1).all()
            if box[3] > 60:
                x, y = points[2].astype(int)
                assert scene.alpha[y, x] > 0.5
                spot = scene.picture[y, x].astype(int)
                seen += spot[0] > spot[2] + 30
                checked += 1
    assert checked > 10
    assert seen / checked > 0.9  # colour noise may hide a few


def test_mirror_swaps_sides_and_is_its_own_inverse() -> None:
    points = PORTRAIT_TEMPLATE * np.float32(100)
    mirrored = mirror_points(points, 100)
    assert mirrored[0, 0] < mirrored[1, 0]
    assert np.allclose(mirror_points(mirrored, 100), points)


def test_finder_truth_decodes_to_itself() -> None:
    rng = np.random.default_rng(0)
    backgrounds = np.zeros((1, 64, 64, 3), np.uint8)
    compared = 0
    for _ in range(12):
        scene = compose(_dotted(), backgrounds, FINDER_SIDE, rng)
        heat, geometry, _ = finder_truth(scene)
        logit = np.where(heat[0] > 0.999, 8.0, -8.0).astype(np.float32)
        found = decode_faces(logit, geometry, 1.0, (0.0, 0.0), 0.5)
        for face in found:
            gaps = [np.abs(face.landmarks - p).max() for p in scene.landmarks]
            compared += min(gaps) < 0.1
        assert len(found) == len(scene.landmarks) or len(scene.landmarks) > 1
    assert compared > 8


def test_jitter_misses_by_what_was_asked() -> None:
    rng = np.random.default_rng(1)
    points = PORTRAIT_TEMPLATE * np.float32(200)
    gaps = [
        np.abs(move_points(points, jitter_matrix(points, PORTRAIT_TEMPLATE, 100, rng, 0.05)) / 100 - PORTRAIT_TEMPLATE)
        for _ in range(50)
    ]
    assert 0.001 < np.mean(gaps) < 0.03


def test_spoiling_keeps_shape_and_differs(noise_picture: np.ndarray) -> None:  # type: ignore[type-arg]
    square = np.ascontiguousarray(noise_picture[:200, :200])
    made = [spoil(square, np.random.default_rng(i)) for i in range(8)]
    assert all(m.shape == square.shape and m.dtype == np.uint8 for m in made)
    assert len({m.tobytes() for m in made}) > 5
    assert soften(square, 1).shape == square.shape


class _Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        return found


def test_the_loop_learns_and_saves(tmp_path: Path) -> None:
    net, generator = _Line(), torch.Generator().manual_seed(1)

    def batches() -> object:
        while True:
            x = torch.randn(64, 2, generator=generator)
            yield x, x @ torch.tensor([[2.0], [-1.0]])

    def loss(module: nn.Module, batch: Batch) -> Tensor:
        found: Tensor = ((module(batch[0]) - batch[1]) ** 2).mean()
        return found

    learn(net, batches(), loss, cpu_seconds=0.4, rate=0.05, label="line", save=tmp_path / "line.pt")  # type: ignore[arg-type]
    assert torch.allclose(net.inner.weight, torch.tensor([[2.0, -1.0]]), atol=0.3)
    assert (tmp_path / "line.pt").is_file()


@pytest.mark.parametrize("name", list(BUDGETS))
def test_every_net_exports_small_and_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    export_one(name, build(name), tmp_path)
    assert 0 < (tmp_path / f"{name}.onnx").stat().st_size < MOST_BYTES


def test_an_export_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    class Restless(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            Restless.calls += 1
            return x.mean((2, 3)) + (5.0 if Restless.calls > 1 else 0.0)

    with pytest.raises(ValueError, match="differs"):
        export(Restless(), tmp_path / "restless.onnx", 16, ["out"])


def test_fitted_thresholds_separate_clear_cases() -> None:
    rng = np.random.default_rng(3)
    centres = rng.normal(0, 1, (30, 64))
    person = np.repeat(np.arange(30), 7)
    vectors = centres[person] + rng.normal(0, 0.55, (210, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    t = fit_thresholds(vectors, person)
    same, other = pairs(vectors, person)
    assert (same > t.same).mean() > 0.95
    assert (other > t.same).mean() < 0.005
    assert t.stranger <= t.belongs <= t.same
    assert t.probability(float(same.mean())) > 0.9
    assert t.probability(float(other.mean())) < 0.1


def test_numbers_that_never_vary_teach_nothing() -> None:
    made = standardise(np.array([[1.0, 5.0], [3.0, 5.0], [5.0, 5.0]], np.float32))
    assert np.allclose(made[:, 1], 0)
    assert made[:, 0].mean() == pytest.approx(0, abs=1e-6)
