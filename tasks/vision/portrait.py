"""The one aligned frame that base training, selfie crops and renders share.

A similarity transform (turn, scale, shift; never a stretch, which destroys identity) brings the five landmarks
to fixed places. Coordinates are continuous: (0, 0) is the corner of the top left pixel, whose centre is (.5, .5),
so that frames of different sizes agree exactly.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.float32]  # a picture, or a mask 0..1

# Right eye (left in the picture), left eye, nose, right and left corner of the mouth; 0..1 of the frame.
PORTRAIT_TEMPLATE: Floats = np.array(
    [[0.4075, 0.45], [0.5925, 0.45], [0.50, 0.577], [0.432, 0.6515], [0.568, 0.6515]], dtype=np.float32
)
# The tight crop of public face encoders (ArcFace, 112 px); quality figures are measured in it.
FACE_TEMPLATE: Floats = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
) / np.float32(112)

_BORDERS = {"edge": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT_101, "black": cv2.BORDER_CONSTANT}


def zoomed(template: Floats, zoom: float, centre: tuple[float, float] = (0.5, 0.5)) -> Floats:
    """The same frame seen closer: `centre` of the old frame becomes the middle of the new one."""
    middle = np.asarray(centre, dtype=np.float32)
    return np.asarray((template - middle) * np.float32(zoom) + np.float32(0.5), dtype=np.float32)


def fit_similarity(source: Floats, target: Floats) -> npt.NDArray[np.float64]:
    """Umeyama's least-squares similarity, as a 2x3 matrix that takes source points to target points."""
    a, b = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    mean_a, mean_b = a.mean(0), b.mean(0)
    a, b = a - mean_a, b - mean_b
    variance = float((a**2).sum())
    if not np.isfinite(variance) or variance < 1e-12:
        raise ValueError("landmarks coincide: no similarity transform exists")
    # In two dimensions the rotation of least squares is an angle: no SVD, and never a reflection.
    dot, cross = float((a * b).sum()), float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    c, s = dot / variance, cross / variance
    linear = np.array([[c, -s], [s, c]])
    return np.column_stack([linear, mean_b - linear @ mean_a])


def invert(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The 2x3 matrix of the way back."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def move_points(points: Floats, matrix: npt.NDArray[np.float64]) -> Floats:
    """(N, 2) points through a 2x3 matrix."""
    moved = np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved.astype(np.float32)


def warp(
    picture: Pixels,
    matrix: npt.NDArray[np.float64],
    width: int,
    height: int,
    *,
    fill: Literal["edge", "reflect", "black"] = "edge",
) -> npt.NDArray[Any]:
    """Resample through a similarity. Shrinking averages areas first, or fine hair would turn to glitter."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.75:
        small_w = max(1, round(picture.shape[1] * scale))
        small_h = max(1, round(picture.shape[0] * scale))
        kx, ky = small_w / picture.shape[1], small_h / picture.shape[0]
        picture = cv2.resize(picture, (small_w, small_h), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        matrix = np.column_stack([matrix[:, :2] / np.array([kx, ky]), matrix[:, 2]])
    # OpenCV counts from pixel centres, we from corners: half a pixel on both sides.
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    how = cv2.INTER_CUBIC if picture.dtype == np.uint8 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(picture, shifted, (width, height), flags=how, borderMode=_BORDERS[fill]))


def align_to(
    picture: Picture,
    landmarks: Floats,
    template: Floats,
    size: int,
    *,
    fill: Literal["edge", "reflect", "black"] = "edge",
) -> tuple[Picture, npt.NDArray[np.float64]]:
    """A size x size crop with the five landmarks at `template`, and the matrix that leads there."""
    matrix = fit_similarity(landmarks, np.asarray(template * np.float32(size), dtype=np.float32))
    return warp(picture, matrix, size, size, fill=fill).astype(np.uint8), matrix


def align_portrait(
    picture: Picture,
    landmarks: Floats,
    size: int,
    *,
    fill: Literal["edge", "reflect", "black"] = "edge",
) -> tuple[Picture, npt.NDArray[np.float64]]:
    """The shared portrait frame (eye line .45, inter-eye .185), and the 2x3 matrix from picture to frame."""
    return align_to(picture, landmarks, PORTRAIT_TEMPLATE, size, fill=fill)


def frame_apart(apart: float, middle: tuple[float, float]) -> Floats:
    """The five points of the shared portrait, with this many px between the eyes and their middle at `middle`."""
    eyes = PORTRAIT_TEMPLATE[:2].mean(axis=0)
    unit = float(PORTRAIT_TEMPLATE[1, 0] - PORTRAIT_TEMPLATE[0, 0])
    return np.asarray((PORTRAIT_TEMPLATE - eyes) / unit * apart + np.asarray(middle), np.float32)
