"""Teaches the three nets that say where things are: finder, landmarks, matte. All on scenes composed on the fly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthetic.eyes.learning import Batch, learn, load_shards, tensor
from synthetic.eyes.nets import FinderNet, LandmarkNet, MatteNet
from synthetic.eyes.scenes import (
    CutOuts,
    EyesScene,
    Painted,
    compose,
    jitter_matrix,
    mirror_points,
    spoil,
    take_painted,
)
from tasks.vision.portrait import move_points, warp
from tasks.vision.readers.embedded import FINDER_SIDE, FINDER_STRIDE, MATTE_SIDE, REFINE_SIDE, REFINE_TEMPLATE

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sources:
    """Where scenes come from: compositions of cut-outs, and painted scenes where some lie beside them."""

    cut: CutOuts
    backgrounds: npt.NDArray[np.uint8]
    painted: Painted | None

    def draw(self, size: int, rng: np.random.Generator) -> EyesScene:
        if self.painted is not None and rng.random() < 0.4:
            return take_painted(self.painted, size, rng)
        return compose(self.cut, self.backgrounds, size, rng)


def load_sources(folder: Path) -> Sources:
    """The natural frames and backgrounds of a folder of `people`, and painted scenes from its `scenes/`."""
    rows = load_shards(folder, "frames")
    cut = CutOuts(rows["rgba"], rows["landmarks"].astype(np.float32), rows["box"].astype(np.float32), rows["person"])
    painted = None
    if any((folder / "scenes").glob("shard-*.npz")):
        full = load_shards(folder / "scenes", "shard-", ("picture", "alpha", "landmarks", "boxes"))
        painted = Painted(full["picture"], full["alpha"], full["landmarks"], full["boxes"])
    with np.load(folder / "backgrounds.npz") as held:
        return Sources(cut, held["pictures"], painted)


def learn_finder(
    folder: Path, net: FinderNet, *, cpu_seconds: float, seed: int, save: Path, rate: float = 3e-3
) -> None:
    """CenterNet: focal loss on the heat map, L1 on the geometry at the centres."""
    sources = load_sources(folder)
    learn(
        net, _finder_batches(sources, seed), _finder_loss, cpu_seconds=cpu_seconds, rate=rate, label="finder",
        save=save,
    )  # fmt: skip


def _finder_batches(sources: Sources, seed: int, size: int = 24) -> Iterator[Batch]:
    rng = np.random.default_rng(seed)
    while True:
        scenes = [sources.draw(FINDER_SIDE, rng) for _ in range(size)]
        truth = [finder_truth(s) for s in scenes]
        heat, geometry, weight = (np.stack([t[i] for t in truth]) for i in range(3))
        pictures = tensor(np.stack([s.picture for s in scenes]))
        yield pictures, torch.from_numpy(heat), torch.from_numpy(geometry), torch.from_numpy(weight)


def finder_truth(scene: EyesScene) -> tuple[Floats, Floats, Floats]:
    """Heat map (1, h, w), geometry (14, h, w) and its weight (1, h, w): the geometry counts near the centres only."""
    cells = FINDER_SIDE // FINDER_STRIDE
    ys, xs = np.mgrid[0:cells, 0:cells].astype(np.float32) + 0.5
    heat = np.zeros((1, cells, cells), np.float32)
    geometry = np.zeros((14, cells, cells), np.float32)
    weight = np.zeros((1, cells, cells), np.float32)
    for points, box in zip(scene.landmarks, scene.boxes, strict=True):
        centre, size = (box[:2] + box[2:] / 2) / FINDER_STRIDE, np.maximum(box[2:] / FINDER_STRIDE, 1.0)
        column, row = (int(np.clip(v, 0, cells - 1)) for v in centre)
        sigma = max(0.7, float(size.mean()) * 0.12)
        blob = np.exp(-((xs - column - 0.5) ** 2 + (ys - row - 0.5) ** 2) / (2 * sigma**2))
        heat[0] = np.maximum(heat[0], blob)
        near = blob > 0.5
        weight[0][near] = 1 / near.sum()
        geometry[0][near], geometry[1][near] = (centre[0] - xs)[near], (centre[1] - ys)[near]
        geometry[2:4, near] = np.log(size)[:, None]
        local = (points / FINDER_STRIDE - centre) / size
        geometry[4:, near] = local.reshape(10, 1)
    return heat, geometry, weight


def _finder_loss(net: nn.Module, batch: Batch) -> Tensor:
    picture, heat, geometry, weight = batch
    logit, told = net(picture)
    probability = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    peak = (heat > 0.999).float()
    near = peak * (1 - probability) ** 2 * probability.log()
    far = (1 - peak) * (1 - heat) ** 4 * probability**2 * (1 - probability).log()
    faces = peak.sum().clamp(min=1)
    scale = torch.tensor([0.5, 0.5, 2.0, 2.0] + [4.0] * 10).view(1, 14, 1, 1)
    shape = ((told - geometry).abs() * weight * scale).sum() / weight.sum().clamp(min=1)
    found: Tensor = shape - (near + far).sum() / faces
    return found


def learn_landmarks(
    folder: Path, net: LandmarkNet, *, cpu_seconds: float, seed: int, save: Path, rate: float = 2e-3
) -> None:
    """Crops missed on purpose, in two sizes of error (first and second look), and crops of no face at all."""
    sources = load_sources(folder)
    learn(
        net, _landmark_batches(sources, seed), _landmark_loss, cpu_seconds=cpu_seconds, rate=rate,
        label="landmarks", save=save,
    )  # fmt: skip


def _landmark_batches(sources: Sources, seed: int, size: int = 64) -> Iterator[Batch]:
    rng = np.random.default_rng(seed)
    side = 224  # px of the scene that crops come from: fine enough for a 96 px crop of most faces
    while True:
        crops: list[npt.NDArray[np.uint8]] = []
        shifts: list[Floats] = []
        faces: list[float] = []
        while len(crops) < size:
            scene = sources.draw(side, rng)
            for points in scene.landmarks:
                for spread in (0.16, 0.16, 0.05, 0.05):
                    crop, shift = _landmark_example(scene.picture, points, spread, rng)
                    crops.append(crop)
                    shifts.append(shift)
                    faces.append(1.0)
            for _ in range(2):
                crops.append(_no_face(scene, rng))
                shifts.append(np.zeros((5, 2), np.float32))
                faces.append(0.0)
        yield (
            tensor(np.stack(crops[:size])),
            torch.from_numpy(np.stack(shifts[:size]).reshape(-1, 10)),
            torch.tensor(faces[:size]),
        )


def _landmark_example(
    picture: npt.NDArray[np.uint8], points: Floats, spread: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], Floats]:
    matrix = jitter_matrix(points, REFINE_TEMPLATE, REFINE_SIDE, rng, spread)
    crop = warp(picture, matrix, REFINE_SIDE, REFINE_SIDE).astype(np.uint8)
    seen = move_points(points, matrix)
    if rng.random() < 0.5:
        crop, seen = np.ascontiguousarray(crop[:, ::-1]), mirror_points(seen, REFINE_SIDE)
    return crop, np.asarray(seen / REFINE_SIDE - REFINE_TEMPLATE, dtype=np.float32)


def _no_face(scene: EyesScene, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A crop away from every face, or one turned upside down, or far too near: what a wrong peak would bring."""
    size = scene.picture.shape[0]
    if scene.landmarks and rng.random() < 0.35:
        points = scene.landmarks[int(rng.integers(len(scene.landmarks)))]
        centre = points.mean(0)
        turned = np.asarray(centre + (points - centre) * -rng.uniform(0.6, 1.4), dtype=np.float32)
        if rng.random() < 0.5:
            turned = np.asarray(centre + (points - centre) * rng.uniform(0.15, 0.35), dtype=np.float32)
        matrix = jitter_matrix(turned, REFINE_TEMPLATE, REFINE_SIDE, rng, 0.1)
        return warp(scene.picture, matrix, REFINE_SIDE, REFINE_SIDE).astype(np.uint8)
    scale = float(np.exp(rng.uniform(np.log(0.7), np.log(4))))
    for _ in range(8):
        x, y = rng.uniform(0.1, 0.9, 2) * size
        reach = REFINE_SIDE / scale * 0.35
        if all(np.hypot(*(p.mean(0) - (x, y))) > reach + np.ptp(p[:, 0]) for p in scene.landmarks):
            break
    matrix = np.array([[scale, 0, REFINE_SIDE / 2 - scale * x], [0, scale, REFINE_SIDE / 2 - scale * y]])
    return spoil(warp(scene.picture, matrix, REFINE_SIDE, REFINE_SIDE).astype(np.uint8), rng)


def _landmark_loss(net: nn.Module, batch: Batch) -> Tensor:
    crop, shift, face = batch
    told, logit = net(crop)
    error = functional.smooth_l1_loss(told * 20, shift * 20, reduction="none").mean(1)
    return (error * face).sum() / face.sum() + 0.3 * functional.binary_cross_entropy_with_logits(logit[:, 0], face)


def learn_matte(folder: Path, net: MatteNet, *, cpu_seconds: float, seed: int, save: Path, rate: float = 3e-3) -> None:
    """Cross entropy with soft alpha, edges counted three times."""
    sources = load_sources(folder)
    learn(
        net, _matte_batches(sources, seed), _matte_loss, cpu_seconds=cpu_seconds, rate=rate, label="matte",
        save=save,
    )  # fmt: skip


def _matte_batches(sources: Sources, seed: int, size: int = 16) -> Iterator[Batch]:
    rng = np.random.default_rng(seed)
    while True:
        scenes = [sources.draw(MATTE_SIDE, rng) for _ in range(size)]
        alpha = torch.from_numpy(np.stack([s.alpha for s in scenes]))[:, None]
        yield tensor(np.stack([s.picture for s in scenes])), alpha


def _matte_loss(net: nn.Module, batch: Batch) -> Tensor:
    picture, alpha = batch
    logit = net(picture)
    edge = functional.max_pool2d(alpha, 7, 1, 3) + functional.max_pool2d(-alpha, 7, 1, 3)
    each = functional.binary_cross_entropy_with_logits(logit, alpha, reduction="none")
    return (each * (1 + 2 * edge)).mean()
