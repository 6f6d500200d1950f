"""The kit's backdrop, drawn exactly: what stands behind everybody, to the last grey level.

Gradients are mixed in linear light and rounded with ordered dither, so that a wide, shallow gradient shows no
bands; the same kit and size always give the same pixels.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Backdrop
from tasks.vision.colour import linear_to_srgb, srgb_to_linear
from tasks.vision.images import Picture
from tasks.vision.photos import open_picture

Floats = NDArray[np.float32]


def draw_backdrop(kit: BrandKit, width: int, height: int) -> Picture:
    """The backdrop in sRGB at exactly this size."""
    return dithered(draw_backdrop_linear(kit, width, height))


def draw_backdrop_linear(kit: BrandKit, width: int, height: int) -> Floats:
    """The backdrop in linear light (H, W, 3), before rounding: what finished pictures are composed on."""
    return drawn_wall(kit.backdrop, kit.picture, width, height)


@functools.lru_cache(maxsize=6)  # a whole company is composed on one backdrop: draw it once
def drawn_wall(wall: Backdrop, picture: bytes | None, width: int, height: int) -> Floats:
    """The same, of the kit's wall alone: what may be kept from one picture to the next."""
    if wall.kind == "picture":
        plate = _cover(_decoded(picture or b""), width, height, wall.focus)
    elif wall.kind == "gradient":
        share = _ramp(wall, width, height)[..., None]
        plate = linear_of(wall.colour) * (1 - share) + linear_of(wall.to or wall.colour) * share
    else:
        plate = np.broadcast_to(linear_of(wall.colour), (height, width, 3)).copy()
    if wall.blur > 0 and wall.kind == "picture":
        plate = np.asarray(cv2.GaussianBlur(plate, (0, 0), wall.blur * width, borderType=cv2.BORDER_REPLICATE))
    if wall.vignette > 0:
        plate = plate * (1 - wall.vignette * _corner_distance(width, height))[..., None]
    plate = plate.astype(np.float32)
    plate.flags.writeable = False
    return plate


def mean_colour(kit: BrandKit) -> str:
    """The backdrop's colour in one word for the prompts: the mean of what is really drawn."""
    mean = draw_backdrop_linear(kit, 32, 32).reshape(-1, 3).mean(axis=0)
    return "#" + "".join(f"{round(float(v) * 255):02x}" for v in linear_to_srgb(mean))


def linear_of(colour: str) -> Floats:
    """#rrggbb in linear light, three floats 0..1."""
    coded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return srgb_to_linear(coded)


def dithered(light: Floats) -> Picture:
    """Linear light to 8 bits with a fixed ordered pattern: mean colour kept, no bands, no randomness."""
    height, width = light.shape[:2]
    pattern = np.tile(_bayer(), (math.ceil(height / 8), math.ceil(width / 8)))[:height, :width, None]
    return np.asarray(np.clip(np.floor(linear_to_srgb(light) * 255 + pattern), 0, 255), np.uint8)


@functools.cache
def _bayer() -> Floats:
    """The 8 by 8 ordered dither matrix, values 1/128 .. 127/128."""
    cell = np.array([[0]])
    for _ in range(3):
        cell = np.block([[4 * cell, 4 * cell + 2], [4 * cell + 3, 4 * cell + 1]])
    return ((cell + 0.5) / 64).astype(np.float32)


def _ramp(wall: Backdrop, width: int, height: int) -> Floats:
    """How far each pixel is from `colour` (0) towards `to` (1), with smooth ends."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x + 0.5) / width, (y + 0.5) / height
    if wall.shape == "radial":
        down = height / width  # circles stay circles in a portrait frame
        share = np.hypot(x - wall.centre[0], (y - wall.centre[1]) * down) / wall.radius
    else:
        turn = math.radians(wall.angle)
        along = (x - 0.5) * math.cos(turn) + (y - 0.5) * math.sin(turn)
        share = along / (abs(math.cos(turn)) + abs(math.sin(turn))) + 0.5
    share = np.clip(share, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _corner_distance(width: int, height: int) -> Floats:
    """0 within the middle, 1 in the very corners, smooth between."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) / math.sqrt(0.5)
    share = np.clip((away - 0.35) / 0.65, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _cover(picture: Picture, width: int, height: int, focus: tuple[float, float]) -> Floats:
    """The largest part of the picture with the frame's aspect, round the focus, resized in linear light."""
    have_height, have_width = picture.shape[:2]
    scale = max(width / have_width, height / have_height)
    part_width, part_height = min(have_width, round(width / scale)), min(have_height, round(height / scale))
    left = round((have_width - part_width) * focus[0])
    top = round((have_height - part_height) * focus[1])
    part = picture[top : top + part_height, left : left + part_width].astype(np.float32) / 255
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.clip(cv2.resize(srgb_to_linear(part), (width, height), interpolation=method), 0, 1).astype(np.float32)


@functools.lru_cache(maxsize=8)
def _decoded(data: bytes) -> Picture:
    return open_picture(data).picture
