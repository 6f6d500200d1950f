"""What finishing did to the person: the finished picture against its own source, same shot, same light.

Two shots of one face differ by more than most retouching does, so a comparison with selfies must be lenient. A picture
and its source differ by what finishing did and by nothing else: their faces are laid over each other by the very
landmarks that finishing moved, at the coarser of the two resolutions, and the source is graded as the kit says. What is
left is a change that the kit does not speak of: skin made lighter or darker, the backdrop showing through it, texture
gone. Where the source shows no bare skin there is nothing to read and nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit import BrandKit
from tasks.headshots.measure import bare_skin
from tasks.headshots.tone import graded
from tasks.vision.colour import ita, linear_to_srgb, luminance, to_lab, to_linear
from tasks.vision.faces import Face
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_to, warp

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
EYES_APART = float(np.hypot(*(FACE_TEMPLATE[1] - FACE_TEMPLATE[0])))  # of the aligned face
SMALLEST, LARGEST = 48, 448  # px of the aligned face: less shows no texture, more says nothing new
BAND = (0.7, 1.4)  # sigmas in px: the finest structure the coarser of the two pictures can hold
TILES = 12  # across the aligned face; each is read by itself, so that a beard or a shadow's edge is not skin
LEAST_TILE = 6  # px
FULL_TILE = 0.5  # share of a tile that must be bare skin
FEWEST_TILES = 8  # a percentile of fewer is one tile's word
SURELY_PERSON = 0.9  # of the matte: nothing of the backdrop is read as skin
LEAST_STRUCTURE = 0.1  # sd of L*: flatter than this is what rounding to bytes leaves
READABLE = (8, 252)  # levels: darker is noise, lighter is clipped
BLACK = 0.002  # luminance below which ratios mean nothing
# Left, top, right, bottom of the inner face, from the brows to the chin, in shares of the aligned face.
INNER_FACE = (0.18, 0.30, 0.82, 0.92)


@dataclass(frozen=True)
class Retouch:
    """What finishing changed beyond the kit's tone; None where the source shows nothing to compare."""

    finished_light: float | None = None  # stops by which facial skin became lighter, where it did most
    finished_tint: float | None = None  # distance in a*, b* that its colour moved
    finished_ita: float | None = None  # the same in degrees of skin angle, for whoever thinks in those
    finished_texture: float | None = None  # share of bare skin's own fine texture that is left
    finished_detail: float | None = None  # share of the fine detail of the whole inner face that is left


def compare_with_source(
    source: Picture, source_landmarks: Floats, finished: Picture, landmarks: Floats, person: Floats, kit: BrandKit
) -> Retouch:
    """Compare a finished picture with what it was made of; landmarks are the same five points in both.

    `person` (H, W of the finished picture, 0..1) says where the eyes saw somebody in the source: beside a turned face,
    a wall in the colour of skin is no skin. The matte that finishing made of it is not asked, it is on trial here.
    """
    inter_eye = min(_inter_eye(source_landmarks), _inter_eye(landmarks))
    size = min(LARGEST, round(inter_eye / EYES_APART))
    if size < SMALLEST:
        return Retouch()
    before, _ = align_to(source, source_landmarks, FACE_TEMPLATE, size)
    after, matrix = align_to(finished, landmarks, FACE_TEMPLATE, size)
    seen = warp(person, matrix, size, size) > SURELY_PERSON
    skin = bare_skin(before, Face((0.0, 0.0, float(size), float(size)), FACE_TEMPLATE * np.float32(size), 1.0)) & seen
    expected = np.rint(linear_to_srgb(graded(to_linear(before), kit)) * 255).astype(np.uint8)
    light, tint, angle = _colour_change(expected, after, skin)
    first, second = (np.ascontiguousarray(to_lab(picture)[..., 0]) for picture in (expected, after))
    left, top, right, bottom = (round(share * size) for share in INNER_FACE)
    inner = np.zeros_like(skin)
    inner[top:bottom, left:right] = True
    return Retouch(
        finished_light=light,
        finished_tint=tint,
        finished_ita=angle,
        finished_texture=_structure_left(first, second, skin, 25),
        finished_detail=_structure_left(first, second, inner & seen, 50),
    )


def _inter_eye(landmarks: Floats) -> float:
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def _colour_change(expected: Picture, after: Picture, skin: Mask) -> tuple[float | None, float | None, float | None]:
    """(stops, distance in a* b*, degrees ITA) of facial skin."""
    low, high = READABLE
    clear = skin & (expected.min(-1) >= low) & (expected.max(-1) <= high)
    stops = np.log2((luminance(after) + BLACK) / (luminance(expected) + BLACK))
    tiles = [float(np.median(stops[rows, columns][part])) for rows, columns, part in _tiles(clear)]
    if len(tiles) < FEWEST_TILES:
        return None, None, None
    # Half a face that was relit counts in full: the quarter of the tiles that changed more speaks for all.
    light = max(np.percentile(tiles, (25, 75)), key=abs)
    was, became = (np.median(to_lab(picture[clear]), axis=0) for picture in (expected, after))
    tint = math.hypot(became[1] - was[1], became[2] - was[2])
    return float(light), tint, float(ita(became) - ita(was))


def _structure_left(first: Floats, second: Floats, area: Mask, percentile: float) -> float | None:
    """How much of the first picture's fine structure is found again in the second, by least squares, tile by tile."""
    # At its rim the area is half beard or brow, which enlarging draws otherwise than skin.
    inside = cv2.erode(area.astype(np.uint8), np.ones((3, 3), np.uint8))
    core = cv2.erode(inside, np.ones((3, 3), np.uint8)) > 0
    was, became = _band(first, inside > 0), _band(second, inside > 0)
    kept = []
    for rows, columns, part in _tiles(core):
        x, y = was[rows, columns][part], became[rows, columns][part]
        energy = float((x * x).mean())
        if energy >= LEAST_STRUCTURE**2:
            kept.append(float((x * y).mean()) / energy)
    return float(np.percentile(kept, percentile)) if len(kept) >= FEWEST_TILES else None


def _tiles(area: Mask) -> list[tuple[slice, slice, Mask]]:
    """Where to look: (rows, columns, which of its pixels count) of every tile that lies in the area."""
    size = area.shape[0]
    side = max(LEAST_TILE, round(size / TILES))
    found = []
    for top in range(0, size - side + 1, side // 2):  # overlapping: a small cheek still has many
        for left in range(0, size - side + 1, side // 2):
            rows, columns = slice(top, top + side), slice(left, left + side)
            part = area[rows, columns]
            if part.mean() >= FULL_TILE:
                found.append((rows, columns, part))
    return found


def _band(values: Floats, area: Mask) -> Floats:
    """The finest structure, with only the area's own pixels weighed in."""
    weight = area.astype(np.float32)
    fine, coarse = (
        cv2.GaussianBlur(values * weight, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
        for sigma in BAND
    )
    return np.asarray(fine - coarse, np.float32)
