"""How good a photograph of a face is, as numbers: the checks of intake compare them with limits.

Every figure is measured in the tight aligned frame, so it means the same for a 12-megapixel selfie and a small
web portrait. Exposure limits never rest on mean skin tone: dark skin in good light must pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.vision.colour import to_lab
from tasks.vision.faces import Face
from tasks.vision.images import Picture, resize
from tasks.vision.portrait import FACE_TEMPLATE, align_to

Floats = npt.NDArray[np.float32]

_SIZE = 128  # px of the aligned face that the figures are measured on
_EYE_HALF = (0.075, 0.045)  # half width and height of an eye patch, of the aligned frame
# Cheeks: below the eyes, beside the nose; (x, y, half width, half height) of the aligned frame.
_CHEEKS = ((0.30, 0.66, 0.07, 0.06), (0.70, 0.66, 0.07, 0.06))


@dataclass(frozen=True)
class Quality:
    """Measured properties of one face in one picture."""

    inter_eye_px: float
    face_share: float  # longer side of the face box / longer side of the picture
    sharpness: float  # directional second difference over variance: below .008 blurred, above 1 noise
    exposure_median_L: float  # median L* of the inner face
    clipped_share: float  # share of the inner face with a channel >= 250
    dark_share: float  # share of the inner face with L* < 15
    eye_contrast: float  # median L* of the eye patches / that of the cheeks: sunglasses are near .1
    yaw: float  # nose off the mid-eye line, over eye distance: 0 frontal, signed
    roll: float  # degrees
    light_left_right: float  # log2 of left over right median luminance, in stops
    eye_structure: float = 1.0  # range of L* within the eyes over the inner face's: through tinted lenses near .15

    @property
    def turned(self) -> float:
        """How far the head is turned, without its side."""
        return abs(self.yaw)


def read_quality(picture: Picture, face: Face) -> Quality:
    """Measure one face. Costs a few milliseconds."""
    points = face.landmarks.astype(np.float64)
    eye_line = points[1] - points[0]
    distance = max(float(np.hypot(*eye_line)), 1e-6)
    along = eye_line / distance
    middle = points[:2].mean(0)
    crop, _ = align_to(picture, face.landmarks, FACE_TEMPLATE, _SIZE)
    lab = to_lab(crop)
    inner = lab[round(0.25 * _SIZE) : round(0.95 * _SIZE), round(0.2 * _SIZE) : round(0.8 * _SIZE)]
    inner_rgb = crop[round(0.25 * _SIZE) : round(0.95 * _SIZE), round(0.2 * _SIZE) : round(0.8 * _SIZE)]
    height, width = picture.shape[:2]
    left, right = (float(np.median(_patch(lab, *cheek)[..., 0])) for cheek in _CHEEKS)
    return Quality(
        inter_eye_px=distance,
        face_share=max(face.box[2], face.box[3]) / max(height, width),
        sharpness=read_sharpness(crop),
        exposure_median_L=float(np.median(inner[..., 0])),
        clipped_share=float((inner_rgb.max(-1) >= 250).mean()),
        dark_share=float((inner[..., 0] < 15).mean()),
        eye_contrast=_eye_contrast(lab),
        yaw=float((points[2] - middle) @ along) / distance,
        roll=float(np.degrees(np.arctan2(eye_line[1], eye_line[0]))),
        light_left_right=_stops(left, right),
        eye_structure=_eye_structure(lab, inner),
    )


def read_sharpness(aligned: Picture) -> float:
    """Of an aligned face: lesser of the variances of [1 -2 1] along x and along y, over the variance of grey.

    The lesser of the two, because motion blur keeps one direction crisp and fools the usual Laplacian.
    """
    grey = cv2.cvtColor(resize(aligned, _SIZE, _SIZE), cv2.COLOR_RGB2GRAY).astype(np.float32)
    across = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    down = grey[:-2] - 2 * grey[1:-1] + grey[2:]
    return float(min(across.var(), down.var()) / max(float(grey.var()), 1e-3))


def _patch(lab: Floats, x: float, y: float, half_w: float, half_h: float) -> Floats:
    top, bottom = round((y - half_h) * _SIZE), round((y + half_h) * _SIZE)
    left, right = round((x - half_w) * _SIZE), round((x + half_w) * _SIZE)
    return lab[top:bottom, left:right]


def _eye_contrast(lab: Floats) -> float:
    eyes = np.concatenate([_patch(lab, float(x), float(y), *_EYE_HALF)[..., 0].ravel() for x, y in FACE_TEMPLATE[:2]])
    cheeks = np.concatenate([_patch(lab, *cheek)[..., 0].ravel() for cheek in _CHEEKS])
    return float(np.median(eyes) / max(float(np.median(cheeks)), 1.0))


def _eye_structure(lab: Floats, inner: Floats) -> float:
    """Of the eye that shows more: white, iris and lashes, which a lens of any colour flattens.

    Of 21 real photographs none is below .61, of 48 drawn people none below .86; with lenses painted over, brown or
    mirrored, 38 of 42 and 94 of 96 are below .3 (the others of the 42 are turned heads, whose eyes lie elsewhere).
    """
    eyes = (
        np.ptp(np.percentile(_patch(lab, float(x), float(y), *_EYE_HALF)[..., 0], (3, 97)))
        for x, y in FACE_TEMPLATE[:2]
    )
    return float(max(eyes) / max(float(np.ptp(np.percentile(inner[..., 0], (3, 97)))), 1.0))


def _stops(left: float, right: float) -> float:
    """Difference of two L* in stops of luminance."""
    y = [max(((v + 16) / 116) ** 3, 1e-4) for v in (left, right)]
    return float(np.log2(y[0] / y[1]))


def difference_hashes(picture: Picture) -> tuple[int, int]:
    """64 bits each of the low frequencies (DCT), of the picture and of its mirror image: equal pictures differ in 0 to
    4 bits, others in 14 and more. Meant for upright pictures after orientation."""
    grey = cv2.cvtColor(resize(picture, 64, 64), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    return _low_bits(small), _low_bits(np.ascontiguousarray(small[:, ::-1]))


def _low_bits(small: Floats) -> int:
    low = np.asarray(cv2.dct(small))[:8, :8].ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness, which is no structure
    return int(sum(1 << i for i, bit in enumerate(bits) if bit))


def hamming(first: int, second: int) -> int:
    """Bits in which two hashes differ, 0..64."""
    return (first ^ second).bit_count()
