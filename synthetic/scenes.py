"""Whole pictures as a phone or a passer-by takes them: nobody, one person or two, large or small, dark or blurred.

They teach the face finder and the matte. Unlike portraits they are not aligned; the truth comes with them.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthetic.painter import develop
from synthetic.painter.backgrounds import backdrop, room
from synthetic.painter.capture import Capture, CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.kernels import PARTS
from synthetic.painter.painting import Painting, paint
from synthetic.painter.palette import BACKDROP, SCENES

FACE_WIDTH = 1.47  # of a typical head, in units of 10 cm
MOST = 2


@dataclass(frozen=True)
class Scene:
    """Truth of one picture: up to two people, the nearer first; absent ones are -1."""

    picture: npt.NDArray[np.uint8]
    alpha: npt.NDArray[np.uint8]
    parts: npt.NDArray[np.uint8]  # 0 background, 1 + index into kernels.PARTS
    boxes: npt.NDArray[np.float32]  # (2, 4) x, y, w, h
    landmarks: npt.NDArray[np.float32]  # (2, 5, 2)
    people: npt.NDArray[np.int64]
    sunglasses: npt.NDArray[np.bool_]
    light: str


def place_person(
    capture: Capture, size: int, face: float, x: float, y: float
) -> tuple[Capture, npt.NDArray[np.float64]]:
    """Camera and view that put a face of width `face` with its eyes at (x, y), all as fractions of the picture."""
    units = FACE_WIDTH / face  # width of the picture
    distance = max(4.5, units * 1.3)
    scale = size / units * distance
    return replace(capture, camera=(0.0, -0.1, distance, units / 2)), np.array(
        [[scale, 0, x * size], [0, scale, y * size - 0.1 * scale / distance]]
    )


def _places(r: np.random.Generator, count: int) -> list[tuple[float, float, float]]:
    """Face width and eye position of each person, farthest (smallest) first."""
    if count == 2:
        faces = sorted(float(f) for f in r.uniform(0.12, 0.32, 2))
        left = float(r.uniform(0.22, 0.34))
        xs = [left, left + float(r.uniform(0.34, 0.46))]
        r.shuffle(xs)
    else:
        faces, xs = [float(np.exp(r.uniform(np.log(0.12), np.log(0.70))))], [float(r.uniform(0.35, 0.65))]
    made = []
    for face, x in zip(faces, xs, strict=True):
        lowest = max(0.25, 1 - 3.9 * face / FACE_WIDTH)  # bodies end 4 units below the eyes: below the picture
        made.append((face, x, float(r.uniform(lowest, max(lowest, min(0.72, 1.02 - face * 0.72))))))
    return made


def draw_scene(seed: int, size: int) -> Scene:
    r = np.random.default_rng((seed, 2))
    count = int(r.choice((0, 1, 2), p=(0.07, 0.75, 0.18)))
    studio = bool(r.random() < 0.2)
    background = str(r.choice(list(BACKDROP) if studio else SCENES))
    canvas = (backdrop if studio else room)(background, int(r.integers(1 << 30)), size)
    exposure = float(np.exp(r.normal(0, 0.22))) * (float(r.uniform(0.12, 0.35)) if r.random() < 0.05 else 1.0)
    alpha = np.zeros((size, size), np.float32)
    parts = np.zeros((size, size), np.uint8)
    found: list[tuple[Painting, int, bool]] = []
    light = ""
    for number, (face, x, y) in enumerate(_places(r, count) if count else []):
        who = seed * 4 + number
        wish = CaptureWish(sunglasses=bool(r.random() < 0.06), light=light or None, frontal=float(r.uniform(0.4, 1.5)))
        person = draw_identity(who)
        shot = draw_capture(who, person, "studio" if studio else "selfie", wish)
        light = shot.light
        shot, view = place_person(shot, size, face, x, y)
        one = paint(person, shot, size, 1.25, view=view)
        canvas = canvas * (1 - one.alpha)[..., None] + one.foreground
        alpha = np.maximum(alpha, one.alpha)
        labels = np.argmax(np.stack([one.masks[p] for p in PARTS]), 0) + 1
        parts = np.where(one.alpha > 0.5, labels, parts).astype(np.uint8)
        found.insert(0, (one, who, wish.sunglasses))
    noise, blur = (
        float(r.uniform(0.002, 0.015)),
        float(abs(r.normal(0, 2.0)) + (r.uniform(5, 14) if r.random() < 0.05 else 0)),
    )
    boxes, marks = np.full((MOST, 4), -1, np.float32), np.full((MOST, 5, 2), -1, np.float32)
    for k, (one, _, _) in enumerate(found):
        boxes[k], marks[k] = one.face_box, one.landmarks
    people = np.asarray([who for _, who, _ in found] + [-1] * (MOST - len(found)), np.int64)
    dark = np.asarray([d for _, _, d in found] + [False] * (MOST - len(found)), np.bool_)
    return Scene(
        picture=develop.finish(np.asarray(canvas * exposure, np.float32), noise, blur, seed),
        alpha=np.asarray(np.round(alpha * 255), np.uint8),
        parts=parts,
        boxes=boxes,
        landmarks=marks,
        people=people,
        sunglasses=dark,
        light=light,
    )
