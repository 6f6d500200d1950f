"""Small honest eyes for drawn cards: a face is a coloured square on grey, and its colour is who it is.

They find what is there, embed by colour, and know nothing of people, so that the rules of this room can be tried in
milliseconds; the real eyes are tried on the sample company (test_northwind.py).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.vision.faces import Eyes, Face, QualityLimits, Thresholds
from tasks.vision.images import Picture

COLOURS = {"red": (220, 60, 60), "green": (60, 200, 80), "blue": (70, 90, 230), "pink": (230, 70, 90)}
THRESHOLDS = Thresholds(
    same=0.9, belongs=0.8, stranger=0.7, twin_folder=0.98, likeness_slope=20, likeness_bias=-10, margin=0.1,
    likeness=0.8,
)  # fmt: skip
LIMITS = QualityLimits(
    inter_eye_px=20, sharpness=0.0, noise=9.0, eye_contrast=0.0, eye_structure=0.0, median_l_low=5, median_l_high=99,
    beyond=9.0, grain=999.0, halves=0.0, chroma=0.0, blocks=99.0, detail_px=0.0,
)  # fmt: skip


@dataclass(frozen=True)
class CardEyes:
    """Finder, embedder and matter in one: squares of saturated colour, largest first."""

    name: str = "cards"

    def find(self, picture: Picture) -> list[Face]:
        saturated = (picture.max(-1).astype(int) - picture.min(-1)) > 60
        faces = []
        for half in (slice(0, picture.shape[1] // 2), slice(picture.shape[1] // 2, None)):
            ys, xs = np.nonzero(saturated[:, half])
            if len(xs) > 50:
                x, y, w, h = xs.min() + (half.start or 0), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1
                points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
                landmarks = np.array([(x + w * a, y + h * b) for a, b in points], np.float32)
                faces.append(Face((float(x), float(y), float(w), float(h)), landmarks, 0.99))
        return sorted(faces, key=lambda face: -face.area)

    def embed(self, picture: Picture, face: Face) -> np.ndarray:
        x, y, w, h = (int(v) for v in face.box)
        colour = picture[y : y + h, x : x + w].reshape(-1, 3).mean(0) - 128.0
        return np.asarray(colour / np.linalg.norm(colour), np.float32)

    def matte(self, picture: Picture) -> np.ndarray:
        return np.ones(picture.shape[:2], np.float32)


def draw_card(who: str | None, seed: int = 0, other: str | None = None, format: str = "JPEG", size: int = 160) -> bytes:
    """A photo of somebody: their square at a place of its own on a random grey landscape, in the left half."""
    random = np.random.default_rng(seed)
    grey = random.uniform(40, 215, (5, 10, 1)).repeat(3, -1)
    picture = np.asarray(
        Image.fromarray(grey.astype(np.uint8)).resize((2 * size, size), Image.Resampling.BICUBIC)
    ).copy()
    for name, left, side in ((who, 10, size // 2), (other, size + 20, size // 2 - 10)):
        if name:
            x, y = left + int(random.integers(0, 40)), int(random.integers(5, size - side - 5))
            texture = random.integers(-12, 12, (side, side, 1))
            picture[y : y + side, x : x + side] = np.clip(np.array(COLOURS[name]) + texture, 0, 255)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format, quality=95)
    return out.getvalue()


@pytest.fixture(scope="session")
def eyes() -> Eyes:
    cards = CardEyes()
    return Eyes("cards", cards, cards, cards, cards, THRESHOLDS, THRESHOLDS, LIMITS)


@pytest.fixture(scope="session")
def card() -> Callable[..., bytes]:
    """Draws a photo file: card("red", seed)."""
    return draw_card


@pytest.fixture
def make_drop(tmp_path: Path) -> Callable[..., Path]:
    """Writes a drop: a roster, a register and files by their paths."""

    def make(roster: str, consents: str | None, files: dict[str, bytes]) -> Path:
        folder = tmp_path / "drop"
        for path, data in {"roster.csv": roster.encode(), **files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        if consents is not None:
            (folder / "consents.csv").write_text(consents)
        return folder

    return make
