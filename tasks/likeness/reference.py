"""What is known about a person from their accepted selfies: the yardstick every headshot is held to.

Read once per person and kept in memory only. One selfie says little about skin (two photographs of one person lie
30 degrees of skin angle apart), so tone is a median with its spread, and has no verdict below five selfies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.failures import RollcallError
from tasks.headshots.measure import ALIGNED, bare_skin, cheek_texture, skin_colour, texture_side
from tasks.likeness.copies import OwnPhotos
from tasks.likeness.head import Head, read_head
from tasks.likeness.score import person_vector
from tasks.vision.colour import ita
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture
from tasks.vision.portrait import FACE_TEMPLATE, align_to

Vector = NDArray[np.float32]
ENOUGH_FOR_TONE = 5  # selfies
ENOUGH_FOR_TEXTURE = 3  # selfies: a spread of two says nothing
LEAST_CHROMA = 3.0  # of skin: less is black and white, and says nothing about tone
LEAST_TEXTURE = 0.05  # of L*: below this there is nothing that smoothing could take away
_ALIGNED_FACE = Face((0.0, 0.0, float(ALIGNED), float(ALIGNED)), FACE_TEMPLATE * np.float32(ALIGNED), 1.0)


@dataclass(frozen=True)
class SkinTone:
    """Median and spread over the selfies; angles in degrees."""

    ita: float
    ita_spread: float  # median absolute deviation
    photos: int


@dataclass(frozen=True)
class PersonReference:
    """One person's selfies, as far as judging needs them."""

    vectors: tuple[Vector, ...]  # of the judge
    tone: SkinTone | None
    faces: tuple[Picture, ...]  # aligned, for texture
    inter_eye: tuple[float, ...]  # px in the original of each
    heads: tuple[Head, ...] = ()  # glasses and hair of each
    # By photo and side in px, so that a person's pictures share one reading of their photos' texture.
    textures: dict[tuple[int, int], float] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def photos(self) -> OwnPhotos:
        """What no picture may repeat."""
        return OwnPhotos.of(self.faces)

    @property
    def vector(self) -> Vector:
        """One vector for the company-wide comparison."""
        return person_vector(self.vectors)


class NoReference(RollcallError):
    """No face was found in any of the selfies; nothing can be judged."""


def read_reference(selfies: Sequence[tuple[Picture, Face]], eyes: Eyes) -> PersonReference:
    """Read a person's accepted selfies, each with its face."""
    if not selfies:
        raise NoReference("no face in any selfie")
    labs = []
    for picture, face in selfies:
        skin = bare_skin(picture, face)
        lab = skin_colour(picture, skin)
        if skin.any() and float(np.hypot(lab[1], lab[2])) >= LEAST_CHROMA:
            labs.append(lab)
    return PersonReference(
        vectors=tuple(eyes.judge.embed(picture, face) for picture, face in selfies),
        tone=_tone(labs),
        faces=tuple(align_to(picture, face.landmarks, FACE_TEMPLATE, ALIGNED)[0] for picture, face in selfies),
        inter_eye=tuple(face.inter_eye for _, face in selfies),
        heads=tuple(read_head(picture, face, eyes.matter) for picture, face in selfies),
    )


def find_faces(pictures: Sequence[Picture], eyes: Eyes) -> list[tuple[Picture, Face]]:
    """Each picture with its largest face; those without one are passed over."""
    found = ((picture, eyes.finder.find(picture)) for picture in pictures)
    return [(picture, faces[0]) for picture, faces in found if faces]


@dataclass(frozen=True)
class Texture:
    """Cheek texture over the selfies: median, and by how much a ratio to it is unsure, as sd of its logarithm."""

    value: float
    unsure: float


def reference_texture(reference: PersonReference, inter_eye: float) -> Texture | None:
    """Cheek texture of the selfies at this resolution; None where fewer than three show bare cheek.

    One shot of a face differs from the next by light and pose alone. How much it does for this person shows in the
    selfies, and a new picture differs from their median by its own share of that and by the median's.
    """
    wanted = min(inter_eye, _ALIGNED_FACE.inter_eye)
    sharp = [i for i, own in enumerate(reference.inter_eye) if own >= wanted] or list(range(len(reference.faces)))
    found = np.array([_photo_texture(reference, i, wanted) for i in sharp])
    read = found[found > LEAST_TEXTURE]
    if read.size < ENOUGH_FOR_TEXTURE:
        return None
    spread = float(np.log(read).std(ddof=1))
    return Texture(float(np.median(read)), spread * float(np.sqrt(1 + np.pi / 2 / read.size)))


def _photo_texture(reference: PersonReference, photo: int, inter_eye: float) -> float:
    at = (photo, texture_side(_ALIGNED_FACE.inter_eye, inter_eye))
    if at not in reference.textures:
        reference.textures[at] = cheek_texture(reference.faces[photo], _ALIGNED_FACE, inter_eye)
    return reference.textures[at]


def _tone(labs: Sequence[NDArray[np.float32]]) -> SkinTone | None:
    if not labs:
        return None
    angles = np.array([float(ita(lab)) for lab in labs])
    middle = float(np.median(angles))
    return SkinTone(
        ita=middle,
        ita_spread=float(np.median(np.abs(angles - middle))),
        photos=len(labs),
    )
