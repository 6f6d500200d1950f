"""Reads the painted portraits that the base learns from.

Promise: whatever `synthetic.dataset` wrote so far is read shard by shard, a half-written shard is left for later,
and the same people are always held out, by number, so that no figure is measured on somebody who was trained on.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

HELD_OUT_EVERY = 50  # every 50th person is never trained on
CELL = 8  # px; as fine as anybody asks where hair and cloth are


@dataclass(frozen=True)
class Portraits:
    """Aligned portraits in memory: as many rows as pictures, in the order of the shards."""

    pictures: npt.NDArray[np.uint8]  # (N, s, s, 3) sRGB
    landmarks: npt.NDArray[np.float32]  # (N, 5, 2) pixels
    captions: tuple[str, ...]
    persons: npt.NDArray[np.int64]  # (N,)
    studio: npt.NDArray[np.bool_]  # (N,)
    rough: npt.NDArray[np.uint8]  # (N, s / CELL, s / CELL) how much of each cell is hair or cloth; 0 where not painted

    def __len__(self) -> int:
        return len(self.captions)

    def only(self, keep: npt.NDArray[np.bool_]) -> "Portraits":
        """The rows where `keep` is true."""
        rows = np.flatnonzero(keep)
        return Portraits(
            self.pictures[rows],
            self.landmarks[rows],
            tuple(self.captions[i] for i in rows),
            self.persons[rows],
            self.studio[rows],
            self.rough[rows],
        )


def list_shards(folders: Iterable[Path]) -> list[Path]:
    """Complete shards: the npz has its final name and its captions lie beside it."""
    found = (p for folder in folders for p in sorted(folder.glob("*.npz")) if ".tmp" not in p.name)
    return [p for p in found if p.with_suffix(".json").exists()]


def read_shard(path: Path) -> Portraits:
    """One shard."""
    captions = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if isinstance(captions, dict):
        captions = captions["caption"]
    with np.load(path) as data:
        kinds = data["kind"]
        studio = np.array([str(k) == "studio" for k in kinds], dtype=np.bool_)
        return Portraits(
            data["picture"],
            data["landmarks"].astype(np.float32),
            tuple(captions),
            data["person"].astype(np.int64),
            studio,
            shrink_rough(data["rough"]) if "rough" in data else no_rough(data["picture"].shape),
        )


def shrink_rough(rough: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(N, s, s) to the mean of each cell."""
    count, side, _ = rough.shape
    cells = rough.reshape(count, side // CELL, CELL, side // CELL, CELL)
    return np.asarray(cells.mean((2, 4)).round(), np.uint8)


def no_rough(shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Shards of before the painter told hair and cloth apart."""
    return np.zeros((shape[0], shape[1] // CELL, shape[2] // CELL), np.uint8)


def join(parts: list[Portraits]) -> Portraits:
    """Several shards as one."""
    return Portraits(
        np.concatenate([p.pictures for p in parts]),
        np.concatenate([p.landmarks for p in parts]),
        tuple(c for p in parts for c in p.captions),
        np.concatenate([p.persons for p in parts]),
        np.concatenate([p.studio for p in parts]),
        np.concatenate([p.rough for p in parts]),
    )


def read_portraits(folders: Iterable[Path], *, held_out: bool, limit: int | None = None) -> Portraits:
    """All training portraits, or all held-out ones, of the shards that are complete now."""
    parts: list[Portraits] = []
    count = 0
    for path in list_shards(folders):
        shard = read_shard(path)
        part = shard.only((shard.persons % HELD_OUT_EVERY == 0) == held_out)
        parts.append(part)
        count += len(part)
        if limit is not None and count >= limit:
            break
    if not count:
        raise FileNotFoundError("no complete shards: run `python -m synthetic.dataset` first")
    return join(parts)


def batch_of(
    data: Portraits, rows: Iterable[int], flip: npt.NDArray[np.bool_] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """(pictures in -1..1, landmarks in px, rough (N, 1, cells, cells) in 0..1) of these rows."""
    chosen = list(rows)
    pictures = torch.from_numpy(data.pictures[chosen]).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    marks = torch.from_numpy(data.landmarks[chosen])
    rough = torch.from_numpy(data.rough[chosen]).float().div(255)[:, None]
    if flip is not None:
        pictures[flip], rough[flip] = pictures[flip].flip(3), rough[flip].flip(3)
        marks[flip, :, 0] = pictures.shape[-1] - 1 - marks[flip, :, 0]
    return pictures.contiguous(), marks, rough


def mirror_caption(caption: str) -> str:
    """The caption of the mirrored picture: the light comes from the other side."""
    swapped = {"left": "right", "right": "left"}
    return re.sub(r"\b(left|right)\b", lambda m: swapped[m.group(1)], caption)
