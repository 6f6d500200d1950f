"""One call from a finished picture to everything that is said about it: likeness, faithfulness, all flags.

The counterpart of `headshots/studio.py`: flows call `read_reference` once per person, then this for every candidate,
then `choose`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit import BrandKit
from tasks.headshots.look import find_head
from tasks.headshots.measure import NoFaceLeft, PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate
from tasks.likeness.faithful import Faithfulness, compare_appearance, faithfulness_flags
from tasks.likeness.head import read_head
from tasks.likeness.kept import JUDGED_BY, KeptLooks, compare_heads, kept_flags
from tasks.likeness.reference import PersonReference
from tasks.likeness.score import LikenessScore, likeness_flags, score_headshot
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Judged:
    """A candidate with its verdict."""

    candidate: Candidate
    likeness: LikenessScore
    faithfulness: Faithfulness
    kept: KeptLooks
    flags: tuple[Flag, ...]  # the studio's and the judge's


@dataclass(frozen=True)
class ToJudge:
    """A finished picture as the judge needs it: from `finish_candidate`, or read back from its record."""

    key: str  # the caller's, for instance the digest
    picture: Picture
    measures: PictureMeasures
    studio_flags: tuple[Flag, ...]
    lane: str
    source_inter_eye: float


def judge_candidate(
    one: ToJudge,
    reference: PersonReference,
    company: Mapping[str, Vector],
    employee_id: str,
    kit: BrandKit,
    eyes: Eyes,
    *,
    wish: str = "keep",
) -> Judged:
    """Judge one finished picture. `company`: `PersonReference.vector` of everybody, by id.

    `wish` is the roster's word on glasses: keep what the selfies show, on, or off.
    """
    face = find_head(one.picture, eyes)
    if face is None:
        raise NoFaceLeft("no face found in a finished picture")
    likeness = score_headshot(
        eyes.judge.embed(one.picture, face),
        reference.vectors,
        company,
        employee_id,
        eyes.judge_thresholds,
        reference.photos.nearest(one.picture, face),
    )
    found = compare_appearance(
        one.measures, reference, kit.floors, one.source_inter_eye, chance_light=eyes.name not in JUDGED_BY
    )
    head, plain = read_head(one.picture, face, eyes.matter), kit.backdrop.kind != "picture"
    kept = compare_heads(head, reference.heads, wish, eyes.name, plain=plain)
    flags = (
        *one.studio_flags,
        *likeness_flags(likeness, kit.floors, eyes.judge_thresholds, lane=one.lane),
        *faithfulness_flags(found, kit.floors),
        *kept_flags(kept, wish),
    )
    entry = Candidate(one.key, likeness, one.measures, flags, found.texture_ratio)
    return Judged(candidate=entry, likeness=likeness, faithfulness=found, kept=kept, flags=flags)
