"""Good photographs made bad on purpose, each in one way: what intake must notice, and for whom it does."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from tasks.vision.colour import linear_to_srgb, srgb_to_linear
from tasks.vision.faces import Face
from tasks.vision.images import Picture
from tasks.vision.photos import Photo

Degrade = Callable[[Picture, Face, np.random.Generator], Picture]


def as_photo(picture: Picture, table: float = 0.0) -> Photo:
    """A picture as intake sees it once the sandbox has opened it."""
    return Photo(np.ascontiguousarray(picture), None, (picture.shape[1], picture.shape[0]), 1.0, table)


def jpeg(picture: Picture, quality: int) -> Photo:
    """The picture after one saving as JPEG, with its table."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        table = getattr(image, "quantization", {}).get(0, [0])
        return as_photo(np.asarray(image.convert("RGB"), np.uint8), sum(table) / len(table))


def _points(face: Face) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    points = face.landmarks.astype(np.float64)
    eyes, mouth = points[:2].mean(0), points[3:5].mean(0)
    return points, eyes, mouth, mouth - eyes, max(float(np.hypot(*(points[1] - points[0]))), 1.0)


def _stops(stops: float) -> Degrade:
    def degrade(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
        light = srgb_to_linear(picture.astype(np.float32) / 255) * np.float32(2.0**stops)
        return np.clip(np.rint(linear_to_srgb(np.clip(light, 0, 1)) * 255), 0, 255).astype(np.uint8)

    return degrade


def _blur(share: float) -> Degrade:
    return lambda p, f, rng: np.asarray(cv2.GaussianBlur(p, (0, 0), share * f.inter_eye), np.uint8)


def _noise(spread: float) -> Degrade:
    return lambda p, f, rng: np.clip(p + rng.normal(0, spread, p.shape), 0, 255).astype(np.uint8)


def _turn(degrees: float) -> Degrade:
    def degrade(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
        if degrees % 90 == 0:
            return np.ascontiguousarray(np.rot90(picture, round(degrees / 90)))
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return degrade


def _small(inter_eye: float) -> Degrade:
    def degrade(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
        height, width = picture.shape[:2]
        scale = min(1.0, inter_eye / face.inter_eye)
        size = (max(16, round(width * scale)), max(16, round(height * scale)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return degrade


def _cut(where: str) -> Degrade:
    def degrade(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
        points, eyes, mouth, down, apart = _points(face)
        if where == "forehead":
            return np.ascontiguousarray(picture[max(0, round(float(eyes[1] - 0.5 * down[1]))) :])
        if where == "mouth":
            return np.ascontiguousarray(picture[: round(float(mouth[1] + 0.2 * down[1]))])
        return np.ascontiguousarray(picture[:, max(0, round(float(points[0, 0] - 0.1 * apart))) :])

    return degrade


def _half_dark(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
    middle = float(face.landmarks[:, 0].mean())
    share = np.clip((np.arange(picture.shape[1]) - middle) / (0.15 * face.inter_eye) * 0.5 + 0.5, 0, 1)
    return np.clip(picture * (0.25 + 0.75 * share)[None, :, None], 0, 255).astype(np.uint8)


def _grey(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
    return np.repeat(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, axis=2)


def _lenses(colour: tuple[int, int, int], share: float) -> Degrade:
    def degrade(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
        points, _, _, _, apart = _points(face)
        over = picture.copy()
        for x, y in points[:2]:
            cv2.ellipse(over, (round(x), round(y)), (round(0.36 * apart), round(0.28 * apart)), 0, 0, 360, colour, -1)
        return np.asarray(cv2.addWeighted(over, share, picture, 1 - share, 0), np.uint8)

    return degrade


def _shut(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
    """Skin over the eyes."""
    points, _, _, _, apart = _points(face)
    out = picture.copy()
    for x, y in points[:2]:
        row, column = (int(np.clip(v, 0, n - 1)) for v, n in ((y + 0.45 * apart, len(out)), (x, out.shape[1])))
        skin = tuple(int(v) for v in picture[row, column])
        cv2.ellipse(out, (round(x), round(y)), (round(0.3 * apart), round(0.17 * apart)), 0, 0, 360, skin, -1)
    return out


def _mask(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
    points, _, mouth, down, _ = _points(face)
    across, nose = points[1] - points[0], points[2]
    ends = [nose - 0.1 * down - 0.75 * across, nose - 0.25 * down, nose - 0.1 * down + 0.75 * across]
    ends += [mouth + 0.6 * down + 0.55 * across, mouth + 0.85 * down, mouth + 0.6 * down - 0.55 * across]
    out = picture.copy()
    cv2.fillPoly(out, [np.array(ends).astype(np.int32)], (120, 160, 190), cv2.LINE_AA)
    return out


def _hand(picture: Picture, face: Face, rng: np.random.Generator) -> Picture:
    points, _, mouth, _, apart = _points(face)
    row, column = round(float(points[3, 1] - 0.3 * apart)), round(float(points[0, 0]))
    skin = tuple(int(0.85 * v) for v in picture[min(row, len(picture) - 1), max(0, column)])
    out = picture.copy()
    for finger in range(4):
        start = (round(mouth[0] - 1.2 * apart), round(mouth[1] + (0.25 * finger - 0.1) * apart))
        end = (round(mouth[0] + 0.35 * apart), round(mouth[1] + (0.25 * finger - 0.25) * apart))
        cv2.line(out, start, end, skin, round(0.22 * apart), cv2.LINE_AA)
    return out


DEGRADED: dict[str, Degrade] = {
    "blurred by .05 eye distances": _blur(0.05),
    "enlarged from 20 px": _small(20),
    "enlarged from 30 px": _small(30),
    "+2 stops": _stops(2),
    "-3 stops": _stops(-3),
    "one half at a quarter": _half_dark,
    "grain of sd 12": _noise(12),
    "grain of sd 25": _noise(25),
    "grey": _grey,
    "cut at the forehead": _cut("forehead"),
    "cut at the mouth": _cut("mouth"),
    "cut at the side": _cut("side"),
    "leaning by 30 degrees": _turn(30),
    "on its side": _turn(90),
    "upside down": _turn(180),
    "black glasses": _lenses((12, 12, 14), 1.0),
    "brown glasses, 85 %": _lenses((60, 40, 28), 0.85),
    "mirrored glasses": _lenses((150, 170, 190), 0.9),
    "skin over the eyes": _shut,
    "mask": _mask,
    "hand over the mouth": _hand,
}
