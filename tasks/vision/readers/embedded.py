"""The project's own small eyes, trained on drawn people only and run by onnxruntime: no torch, fast to start.

They see the people of `synthetic/` well and real photographs only by luck: for trying the system out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.eyes_card import checked_file, read_eyes_card
from tasks.vision.faces import Eyes, EyesMissing, Face
from tasks.vision.images import Picture
from tasks.vision.matting import refine_matte
from tasks.vision.portrait import PORTRAIT_TEMPLATE, align_to, invert, move_points, zoomed
from tasks.vision.readers import sessions

Floats = npt.NDArray[np.float32]

_REMEDY = "`python -m synthetic.eyes.train` makes it"

FINDER_SIDE = 160  # px of the letterboxed picture that the finder sees
FINDER_STRIDE = 4  # px of its input to a cell of its map (synthetic/eyes/nets.py)
REFINE_SIDE = 96  # px of the aligned crop that the landmark net sees
REFINE_TEMPLATE = zoomed(PORTRAIT_TEMPLATE, 1.9, (0.5, 0.53))  # eyes .35 apart: brows to chin
ENCODER_SIDE = 112  # px, as the net was trained
ENCODER_TEMPLATE = zoomed(PORTRAIT_TEMPLATE, 1.5, (0.5, 0.48))  # crown to chin, hair at both sides
MATTE_SIDE = 192  # px, as the net was trained
SCORE = 0.5  # least of the finder's map that is a face
SMALLEST = 24  # px: nobody is to be seen in less


def open_embedded(folder: Path) -> Eyes:
    """Check the files in `folder` (base_models/eyes); networks load at first use."""
    card = read_eyes_card(folder / "eyes.toml")
    if card.landmarks is None or len(card.encoders) < 2:
        raise EyesMissing(f"{folder}: the embedded eyes need a landmark net, an embedder and a judge; {_REMEDY}")
    paths = {n.file: checked_file(folder, n, _REMEDY) for n in card.networks()}
    first, last = card.encoders[0], card.encoders[-1]
    limits = card.quality_limits()
    return Eyes(
        name=card.name,
        finder=EmbeddedFinder(paths[card.finder.file], paths[card.landmarks.file], limits.score),
        embedder=EmbeddedEncoder(first.name, paths[first.file]),
        judge=EmbeddedEncoder(last.name, paths[last.file]),
        matter=EmbeddedMatter(paths[card.matter.file]),
        thresholds=first.thresholds.thresholds(),
        judge_thresholds=last.thresholds.thresholds(),
        limits=limits,
    )


def letterbox(picture: Picture, side: int) -> tuple[Picture, float, tuple[float, float]]:
    """The picture fitted into a grey square, the scale, and the offset (x, y) of its corner in the square."""
    height, width = picture.shape[:2]
    k = side / max(height, width)
    w, h = max(1, round(width * k)), max(1, round(height * k))
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
    square = np.full((side, side, 3), 127, dtype=np.uint8)
    x, y = (side - w) // 2, (side - h) // 2
    square[y : y + h, x : x + w] = cv2.resize(picture, (w, h), interpolation=how)
    return square, k, (float(x), float(y))


def to_batch(pictures: list[Picture]) -> Floats:
    """uint8 (H, W, 3) pictures to float32 (N, 3, H, W), -1..1: what every network here takes."""
    stack = np.stack(pictures).astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(stack.transpose(0, 3, 1, 2))


@dataclass
class EmbeddedFinder:
    """A heat map of face centres on a small copy, then landmarks refined on crops of the original.

    Where that sees nobody, it looks twice more: at the picture with its light evened out (so that a dark selfie is
    called dark, not empty), and at overlapping parts of it (so that somebody far away is called small).
    """

    finder: Path
    landmarks: Path
    score: float = SCORE

    def find(self, picture: Picture) -> list[Face]:
        if min(picture.shape[:2]) < SMALLEST:
            return []
        found = self._look(picture) or self._look(evened(picture)) or self._look_at_parts(picture)
        return sorted(found, key=lambda f: -f.area)

    def _look(self, picture: Picture) -> list[Face]:
        square, k, offset = letterbox(picture, FINDER_SIDE)
        heat, geometry = sessions.run(self.finder, to_batch([square]))
        peaks = decode_faces(heat[0, 0], geometry[0], k, offset, self.score**2)
        faces = [self._refined(picture, face) for face in peaks]
        return _without_doubles([f for f in faces if f.score >= self.score])

    def _look_at_parts(self, picture: Picture) -> list[Face]:
        """Nine parts of .45 of the sides; only what is seen very clearly counts, since nine looks err nine times."""
        height, width = picture.shape[:2]
        h, w = round(0.45 * height), round(0.45 * width)
        if min(h, w) < SMALLEST:
            return []
        found = []
        for y in np.linspace(0, height - h, 3).astype(int):
            for x in np.linspace(0, width - w, 3).astype(int):
                shift = np.array([x, y], dtype=np.float32)
                for face in self._look(np.ascontiguousarray(picture[y : y + h, x : x + w])):
                    box = (face.box[0] + float(x), face.box[1] + float(y), face.box[2], face.box[3])
                    found.append(Face(box, np.asarray(face.landmarks + shift, np.float32), face.score))
        return _without_doubles([f for f in found if f.score >= 0.5 * (1 + self.score)])

    def _refined(self, picture: Picture, face: Face) -> Face:
        """Two looks: the first brings the crop nearly upright, the second measures in the frame it was trained on.

        The landmark net also says whether it sees a face at all; the score is the geometric mean of both opinions.
        """
        points, seen = face.landmarks, face.score
        for _ in range(2):
            crop, matrix = align_to(picture, points, REFINE_TEMPLATE, REFINE_SIDE)
            shifts, logit = sessions.run(self.landmarks, to_batch([crop]))
            template = REFINE_TEMPLATE + shifts[0].reshape(5, 2)
            points = move_points(np.asarray(template * REFINE_SIDE, dtype=np.float32), invert(matrix))
            seen = float(1 / (1 + np.exp(-np.clip(logit[0, 0], -30, 30))))
            if seen < 0.2:
                break
        return Face(face.box, points, float(np.sqrt(face.score * seen)))


def evened(picture: Picture) -> Picture:
    """Levels stretched to the full range and the middle grey brought to the middle: one table for all channels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    low, middle, high = (float(v) for v in np.percentile(np.asarray(grey), (1, 50, 99)))
    scale = np.clip((np.arange(256) - low) / max(high - low, 8.0), 0, 1)
    place = min(max((middle - low) / max(high - low, 8.0), 0.02), 0.98)
    gamma = min(max(float(np.log(0.45) / np.log(place)), 0.4), 2.5)
    return np.asarray((255 * scale**gamma).astype(np.uint8)[picture], dtype=np.uint8)


def decode_faces(
    heat: Floats, geometry: Floats, k: float, offset: tuple[float, float], score: float, most: int = 12
) -> list[Face]:
    """Peaks of the heat map (logits, (h, w)) and what the geometry channels say there.

    Geometry, in letterbox px / stride: 0, 1 offset of the box centre; 2, 3 log of box width and height; 4..13 landmarks
    relative to the centre, over the box's size.
    """
    probability = 1 / (1 + np.exp(-np.clip(heat, -30, 30)))
    peaks = probability >= cv2.dilate(probability, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(peaks & (probability >= score))
    order = np.argsort(-probability[rows, columns])[:most]
    found = []
    for y, x in zip(rows[order], columns[order], strict=True):
        g = geometry[:, y, x]
        size = np.exp(np.clip(g[2:4], -2, 4.2)) * FINDER_STRIDE
        centre = (np.array([x, y]) + 0.5 + g[:2]) * FINDER_STRIDE
        points = centre + g[4:14].reshape(5, 2) * size
        corner, size = (centre - size / 2 - offset) / k, size / k
        box = (float(corner[0]), float(corner[1]), float(size[0]), float(size[1]))
        found.append(Face(box, ((points - offset) / k).astype(np.float32), float(probability[y, x])))
    return found


def _without_doubles(faces: list[Face]) -> list[Face]:
    """Of two boxes over the same face, the surer one (overlap above .4 of the union, or eyes at the same place)."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.score):
        if all(_overlap(face, other) < 0.4 and _eye_gap(face, other) > 0.5 for other in kept):
            kept.append(face)
    return kept


def _overlap(a: Face, b: Face) -> float:
    width = min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - max(a.box[0], b.box[0])
    height = min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - max(a.box[1], b.box[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / max(a.area + b.area - shared, 1e-6)


def _eye_gap(a: Face, b: Face) -> float:
    """Distance of the middles of the eyes, in eye distances of the larger face."""
    gap = np.hypot(*(a.landmarks[:2].mean(0) - b.landmarks[:2].mean(0)))
    return float(gap / max(a.inter_eye, b.inter_eye, 1e-6))


@dataclass
class EmbeddedEncoder:
    """Unit vector of the aligned head. No mirror image is averaged in: a side parting is part of a person here."""

    name: str
    path: Path

    def embed(self, picture: Picture, face: Face) -> Floats:
        crop, _ = align_to(picture, face.landmarks, ENCODER_TEMPLATE, ENCODER_SIDE)
        vector = sessions.run(self.path, to_batch([crop]))[0][0]
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)


@dataclass
class EmbeddedMatter:
    """A small U-Net at 192 px, its edge then moved onto the picture's own edges."""

    path: Path

    def matte(self, picture: Picture) -> Floats:
        square, k, (x, y) = letterbox(picture, MATTE_SIDE)
        logits = sessions.run(self.path, to_batch([square]))[0][0, 0]
        height, width = picture.shape[:2]
        w, h = max(1, round(width * k)), max(1, round(height * k))
        inside = logits[int(y) : int(y) + h, int(x) : int(x) + w]
        coarse = (1 / (1 + np.exp(-np.clip(inside, -30, 30)))).astype(np.float32)
        return refine_matte(picture, coarse)
