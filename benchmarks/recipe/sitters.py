"""The recipe's people: drawn, unseen, each with selfies as a phone takes them and with true studio pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.embedded import corner_colour, embed, mean_unit
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.adapters.portraits import Likeness
from tasks.headshots.measure import ALIGNED
from tasks.likeness.copies import OwnPhotos
from tasks.vision.colour import to_lab
from tasks.vision.diffusion import FrozenBase
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_portrait, align_to

SELFIES, TRUE = 8, 4
NATURAL = 1.25  # the selfie's side, times the base's: heads come nearer than the portrait frame
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sitter:
    """One unseen person: selfies to learn from, and what their studio pictures and selfies look like to the judge."""

    seed: int
    selfies: list[Likeness]
    centroid: Vectors
    walls: Vectors  # (2, 3) Lab of the selfies' walls and clothes, mean
    photos: OwnPhotos  # what no picture may repeat
    true: list[Picture]  # studio pictures as painted
    later: list[Picture]  # selfies that nobody learned from


def draw_sitter(seed: int, base: FrozenBase, eyes: Eyes) -> Sitter:
    """From seeds that no training set uses."""
    who, side = draw_identity(seed), base.card.resolution

    def shot(number: int, kind: str, size: int, frame: str) -> Picture:
        return paint(
            who, draw_capture(seed * 64 + number, who, kind, CaptureWish(frontal=0.7)), size, 1.5, frame
        ).picture

    selfies = []
    for number in range(SELFIES):
        picture = shot(number, "selfie", round(side * NATURAL), "natural")
        if faces := eyes.finder.find(picture):
            selfies.append(Likeness(str(number), picture, faces[0]))
    true = [shot(32 + number, "studio", side, "aligned") for number in range(TRUE)]
    later = [shot(SELFIES + number, "selfie", side, "aligned") for number in range(TRUE)]
    portraits = [align_portrait(one.picture, one.face.landmarks, side)[0] for one in selfies]
    walls = np.mean([looks(picture) for picture in portraits], axis=0)
    faces = [align_to(one.picture, one.face.landmarks, FACE_TEMPLATE, ALIGNED)[0] for one in selfies]
    centroid = mean_unit([embed(eyes, picture) for picture in true])
    return Sitter(seed, selfies, centroid, np.asarray(walls, np.float32), OwnPhotos.of(faces), true, later)


def looks(picture: Picture) -> Vectors:
    """(2, 3) Lab: the wall in the upper corners, and what is worn at the lower edge."""
    size = picture.shape[0]
    patch = picture[round(0.92 * size) :, round(0.35 * size) : round(0.65 * size)].reshape(-1, 3)
    return np.stack([corner_colour(picture), np.median(to_lab(patch[None])[0], axis=0)]).astype(np.float32)


def towards(drawn: Vectors, control: Vectors, selfies: Vectors) -> Vectors:
    """How far wall and clothes went from the control's to the selfies', as shares of the way, 0..1."""
    way = selfies - control
    share = ((drawn - control) * way).sum(-1) / np.maximum((way**2).sum(-1), 1.0)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def seeds(first: int, count: int) -> Sequence[int]:
    """The seeds of `count` people, the same people first however many there are."""
    return range(first + 1000, first + 1000 + count)
