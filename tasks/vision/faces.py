"""What sees faces, as small typed protocols, so that steps never know which networks stand behind them.

`open_eyes("embedded")` gives the small networks of this project (trained on drawn people, for trying the system
out); `open_eyes("opencv", models)` gives YuNet and an SFace-compatible encoder from a folder of pinned files.
Thresholds belong to an encoder and never travel without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tasks.failures import RollcallError
from tasks.vision.images import Picture

Vector = npt.NDArray[np.float32]


class EyesMissing(RollcallError):
    """The networks are not there, or are not the ones that were pinned. Says what to run."""


@dataclass(frozen=True)
class Face:
    """One face: box (x, y, width, height) in px, five landmarks in px, score 0..1."""

    box: tuple[float, float, float, float]
    landmarks: Vector  # (5, 2): right eye (left in the picture), left eye, nose, right and left mouth corner
    score: float

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]

    @property
    def inter_eye(self) -> float:
        """Distance of the eyes in px."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))


@dataclass(frozen=True)
class Around:
    """Eye distances from between the eyes to four edges: a photo's, or those of the frame that a kit asks."""

    above: float
    left: float
    right: float
    below: float


class FaceFinder(Protocol):
    """Finds people's faces, the largest first; an empty list where there is none."""

    def find(self, picture: Picture) -> list[Face]: ...


class FaceEmbedder(Protocol):
    """Turns one face into a unit vector; likeness is the dot product of two of them."""

    name: str

    def embed(self, picture: Picture, face: Face) -> Vector: ...


class Matter(Protocol):
    """Alpha of the people in a picture, float32 0..1, (H, W)."""

    def matte(self, picture: Picture) -> Vector: ...


@dataclass(frozen=True)
class Lids:
    """What many points of a face say about it."""

    shut: float  # 0..1, of the eye that is more open
    unsteady: float  # eye distances by which the points move from one look to the next: high where a face is covered
    smile: float | None = None  # 0..1, of the mouth's corner that is less drawn up; None: not read


class LidReader(Protocol):
    """Reads one face's lids and covers, where such a network is installed."""

    def read(self, picture: Picture, face: Face) -> Lids: ...


@dataclass(frozen=True)
class Thresholds:
    """Cosines of one encoder, fitted on the data named in its TOML."""

    same: float  # one pair: the same person
    belongs: float  # best match within a folder below this: may not belong to it
    stranger: float  # best match below this: someone else
    twin_folder: float  # means of two folders above this: one person under two names
    likeness_slope: float  # P(same) = 1 / (1 + exp(-(slope * cosine + bias)))
    likeness_bias: float
    margin: float  # least lead over the nearest other person of the company
    likeness: float  # of the best three, between others' and one's own: benchmarks count by it, kits decide
    twin_pairs: float | None = None  # the same of the mean over every pair of their photos, where that is known

    def probability(self, cosine: float) -> float:
        """P(same person) at equal priors."""
        return float(1 / (1 + np.exp(-np.clip(self.likeness_slope * cosine + self.likeness_bias, -60, 60))))


@dataclass(frozen=True)
class QualityLimits:
    """Limits of the selfie checks (`quality.Quality`), measured for these eyes."""

    inter_eye_px: float = 60.0
    inter_eye_usual_px: float = (
        0.0  # below this a larger photo is asked for; set by what will be made (selfies/size.py)
    )
    score: float = 0.8
    yaw: float = 0.20
    yaw_reject: float = 0.45
    roll: float = 20.0
    sharpness: float = 0.008
    noise: float = 1.0
    median_l_low: float = 25.0
    median_l_high: float = 88.0
    clipped_share: float = 0.35  # good portraits reach .29 on a bright forehead, a blown one .97
    dark_share: float = 0.30
    eye_contrast: float = 0.25
    eye_structure: float = 0.30
    second_face_reject: float = 0.15  # area of another face / area of the main one
    second_face_warn: float = 0.02
    duplicate_bits: int = 6
    # Of `flaws.Flaws`, each with its false alarms beside the function that measures it.
    beyond: float = 0.0
    grain: float = 6.0
    halves: float = 0.25
    chroma: float = 3.0
    blocks: float = 1.6
    # Of what a frame shows round the head; asked where the photo itself becomes the picture, by kit.
    room: float = 0.0
    frames: tuple[tuple[str, Around], ...] = ()
    detail_px: float = 60.0  # px between the eyes up to which pixels must hold detail; 0: nobody asks
    table: float = 100.0
    turn_margin: float = 9.0  # by how much another way up must be the surer face; 9: nobody asks
    lids_warn: float = 0.30  # of `Lids`: narrow eyes are worth a look, and
    lids_shut: float = 0.60  # only what no open eye comes near is refused
    unsteady: float = 0.06


@dataclass(frozen=True)
class Eyes:
    """Everything that sees, opened once and handed to the steps."""

    name: str
    finder: FaceFinder
    embedder: FaceEmbedder
    judge: FaceEmbedder  # scores likeness; another encoder than the one that guided or chose
    matter: Matter
    thresholds: Thresholds
    judge_thresholds: Thresholds
    limits: QualityLimits
    lids: LidReader | None = None  # where its network is here
    witness: Matter | None = None  # a second opinion on where the person is, where its network is here


def cosine(first: Vector, second: Vector) -> float:
    """Likeness of two unit vectors."""
    return float(np.dot(first, second))
