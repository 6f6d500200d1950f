"""What is behind a person: a plain backdrop with a glow, or a blurred room. Linear light, float32 (h, w, 3)."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from synthetic.painter.palette import BACKDROP

Canvas = npt.NDArray[np.float32]

# The rooms' own light, before windows and furniture.
WALLS = {
    "kitchen": (0.62, 0.60, 0.55),
    "living room": (0.50, 0.43, 0.34),
    "office": (0.50, 0.53, 0.56),
    "street": (0.40, 0.42, 0.45),
    "park": (0.20, 0.34, 0.13),
    "bedroom": (0.52, 0.45, 0.42),
    "cafe": (0.30, 0.20, 0.13),
    "wall": (0.62, 0.60, 0.58),
}


class _Room:
    """A canvas measured 0..1 in both directions."""

    def __init__(self, size: int, colour: npt.NDArray[np.float64], rng: np.random.Generator) -> None:
        self.canvas: Canvas = np.ones((size, size, 3), np.float32) * colour.astype(np.float32)
        self.size, self.rng = size, rng
        self.shift = float(rng.uniform(-0.15, 0.15))

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: npt.ArrayLike) -> None:
        w = self.size
        c = [float(v) for v in np.asarray(colour)]
        cv2.rectangle(self.canvas, (int(x0 * w), int(y0 * w)), (int(x1 * w), int(y1 * w)), c, -1)

    def disc(self, x: float, y: float, radius: float, colour: npt.ArrayLike) -> None:
        w = self.size
        c = [float(v) for v in np.asarray(colour)]
        cv2.circle(self.canvas, (int(x * w), int(y * w)), max(1, int(radius * w)), c, -1)


def _kitchen(room: _Room) -> None:
    r, x = room.rng, room.shift
    front = np.array([1, 0.95, 0.9]) * float(r.choice((0.75, 0.25, 0.12)))
    doors = int(r.integers(3, 6))
    for i in range(-1, doors + 1):
        room.box(i / doors + x, -0.1, (i + 0.94) / doors + x, 0.33, front * r.uniform(0.9, 1.05))
    room.box(0, 0.36, 1, 0.62, np.array([0.72, 0.72, 0.70]) * r.uniform(0.7, 1.0))
    for i in range(14):
        room.box(i / 14, 0.36, i / 14 + 0.004, 0.62, (0.5, 0.5, 0.5))
    room.box(0, 0.62, 1, 0.67, (0.22, 0.18, 0.15))
    room.box(0, 0.67, 1, 1, front * 0.8)
    room.box(0.1 + x, 0.42, 0.2 + x, 0.62, (0.55, 0.1, 0.06))
    room.box(0.82 + x, 0.45, 0.88 + x, 0.62, (0.1, 0.3, 0.2))


def _office(room: _Room) -> None:
    r, x = room.rng, room.shift
    for i in range(-1, 6):
        room.box(i * 0.22 + x, 0.0, i * 0.22 + 0.20 + x, 0.5, np.array([0.80, 0.90, 1.0]) * r.uniform(0.8, 1.3))
    room.box(0, 0.5, 1, 0.54, (0.3, 0.3, 0.3))
    room.box(0, 0.66, 1, 0.70, (0.45, 0.36, 0.25))
    room.box(0.05 + x, 0.42, 0.3 + x, 0.66, (0.03, 0.03, 0.04))
    room.box(0.75 + x, 0.45, 0.97 + x, 0.66, (0.03, 0.03, 0.04))


def _home(room: _Room) -> None:
    r, x = room.rng, room.shift
    room.box(0.05 + x, 0.05, 0.38 + x, 0.55, np.array([0.95, 1.0, 1.1]) * r.uniform(0.8, 1.3))
    room.box(0.0 + x, 0.0, 0.08 + x, 0.65, (0.55, 0.5, 0.42))
    room.box(0.35 + x, 0.0, 0.43 + x, 0.65, (0.55, 0.5, 0.42))
    room.box(0.6 + x, 0.15, 0.9 + x, 0.42, (0.1, 0.08, 0.06))
    room.box(0.62 + x, 0.17, 0.88 + x, 0.40, r.uniform(0.1, 0.7, 3))
    room.box(0, 0.72, 1, 1, r.uniform(0.1, 0.5, 3))
    room.disc(0.52 + x, 0.3, 0.07, (1.6, 1.2, 0.7))


def _bedroom(room: _Room) -> None:
    _home(room)
    room.box(0, 0.68, 1, 1, np.array([0.7, 0.68, 0.66]) * room.rng.uniform(0.6, 1.1, 3))


def _street(room: _Room) -> None:
    r = room.rng
    for i in range(-1, 7):
        room.box(
            i / 6 + room.shift * 0.3,
            r.uniform(0.05, 0.4),
            (i + 1) / 6,
            0.8,
            np.array([0.35, 0.30, 0.27]) * r.uniform(0.5, 1.4),
        )
    room.box(0, 0, 1, 0.08, (0.7, 0.8, 0.95))
    for _ in range(60):
        x, y = r.random(2)
        room.box(
            x, 0.2 + y * 0.5, x + 0.02, 0.24 + y * 0.5, (0.9, 0.75, 0.45) if r.random() < 0.4 else (0.2, 0.25, 0.3)
        )
    room.box(0, 0.8, 1, 1, (0.18, 0.18, 0.19))


def _park(room: _Room) -> None:
    r = room.rng
    room.box(0, 0, 1, 0.35, (0.65, 0.80, 1.0))
    for _ in range(90):
        x, y = r.random(2)
        room.disc(x, 0.10 + y * 0.55, r.uniform(0.02, 0.09), np.array([0.16, 0.32, 0.08]) * r.uniform(0.4, 2.0))
    room.box(0, 0.72, 1, 1, (0.22, 0.40, 0.12))


def _cafe(room: _Room) -> None:
    r = room.rng
    room.box(0, 0.6, 1, 1, (0.20, 0.11, 0.06))
    for _ in range(26):
        x, y = r.random(2)
        room.disc(x, y * 0.5, r.uniform(0.012, 0.03), (2.2, 1.5, 0.7))
    for i in range(3):
        room.box(0.05, 0.2 + i * 0.13, 0.35, 0.22 + i * 0.13, (0.45, 0.30, 0.16))


def _wall(room: _Room) -> None:
    room.canvas *= (room.rng.uniform(0.5, 1.2, 3) * 0.5 + 0.5).astype(np.float32)


FURNISH: dict[str, Callable[[_Room], None]] = {
    "kitchen": _kitchen,
    "office": _office,
    "living room": _home,
    "bedroom": _bedroom,
    "street": _street,
    "park": _park,
    "cafe": _cafe,
    "wall": _wall,
}


def backdrop(name: str, seed: int, size: int) -> Canvas:
    """A studio backdrop: one colour, a soft glow off centre."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:size, 0:size] / size * 2 - 1
    side = float(rng.choice((-1, 1))) * 0.25
    glow = np.exp(-((xx - side) ** 2 + (yy + 0.05) ** 2) / 1.1)
    return np.asarray(np.asarray(BACKDROP[name]) * (0.62 + 0.55 * glow)[..., None], np.float32)


def room(name: str, seed: int, size: int, turn: float = 0.0, zoom: float = 1.0) -> Canvas:
    """A blurred place, optionally turned (radians) and zoomed as the picture before it was."""
    rng = np.random.default_rng(seed)
    drawn = _Room(size, np.asarray(WALLS[name]) * rng.uniform(0.75, 1.15), rng)
    FURNISH[name](drawn)
    canvas = cv2.GaussianBlur(drawn.canvas, (0, 0), size * rng.uniform(0.010, 0.032), borderType=cv2.BORDER_REFLECT)
    if turn or zoom != 1.0:
        matrix = cv2.getRotationMatrix2D((size / 2, size / 2), float(np.degrees(turn)), zoom)
        canvas = cv2.warpAffine(canvas, matrix, (size, size), borderMode=cv2.BORDER_REFLECT)
    yy, xx = np.mgrid[0:size, 0:size] / size * 2 - 1
    fall = 1 + 0.35 * (xx * rng.uniform(-1, 1) + yy * rng.uniform(-0.5, 0.3))
    return np.asarray(canvas * np.clip(fall, 0.3, 2)[..., None], np.float32)
