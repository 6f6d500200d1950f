"""Framing: the one similarity transform that puts a head where the kit wants it.

A turn, a scale and a shift, never a stretch, which would change who it is. The eyes decide; the head's height may
correct the scale a little, because faces differ and turned heads bring the eyes closer together. Where the source
ends and the person does not (arms that reach the edge), the frame is drawn in until it shows no cut-off arm; the
measures then say so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit_sections import Framing
from tasks.vision.matting import Touching

Floats = NDArray[np.float32]
HEAD_PER_DROP = 3.4  # crown to chin, in distances from eye line to mouth line, on the average face
# How far eyes and head may be off their sizes, in shares of the frame's width and height: a little less than a team is
# allowed to differ by, because the finished picture is measured by landmarks that are found again.
EYES_PLAY, HEAD_PLAY = 0.009, 0.018
OVERHANG = 0.02  # of the frame: how far beyond the source it may reach, where repeating the edge shows nothing
LARGEST_ZOOM = 1.6  # drawn in no further than this; then the edge is repeated and the measures flag it


@dataclass(frozen=True)
class Placement:
    """Where the source goes. Coordinates count from pixel corners on both sides."""

    matrix: NDArray[np.float64]  # (2, 3), source px to frame px
    scale: float  # frame px per source px
    zoom: float  # 1, or by how much the frame had to be drawn in


def place_head(
    landmarks: Floats, framing: Framing, touching: Touching, source: tuple[int, int], frame: tuple[int, int]
) -> Placement:
    """The transform for these five landmarks. `source` and `frame` are (width, height) in pixels."""
    eyes = np.asarray(landmarks[:2], np.float64)
    middle, across = eyes.mean(axis=0), eyes[1] - eyes[0]
    turn = -math.atan2(across[1], across[0])
    scale = _scale(np.asarray(landmarks, np.float64), framing, frame)
    target = np.array([framing.centre * frame[0], framing.eye_line * frame[1]])
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    zoom = min(LARGEST_ZOOM, _needed_zoom(rotation, scale, middle, target, touching, source, frame))
    linear = rotation * scale * zoom
    matrix = np.column_stack([linear, target - linear @ middle])
    return Placement(matrix=matrix, scale=scale * zoom, zoom=zoom)


def _scale(landmarks: NDArray[np.float64], framing: Framing, frame: tuple[int, int]) -> float:
    """Between what the eyes ask and what the head's height asks: each gives way by the share that it can afford."""
    eyes, mouth = landmarks[:2], landmarks[3:5]
    by_eyes = framing.inter_eye * frame[0] / max(float(np.hypot(*(eyes[1] - eyes[0]))), 1e-6)
    by_head = framing.head_height * frame[1] / max(head_height(eyes, mouth), 1e-6)
    eyes_play, head_play = EYES_PLAY / framing.inter_eye, HEAD_PLAY / framing.head_height
    move = math.log(by_head / by_eyes) * eyes_play / (eyes_play + head_play)
    return by_eyes * math.exp(float(np.clip(move, -eyes_play, eyes_play)))


def head_height(eyes: NDArray[np.float64], mouth: NDArray[np.float64]) -> float:
    """Crown to chin in pixels, from the distance of eyes and mouth.

    By proportion, not from the silhouette: nobody's turban, hat, afro or bald head may count for or against them.
    """
    return HEAD_PER_DROP * float(np.hypot(*(mouth.mean(axis=0) - eyes.mean(axis=0))))


def _needed_zoom(
    rotation: NDArray[np.float64],
    scale: float,
    middle: NDArray[np.float64],
    target: NDArray[np.float64],
    touching: Touching,
    source: tuple[int, int],
    frame: tuple[int, int],
) -> float:
    """The least zoom, about the eyes, that keeps the frame inside the source on the sides that cut the person."""
    corners = np.array([[0, 0], [frame[0], 0], [0, frame[1]], [frame[0], frame[1]]], np.float64)
    # Rows: top left, top right, bottom left, bottom right, relative to the eyes, in source px at zoom 1.
    away = (corners - target) * (1 - 2 * OVERHANG) @ rotation / scale
    zooms = [1.0]
    # Arms reach the sides at the bottom: there the lower corner decides.
    if touching.left:
        zooms.append(-away[2, 0] / max(middle[0], 1e-6))
    if touching.right:
        zooms.append(away[3, 0] / max(source[0] - middle[0], 1e-6))
    if touching.top:
        zooms.append(-min(away[0, 1], away[1, 1]) / max(middle[1], 1e-6))
    if touching.bottom:
        zooms.append(max(away[2, 1], away[3, 1]) / max(source[1] - middle[1], 1e-6))
    return max(zooms)
