"""Renders the people that the eyes learn from, as cut-outs before nothing, so that `scenes` can put them anywhere.

    python -m synthetic.eyes.people --people 800 --out DIR

Two kinds of shards of ten people each, written whole or not at all: `heads_*.npz` (several shots per person in a head
frame a little wider than the encoders') and `frames_*.npz` (natural framing, one shot per person); and one
`backgrounds.npz`. Seeds are apart from those of portraits, benchmarks and the sample company.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from synthetic.painter import develop
from synthetic.painter.backgrounds import backdrop, room
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import Painting, paint
from synthetic.painter.palette import BACKDROP, SCENES
from tasks.vision.portrait import PORTRAIT_TEMPLATE, fit_similarity, warp, zoomed

# First seeds: nobody here is in any other population (portraits 1 M, scenes 2 M, benchmarks 3 M, company 9 M).
TRAIN, FIT, TEST = 4_000_000, 5_000_000, 6_000_000
HEAD_SIDE = 128
HEAD_TEMPLATE = zoomed(PORTRAIT_TEMPLATE, 1.35, (0.5, 0.48))  # the encoders' frame (zoom 1.5) with room for jitter
FRAME_SIDE = 240
SHARD = 10


def cut_out(painting: Painting) -> npt.NDArray[np.uint8]:
    """Premultiplied display-space RGBA of the person alone, (s, s, 4)."""
    alpha = np.clip(painting.alpha, 0, 1)[..., None]
    straight = develop.film(np.asarray(painting.foreground / np.maximum(alpha, 1e-3), np.float32))
    rgba = np.concatenate([straight * alpha, alpha], axis=2)
    return np.asarray(np.round(np.clip(rgba, 0, 1) * 255), dtype=np.uint8)


def shot(seed: int, number: int, kind: str, size: int, *, head: bool, turn: float = 1.0) -> Painting:
    """Shot `number` of person `seed`, in the head frame or a natural one up to 1.3 times wider than the painter's.

    `turn` scales how far the head is turned: 1 as people do, 2.5 up to profile.
    """
    person = draw_identity(seed)
    rng = np.random.default_rng((seed, number, 31))
    wish = CaptureWish(sunglasses=bool(not head and rng.random() < 0.06), frontal=turn)
    capture = draw_capture(seed * 64 + number, person, kind, wish)
    plain = paint(person, capture, 16)  # tiny, only for where things are
    if head:
        points = plain.landmarks * (size / 16)
        step = fit_similarity(points, np.asarray(HEAD_TEMPLATE * size, np.float32))
    else:
        zoom, middle = 1 / rng.uniform(0.95, 1.3), size / 2
        step = np.array([[zoom, 0, middle * (1 - zoom)], [0, zoom, size * (1 - zoom)]])
    view = np.concatenate([plain.view * (size / 16), [[0, 0, 1]]])
    return paint(person, capture, size, 1.2, view=(np.concatenate([step, [[0, 0, 1]]]) @ view)[:2])


def write_heads(out: Path, first: int, people: int, shots: int) -> None:
    """`shots` of each person, two thirds selfies."""
    for start in range(0, people, SHARD):
        path = out / f"heads_{first + start}.npz"
        if path.exists():
            continue
        rows: dict[str, list[object]] = {"rgba": [], "person": [], "identity": [], "studio": []}
        for seed in range(first + start, first + start + SHARD):
            for number in range(shots):
                kind = "studio" if number % 3 == 2 else "selfie"
                painting = shot(seed, number, kind, HEAD_SIDE, head=True)
                rows["rgba"].append(cut_out(painting))
                rows["person"].append(seed)
                rows["identity"].append(painting.identity)
                rows["studio"].append(kind == "studio")
        _write(path, rows)


def write_frames(out: Path, first: int, people: int) -> None:
    """One natural picture of each person."""
    for start in range(0, people, SHARD):
        path = out / f"frames_{first + start}.npz"
        if path.exists():
            continue
        rows: dict[str, list[object]] = {"rgba": [], "person": [], "landmarks": [], "box": [], "hair": []}
        for seed in range(first + start, first + start + SHARD):
            # Every sixth is turned up to profile, so that "turned away" is measured and not guessed.
            turn = 2.5 if seed % 6 == 5 else 1.0
            painting = shot(seed, 90, "selfie" if seed % 4 else "studio", FRAME_SIDE, head=False, turn=turn)
            rows["rgba"].append(cut_out(painting))
            rows["person"].append(seed)
            rows["landmarks"].append(painting.landmarks)
            rows["box"].append(np.asarray(painting.face_box, np.float32))
            rows["hair"].append(np.round(painting.masks["hair"] * 255).astype(np.uint8))
        _write(path, rows)


def write_backgrounds(out: Path, count: int, seed: int) -> None:
    """Rooms and studio backdrops in display space."""
    path = out / "backgrounds.npz"
    if path.exists():
        return
    rng = np.random.default_rng(seed)
    pictures = []
    for i in range(count):
        number = int(rng.integers(1 << 30))
        if i % 4:
            linear = room(str(rng.choice(SCENES)), number, 224) * np.float32(rng.uniform(0.7, 1.2))
        else:
            linear = backdrop(str(rng.choice(list(BACKDROP))), number, 224)
        pictures.append(np.round(develop.film(np.asarray(linear, np.float32)) * 255).astype(np.uint8))
    _write(path, {"pictures": list(pictures)})


def take_portraits(portraits: Path, out: Path) -> None:
    """Heads from the base model's own training shards (`synthetic.dataset`): many more people, for nothing.

    Every second row is the same shot before another background, and is left out.
    """
    for source in sorted(portraits.glob("shard-*.npz")):
        path = out / f"heads_p{source.stem.removeprefix('shard-')}.npz"
        if path.exists():
            continue
        with np.load(source) as shard:
            rows: dict[str, list[object]] = {"rgba": [], "person": [], "identity": [], "studio": []}
            pictures, alphas, side = shard["picture"], shard["alpha"], shard["picture"].shape[1]
            _, first = np.unique(shard["landmarks"].reshape(len(pictures), -1), axis=0, return_index=True)
            step = fit_similarity(
                np.asarray(PORTRAIT_TEMPLATE * side, np.float32), np.asarray(HEAD_TEMPLATE * HEAD_SIDE, np.float32)
            )
            for i in sorted(first):
                over = alphas[i][..., None]
                lit = (pictures[i].astype(np.float32) * (over.astype(np.float32) / 255)).astype(np.uint8)
                rows["rgba"].append(warp(np.concatenate([lit, over], 2), step, HEAD_SIDE, HEAD_SIDE, fill="black"))
                rows["person"].append(shard["person"][i])
                rows["identity"].append(shard["identity"][i])
                rows["studio"].append(shard["kind"][i] == "studio")
        _write(path, rows)


def _write(path: Path, rows: dict[str, list[object]]) -> None:
    part = path.with_suffix(".part.npz")
    np.savez(part, **{name: np.asarray(values) for name, values in rows.items()})  # type: ignore[arg-type]
    os.replace(part, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=800)
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--first", type=int, default=TRAIN)
    parser.add_argument("--portraits", type=Path, help="shards of synthetic.dataset, whose people are taken too")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if asked.portraits is not None:
        take_portraits(asked.portraits, asked.out)
    write_backgrounds(asked.out, 240, asked.first)
    # A quarter of the heads first, so that trying the training out need not wait for everybody.
    write_heads(asked.out, asked.first, asked.people // 4, asked.shots)
    write_frames(asked.out, asked.first + 500_000, asked.frames)
    write_heads(asked.out, asked.first, asked.people, asked.shots)
    print(f"{asked.people} people, {asked.frames} frames, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
