"""What a person is learned from: each selfie cut as the plan asks, with its caption, its mask and its true size.

The plain plan has one portrait of each selfie and one sentence for all. Its words add to that: captions that say what
differs, crops nearer and wider, a mask that lets wall and clothes count less, and the size that the photo really had.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tasks.adapters.captions import caption_of, plain_caption, what_differs
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.portraits import Likeness
from tasks.vision.diffusion_card import BaseCard
from tasks.vision.faces import Matter
from tasks.vision.images import Picture
from tasks.vision.looks import PhotoLooks
from tasks.vision.portrait import PORTRAIT_TEMPLATE, align_portrait, align_to, warp, zoomed

Floats = npt.NDArray[np.float32]

CHIN = 0.8  # of the portrait frame: what of the person lies below is mostly clothes
FADE = 0.04  # of the frame, over which the mask falls from head to clothes


@dataclass(frozen=True)
class Crop:
    """A way to cut a selfie: how near, round what, and its share of what is seen."""

    zoom: float
    centre: tuple[float, float]
    share: float


PORTRAIT = Crop(1.0, (0.5, 0.5), 1.0)
# Measured in docs/recipe.md, and not the default: more crops hurt.
MIXED = (replace(PORTRAIT, share=0.6), Crop(1.7, (0.5, 0.5), 0.25), Crop(0.75, (0.5, 0.5), 0.15))


Look = Callable[[Likeness, Floats], PhotoLooks]  # of a selfie and its person's alpha


def lessons(
    id: str, selfies: Sequence[Likeness], plan: TrainingPlan, card: BaseCard, matter: Matter | None, seed: int,
    look: Look | None = None,
) -> LearningPerson:  # fmt: skip
    """The person with everything that their plan asks for.

    `matter` and `look` are asked only where captions or mask need them; without `look` no caption says smile, glasses
    or place.
    """
    plain = plain_caption(card.token)
    crops = MIXED if plan.crops == "mixed" else (PORTRAIT,)
    asked = plan.captions == "seen" and matter is not None
    person = LearningPerson(id, [], [], seed, plain=plain if plan.captions == "seen" and plan.caption_dropout else None)
    planes: list[Floats] = []
    originals: list[int] = []
    shares: list[float] = []
    seen: list[tuple[Picture, Floats, PhotoLooks]] = []
    for selfie in selfies:  # one alpha at a time: a photo's is as large as the photo
        alpha = matter.matte(selfie.picture) if matter is not None and (asked or plan.outside < 1) else None
        if asked and alpha is not None:
            seen.append((*_framed(selfie, alpha, plan.resolution), look(selfie, alpha) if look else PhotoLooks()))
        for crop in crops:
            cut = cut_selfie(selfie, crop, plan.resolution, alpha, plan.outside)
            person.portraits.append(cut.picture)
            planes.append(cut.plane)
            originals.append(cut.original)
            shares.append(crop.share)
    told = _captions(seen, card) if asked else [plain] * len(selfies)
    person.captions.extend(caption for caption in told for _ in crops)
    if plan.outside < 1:
        person = replace(person, planes=planes)
    if plan.true_sizes:
        person = replace(person, originals=tuple(originals))
    return replace(person, shares=tuple(shares)) if len(crops) > 1 else person


@dataclass(frozen=True)
class Cut:
    """One crop: its picture, how much each pixel counts, and how many pixels of the photo it was made of, each way."""

    picture: Picture
    plane: Floats
    original: int


def cut_selfie(selfie: Likeness, crop: Crop, size: int, alpha: Floats | None, outside: float) -> Cut:
    """`outside`: what everything but the head counts; beyond the photo's edge nothing counts at all."""
    if crop.zoom == 1.0:
        picture, matrix = align_portrait(selfie.picture, selfie.face.landmarks, size)
    else:
        template = zoomed(PORTRAIT_TEMPLATE, crop.zoom, crop.centre)
        picture, matrix = align_to(selfie.picture, selfie.face.landmarks, template, size)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    inside = warp(np.ones(selfie.picture.shape[:2], np.float32), matrix, size, size, fill="black")
    head = np.ones((size, size), np.float32)
    if alpha is not None:
        chin = ((CHIN - crop.centre[1]) * crop.zoom + 0.5) * size
        rows = (np.arange(size, dtype=np.float32) + 0.5)[:, None]
        fall = np.clip((chin - rows) / (FADE * crop.zoom * size) + 0.5, 0, 1)
        head = np.asarray(warp(alpha, matrix, size, size, fill="black") * fall, np.float32)
    plane = np.asarray((outside + (1 - outside) * np.clip(head, 0, 1)) * (inside > 0.5), np.float32)
    return Cut(picture, plane, max(1, round(size / scale)))


def _framed(selfie: Likeness, alpha: Floats, size: int) -> tuple[Picture, Floats]:
    """The portrait and its person's alpha, as captions are read from them."""
    picture, matrix = align_portrait(selfie.picture, selfie.face.landmarks, size)
    return picture, np.asarray(warp(alpha, matrix, size, size, fill="edge"), np.float32)


def _captions(seen: Sequence[tuple[Picture, Floats, PhotoLooks]], card: BaseCard) -> list[str]:
    """A sentence for each selfie."""
    looks = what_differs([one for _, _, one in seen])
    return [
        caption_of(picture, alpha, card.token, one, small=card.small_grammar)
        for (picture, alpha, _), one in zip(seen, looks, strict=True)
    ]
