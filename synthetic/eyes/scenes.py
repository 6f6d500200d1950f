"""Endless pictures from few cut-outs: people laid on backgrounds, then spoilt as cameras and networks spoil them.

A render costs a quarter of a second, a composition three milliseconds; so every cut-out is seen in hundreds of places,
sizes, lights and qualities. All ground truth is carried through the same matrix as the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.portrait import fit_similarity, move_points, warp

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CutOuts:
    """People as premultiplied RGBA renders with their truth."""

    rgba: Bytes  # (N, s, s, 4)
    landmarks: Floats  # (N, 5, 2) px
    box: Floats  # (N, 4) x, y, w, h px
    person: npt.NDArray[np.int64]  # (N,)


@dataclass(frozen=True)
class EyesScene:
    """A composed picture: all that the nets are asked for."""

    picture: Bytes  # (s, s, 3)
    alpha: Floats  # (s, s)
    landmarks: list[Floats]  # per visible face (5, 2) px
    boxes: list[Floats]  # per visible face (4,) px


@dataclass(frozen=True)
class Painted:
    """Whole painted scenes of `synthetic.dataset --frame full`: dearer than compositions, and lit as one."""

    picture: Bytes  # (N, s, s, 3)
    alpha: Bytes  # (N, s, s)
    landmarks: Floats  # (N, 2, 5, 2); -1 where there is nobody
    boxes: Floats  # (N, 2, 4)


def take_painted(painted: Painted, size: int, rng: np.random.Generator) -> EyesScene:
    """One of the painted scenes at another size, perhaps mirrored, spoilt a little."""
    i = int(rng.integers(len(painted.picture)))
    k = size / painted.picture.shape[1]
    picture = np.asarray(cv2.resize(painted.picture[i], (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    small = cv2.resize(painted.alpha[i], (size, size), interpolation=cv2.INTER_AREA)
    alpha: Floats = np.asarray(small, dtype=np.float32) / np.float32(255)
    faces = [
        (np.asarray(p * k, np.float32), np.asarray(b * k, np.float32))
        for p, b in zip(painted.landmarks[i], painted.boxes[i], strict=True)
        if b[2] > 0 and (p > 0).all() and (p * k < size).all()
    ]
    if rng.random() < 0.5:
        picture, alpha, faces = _mirrored(picture, alpha, faces)
    out = spoil(picture, rng) if rng.random() < 0.6 else picture
    return EyesScene(out, alpha, [p for p, _ in faces], [b for _, b in faces])


def _mirrored(
    picture: Bytes, alpha: Floats, faces: list[tuple[Floats, Floats]]
) -> tuple[Bytes, Floats, list[tuple[Floats, Floats]]]:
    size = picture.shape[0]
    turned = [(mirror_points(p, size), np.array([size - b[0] - b[2], *b[1:]], np.float32)) for p, b in faces]
    return np.ascontiguousarray(picture[:, ::-1]), np.ascontiguousarray(alpha[:, ::-1]), turned


def compose(cut: CutOuts, backgrounds: Bytes, size: int, rng: np.random.Generator) -> EyesScene:
    """0, 1 or 2 people (5 : 78 : 17), faces of 10 to 75 % of the picture, in front of some background."""
    picture = draw_background(backgrounds, size, rng).astype(np.float32)
    alpha: Floats = np.zeros((size, size), dtype=np.float32)
    count = int(rng.choice(3, p=[0.05, 0.78, 0.17]))
    faces: list[tuple[Floats, Floats]] = []
    shares = np.where(
        rng.random(count) < 0.5, rng.uniform(0.25, 0.75, count), np.exp(rng.uniform(np.log(0.1), np.log(0.75), count))
    )
    for order, share in enumerate(sorted(shares)):  # the larger face is nearer, so it is painted last
        index = int(rng.integers(len(cut.rgba)))
        matrix = _placement(cut, index, share, size, rng, side=order if count == 2 else None)
        layer = warp(cut.rgba[index], matrix, size, size, fill="black").astype(np.float32)
        over = np.asarray(layer[..., 3] / 255, dtype=np.float32)
        light = np.float32(rng.uniform(0.75, 1.2))
        picture = picture * (1 - over[..., None]) + np.minimum(layer[..., :3] * light, 255 * over[..., None])
        alpha = np.asarray(np.maximum(alpha, over), dtype=np.float32)
        points = move_points(cut.landmarks[index], matrix)
        faces = [f for f in faces if _seen(f[0], over)]
        x, y, w, h = cut.box[index]
        ends = move_points(np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], dtype=np.float32), matrix)
        low, high = ends.min(0), ends.max(0)
        if (points > 0).all() and (points < size).all():
            faces.append((points, np.array([*low, *(high - low)], dtype=np.float32)))
    out = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        out, alpha, faces = _mirrored(out, alpha, faces)
    return EyesScene(spoil(out, rng), alpha, [p for p, _ in faces], [b for _, b in faces])


def mirror_points(points: Floats, size: float) -> Floats:
    """Landmarks of the mirror image: x turned round, and left and right swapped."""
    return np.asarray(np.stack([size - points[:, 0], points[:, 1]], 1)[[1, 0, 2, 4, 3]], dtype=np.float32)


def _placement(
    cut: CutOuts, index: int, share: float, size: int, rng: np.random.Generator, side: int | None
) -> npt.NDArray[np.float64]:
    """Where a cut-out goes: the face `share` of the picture high; two people stand left and right of each other.

    The cut-out's lower end stays below the picture's, since people do not float; and it only ever shrinks or grows
    by a little, so edges stay those of a photograph.
    """
    x, y, w, h = cut.box[index]
    scale = share * size / h
    angle = float(np.radians(rng.normal(0, 7)))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    centre = np.array([x + w / 2, y + h / 2])
    spread = max(0.05, 0.5 - share * 0.5)
    goal_x = size * (0.5 + rng.uniform(-spread, spread) * 0.8)
    if side is not None:
        goal_x = size * (0.28 if (side == 0) ^ bool(rng.integers(2)) else 0.72) + rng.normal(0, size * 0.05)
    bottom = float((linear @ (np.array([x + w / 2, cut.rgba.shape[1]]) - centre))[1])
    lowest = size * 1.02 - bottom  # centre height at which the cut-out's end meets the picture's
    goal_y = max(lowest, size * rng.uniform(0.30, 0.62)) if rng.random() < 0.85 else size * rng.uniform(0.3, 0.65)
    goal_y = min(goal_y, size * (1 - share * 0.3))
    return np.column_stack([linear, np.array([goal_x, goal_y]) - linear @ centre])


def _seen(points: Floats, over: Floats) -> bool:
    """Whether fewer than two of the points are covered by the next person."""
    inside = np.clip(points.astype(int), 0, over.shape[0] - 1)
    return bool((over[inside[:, 1], inside[:, 0]] > 0.5).sum() < 2)


def draw_background(backgrounds: Bytes, size: int, rng: np.random.Generator) -> Bytes:
    """A painted scene (cropped, turned, recoloured), a plain studio colour, or colour noise of some scale."""
    kind = rng.random()
    if kind < 0.62:
        source = backgrounds[int(rng.integers(len(backgrounds)))]
        side = int(source.shape[0] * rng.uniform(0.5, 1.0))
        x, y = (int(rng.integers(source.shape[0] - side + 1)) for _ in range(2))
        crop = cv2.resize(source[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_LINEAR)
        if rng.random() < 0.3:
            crop = np.asarray(crop)[:, :, rng.permutation(3)]
        return np.asarray(crop, dtype=np.uint8)
    if kind < 0.82:
        colour = rng.uniform(0, 255, 3)
        ramp = np.linspace(-1, 1, size, dtype=np.float32)
        plane = ramp[None, :, None] * rng.normal(0, 20) + ramp[:, None, None] * rng.normal(0, 20)
        return np.clip(colour + plane, 0, 255).astype(np.uint8)
    cells = int(rng.integers(3, 40))
    noise = rng.uniform(0, 255, (cells, cells, 3)).astype(np.uint8)
    how = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(noise, (size, size), interpolation=how), dtype=np.uint8)


def spoil(picture: Bytes, rng: np.random.Generator) -> Bytes:
    """Light, colour, blur, low resolution, noise and JPEG, each sometimes: phones, and pictures from a small VAE."""
    size = picture.shape[0]
    out = picture.astype(np.float32)
    if rng.random() < 0.7:
        # A table of 256 values: powers of whole pictures would cost more than the rest together.
        gain = np.exp(rng.normal(0, 0.22)) * np.exp(rng.normal(0, 0.06, 3))
        curve = 255 * (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.15))
        out = curve.astype(np.float32)[picture] * gain.astype(np.float32)
    if rng.random() < 0.35:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 0.011 * size))), dtype=np.float32)
    if rng.random() < 0.35:  # drawn by a small base model, or a thumbnail enlarged
        small = int(size * rng.uniform(0.4, 0.9))
        out = np.asarray(cv2.resize(out, (small, small), interpolation=cv2.INTER_AREA), dtype=np.float32)
        out = np.asarray(cv2.resize(out, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    if rng.random() < 0.2:  # a VAE's error is smooth and coloured
        cells = int(rng.integers(size // 12, size // 4))
        error = rng.normal(0, rng.uniform(2, 8), (cells, cells, 3)).astype(np.float32)
        out = out + np.asarray(cv2.resize(error, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    if rng.random() < 0.4:
        out = out + rng.standard_normal(out.shape, dtype=np.float32) * np.float32(rng.uniform(1, 9))
    done = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 95))
        data = cv2.imencode(".jpg", done, [int(cv2.IMWRITE_JPEG_QUALITY), quality])[1]
        done = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return done


def jitter_matrix(
    points: Floats, template: Floats, size: int, rng: np.random.Generator, spread: float
) -> npt.NDArray[np.float64]:
    """The matrix to the aligned crop, missed a little: `spread` is the sd of the error in eye distances."""
    matrix = fit_similarity(points, np.asarray(template * size, dtype=np.float32))
    eye = float(np.hypot(*(template[1] - template[0]))) * size
    angle, scale = rng.normal(0, spread * 0.8), float(np.exp(rng.normal(0, spread * 0.8)))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    middle = np.array([size / 2, size / 2])
    shift = rng.normal(0, spread * eye, 2)
    return np.column_stack([turn @ matrix[:, :2], turn @ (matrix[:, 2] - middle) + middle + shift])
