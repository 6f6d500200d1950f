"""Prints the figures of the embedded eyes on people that neither training nor fitting has seen:

    python -m synthetic.eyes.evaluate [--photos ../shared/testdata/photos --models ../shared/models]

Scenes come from another composer than the training's (`synthetic.scenes`). The part about real portraits says how far
eyes trained on drawn people carry: it is printed beside the production readers, and is no recommendation.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from synthetic.eyes.fit import embed_all, look, paint_people, pairs
from synthetic.eyes.people import TEST
from synthetic.scenes import draw_scene
from tasks.shipped import SHIPPED
from tasks.vision.faces import Eyes, EyesMissing, Face, Thresholds
from tasks.vision.images import read_picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.readers.embedded import EmbeddedFinder, open_embedded

Floats = npt.NDArray[np.float32]


def matched(found: list[Face], points: Floats) -> Face | None:
    """The found face whose eyes lie within half an eye distance of the true ones."""
    eye = float(np.hypot(*(points[1] - points[0])))
    for face in found:
        if float(np.hypot(*(face.landmarks[:2].mean(0) - points[:2].mean(0)))) < 0.5 * max(eye, 2.0):
            return face
    return None


def scenes_table(eyes: Eyes, count: int, size: int) -> list[str]:
    """Finder, landmarks and matte on whole scenes with nobody, one or two people."""
    hits = truths = finds = counted = 0
    errors: list[float] = []
    eye_line: list[float] = []
    absolute: list[float] = []
    overlap: list[float] = []
    for i in range(count):
        scene = draw_scene(TEST // 4 + i, size)
        found = eyes.finder.find(scene.picture)
        people = [p for p, who in zip(scene.landmarks, scene.people, strict=True) if who >= 0]
        truths += len(people)
        finds += len(found)
        counted += len(found) == len(people)
        for points in people:
            face = matched(found, points)
            if face is None:
                continue
            hits += 1
            gaps = np.hypot(*(face.landmarks - points).T) / np.hypot(*(points[1] - points[0]))
            errors.append(float(gaps.mean()) * 100)
            # In the portrait frame eyes are .185 apart: the error of the eye line in % of that frame.
            middle = (face.landmarks[:2].mean(0) - points[:2].mean(0))[1] / np.hypot(*(points[1] - points[0]))
            eye_line.append(abs(float(middle)) * 18.5)
        alpha = eyes.matter.matte(scene.picture)
        truth = scene.alpha.astype(np.float32) / 255
        absolute.append(float(np.abs(alpha - truth).mean()))
        if people:
            union = np.maximum(alpha > 0.5, truth > 0.5).sum()
            overlap.append(float(np.minimum(alpha > 0.5, truth > 0.5).sum() / max(union, 1)))
    return [
        f"scenes, {count} at {size} px, {truths} faces",
        f"  finder       recall {hits / truths:.3f}, precision {hits / max(finds, 1):.3f}, "
        f"right count of faces in {counted / count:.3f}",
        f"  landmarks    error {np.median(errors):.1f} % of the eye distance (95 %: {np.quantile(errors, 0.95):.1f})",
        f"  eye line     error {np.median(eye_line):.2f} % of the portrait frame "
        f"(95 %: {np.quantile(eye_line, 0.95):.2f})",
        f"  matte        mean absolute error {np.mean(absolute):.4f}, IoU {np.mean(overlap):.3f} "
        f"(worst 5 %: {np.quantile(overlap, 0.05):.3f})",
    ]


def identity_lines(
    name: str, thresholds: Thresholds, gallery_vectors: Floats, person: npt.NDArray[np.int64]
) -> list[str]:
    """Verification over all pairs, and rank-1 of each person's last shots against means of the first four."""
    same, other = pairs(gallery_vectors, person)
    everybody = np.unique(person)
    rows = [np.flatnonzero(person == p) for p in everybody]
    means = np.stack([gallery_vectors[r[:4]].mean(0) for r in rows])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    tests = np.concatenate([r[4:] for r in rows])
    owner = np.concatenate([np.full(len(r[4:]), k) for k, r in enumerate(rows)])
    scores = gallery_vectors[tests] @ means.T
    rank1 = float((scores.argmax(1) == owner).mean())
    order = np.sort(np.concatenate([same, other]))
    false_negative = np.searchsorted(np.sort(same), order) / len(same)
    false_positive = 1 - np.searchsorted(np.sort(other), order) / len(other)
    equal = float(np.min(np.maximum(false_negative, false_positive)))
    dprime = (same.mean() - other.mean()) / np.sqrt((same.var() + other.var()) / 2)
    return [
        f"  {name:<12} rank-1 of {len(everybody)} people {rank1:.3f} ({len(tests)} pictures), equal error {equal:.3f}, "
        f"d' {dprime:.2f}; same {same.mean():.2f}±{same.std():.2f}, others {other.mean():.2f}±{other.std():.2f}",
        f"  {'':<12} at same = {thresholds.same:.2f}: {(same >= thresholds.same).mean():.3f} of right and "
        f"{(other >= thresholds.same).mean():.4f} of wrong pairs accepted",
    ]


def identity_table(eyes: Eyes, work: Path, people: int, shots: int) -> list[str]:
    """Both encoders on clean pictures, and with every second picture softened as the embedded base softens."""
    rows = paint_people(work, TEST, people, shots)
    finder = eyes.finder
    assert isinstance(finder, EmbeddedFinder)
    lines = []
    for soft in (False, True):
        gallery = look(rows, finder, soft=soft)
        kind = "every second picture softened to 112 px" if soft else "clean"
        lines.append(f"identity, {people} people x {shots} pictures, {kind}; {gallery.missed} faces missed")
        for name, encoder, thresholds in (
            ("embedder", eyes.embedder, eyes.thresholds),
            ("judge", eyes.judge, eyes.judge_thresholds),
        ):
            lines += identity_lines(name, thresholds, embed_all(gallery, encoder), gallery.person)
    return lines


def portraits_table(eyes: Eyes, production: Eyes, photos: Path) -> list[str]:
    """Real portraits: the embedded finder and matte against the production readers. No identities are compared."""
    files = sorted(p for p in photos.iterdir() if p.suffix in (".jpg", ".png"))
    hits, gaps, overlaps = 0, [], []
    for path in files:
        picture = read_picture(path.read_bytes()).picture
        real = production.finder.find(picture)[0]
        face = matched(eyes.finder.find(picture), real.landmarks)
        if face is not None:
            hits += 1
            gaps.append(float(np.hypot(*(face.landmarks - real.landmarks).T).mean()) / real.inter_eye * 100)
        mine, theirs = eyes.matter.matte(picture) > 0.5, production.matter.matte(picture) > 0.5
        overlaps.append(float((mine & theirs).sum() / max((mine | theirs).sum(), 1)))
    error = f"{np.median(gaps):.1f} % of the eye distance from YuNet's" if gaps else "none to measure"
    return [
        f"real portraits, {len(files)}: the embedded eyes against the production readers (never trained for this)",
        f"  finder       finds {hits} of {len(files)} main faces; landmarks {error}",
        f"  matte        IoU with the segmentation net {np.mean(overlaps):.3f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--size", type=int, default=256, help="px of the scenes")
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--shots", type=int, default=7)
    parser.add_argument("--eyes", type=Path, default=None)
    parser.add_argument("--photos", type=Path, default=SHIPPED.parent / "shared" / "testdata" / "photos")
    parser.add_argument("--models", type=Path, default=SHIPPED.parent / "shared" / "models")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    eyes = open_embedded(asked.eyes) if asked.eyes else open_eyes("embedded")
    for line in scenes_table(eyes, asked.scenes, asked.size):
        print(line, flush=True)
    for line in identity_table(eyes, asked.work, asked.people, asked.shots):
        print(line, flush=True)
    try:
        production = open_eyes("opencv", asked.models)
    except EyesMissing as error:
        print(f"real portraits: left out ({error})")
        return
    for line in portraits_table(eyes, production, asked.photos):
        print(line, flush=True)


if __name__ == "__main__":
    main()
