"""Finishing: from a render (or a photograph) to a picture on the brand's backdrop, in the kit's frame.

Order matters. The source is first brought to the scale of the frame, so that edges are solved at the size they will
be seen at; then cut out, graded, placed and composed in linear light on the exact backdrop. The source itself is
never changed: callers keep it beside the result until retention takes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.headshots.backdrop import dithered, draw_backdrop_linear
from tasks.headshots.enlarge import enlarge, sharpen_for_size
from tasks.headshots.framing import Placement, Touching, place_head, touching_sides
from tasks.headshots.kit import BrandKit
from tasks.headshots.look import find_head
from tasks.headshots.matte import Cutout, cut_out
from tasks.headshots.measure import NoFaceLeft, PictureMeasures, measure_picture
from tasks.headshots.tone import graded
from tasks.vision.colour import linear_to_srgb, to_linear
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.portrait import move_points

Floats = NDArray[np.float32]
MARGIN = 0.25  # of the frame: how much more of a large photograph is looked at than will be seen


class CannotFinish(Exception):
    """Nothing can be made of this picture; `code` says why, for records and reports."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Finished:
    """A finished picture and what is known about it."""

    picture: Picture  # (H, W, 3) sRGB, H and W by the kit
    alpha: Floats  # (H, W) of the person
    landmarks: Floats  # (5, 2) in pixels of `picture`
    measures: PictureMeasures
    lane: Literal["generated", "faithful"]
    source_inter_eye: float  # px between the eyes in the source: how much detail there was to keep


@dataclass(frozen=True)
class _Prepared:
    """The part of the source that matters, at the scale of the frame."""

    picture: Picture
    coarse: Floats  # alpha at the picture's size
    landmarks: Floats
    touching: Touching
    enlarged: float  # 1 and above


def finish(
    picture: Picture,
    kit: BrandKit,
    eyes: Eyes,
    size: int | None = None,
    *,
    lane: Literal["generated", "faithful"] = "generated",
) -> Finished:
    """Finish one picture under a kit; `size` is the width in pixels (the kit's own if left out)."""
    width = size or kit.framing.width
    height = round(width * kit.framing.height / kit.framing.width)
    face = find_head(picture, eyes)
    if face is None:
        raise CannotFinish("no_face")
    prepared = _prepare(picture, face, kit, eyes, (width, height))
    inter_eye = float(np.hypot(*(prepared.landmarks[1] - prepared.landmarks[0])))
    cutout = cut_out(prepared.picture, prepared.coarse, face_width=2.1 * inter_eye)
    source = (prepared.picture.shape[1], prepared.picture.shape[0])
    placement = place_head(prepared.landmarks, kit.framing, prepared.touching, source, (width, height))
    composed, alpha = _compose(cutout, placement, kit, (width, height), prepared.enlarged)
    try:
        measures = measure_picture(composed, kit, eyes, texture_inter_eye=face.inter_eye)
    except NoFaceLeft as error:
        raise CannotFinish("no_face") from error
    return Finished(
        picture=composed,
        alpha=alpha,
        landmarks=move_points(prepared.landmarks, placement.matrix),
        measures=replace(measures, zoom=placement.zoom),
        lane=lane,
        source_inter_eye=face.inter_eye,
    )


def _prepare(picture: Picture, face: Face, kit: BrandKit, eyes: Eyes, frame: tuple[int, int]) -> _Prepared:
    height, width = picture.shape[:2]
    nowhere = Touching(left=False, right=False, top=False, bottom=False)
    rough = place_head(face.landmarks, kit.framing, nowhere, (width, height), frame)
    left, top, right, bottom = _needed_part(rough, frame, (width, height))
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    coarse = np.asarray(eyes.matter.matte(part), np.float32)
    cut = touching_sides(coarse)
    # A side that we cropped ourselves cuts nobody: there is more picture behind it.
    touching = Touching(
        left=cut.left and left == 0,
        right=cut.right and right == width,
        top=cut.top and top == 0,
        bottom=cut.bottom and bottom == height,
    )
    if rough.scale > 1:
        scaled = enlarge(part, rough.scale)
    else:
        part_size = (
            max(16, round(part.shape[1] * rough.scale)),
            max(16, round(part.shape[0] * rough.scale)),
        )
        scaled = np.asarray(cv2.resize(part, part_size, interpolation=cv2.INTER_AREA), np.uint8)
    shape = (scaled.shape[1], scaled.shape[0])
    method = cv2.INTER_CUBIC if rough.scale > 1 else cv2.INTER_AREA
    ratio = np.array([scaled.shape[1] / part.shape[1], scaled.shape[0] / part.shape[0]])
    return _Prepared(
        picture=scaled,
        coarse=np.clip(cv2.resize(coarse, shape, interpolation=method), 0, 1).astype(np.float32),
        landmarks=((face.landmarks - np.array([left, top])) * ratio).astype(np.float32),
        touching=touching,
        enlarged=max(1.0, rough.scale),
    )


def _needed_part(placement: Placement, frame: tuple[int, int], source: tuple[int, int]) -> tuple[int, int, int, int]:
    """The frame and a margin, in the source: (left, top, right, bottom) in whole pixels."""
    more_x, more_y = MARGIN * frame[0], MARGIN * frame[1]
    corners = np.array([[x, y] for x in (-more_x, frame[0] + more_x) for y in (-more_y, frame[1] + more_y)], np.float64)
    linear = np.linalg.inv(placement.matrix[:, :2])
    there = (corners - placement.matrix[:, 2]) @ linear.T
    left, top = np.maximum(0, np.floor(there.min(axis=0))).astype(int)
    right, bottom = np.minimum(source, np.ceil(there.max(axis=0))).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _compose(
    cutout: Cutout, placement: Placement, kit: BrandKit, frame: tuple[int, int], enlarged: float
) -> tuple[Picture, Floats]:
    """The person on the exact backdrop, and the alpha in the frame."""
    alpha = np.clip(_carried(cutout.alpha, placement, frame), 0, 1)
    if enlarged > 1:
        # Interpolation has widened the edge by this much; a source of the frame's own size would have had it narrow.
        gain = float(np.clip(enlarged / 2.5, 1, 3))
        alpha = np.clip((alpha - 0.5) * gain + 0.5, 0, 1)
    alpha = np.clip((alpha - 0.02) / 0.96, 0, 1).astype(np.float32)
    coded = _carried(linear_to_srgb(cutout.colours), placement, frame)
    person = np.clip(np.rint(coded * 255), 0, 255).astype(np.uint8)
    light = graded(to_linear(sharpen_for_size(person, kit.tone.sharpen)), kit)
    wall = draw_backdrop_linear(kit, *frame)
    share = alpha[..., None]
    return dithered(share * light + (1 - share) * wall), alpha


def _carried(values: Floats, placement: Placement, frame: tuple[int, int]) -> Floats:
    """Resampled into the frame; beyond a side that cuts the person, the edge goes on."""
    matrix = placement.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5  # OpenCV counts from pixel centres
    method = cv2.INTER_CUBIC if math.sqrt(abs(np.linalg.det(matrix[:, :2]))) > 0.8 else cv2.INTER_AREA
    moved = cv2.warpAffine(values, matrix, frame, flags=method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
