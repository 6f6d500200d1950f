"""Finds the thresholds of the two encoders on people that nothing was trained on, and writes `eyes.toml`.

    python -m synthetic.eyes.fit --work DIR

Pictures are painted whole, with their backgrounds, and go through finder and landmarks like anybody's, so the
thresholds know the errors of the whole chain. Half of the shots are also softened as the embedded
base softens.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from synthetic.eyes.people import FIT, shot
from tasks.shipped import SHIPPED
from tasks.vision.faces import Face, FaceEmbedder, Thresholds
from tasks.vision.readers.embedded import EmbeddedEncoder, EmbeddedFinder

Floats = npt.NDArray[np.float32]

NAMES = {"embedder": "rollcall-embedder-1", "judge": "rollcall-judge-1"}
FILES = ("finder", "landmarks", "matte", "embedder", "judge")
_REFERENCE_SHOTS = 4  # of each person's shots, the first that serve as "their selfies"


@dataclass(frozen=True)
class Gallery:
    """Pictures of known people with the face that the finder saw."""

    pictures: list[npt.NDArray[np.uint8]]
    faces: list[Face]
    person: npt.NDArray[np.int64]
    studio: npt.NDArray[np.bool_]
    missed: int


def paint_people(work: Path, first: int, people: int, shots: int, size: int = 224) -> dict[str, npt.NDArray[Any]]:
    """Natural pictures of `people`, painted once and kept in `work`; every third is a studio shot."""
    path = work / f"gallery_{first}_{people}x{shots}.npz"
    if not path.exists():
        pictures, person, studio = [], [], []
        for seed in range(first, first + people):
            for number in range(shots):
                kind = "studio" if number % 3 == 2 else "selfie"
                pictures.append(shot(seed, number, kind, size, head=False).picture)
                person.append(seed)
                studio.append(kind == "studio")
        np.savez(path, picture=np.stack(pictures), person=np.asarray(person), studio=np.asarray(studio))
    with np.load(path) as held:
        return {name: held[name] for name in held.files}


def soften(picture: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """About what a 128 px base model leaves of a portrait: low resolution, smooth error, a slight cast."""
    rng = np.random.default_rng(seed)
    size = picture.shape[0]
    small = cv2.resize(picture, (112, 112), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), 0.7) + cv2.resize(rng.normal(0, 6, (28, 28, 3)), (112, 112))
    cast = np.exp(rng.normal(0, 0.05, 3))
    return np.clip(cv2.resize(small * cast, (size, size), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def look(rows: dict[str, npt.NDArray[Any]], finder: EmbeddedFinder, *, soft: bool) -> Gallery:
    """Find the face of every picture; pictures without one are counted and left out."""
    pictures, faces, person, studio, missed = [], [], [], [], 0
    for i, picture in enumerate(rows["picture"]):
        seen = soften(picture, i) if soft and i % 2 else picture
        found = finder.find(seen)
        if not found:
            missed += 1
            continue
        pictures.append(seen)
        faces.append(found[0])
        person.append(int(rows["person"][i]))
        studio.append(bool(rows["studio"][i]))
    return Gallery(pictures, faces, np.asarray(person, np.int64), np.asarray(studio), missed)


def embed_all(gallery: Gallery, encoder: FaceEmbedder) -> Floats:
    """One unit vector per picture, (N, D)."""
    return np.stack([encoder.embed(p, f) for p, f in zip(gallery.pictures, gallery.faces, strict=True)])


def pairs(vectors: Floats, person: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Cosines of all same-person and all other pairs."""
    cosines = vectors @ vectors.T
    upper = np.triu(np.ones_like(cosines, bool), 1)
    same = person[:, None] == person[None]
    return cosines[upper & same], cosines[upper & ~same]


def _logistic(same: Floats, other: Floats) -> tuple[float, float]:
    """P(same | cosine) at equal priors, by Newton's method with weights."""
    x = np.concatenate([same, other]).astype(np.float64)
    y = np.concatenate([np.ones(len(same)), np.zeros(len(other))])
    w = np.concatenate([np.full(len(same), 0.5 / len(same)), np.full(len(other), 0.5 / len(other))])
    design = np.stack([x, np.ones_like(x)], 1)
    theta = np.zeros(2)
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -40, 40)))
        gradient = design.T @ (w * (p - y)) + 1e-5 * theta
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + 1e-5 * np.eye(2)
        theta -= np.linalg.solve(hessian, gradient)
    return float(theta[0]), float(theta[1])


def _best_three(vectors: Floats, references: list[Floats]) -> Floats:
    """(pictures, people): mean of the three largest cosines to each person's references."""
    return np.stack([np.sort(vectors @ r.T, axis=1)[:, -3:].mean(1) for r in references], axis=1)


def fit_thresholds(vectors: Floats, person: npt.NDArray[np.int64]) -> Thresholds:
    """Each threshold is the middle between what right ones reach and what wrong ones reach; see the comments."""
    same, other = pairs(vectors, person)
    slope, bias = _logistic(same, other)
    one_pair = _between(float(np.quantile(other, 0.998)), float(np.quantile(same, 0.10)))
    everybody = np.unique(person)
    rows = [np.flatnonzero(person == p) for p in everybody]
    references = [vectors[r[:_REFERENCE_SHOTS]] for r in rows]
    rest = np.concatenate([r[_REFERENCE_SHOTS:] for r in rows])
    owner = np.concatenate([np.full(len(r[_REFERENCE_SHOTS:]), k) for k, r in enumerate(rows)])
    lists = _best_three(vectors[rest], references)
    own = lists[np.arange(len(rest)), owner]
    wrong = lists.copy()
    wrong[np.arange(len(rest)), owner] = -1
    # A good photo refused is worse than a stranger let through, whom margin and reviewer still see.
    best_right, _ = folder_matches(vectors, person)
    belongs = min(float(np.quantile(best_right, 0.02)), one_pair)
    means = np.stack([_unit(r.mean(0)) for r in references])
    halves = np.array([_unit(vectors[r[0::2]].mean(0)) @ _unit(vectors[r[1::2]].mean(0)) for r in rows if len(r) > 3])
    strangers = (means @ means.T)[np.triu_indices(len(means), 1)]
    return Thresholds(
        same=one_pair,
        belongs=belongs,
        stranger=0.8 * belongs,
        twin_folder=_between(float(strangers.max()), float(np.median(halves)), 0.75),
        likeness_slope=slope,
        likeness_bias=bias,
        margin=0.15 * float(np.median(own - wrong.max(1))),
        likeness=_between(float(np.quantile(wrong.max(1), 0.9)), float(np.quantile(own, 0.05)), 0.4),
    )


def folder_matches(vectors: Floats, person: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Best match of each picture within its own folder, and within every other person's folder."""
    rows = [np.flatnonzero(person == p) for p in np.unique(person)]
    right = np.concatenate([_best_match(vectors[r]) for r in rows if len(r) > 2])
    wrong = np.concatenate([(vectors[np.setdiff1d(np.arange(len(person)), r)] @ vectors[r].T).max(1) for r in rows])
    return np.asarray(right, np.float32), np.asarray(wrong, np.float32)


def _between(low: float, high: float, share: float = 0.5) -> float:
    return low + (high - low) * share


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)


def _best_match(vectors: Floats) -> Floats:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    return np.asarray(cosines.max(1), dtype=np.float32)


def write_card(folder: Path, thresholds: dict[str, Thresholds], fitted_on: str, limits: dict[str, float]) -> None:
    """eyes.toml: every file with its sha256, every encoder with its thresholds."""
    lines = [
        "# Written by `python -m synthetic.eyes.fit`; the figures are in README.md beside it.",
        'name = "embedded"',
        'title = "The small eyes of this project: trained on drawn people only"',
    ]
    for section in ("finder", "landmarks", "matter"):
        lines += ["", f"[{section}]", *_network(folder, "matte" if section == "matter" else section)]
    for name in ("embedder", "judge"):
        lines += ["", "[[encoders]]", f'name = "{NAMES[name]}"', *_network(folder, name), "[encoders.thresholds]"]
        lines += [f'fitted_on = "{fitted_on}"']
        lines += [f"{key} = {value:.4f}" for key, value in vars(thresholds[name]).items()]
    lines += ["", "[limits]", *(f"{key} = {value:g}" for key, value in limits.items())]
    (folder / "eyes.toml").write_text("\n".join(lines) + "\n", "utf-8")


def _network(folder: Path, name: str) -> list[str]:
    data = (folder / f"{name}.onnx").read_bytes()
    return [
        f'file = "{name}.onnx"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        f"bytes = {len(data)}",
        'licence = "Apache-2.0"',
        'origin = "trained here on the people of synthetic/painter; no photograph was used"',
    ]


# Limits of the selfie checks for drawn people, whose skin and eyes are smoother and larger than life.
LIMITS = {
    "detail_px": 0.0,  # drawn people are smooth at any size
    "blocks": 3.0,  # smooth drawings show the JPEG's grid sooner than any photograph
    "halves": 0.1,
    "roll": 45.0,
    "score": 0.5,
    "eye_contrast": 0.33,  # sunglasses .24, everybody else above .42
    "sharpness": 0.008,  # defocus .001, everybody else above .026
    "yaw": 0.36,
    "yaw_reject": 0.6,
    "median_l_low": 15.0,  # dark skin by a window reaches 23; a dark picture 4
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--eyes", type=Path, default=SHIPPED / "base_models" / "eyes")
    parser.add_argument("--people", type=int, default=36)
    parser.add_argument("--shots", type=int, default=7)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    rows = paint_people(asked.work, FIT, asked.people, asked.shots)
    finder = EmbeddedFinder(asked.eyes / "finder.onnx", asked.eyes / "landmarks.onnx", LIMITS["score"])
    gallery = look(rows, finder, soft=True)
    print(f"{len(gallery.faces)} faces found, {gallery.missed} missed")
    fitted = {}
    for name in ("embedder", "judge"):
        vectors = embed_all(gallery, EmbeddedEncoder(NAMES[name], asked.eyes / f"{name}.onnx"))
        fitted[name] = fit_thresholds(vectors, gallery.person)
        same, other = pairs(vectors, gallery.person)
        print(f"{name}: same {same.mean():.3f} sd {same.std():.3f}, others {other.mean():.3f} sd {other.std():.3f}")
        right, wrong = folder_matches(vectors, gallery.person)
        caught, flagged = (wrong < fitted[name].belongs).mean(), (right < fitted[name].belongs).mean()
        print(f"  in a folder, below belongs: {caught:.3f} of strangers, {flagged:.3f} of right pictures")
        print("  " + ", ".join(f"{k} {v:.3f}" for k, v in vars(fitted[name]).items()))
    said = f"{len(gallery.faces)} pictures of {asked.people} drawn people, every second one softened"
    write_card(asked.eyes, fitted, said, LIMITS)


if __name__ == "__main__":
    main()
