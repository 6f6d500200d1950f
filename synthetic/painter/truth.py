"""Where the face is: five landmarks, the face box, and the camera that frames it. Points are (x, y) in pixels.

Landmarks follow the order of common detectors: the eye on the picture's left first, then the other, nose tip, and the
mouth's corners. They come from the same numbers as the shapes, projected through the same camera as the rays.
"""

import numpy as np
import numpy.typing as npt

from synthetic.painter.capture import Capture
from synthetic.painter.frames import PIVOT, SMILE_LIFT, SMILE_WIDTH
from synthetic.painter.identity import Identity

Floats = npt.NDArray[np.float64]

# The aligned portrait: where the five points lie, as fractions of the frame.
PORTRAIT_TEMPLATE: Floats = np.array([[0.4075, 0.45], [0.5925, 0.45], [0.50, 0.577], [0.432, 0.6515], [0.568, 0.6515]])


def _head_points(person: Identity, capture: Capture) -> tuple[Floats, Floats]:
    n, c = person.numbers, capture.numbers
    width = n["mouth_w"] * (1 + SMILE_WIDTH * c["smile"])
    lift = SMILE_LIFT * c["smile"] * width / 0.25 * 0.65 + 0.010
    corner = (n["mouth_y"] + lift, 0.80)
    marks = [
        (-n["ex"], 0.0, n["ez"] + n["er"]),
        (n["ex"], 0.0, n["ez"] + n["er"]),
        (0.0, -n["nose_l"] + 0.03, 0.93 + n["nose_p"] * 0.9),
        (-width, *corner),
        (width, *corner),
    ]
    outline = [
        (0.0, 0.80, 0.75),
        (0.0, -1.13 * n["fl"], 0.5),
        (-0.72 * n["hw"], 0.0, 0.1),
        (0.72 * n["hw"], 0.0, 0.1),
        (-0.6 * n["hw"], -0.2, 0.6),
        (0.6 * n["hw"], -0.2, 0.6),
        (0.0, 0.7, 0.9),
    ]
    return np.asarray(marks), np.asarray(outline)


def project(points: Floats, capture: Capture, eye: Floats) -> Floats:
    """Head-frame points (n, 3) → image plane at distance 1 (n, 2), +y up."""
    turn = np.array([[capture.numbers[f"r{i}{j}"] for j in range(3)] for i in range(3)])
    pivot = np.asarray(PIVOT)
    world = (points - pivot) @ turn.T + pivot
    return np.asarray((world[:, :2] - eye[:2]) / (eye[2] - world[:, 2])[:, None])


def fit_similarity(source: Floats, target: Floats) -> Floats:
    """Least-squares similarity (2, 3) with source → target (Umeyama)."""
    a, b = source.mean(0), target.mean(0)
    u, spread, vt = np.linalg.svd((target - b).T @ (source - a) / len(source))
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ sign @ vt
    scale = float(np.trace(np.diag(spread) @ sign)) / float((source - a).var(0).sum())
    return np.concatenate([scale * turn, (b - scale * turn @ a)[:, None]], 1)


def invert(affine: Floats) -> Floats:
    inverse = np.linalg.inv(affine[:, :2])
    return np.concatenate([inverse, (-inverse @ affine[:, 2])[:, None]], 1)


def apply(affine: Floats, points: Floats) -> Floats:
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])


_FLIP = np.array([1.0, -1.0])  # the image plane's y points up, the picture's down


def natural_view(capture: Capture, size: int) -> Floats:
    """Image plane (y down) → pixels of the frame the photographer chose."""
    _, _, distance, half = capture.camera
    scale = size / 2 * distance / half
    return np.array([[scale, 0, size / 2], [0, scale, size / 2]])


def aligned_view(person: Identity, capture: Capture, size: int) -> Floats:
    """Image plane (y down) → pixels of the aligned portrait."""
    marks, _ = _head_points(person, capture)
    return fit_similarity(project(marks, capture, camera_eye(capture)) * _FLIP, PORTRAIT_TEMPLATE * size)


def camera_eye(capture: Capture) -> Floats:
    return np.array([capture.camera[0], capture.camera[1], capture.camera[2]])


def rays(view: Floats) -> Floats:
    """Pixels → image plane with y up: what the ray kernel takes."""
    return np.asarray(invert(view) * np.array([[1.0], [-1.0]]))


def face_truth(person: Identity, capture: Capture, view: Floats) -> tuple[Floats, tuple[float, float, float, float]]:
    """Landmarks (5, 2) and face box (x, y, w, h), forehead to chin, in pixels."""
    marks, outline = _head_points(person, capture)
    eye = camera_eye(capture)
    points = apply(view, project(marks, capture, eye) * _FLIP)
    around = np.concatenate([points, apply(view, project(outline, capture, eye) * _FLIP)])
    low, high = around.min(0), around.max(0)
    return points, (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
