"""Pieces of the room beside a photograph's person: another net takes them away, and what stays is asked of the source.

The net that cut the person out is blind to its own mistakes: asked again, it keeps the same star above the same head.
Where another net is installed as a witness it is asked where it sees nobody: that net bites into low shoulders, so
below the chin its word must be clear, and a hair's breadth along its own silhouette says nothing. Before anything is
cut out, what it denies is taken from the first net's silhouette: above the chin, and below it only what has the room's
colours, so that no shoulder goes. Without it the source is asked: outside of where head and body are bound to be, what
was kept but has the colours of the room beside it, and colours that the person does not have, is doubtful (the flag
behind a bald head; never the dark hair of somebody in a dark suit), and so is what the looks of the one net disagree
about. `benchmarks/faces.py --only mattes` prints, on composites with known alpha, what is taken and who is told of.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.vision.colour import to_lab
from tasks.vision.images import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
EYES_APART = 34.0  # px between the eyes of the copy that is looked at: a remnant worth seeing is still some pixels wide
FACE = 2.1  # face widths per eye distance
LIGHT_COUNTS = 0.6  # of a step in lightness beside one in colour: shade falls over rooms and people alike
PALETTE = (6, 4)  # steps of lightness, and of yellow to blue within each, that the palette starts from
ALIKE = 6.0  # in L*a*b*, lightness reduced: two colours this near may be one
BESIDE = 0.6  # face widths: how far off a piece of room may be to explain what was kept
NOWHERE = 0.004  # share below which a colour counts as absent
EVEN = 0.03  # face widths: single pixels say nothing
ROOM = 2.0  # log odds from which a colour is the room's
LIKELY = 1.0  # log odds from which what is denied below the chin is taken away
KEPT = 0.3  # alpha from which something is seen of it
SPLIT = 0.5  # alpha that the first net's looks differ about
LOOKS_COUNT = 0.1  # of what colours and looks doubt, so that both ways of asking share one limit (`studio.REMNANT`)
# The witness's alpha below which it denies a person: above the chin, and below it, where it is often wrong.
DENIED, DENIED_BELOW = 0.5, 0.2
CHIN = 1.75  # distances from the eyes to the mouth, below the eyes
FRINGE = 0.09  # eye distances along the witness's silhouette in which hair may stand


@dataclass(frozen=True)
class _Scene:
    """The small copy: what was kept, what is surely the person, and what surely the room."""

    colours: Floats  # (H, W, 3) L*a*b*, lightness reduced
    kept: Mask  # outside of where the person is bound to be
    person: Mask
    room: Mask
    face_width: float


def read_remnant(source: Picture, alpha: Floats, landmarks: Floats, second: Floats, *, witness: bool) -> float:
    """The doubtful share (0..1) of a picture: `source` and `alpha` of the same size, `landmarks` (5, 2) in its pixels.

    `second` is another alpha of the same picture: a `witness` net's, or the least of the first net's looks.
    """
    scale = min(1.0, EYES_APART / max(float(np.hypot(*(landmarks[1] - landmarks[0]))), 1e-6))
    size = (max(8, round(alpha.shape[1] * scale)), max(8, round(alpha.shape[0] * scale)))
    small, kept, other = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (source, alpha, second))
    if witness:
        return float((_denials(np.asarray(other, np.float32), landmarks * scale)[0] & (kept > KEPT)).mean())
    scene = _scene(np.asarray(small, np.uint8), np.asarray(kept, np.float32), landmarks * scale)
    if not (scene.kept.any() and scene.room.any() and scene.person.any()):
        return 0.0
    coloured = float((scene.kept & (_room_odds(scene) > ROOM)).mean())
    split = float((scene.kept & (other < SPLIT)).mean())
    # Both grow with the area; their square roots with its width, which is what is seen.
    return float((coloured**0.5 + split**0.5) ** 2 * LOOKS_COUNT)


def without_denied(source: Picture, coarse: Floats, landmarks: Floats, witness: Floats) -> Floats:
    """`coarse`, a matte of `source` (H, W), without what another net's matte of it denies: softly, and no shoulder."""
    denied, above = _denials(witness, landmarks)
    denied &= coarse > KEPT
    if (denied & ~above).any():
        denied &= above | (_odds_of(source, coarse, landmarks) > LIKELY)
    if not denied.any():
        return coarse
    soft = cv2.GaussianBlur(denied.astype(np.float32), (0, 0), max(1.0, _fringe(landmarks) / 3))
    return np.asarray(coarse * (1 - soft), np.float32)


def _odds_of(source: Picture, alpha: Floats, landmarks: Floats) -> Floats:
    """(H, W) log odds that what was kept has the room's colours; 0 where there is nothing to compare with."""
    scale = min(1.0, EYES_APART / max(float(np.hypot(*(landmarks[1] - landmarks[0]))), 1e-6))
    size = (max(8, round(alpha.shape[1] * scale)), max(8, round(alpha.shape[0] * scale)))
    small, kept = (cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (source, alpha))
    scene = _scene(np.asarray(small, np.uint8), np.asarray(kept, np.float32), landmarks * scale)
    if not (scene.kept.any() and scene.room.any() and scene.person.any()):
        return np.zeros(alpha.shape, np.float32)
    return np.asarray(cv2.resize(_room_odds(scene), (alpha.shape[1], alpha.shape[0])), np.float32)


def _denials(witness: Floats, landmarks: Floats) -> tuple[Mask, Mask]:
    """(where the witness, given its fringe, denies a person; what lies above the chin)."""
    reach = _fringe(landmarks)
    near = cv2.dilate(witness, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    eyes, mouth = landmarks[:2].mean(0).astype(np.float64), landmarks[3:5].mean(0).astype(np.float64)
    drop = max(float(np.hypot(*(mouth - eyes))), 1.0)
    y, x = np.mgrid[: witness.shape[0], : witness.shape[1]].astype(np.float32)
    above = ((x - eyes[0]) * (mouth - eyes)[0] + (y - eyes[1]) * (mouth - eyes)[1]) / drop**2 < CHIN
    return np.asarray(near < np.where(above, DENIED, DENIED_BELOW), np.bool_), np.asarray(above, np.bool_)


def _fringe(landmarks: Floats) -> int:
    return max(1, round(FRINGE * float(np.hypot(*(landmarks[1] - landmarks[0])))))


def _scene(picture: Picture, alpha: Floats, landmarks: Floats) -> _Scene:
    height, width = alpha.shape
    eyes, mouth = landmarks[:2].mean(0).astype(np.float64), landmarks[3:5].mean(0).astype(np.float64)
    face_width = FACE * max(float(np.hypot(*(landmarks[1] - landmarks[0]))), 1.0)
    drop = max(float(np.hypot(*(mouth - eyes))), 1.0)
    down = (mouth - eyes) / drop
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = eyes + 0.15 * drop * down
    across = (x - centre[0]) * down[1] - (y - centre[1]) * down[0]
    depth = (x - centre[0]) * down[0] + (y - centre[1]) * down[1]
    head = (across / (0.48 * face_width)) ** 2 + (depth / (1.75 * drop)) ** 2 < 1
    body = (depth > 1.5 * drop) & (np.abs(across) < 0.45 * face_width + 0.35 * (depth - 1.5 * drop))
    bound = (head | body) & (alpha > 0.9)
    away = cv2.distanceTransform((alpha < 0.1).astype(np.uint8), cv2.DIST_L2, 5)
    return _Scene(
        colours=to_lab(picture).astype(np.float32) * np.array([LIGHT_COUNTS, 1, 1], np.float32),
        kept=(alpha > KEPT) & ~bound,
        person=bound,
        room=away > 0.06 * face_width,
        face_width=face_width,
    )


def _room_odds(scene: _Scene) -> Floats:
    """(H, W) log odds that a kept pixel's colour is the room's beside it rather than the person's, evened out."""
    height, width = scene.kept.shape
    soft = _palette_shares(scene.colours.reshape(-1, 3)).reshape(height, width, -1)
    reach = max(2, round(BESIDE * scene.face_width))
    room, there = _share_beside(soft, scene.room, reach)
    person, _ = _share_beside(soft, scene.person, reach)
    everywhere = soft[scene.person].mean(axis=0)
    as_room = (soft * room).sum(-1)
    as_person = (soft * np.maximum(person, everywhere)).sum(-1)
    odds = np.where(there, np.log((as_room + NOWHERE) / (as_person + NOWHERE)), 0).astype(np.float32)
    weight = scene.kept.astype(np.float32)
    near = (2 * max(1, round(EVEN * scene.face_width)) + 1,) * 2
    return np.asarray(cv2.blur(odds * weight, near) / (cv2.blur(weight, near) + 1e-3), np.float32)


def _palette_shares(pixels: Floats) -> Floats:
    """(N, colours): how much each pixel is of each colour of the picture's own palette."""
    steps, within = PALETTE
    light = np.argsort(np.argsort(pixels[:, 0], kind="stable"), kind="stable") * steps // len(pixels)
    labels = np.zeros(len(pixels), np.int32)
    for step in range(steps):
        rows = np.flatnonzero(light == step)
        order = np.argsort(np.argsort(pixels[rows, 2], kind="stable"), kind="stable")
        labels[rows] = step * within + order * within // max(len(rows), 1)
    few = slice(None, None, max(1, len(pixels) // 4000))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    start = np.ascontiguousarray(labels[few][:, None])
    _, _, palette = cv2.kmeans(
        np.ascontiguousarray(pixels[few]), steps * within, start, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS
    )
    square = ((pixels[:, None] - np.asarray(palette)[None]) ** 2).sum(-1)
    shares = np.exp(-square / (2 * ALIKE**2))
    return np.asarray(shares / (shares.sum(1, keepdims=True) + 1e-9), np.float32)


def _share_beside(soft: Floats, where: Mask, reach: int) -> tuple[Floats, Mask]:
    """(H, W, colours) of what lies `where` within `reach`, and whether there is enough of it to say."""
    size = (2 * reach + 1, 2 * reach + 1)
    mass = cv2.blur(where.astype(np.float32), size, borderType=cv2.BORDER_CONSTANT)
    parts = [
        cv2.blur(np.ascontiguousarray(soft[..., i] * where), size, borderType=cv2.BORDER_CONSTANT)
        for i in range(soft.shape[-1])
    ]
    shares = np.stack(parts, axis=-1) / (mass[..., None] + 1e-3)
    return np.asarray(shares, np.float32), mass * size[0] * size[1] > 20
