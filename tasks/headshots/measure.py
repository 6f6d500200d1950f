"""Measuring a finished picture from its pixels alone, as a stranger would.

The face is found again and the person is cut out again by the eyes, so a bad matte cannot vouch for itself and a
picture that was damaged after finishing is caught as well. Formulas: CIEDE2000 against the kit's backdrop at every
pixel, framing in shares of the frame, light as ratios on facial skin (never its brightness: that is skin, not light).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.failures import RollcallError
from tasks.headshots.backdrop import dithered, drawn_wall
from tasks.headshots.framing import head_height
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Backdrop
from tasks.headshots.look import find_head, find_person
from tasks.vision.colour import delta_e, ita, luminance, skin_mask, to_lab
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_to
from tasks.vision.quality import read_sharpness

Floats = NDArray[np.float32]
MEASURING_SIDE = 384  # px: the background is compared at no more than this
# px of the copy in which the eyes look for the person: the nets see 192 to 256, and refining an edge that is then read
# at `MEASURING_SIDE` takes four times as long at a finished picture's own size (`benchmarks/speed.py --measures`).
LOOKED_AT = 640
ALIGNED = 224  # px of the aligned face for texture, inter-eye 70 px
# Cheeks of the aligned face, shares: (left, top, right, bottom), below the eyes and beside the nose.
CHEEKS = ((0.14, 0.50, 0.38, 0.76), (0.62, 0.50, 0.86, 0.76))
LEAST_CHEEK = 0.15  # share of a cheek that must be bare skin before its texture is read
BAND = (0.7, 1.4)  # sigmas in px of the aligned face: finer is noise, coarser is the shape of the cheek under a light
FLAT = 8  # px of a tile in which noise is looked for
UPPER_CHEEK = 0.55  # of the way from the eyes to the mouth: beards that reach higher are sideburns
BEARD = 1.2  # stops by which hair is darker than the cheek beside it at least; skin falls off by less
PALE = (0.5, 8.0)  # a grey or white beard has less than this share of the cheek's chroma, and less by this; shine on
# fair skin loses half as well, but has not so much to lose
SIDEBURN = 0.5  # of the way from the eyes to the mouth: what is paler above it is a lit nose
BLACK = 0.002  # luminance: darker than this, a ratio says more about noise than about light


@dataclass(frozen=True)
class PictureMeasures:
    """Everything the design's table asks of one finished picture. Shares of the frame, unless said otherwise."""

    background: float  # median CIEDE2000 to the brand's backdrop
    background_lab: tuple[float, float, float]  # the brand's middle L*a*b* plus the median difference from it
    halo: float  # mean CIEDE2000 in a ring of 0.5 to 2 % round the person
    holes: float  # share of the background off by more than 5
    eye_line: float  # from the top
    centre: float  # mid-eyes from the left
    inter_eye: float
    head_height: float  # crown to chin by proportion, without hair or hats
    headroom: float  # free height above hair or hat
    roll: float  # degrees
    light_left_right: float  # log2, stops
    light_top_bottom: float  # log2, stops
    contrast: float  # log2(P95 / P5) of skin luminance, stops
    skin_ita: float  # degrees
    skin_lab: tuple[float, float, float]
    texture: float  # sd of L* in the fine band of bare cheek; 0 where none can be read
    sharpness: float
    zoom: float = 1.0  # how far the frame had to be drawn in, set by finishing
    crown: float = 0.0  # of the width: hair that ends flat at the top because its source does, set by finishing
    head_lost: float = 0.0  # share of the skull above the eyes that was cut away, set by finishing
    # What its own photograph says, in the real-photo lane (`photograph.py`), set by finishing
    remnant: float = 0.0  # share of the frame that may be a piece of the old room
    enlarged: float = 1.0  # px between the eyes for one in the photograph
    photo_chroma: float | None = None  # colour of the cheeks in the photograph
    photo_eyes: float | None = None  # lightness of the eyes over the cheeks': sunglasses
    photo_turned: float | None = None  # how far the head is turned
    # What finishing changed about the person beyond the kit's tone (`retouch.py`), set by finishing; None: nothing read
    finished_light: float | None = None  # stops
    finished_tint: float | None = None  # distance in a*, b*
    finished_ita: float | None = None  # degrees
    finished_texture: float | None = None  # share of bare skin's texture that is left
    finished_detail: float | None = None  # share of the inner face's detail that is left

    def as_json(self) -> dict[str, float | list[float] | None]:
        """Plain values for records."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> PictureMeasures:
        """Read back from a record; what a newer version may have added is passed over. TypeError when nothing was
        measured."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {k: v for k, v in (values or {}).items() if k in known}
        kept.update({k: tuple(v) for k, v in kept.items() if isinstance(v, list)})
        return cls(**kept)


class NoFaceLeft(RollcallError):
    """No face is found in a finished picture; there is nothing to measure."""


def measure_picture(
    picture: Picture, kit: BrandKit, eyes: Eyes, *, texture_inter_eye: float | None = None, drawn: bool = True
) -> PictureMeasures:
    """Measure one finished picture. `texture_inter_eye`: the resolution (px between the eyes) to judge texture at;
    `drawn`: made by a base, not from a photograph."""
    face = find_head(picture, eyes)
    if face is None:
        raise NoFaceLeft("no face found in a finished picture")
    height, width = picture.shape[:2]
    back = measure_background(picture, kit, eyes, drawn=drawn)
    framing = _framing(face, back.alpha, width, height)
    skin = bare_skin(picture, face)
    lab = skin_colour(picture, skin)
    left_right, top_bottom, contrast = read_light(picture, face, skin)
    return PictureMeasures(
        background=back.difference,
        background_lab=back.lab,
        halo=back.halo,
        holes=back.holes,
        **framing,
        light_left_right=left_right,
        light_top_bottom=top_bottom,
        contrast=contrast,
        skin_ita=float(ita(lab)),
        skin_lab=(float(lab[0]), float(lab[1]), float(lab[2])),
        texture=cheek_texture(picture, face, texture_inter_eye),
        sharpness=read_sharpness(align_to(picture, face.landmarks, FACE_TEMPLATE, 128)[0]),
    )


@dataclass(frozen=True)
class Background:
    """How a picture's background compares with the brand's."""

    difference: float
    lab: tuple[float, float, float]
    halo: float
    holes: float
    alpha: Floats  # the eyes' own mask of the finished picture, of its shape but no larger than `LOOKED_AT`


def measure_background(picture: Picture, kit: BrandKit, eyes: Eyes, *, drawn: bool = True) -> Background:
    """Cuts the person out again and compares what is left with the kit's backdrop."""
    height, width = picture.shape[:2]
    # What any look takes for person counts: a hair's breadth lost by one look of a small net would else be reported as
    # something left in the background.
    seen = _no_larger(picture, LOOKED_AT)
    alpha = np.asarray(np.max(find_person(seen, eyes, drawn=drawn), axis=0), np.float32)
    small = _no_larger(picture, MEASURING_SIDE)
    size = (small.shape[1], small.shape[0])
    mask = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    lab = to_lab(small)
    brand_lab = _brand(kit.backdrop, kit.picture, width, height)
    off = delta_e(lab, brand_lab)
    away = cv2.distanceTransform((mask < 0.1).astype(np.uint8), cv2.DIST_L2, 5) / size[0]
    wall = away > 0.01
    wall[round(0.75 * size[1]) :] = False
    ring = (away > 0.005) & (away <= 0.02)
    ring[round(0.97 * size[1]) :] = False
    # How far off the brand, on the brand's own middle: people hide different parts of a backdrop, and that is no
    # difference between their pictures.
    brand_middle = np.median(brand_lab.reshape(-1, 3), axis=0)
    middle = brand_middle + np.median((lab - brand_lab)[wall], axis=0) if wall.any() else np.full(3, np.nan)
    return Background(
        difference=float(np.median(off[wall])) if wall.any() else math.inf,
        lab=(float(middle[0]), float(middle[1]), float(middle[2])),
        halo=float(off[ring].mean()) if ring.any() else 0.0,
        holes=float((off[wall] > 5).mean()) if wall.any() else 1.0,
        alpha=alpha,
    )


def _no_larger(picture: Picture, side: int) -> Picture:
    """The picture, its longer side at most `side` px."""
    scale = min(1.0, side / max(picture.shape[:2]))
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


@functools.lru_cache(maxsize=6)  # a whole company is compared with one backdrop
def _brand(wall: Backdrop, picture: bytes | None, width: int, height: int) -> Floats:
    """The backdrop's L*a*b*, drawn at the picture's size and reduced as pictures are."""
    return to_lab(_no_larger(dithered(drawn_wall(wall, picture, width, height)), MEASURING_SIDE))


def _framing(face: Face, alpha: Floats, width: int, height: int) -> dict[str, float]:
    points = face.landmarks.astype(np.float64)
    middle, across = points[:2].mean(axis=0), points[1] - points[0]
    scale = alpha.shape[1] / width
    left, right = sorted((int(points[0, 0] * scale), int(points[1, 0] * scale)))
    columns = alpha[:, max(0, left) : max(1, right + 1)]
    rows = np.flatnonzero((columns > 0.5).mean(axis=1) > 0.5) if columns.size else np.array([], int)
    return {
        "eye_line": float(middle[1]) / height,
        "centre": float(middle[0]) / width,
        "inter_eye": float(np.hypot(*across)) / width,
        "head_height": head_height(points[:2], points[3:5]) / height,
        "headroom": float(rows[0]) / alpha.shape[0] if rows.size else 0.0,
        "roll": math.degrees(math.atan2(across[1], across[0])),
    }


def bare_skin(picture: Picture, face: Face) -> NDArray[np.bool_]:
    """Facial skin above the line of the mouth, without what is much darker or paler than the upper cheek beside it.

    Below the mouth, and up the cheeks, are beards: they are neither skin nor light. Each side of the face has its own
    yardstick, so that the shaded side of a face lit from the other is not taken for a beard.
    """
    skin = np.asarray(skin_mask(picture, face), np.bool_)
    middle, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:5].mean(axis=0)
    axis = mouth - middle
    rows, columns = np.nonzero(skin)
    x, y = columns + 0.5 - middle[0], rows + 0.5 - middle[1]
    depth = (x * axis[0] + y * axis[1]) / max(float(axis @ axis), 1e-6)  # 0 at the eyes, 1 at the mouth
    left = x * axis[1] - y * axis[0] < 0
    stops = np.log2(luminance(picture[rows, columns]) + BLACK)
    chroma = np.hypot(*to_lab(picture[rows, columns][None])[0, :, 1:].T)
    keep = depth <= 1
    for side in (left, ~left):
        upper = side & (depth < UPPER_CHEEK)
        if upper.any():
            colour = np.median(chroma[upper])
            dark = stops <= np.median(stops[upper]) - BEARD
            pale = (chroma < min(PALE[0] * colour, colour - PALE[1])) & (depth > SIDEBURN)
            keep &= ~(side & (dark | pale))
    if keep.any():
        skin[rows[~keep], columns[~keep]] = False
    return skin


def skin_colour(picture: Picture, skin: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Median L*a*b* of the better lit half of the skin: under a light from one side the rest shows shade, not tone."""
    if not skin.any():
        return np.zeros(3, np.float32)
    pixels = picture[skin]
    light = luminance(pixels)
    return np.asarray(np.median(to_lab(pixels[light >= np.median(light)]), axis=0), np.float32)


def read_light(picture: Picture, face: Face, skin: NDArray[np.bool_]) -> tuple[float, float, float]:
    """(left/right, top/bottom, contrast) of facial skin in stops; skin tone cancels in the ratios."""
    rows, columns = np.nonzero(skin)
    if rows.size < 20:
        return 0.0, 0.0, 0.0
    points = face.landmarks.astype(np.float64)
    across = points[1] - points[0]
    across /= max(float(np.hypot(*across)), 1e-6)
    # Sides are the face's own: split by the line through mid-eyes and mid-mouth, so a tilt is not taken for light.
    middle, mouth = points[:2].mean(axis=0), points[3:5].mean(axis=0)
    axis = mouth - middle
    axis /= max(float(np.hypot(*axis)), 1e-6)
    light = luminance(picture[rows, columns])
    x, y = columns + 0.5 - middle[0], rows + 0.5 - middle[1]
    side = x * axis[1] - y * axis[0]  # negative: left in the picture
    depth = x * axis[0] + y * axis[1]
    split = float(np.median(depth))
    return (
        _stops(light[side < 0], light[side >= 0]),
        _stops(light[depth < split], light[depth >= split]),
        float(np.log2((np.percentile(light, 95) + BLACK) / (np.percentile(light, 5) + BLACK))),
    )


def _stops(first: Floats, second: Floats) -> float:
    if first.size < 10 or second.size < 10:
        return 0.0
    return float(np.log2((np.median(first) + BLACK) / (np.median(second) + BLACK)))


def cheek_texture(picture: Picture, face: Face, inter_eye: float | None = None) -> float:
    """Fine texture of bare cheek: robust sd of L* in a narrow band, less the picture's own noise; 0 if there is none.

    `inter_eye` limits the resolution both sides of a comparison are judged at: a 128 px base cannot be expected to
    draw pores, and a selfie must not be held against it at a resolution it never had. Only skin is weighed in when the
    band is taken, so that the edge of a beard, of glasses or of the nose is not texture.
    """
    size = texture_side(face.inter_eye, inter_eye)
    crop, _ = align_to(picture, face.landmarks, FACE_TEMPLATE, size)
    skin = bare_skin(crop, Face((0.0, 0.0, float(size), float(size)), FACE_TEMPLATE * np.float32(size), 1.0))
    lightness = np.ascontiguousarray(to_lab(crop)[..., 0])
    band = _masked_blur(lightness, skin, BAND[0]) - _masked_blur(lightness, skin, BAND[1])
    core = cv2.erode(skin.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    energies = []
    for left, top, right, bottom in CHEEKS:
        area = (slice(round(top * size), round(bottom * size)), slice(round(left * size), round(right * size)))
        part = band[area][core[area]]
        if part.size >= LEAST_CHEEK * band[area].size:
            energies.append(_robust_sd(part) ** 2)
    if not energies:
        return 0.0
    return math.sqrt(max(0.0, float(np.median(energies)) - _noise(lightness) ** 2))


def texture_side(own: float, inter_eye: float | None) -> int:
    """Px of the aligned face in which texture is read, where eyes that are `own` px apart are judged at `inter_eye`."""
    return int(np.clip(ALIGNED * min(own, inter_eye or own) / 70, 64, ALIGNED))


def _masked_blur(values: Floats, mask: NDArray[np.bool_], sigma: float) -> Floats:
    """Gaussian mean over the pixels of the mask alone."""
    weight = mask.astype(np.float32)
    total = cv2.GaussianBlur(values * weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3), np.float32)


def _noise(lightness: Floats) -> float:
    """What the band holds where the crop is flattest: there, all of it is the sensor's and the compression's."""
    band = cv2.GaussianBlur(lightness, (0, 0), BAND[0]) - cv2.GaussianBlur(lightness, (0, 0), BAND[1])
    whole = band.shape[0] // FLAT * FLAT
    tiles = band[:whole, :whole].reshape(whole // FLAT, FLAT, whole // FLAT, FLAT).swapaxes(1, 2)
    spreads = [_robust_sd(tile) for tile in tiles.reshape(-1, FLAT * FLAT)]
    return float(np.percentile(spreads, 5))


def _robust_sd(values: NDArray[np.floating[Any]]) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
