"""Composites with known alpha: people cut from photographs, set before busy rooms that are drawn here.

A remnant (a piece of room that stays beside somebody) can only be counted where the truth is known. Whatever a cut-out
shows is the truth of its composite, so it need not be perfect, only look like a person: those that are half
transparent are left out. People and rooms are split, every second one for fitting limits, the others for testing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.headshots.look import find_head, find_person
from tasks.headshots.matte import Cutout, cut_out
from tasks.vision.colour import linear_to_srgb, to_linear
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]
SIDE = 640  # px of a composite's longer side at most: about what the faithful lane solves edges at
SEMI = 0.08  # of a person's area: more than this half transparent is no cut-out of a person


@dataclass(frozen=True)
class CutPerson:
    """Somebody without a background, where they stood in their photograph."""

    name: str
    cutout: Cutout
    inter_eye: float  # px


@dataclass(frozen=True)
class Composite:
    """A person before a drawn room, and where exactly they are."""

    person: str
    room: str
    picture: Picture
    alpha: Floats
    for_test: bool


def cut_person(name: str, picture: Picture, eyes: Eyes) -> CutPerson | None:
    """The person of a photograph, or None where they cannot be cut out well enough to be believed in."""
    scale = SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    face = find_head(picture, eyes)
    if face is None:
        return None
    looks = find_person(picture, eyes, drawn=False)
    if eyes.witness is not None:
        looks.append(eyes.witness.matte(picture))
        coarse = np.minimum(np.mean(looks[:-1], axis=0), looks[-1]).astype(np.float32)
    else:
        coarse = np.mean(looks, axis=0).astype(np.float32)
    found = cut_out(picture, coarse, 2.1 * face.inter_eye, drawn=False)
    # Nothing of the room they came from may hang on them: the thin end of the alpha goes.
    alpha = np.clip((found.alpha - 0.1) / 0.85, 0, 1).astype(np.float32)
    area = float(alpha.mean())
    semi = float(((alpha > 0.1) & (alpha < 0.9)).mean())
    return None if semi > SEMI * area or area < 0.1 else CutPerson(name, Cutout(alpha, found.colours), face.inter_eye)


def compose(person: CutPerson, room: str, for_test: bool, seed: int) -> Composite:
    """The person before the room, mixed in linear light, with the grain of an ordinary camera over both."""
    alpha = person.cutout.alpha
    height, width = alpha.shape
    rng = np.random.default_rng(seed)
    wall = to_linear(ROOMS[room](height, width, rng))
    share = alpha[..., None]
    mixed = linear_to_srgb(share * person.cutout.colours + (1 - share) * wall)
    grain = rng.normal(0, 1.2, mixed.shape)
    picture = np.clip(np.rint(mixed * 255 + grain), 0, 255).astype(np.uint8)
    return Composite(person.name, room, picture, alpha, for_test)


def composites(people: list[CutPerson]) -> list[Composite]:
    """Every photograph before every room of its person's half: people and rooms of the test are never fitted on."""
    names = sorted({person.name for person in people})
    made = []
    for i, person in enumerate(people):
        half = names.index(person.name) % 2
        for j, room in enumerate(ROOMS):
            if half == j % 2:
                made.append(compose(person, room, bool(half), 1000 * i + j))
    return made


def frame_corner(landmarks: Floats) -> npt.NDArray[np.int32]:
    """The left top corner, in px of the picture, of an ordinary kit's frame (northwind's) round this head."""
    side = _frame_side(landmarks)
    x, y = landmarks[:2].mean(axis=0)
    return np.array([round(float(x) - 0.5 * side), round(float(y) - 0.47 * side)], np.int32)


def framed(values: npt.NDArray[np.generic], landmarks: Floats) -> Floats:
    """What that frame shows; beyond the picture's edge the edge goes on."""
    side = _frame_side(landmarks)
    left, top = frame_corner(landmarks) + side
    wide = cv2.copyMakeBorder(np.asarray(values, np.float32), side, side, side, side, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(wide[top : top + side, left : left + side])


def _frame_side(landmarks: Floats) -> int:
    return round(float(np.hypot(*(landmarks[1] - landmarks[0]))) / 0.195)


def _soft(picture: npt.NDArray[np.floating], blur: float) -> Picture:
    return np.clip(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), max(blur, 0.3)), 0, 255).astype(np.uint8)


def _flag(h: int, w: int, rng: np.random.Generator) -> Picture:
    """A standing flag beside a dark wall: red and white folds, a blue field with stars."""
    wall = np.full((h, w, 3), rng.uniform((25, 40, 80), (60, 80, 140)), np.float32)
    left = int(rng.uniform(0.0, 0.35) * w)
    right = left + int(0.5 * w)
    x = np.arange(left, min(right, w))
    for y in range(h):
        lean = 0.25 * y + 0.02 * w * np.sin(y / (0.09 * h))
        wall[y, left : left + len(x)] = np.where(
            (((x + lean) // (0.055 * w)) % 2)[:, None] > 0, (178, 34, 48), (232, 228, 224)
        )
    wall[: h // 2, left : left + int(0.28 * w)] = (38, 48, 110)
    for _ in range(28):
        at = (left + int(rng.uniform(0, 0.28) * w), int(rng.uniform(0, 0.5) * h))
        cv2.drawMarker(wall, at, (235, 235, 235), cv2.MARKER_STAR, max(5, w // 32), max(1, w // 200))
    fold = 0.75 + 0.25 * np.sin(np.arange(w) / (0.03 * w))
    return _soft(wall * fold[None, :, None], 0.002 * w)


def _shelf(h: int, w: int, rng: np.random.Generator) -> Picture:
    """Books: upright bars of all colours between dark boards."""
    wall = np.full((h, w, 3), 40, np.float32)
    for top in np.arange(0, h, 0.23 * h):
        x = 0.0
        while x < w:
            wide = rng.uniform(0.015, 0.05) * w
            high = rng.uniform(0.15, 0.21) * h
            colour = rng.uniform(20, 230, 3)
            y = int(top + 0.21 * h - high)
            wall[max(0, y) : int(top + 0.21 * h), int(x) : int(x + wide)] = colour
            x += wide
    return _soft(wall, 0.004 * w)


def _window(h: int, w: int, rng: np.random.Generator) -> Picture:
    """A bright window with dark frames beside a grey wall."""
    wall = np.full((h, w, 3), rng.uniform(110, 150), np.float32)
    left = int(rng.uniform(0, 0.3) * w)
    wall[: int(0.85 * h), left:] = (225, 235, 245)
    for x in np.arange(left, w, 0.16 * w):
        wall[:, int(x) : int(x + 0.022 * w)] = (70, 66, 62)
    for y in np.arange(0.05 * h, 0.86 * h, 0.2 * h):
        wall[int(y) : int(y + 0.02 * h), left:] = (70, 66, 62)
    return _soft(wall, 0.003 * w)


def _leaves(h: int, w: int, rng: np.random.Generator) -> Picture:
    """Foliage: soft blots of green in three sizes, with light through it."""
    wall = np.full((h, w, 3), (45, 75, 35), np.float32)
    for size, count in ((0.12, 60), (0.06, 200), (0.025, 700)):
        for _ in range(count):
            at = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
            light = rng.uniform(0.3, 2.4)
            colour = tuple(float(v) for v in np.clip(np.array([60, 95, 40]) * light, 0, 255))
            axes = (int(size * w * rng.uniform(0.3, 1)), int(size * w * rng.uniform(0.2, 0.6)))
            cv2.ellipse(wall, at, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    return _soft(wall, 0.004 * w)


def _tiles(h: int, w: int, rng: np.random.Generator) -> Picture:
    """A patterned wall: bright arcs on black, as in a restaurant."""
    wall = np.full((h, w, 3), 22, np.float32)
    size = int(rng.uniform(0.1, 0.16) * w)
    for row, y in enumerate(range(0, h + size, size)):
        for x in range(-(row % 2) * size // 2, w + size, size):
            cv2.circle(wall, (x, y), size // 2, (205, 195, 170), max(2, size // 7), cv2.LINE_AA)
            cv2.circle(wall, (x, y), size // 6, (190, 140, 50), -1, cv2.LINE_AA)
    return _soft(wall, 0.002 * w)


def _office(h: int, w: int, rng: np.random.Generator) -> Picture:
    """A room: a chair's back at the shoulder, a lamp, a picture frame, a plant, all out of focus."""
    wall = np.full((h, w, 3), rng.uniform((170, 160, 150), (215, 205, 195)), np.float32)
    wall[int(0.7 * h) :] *= 0.7
    cv2.rectangle(wall, (int(0.05 * w), int(0.42 * h)), (int(0.4 * w), h), (45, 40, 42), -1)
    cv2.rectangle(wall, (int(0.68 * w), int(0.08 * h)), (int(0.95 * w), int(0.34 * h)), (60, 45, 35), -1)
    cv2.rectangle(wall, (int(0.71 * w), int(0.11 * h)), (int(0.92 * w), int(0.31 * h)), (120, 150, 170), -1)
    cv2.circle(wall, (int(0.25 * w), int(0.2 * h)), int(0.1 * w), (250, 240, 215), -1)
    for _ in range(40):
        at = (int(rng.normal(0.85, 0.06) * w), int(rng.normal(0.6, 0.09) * h))
        cv2.ellipse(wall, at, (int(0.05 * w), int(0.015 * w)), float(rng.uniform(0, 180)), 0, 360, (50, 90, 45), -1)
    return _soft(wall, rng.uniform(0.004, 0.01) * w)


def _stripes(h: int, w: int, rng: np.random.Generator) -> Picture:
    """A shutter with sprayed lines over it."""
    y = np.arange(h)[:, None]
    wall = np.repeat(np.repeat(200 + 35 * np.sign(np.sin(y / (0.013 * h))), w, 1)[..., None], 3, 2).astype(np.float32)
    for _ in range(6):
        points = (rng.uniform(0, 1, (4, 2)) * (w, h)).astype(np.int32)
        colour = tuple(float(v) for v in rng.choice([(205, 40, 50), (30, 90, 190), (20, 20, 20)]))
        cv2.polylines(wall, [points], False, colour, int(0.035 * w), cv2.LINE_AA)
    return _soft(wall, 0.002 * w)


def _view(h: int, w: int, rng: np.random.Generator) -> Picture:
    """A city behind a railing, under a bright sky."""
    wall = np.full((h, w, 3), (165, 195, 230), np.float32)
    x = 0.0
    while x < w:
        wide, top = rng.uniform(0.08, 0.2) * w, rng.uniform(0.25, 0.5) * h
        shade = rng.uniform(90, 190)
        wall[int(top) :, int(x) : int(x + wide)] = (shade, 0.95 * shade, 0.9 * shade)
        for row in np.arange(top + 0.02 * h, h, 0.05 * h):
            wall[int(row) : int(row + 0.018 * h), int(x + 0.01 * w) : int(x + wide - 0.01 * w)] *= 0.6
        x += wide
    for bar in np.arange(0, w, 0.07 * w):
        wall[int(0.45 * h) :, int(bar) : int(bar + 0.014 * w)] = 25
    wall[int(0.43 * h) : int(0.47 * h)] = 25
    return _soft(wall, 0.002 * w)


Drawer = Callable[[int, int, np.random.Generator], Picture]
# Every second one is for testing: what nets trip over (flags, sprayed shutters) lies in both halves.
ROOMS: dict[str, Drawer] = {
    "flag": _flag,
    "stripes": _stripes,
    "shelf": _shelf,
    "window": _window,
    "tiles": _tiles,
    "view": _view,
    "leaves": _leaves,
    "office": _office,
}
