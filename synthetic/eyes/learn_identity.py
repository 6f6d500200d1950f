"""Teaches the two identity encoders: the embedder, and a judge that shares neither people, width, seed nor frame.

Two lessons at once. Metric: a scaled-cosine classifier over the training people with a margin (CosFace), which pulls
shots of one person together whatever the light, pose and clothes. Regression: the painter knows who somebody *is* as
numbers, so a linear head has to read them off the vector; this teaches what matters in a face from few people, and it
is the reason why a few hundred of them are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from synthetic.eyes.learning import Batch, learn, load_shards, tensor
from synthetic.eyes.nets import Encoder
from synthetic.eyes.people import HEAD_SIDE, HEAD_TEMPLATE
from synthetic.eyes.scenes import draw_background, jitter_matrix, spoil
from tasks.vision.portrait import warp
from tasks.vision.readers.embedded import ENCODER_SIDE, ENCODER_TEMPLATE

Floats = npt.NDArray[np.float32]
SCALE, MARGIN = 16.0, 0.20


@dataclass(frozen=True)
class Heads:
    """Cut-out heads with who they are: class numbers 0.., and standardised identity numbers."""

    rgba: npt.NDArray[np.uint8]
    person: npt.NDArray[np.int64]
    identity: Floats

    @property
    def people(self) -> int:
        return int(self.person.max()) + 1


def load_heads(folder: Path, half: int | None) -> Heads:
    """Everybody, or only those whose seed is even (half 0) or odd (half 1)."""
    rows = load_shards(folder, "heads")
    keep = np.ones(len(rows["person"]), bool) if half is None else rows["person"] % 2 == half
    seeds, person = np.unique(rows["person"][keep], return_inverse=True)
    identity = standardise(rows["identity"][keep].astype(np.float32))
    print(f"{len(seeds)} people, {int(keep.sum())} shots", flush=True)
    return Heads(rows["rgba"][keep], person.astype(np.int64), identity)


def standardise(identity: Floats) -> Floats:
    """Each number to mean 0 and deviation 1, clipped at 3; numbers that never vary become 0."""
    deviation = identity.std(0)
    scaled = (identity - identity.mean(0)) / np.where(deviation < 1e-6, 1, deviation)
    return np.asarray(np.clip(scaled, -3, 3) * (deviation >= 1e-6), dtype=np.float32)


def head_crop(
    rgba: npt.NDArray[np.uint8], backgrounds: npt.NDArray[np.uint8], rng: np.random.Generator, spread: float = 0.04
) -> npt.NDArray[np.uint8]:
    """One cut-out before some background, in the encoders' frame missed as the landmark net misses it."""
    matrix = jitter_matrix(HEAD_TEMPLATE * np.float32(HEAD_SIDE), ENCODER_TEMPLATE, ENCODER_SIDE, rng, spread)
    layer = warp(rgba, matrix, ENCODER_SIDE, ENCODER_SIDE, fill="edge").astype(np.float32)
    over = layer[..., 3:] / 255
    behind = draw_background(backgrounds, ENCODER_SIDE, rng).astype(np.float32)
    return spoil(np.clip(behind * (1 - over) + layer[..., :3], 0, 255).astype(np.uint8), rng)


def _batches(heads: Heads, backgrounds: npt.NDArray[np.uint8], seed: int, size: int = 64) -> Iterator[Batch]:
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.integers(len(heads.rgba), size=size)
        crops = np.stack([head_crop(heads.rgba[i], backgrounds, rng) for i in rows])
        yield tensor(crops), torch.from_numpy(heads.person[rows]), torch.from_numpy(heads.identity[rows])


class Lesson(nn.Module):
    """The encoder with the two heads that teach it and are thrown away."""

    def __init__(self, encoder: Encoder, size: int, people: int, numbers: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.centres = nn.Parameter(torch.randn(people, size) * 0.1)
        self.numbers = nn.Linear(size, numbers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        vector = self.encoder.vector(x)
        return functional.linear(vector, functional.normalize(self.centres, dim=1)), self.numbers(vector * 8)


def _loss(net: nn.Module, batch: Batch) -> Tensor:
    picture, person, identity = batch
    cosine, told = net(picture)
    margin = functional.one_hot(person, cosine.shape[1]).float() * MARGIN
    metric = functional.cross_entropy((cosine - margin) * SCALE, person, label_smoothing=0.05)
    return metric + 4.0 * functional.smooth_l1_loss(told, identity)


def separating_map(vectors: Floats, person: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Linear map and bias that make cosines tell people apart best (linear discriminants, as in speaker recognition).

    Directions in which shots of one person differ are shrunk to equal size; then each direction is weighted by how much
    of what is left is difference between people.
    """
    x = vectors.astype(np.float64)
    names, place, count = np.unique(person, return_inverse=True, return_counts=True)
    means = np.zeros((len(names), x.shape[1]))
    np.add.at(means, place, x)
    means /= count[:, None]
    size = x.shape[1]
    inside = x - means[place]
    within = inside.T @ inside / max(len(x) - len(names), 1)
    within += 0.1 * np.trace(within) / size * np.eye(size)
    values, axes = np.linalg.eigh(within)
    whiten = axes @ np.diag(values**-0.5) @ axes.T
    between = whiten @ np.cov(means.T) @ whiten - np.eye(size) / float(count.mean())
    values, axes = np.linalg.eigh(between)
    gain = np.sqrt(np.maximum(values, 0) / (np.maximum(values, 0) + 1))
    linear = np.diag(gain) @ axes.T @ whiten
    return linear.astype(np.float32), (-linear @ means.mean(0)).astype(np.float32)


def polish(folder: Path, encoder: Encoder, *, half: int | None, shots: int, seed: int) -> None:
    """Set the encoder's last layer from about `shots` of its own training heads, spoilt as in training."""
    heads = load_heads(folder, half)
    with np.load(folder / "backgrounds.npz") as held:
        backgrounds = held["pictures"]
    rng = np.random.default_rng(seed)
    people = rng.permutation(heads.people)[: max(2, shots * heads.people // len(heads.rgba))]
    rows = np.flatnonzero(np.isin(heads.person, people))
    encoder.eval()
    vectors = []
    with torch.no_grad():
        for start in range(0, len(rows), 64):
            crops = [head_crop(heads.rgba[i], backgrounds, rng) for i in rows[start : start + 64]]
            vectors.append(encoder.vector(tensor(np.stack(crops))).numpy())
    linear, bias = separating_map(np.concatenate(vectors), heads.person[rows])
    encoder.polish.weight.data = torch.from_numpy(linear)
    encoder.polish.bias.data = torch.from_numpy(bias)


def learn_encoder(
    folder: Path, encoder: Encoder, *, half: int | None, size: int, cpu_seconds: float, seed: int, save: Path,
    rate: float = 2e-3,
) -> None:  # fmt: skip
    """Train in place; only the encoder's weights are kept (`save` holds the whole lesson while it runs)."""
    cv2.setNumThreads(1)
    heads = load_heads(folder, half)
    with np.load(folder / "backgrounds.npz") as held:
        backgrounds = held["pictures"]
    torch.manual_seed(seed)
    lesson = Lesson(encoder, size, heads.people, heads.identity.shape[1])
    batches = _batches(heads, backgrounds, seed)
    learn(lesson, batches, _loss, cpu_seconds=cpu_seconds, rate=rate, label=save.stem, save=None)
    torch.save(encoder.state_dict(), save)
