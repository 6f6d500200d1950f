"""Writes what the embedded models learn from: aligned portraits for the base, whole scenes for the eyes.

    python -m synthetic.dataset --people 12000 --size 128 --out DIR            aligned portraits
    python -m synthetic.dataset --people 4000 --frame full --size 224 --out DIR    scenes with 0, 1 or 2 people

Shards hold 250 people each and are written whole or not at all, so a killed run goes on where it stopped; `--share 0/2`
and `--share 1/2` let two processes split the work. Nobody appears twice, and the people of the benchmarks and of the
sample company come from seeds that no training set uses (`SEEDS`).

Portrait shards (.npz): `picture` uint8 (N, s, s, 3), `alpha` and `rough` (hair, clothes and head coverings, where
strands and threads may lie elsewhere and still be right) uint8 (N, s, s), `landmarks` float32 (N, 5, 2) px, `identity`
float32 (N, P), `person` int64 (seed), `capture` int64, `kind` "studio" or "selfie"; beside them a .json with `caption`
(a description of the person in 55 % of pictures, else "a person") and `neutral` (always "a person").
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthetic.painter.caption import describe
from synthetic.painter.capture import draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import compose, paint
from synthetic.painter.palette import BACKDROP, SCENES
from synthetic.painter.parameters import IDENTITY, LAYOUT
from synthetic.scenes import draw_scene

# First seed of each population; none has more than a million people.
SEEDS = {"portraits": 1_000_000, "scenes": 2_000_000, "benchmarks": 3_000_000, "company": 9_000_000}
SHARD = 250
ROUGH = ("hair", "clothes", "cover")


@dataclass(frozen=True)
class DrawingOrder:
    """What to draw. `captures` shots per person, each before `backgrounds` different backgrounds."""

    people: int
    size: int
    seed: int = 0
    captures: int = 2
    backgrounds: int = 2
    supersample: float = 1.5
    frame: str = "aligned"

    def first(self) -> int:
        return SEEDS["scenes" if self.frame == "full" else "portraits"] + self.seed

    def manifest(self) -> dict[str, object]:
        return {
            "layout": LAYOUT,
            "identity": list(IDENTITY),
            "size": self.size,
            "seed": self.seed,
            "frame": self.frame,
            "captures": self.captures,
            "backgrounds": self.backgrounds,
            "shard": SHARD,
        }


@dataclass(frozen=True)
class Portrait:
    """One training picture."""

    picture: npt.NDArray[np.uint8]
    alpha: npt.NDArray[np.uint8]
    rough: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    identity: npt.NDArray[np.float32]
    person: int
    capture: int
    kind: str
    caption: str
    neutral: str


def portraits(seed: int, order: DrawingOrder) -> Iterator[Portrait]:
    """All training pictures of one person."""
    person = draw_identity(seed)
    r = np.random.default_rng((seed, 1))
    for number in range(order.captures):
        kind = "studio" if r.random() < 0.55 else "selfie"
        capture = draw_capture(seed * 64 + number, person, kind)
        painting = paint(person, capture, order.size, order.supersample, "aligned")
        rough = np.asarray(np.round(sum(painting.masks[name] for name in ROUGH) * np.float32(255)), np.uint8)
        for again in range(order.backgrounds):
            picture, shot = painting.picture, capture
            if again:
                shot = capture.before(
                    str(r.choice(list(BACKDROP) if kind == "studio" else SCENES)), int(r.integers(1 << 30))
                )
                picture = compose(painting.foreground, painting.alpha, shot, painting.view)
            who = describe(person) if r.random() < 0.55 else "a person"
            yield Portrait(
                picture=picture,
                alpha=np.asarray(np.round(painting.alpha * 255), np.uint8),
                rough=rough,
                landmarks=painting.landmarks,
                identity=painting.identity,
                person=seed,
                capture=number,
                kind=kind,
                caption=shot.caption(who),
                neutral=shot.caption(),
            )


def portrait_shard(
    first: int, count: int, order: DrawingOrder
) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, list[str]]]:
    made = [one for seed in range(first, first + count) for one in portraits(seed, order)]
    arrays: dict[str, npt.NDArray[np.generic]] = {
        name: np.stack([getattr(one, name) for one in made])
        for name in ("picture", "alpha", "rough", "landmarks", "identity")
    }
    arrays |= {name: np.asarray([getattr(one, name) for one in made], np.int64) for name in ("person", "capture")}
    arrays["kind"] = np.asarray([one.kind for one in made])
    return arrays, {"caption": [one.caption for one in made], "neutral": [one.neutral for one in made]}


def scene_shard(
    first: int, count: int, order: DrawingOrder
) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, list[str]]]:
    made = [draw_scene(seed, order.size) for seed in range(first, first + count)]
    names = ("picture", "alpha", "parts", "boxes", "landmarks", "people", "sunglasses")
    arrays: dict[str, npt.NDArray[np.generic]] = {
        name: np.stack([getattr(one, name) for one in made]) for name in names
    }
    return arrays, {"light": [one.light for one in made]}


def save_shard(path: Path, arrays: dict[str, npt.NDArray[np.generic]], words: dict[str, list[str]]) -> None:
    """Words first, then pixels: a shard counts once its .npz has its name."""
    for suffix in (".json", ".npz"):
        part = path.with_name(f".{path.name}.{os.getpid()}{suffix}")
        if suffix == ".json":
            part.write_text(json.dumps(words), encoding="utf-8")
        else:
            with part.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
        part.replace(path.with_suffix(suffix))


def write_dataset(order: DrawingOrder, folder: Path, share: tuple[int, int] = (0, 1)) -> list[Path]:
    """Writes the shards that are missing; returns those written. A folder made with other settings is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "dataset.json"
    if manifest.exists():
        found = json.loads(manifest.read_text(encoding="utf-8"))
        if found != json.loads(json.dumps(order.manifest())):
            raise ValueError(f"{manifest} was made with other settings; use another folder")
    else:
        manifest.write_text(json.dumps(order.manifest(), indent=1), encoding="utf-8")
    written = []
    for number, start in enumerate(range(0, order.people, SHARD)):
        path = folder / f"shard-{number:04d}"
        if number % share[1] != share[0] or path.with_suffix(".npz").exists():
            continue
        began = time.perf_counter()
        count = min(SHARD, order.people - start)
        shard = scene_shard if order.frame == "full" else portrait_shard
        save_shard(path, *shard(order.first() + start, count, order))
        written.append(path.with_suffix(".npz"))
        print(f"{path.name}: {count} people, {time.perf_counter() - began:.0f} s", flush=True)
    return written


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, required=True, help="portraits: people; full: scenes")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0, help="added to the population's first seed")
    parser.add_argument("--frame", choices=("aligned", "full"), default="aligned")
    parser.add_argument("--captures", type=int, default=2)
    parser.add_argument("--backgrounds", type=int, default=2)
    parser.add_argument("--share", default="0/1", help="k/n: this process writes every n-th shard")
    given = parser.parse_args(arguments)
    k, n = (int(part) for part in given.share.split("/"))
    order = DrawingOrder(given.people, given.size, given.seed, given.captures, given.backgrounds, frame=given.frame)
    write_dataset(order, given.out, (k, n))


if __name__ == "__main__":
    main()
