"""Finishing: from a render (or a photograph) to a picture on the brand's backdrop, in the kit's frame.

Order matters. The source is first brought to the scale of the frame, so that edges are solved at the size they will
be seen at; then cut out, graded, placed and composed in linear light on the exact backdrop. The source itself is
never changed: callers keep it beside the result until retention takes it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.failures import RollcallError
from tasks.headshots.backdrop import dithered, draw_backdrop_linear
from tasks.headshots.crown import continued_crown, cut_width, lost_of_head
from tasks.headshots.enlarge import enlarge, sharpen_for_size
from tasks.headshots.framing import Placement, place_head
from tasks.headshots.kit import BrandKit
from tasks.headshots.look import find_head, find_person
from tasks.headshots.matte import Cutout, cut_out
from tasks.headshots.measure import NoFaceLeft, PictureMeasures, measure_picture
from tasks.headshots.photograph import known_of, placed
from tasks.headshots.remnant import read_remnant, without_denied
from tasks.headshots.retouch import compare_with_source
from tasks.headshots.tone import graded
from tasks.vision.colour import linear_to_srgb, to_linear
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.matting import Touching, touching_sides
from tasks.vision.portrait import move_points

Floats = NDArray[np.float32]
MOST_CROWN = 0.08  # of the frame: hair that the picture's top edge has cut is continued by no more than this
RIM = 0.6  # alpha from which the edge of an enlarged picture counts as person
MARGIN = 0.25  # of the frame: how much more of a large photograph is looked at than will be seen


class CannotFinish(RollcallError):
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
    source_landmarks: Floats  # (5, 2) in pixels of the source: the same points as `landmarks`
    seen: Floats  # (H, W) where the eyes see a person in the source, before any edge was solved


@dataclass(frozen=True)
class _Prepared:
    """The part of the source that matters, at the scale of the frame."""

    picture: Picture
    coarse: Floats  # alpha at the picture's size
    second: Floats  # a second opinion on it, at the same size: another net's where there is one
    landmarks: Floats
    inside: Touching  # where we cut the picture ourselves: there is more of the person behind these sides
    enlarged: float  # 1 and above


@dataclass(frozen=True)
class _Cut:
    """The person alone, at the scale of the frame."""

    cutout: Cutout
    coarse: Floats  # where the eyes see a person, before any edge was solved
    landmarks: Floats
    touching: Touching  # the sides on which the source ends and the person does not
    enlarged: float
    crown: float  # px of hair that end flat because the source ended, and the frame does not yet


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
    drawn = lane == "generated"
    prepared = _prepare(picture, face, kit, eyes, (width, height), drawn=drawn)
    cut = _cut(prepared, kit, (width, height), drawn=drawn)
    source = (cut.cutout.alpha.shape[1], cut.cutout.alpha.shape[0])
    placement = place_head(cut.landmarks, kit.framing, cut.touching, source, (width, height))
    composed, alpha = _compose(cut, placement, kit, (width, height))
    try:
        measures = measure_picture(composed, kit, eyes, texture_inter_eye=face.inter_eye, drawn=drawn)
    except NoFaceLeft as error:
        raise CannotFinish("no_face") from error
    landmarks = move_points(cut.landmarks, placement.matrix)
    seen = _carried(cut.coarse, placement, (width, height))
    retouch = compare_with_source(picture, face.landmarks, composed, landmarks, seen, kit)
    crown = cut.crown * placement.scale / width
    lost = lost_of_head(alpha, landmarks)
    measures = replace(measures, zoom=placement.zoom, crown=crown, head_lost=lost, **asdict(retouch))
    if not drawn:
        remnant = _remnant_in_frame(prepared, cut, placement, eyes, (width, height), alpha, landmarks)
        measures = known_of(placed(measures, landmarks, width, height), picture, face, landmarks, remnant)
    return Finished(
        picture=composed,
        alpha=alpha,
        landmarks=landmarks,
        measures=measures,
        lane=lane,
        source_inter_eye=face.inter_eye,
        source_landmarks=face.landmarks,
        seen=seen,
    )


def _prepare(
    picture: Picture, face: Face, kit: BrandKit, eyes: Eyes, frame: tuple[int, int], *, drawn: bool
) -> _Prepared:
    height, width = picture.shape[:2]
    nowhere = Touching(left=False, right=False, top=False, bottom=False)
    rough = place_head(face.landmarks, kit.framing, nowhere, (width, height), frame)
    left, top, right, bottom = _needed_part(rough, frame, (width, height))
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    looks = find_person(part, eyes, drawn=drawn)
    coarse = np.asarray(np.mean(looks, axis=0), np.float32)
    asked = eyes.witness if not drawn else None
    second = np.asarray(np.min(looks, axis=0) if asked is None else asked.matte(part), np.float32)
    landmarks = face.landmarks - np.array([left, top], np.float32)
    if asked is not None:
        coarse = without_denied(part, coarse, landmarks, second)
    inside = Touching(left=left > 0, right=right < width, top=top > 0, bottom=bottom < height)
    # A frame that will have to be drawn in wants the picture larger: bringing it to the size of a frame that is not
    # would throw away detail that the enlarging afterwards cannot bring back.
    source = (part.shape[1], part.shape[0])
    touching = _cut_sides(coarse, inside)
    if _missing_crown(landmarks, kit, touching, source, frame):
        touching = replace(touching, top=False)
    scale = place_head(landmarks, kit.framing, touching, source, frame).scale
    if scale > 1:
        scaled = enlarge(part, scale)
    else:
        part_size = (max(16, round(source[0] * scale)), max(16, round(source[1] * scale)))
        scaled = np.asarray(cv2.resize(part, part_size, interpolation=cv2.INTER_AREA), np.uint8)
    shape = (scaled.shape[1], scaled.shape[0])
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    ratio = np.array([scaled.shape[1] / part.shape[1], scaled.shape[0] / part.shape[0]])
    return _Prepared(
        picture=scaled,
        coarse=np.clip(cv2.resize(coarse, shape, interpolation=method), 0, 1).astype(np.float32),
        second=np.clip(cv2.resize(second, shape, interpolation=method), 0, 1).astype(np.float32),
        landmarks=(landmarks * ratio).astype(np.float32),
        inside=inside,
        enlarged=max(1.0, scale),
    )


def _remnant_in_frame(
    prepared: _Prepared,
    cut: _Cut,
    placement: Placement,
    eyes: Eyes,
    frame: tuple[int, int],
    alpha: Floats,
    landmarks: Floats,
) -> float:
    """The doubtful share of the frame, asked of the source where the frame shows it."""
    added = cut.cutout.alpha.shape[0] - prepared.picture.shape[0]  # rows of hair that were continued above it
    source, second = (
        cv2.copyMakeBorder(values, added, 0, 0, 0, cv2.BORDER_REPLICATE)
        for values in (prepared.picture, prepared.second)
    )
    shown = np.clip(_carried(np.asarray(source, np.float32), placement, frame), 0, 255).astype(np.uint8)
    other = _carried(np.asarray(second, np.float32), placement, frame)
    return read_remnant(shown, alpha, landmarks, other, witness=eyes.witness is not None)


def _cut_sides(alpha: Floats, inside: Touching) -> Touching:
    """The sides on which the source ends and the person does not; sides where we cut it ourselves do not count."""
    sides = touching_sides(alpha)
    return Touching(
        left=sides.left and not inside.left,
        right=sides.right and not inside.right,
        top=sides.top and not inside.top,
        bottom=sides.bottom and not inside.bottom,
    )


def _cut(prepared: _Prepared, kit: BrandKit, frame: tuple[int, int], *, drawn: bool) -> _Cut:
    """The person cut out, with the little of the hair that the frame wants above the picture's top edge."""
    inter_eye = float(np.hypot(*(prepared.landmarks[1] - prepared.landmarks[0])))
    cutout = cut_out(prepared.picture, prepared.coarse, 2.1 * inter_eye, prepared.enlarged, drawn=drawn)
    touching = _cut_sides(cutout.alpha, prepared.inside)
    landmarks, coarse = prepared.landmarks, prepared.coarse
    source = (cutout.alpha.shape[1], cutout.alpha.shape[0])
    missing = _missing_crown(landmarks, kit, touching, source, frame)
    crown = cut_width(cutout.alpha, 0) if touching.top and not missing else 0.0
    if missing:
        cutout = Cutout(*continued_crown(cutout.alpha, cutout.colours, missing))
        crown = cut_width(cutout.alpha, missing) if missing > 1 else 0.0  # 1: the frame ends where the source does
        landmarks = landmarks + np.array([0, missing], np.float32)
        coarse = np.pad(coarse, ((missing, 0), (0, 0)), "edge")
        touching = replace(touching, top=False)
    return _Cut(cutout, coarse, landmarks, touching, prepared.enlarged, crown)


def _missing_crown(
    landmarks: Floats, kit: BrandKit, touching: Touching, source: tuple[int, int], frame: tuple[int, int]
) -> int:
    """Rows of hair to go on with above the source's top edge; 0 where nothing is cut, or too much."""
    if not touching.top:
        return 0
    free = place_head(landmarks, kit.framing, replace(touching, top=False), source, frame)
    corners = move_points(np.array([[0, 0], [source[0], 0]], np.float32), free.matrix)
    missing = math.ceil(max(0.0, float(corners[:, 1].max())) / free.scale)
    return missing + 1 if missing <= MOST_CROWN * frame[1] / free.scale else 0


def _needed_part(placement: Placement, frame: tuple[int, int], source: tuple[int, int]) -> tuple[int, int, int, int]:
    """The frame and a margin, in the source: (left, top, right, bottom) in whole pixels."""
    more_x, more_y = MARGIN * frame[0], MARGIN * frame[1]
    corners = np.array([[x, y] for x in (-more_x, frame[0] + more_x) for y in (-more_y, frame[1] + more_y)], np.float64)
    linear = np.linalg.inv(placement.matrix[:, :2])
    there = (corners - placement.matrix[:, 2]) @ linear.T
    left, top = np.maximum(0, np.floor(there.min(axis=0))).astype(int)
    right, bottom = np.minimum(source, np.ceil(there.max(axis=0))).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _compose(cut: _Cut, placement: Placement, kit: BrandKit, frame: tuple[int, int]) -> tuple[Picture, Floats]:
    """The person on the exact backdrop, and the alpha in the frame."""
    alpha = np.clip(_carried(_ending(cut.cutout.alpha, cut.touching), placement, frame), 0, 1)
    if cut.enlarged > 1:
        # Interpolation has widened the edge by this much; a source of the frame's own size would have had it narrow.
        gain = float(np.clip(cut.enlarged / 2.5, 1, 3))
        # The outermost grain of a small render is a bright or dark rim that its decoder draws round everything. A
        # gain too small to bring what is all person back to 1 moves the edge less: else the wall shows through faces.
        rim = min(RIM, 1 - 0.5 / gain)
        alpha = np.clip((alpha - rim) * gain + 0.5, 0, 1)
    alpha = np.clip((alpha - 0.02) / 0.96, 0, 1).astype(np.float32)
    coded = _carried(linear_to_srgb(cut.cutout.colours), placement, frame)
    person = np.clip(np.rint(coded * 255), 0, 255).astype(np.uint8)
    light = graded(to_linear(sharpen_for_size(person, kit.tone.sharpen)), kit)
    wall = draw_backdrop_linear(kit, *frame)
    share = alpha[..., None]
    return dithered(share * light + (1 - share) * wall), alpha


def _ending(alpha: Floats, touching: Touching) -> Floats:
    """Alpha that ends with the source on every side that does not cut the person, instead of going on beyond it."""
    ended = alpha.copy()
    if not touching.left:
        ended[:, 0] = 0
    if not touching.right:
        ended[:, -1] = 0
    if not touching.top:
        ended[0] = 0
    return ended


def _carried(values: Floats, placement: Placement, frame: tuple[int, int]) -> Floats:
    """Resampled into the frame; beyond a side that cuts the person, the edge goes on."""
    matrix = placement.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5  # OpenCV counts from pixel centres
    method = cv2.INTER_CUBIC if math.sqrt(abs(np.linalg.det(matrix[:, :2]))) > 0.8 else cv2.INTER_AREA
    moved = cv2.warpAffine(values, matrix, frame, flags=method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
