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
from tasks.headshots.measure import NoFaceLeft
from tasks.headshots.studio import FinishedCandidate, Flag
from tasks.likeness.choose import Candidate
from tasks.likeness.faithful import Faithfulness, compare_appearance, faithfulness_flags
from tasks.likeness.reference import PersonReference
from tasks.likeness.score import LikenessScore, face_hashes, likeness_flags, score_headshot
from tasks.vision.faces import Eyes

Vector = NDArray[np.float32]
Json = dict[str, object]


@dataclass(frozen=True)
class Judged:
    """A candidate with its verdict."""

    candidate: Candidate
    likeness: LikenessScore
    faithfulness: Faithfulness
    flags: tuple[Flag, ...]  # the studio's and the judge's

    def scores_as_json(self) -> Json:
        """For the record's `scores`: three plain tables."""
        return {
            "likeness": self.likeness.as_json(),
            "faithfulness": self.faithfulness.as_json(),
            "studio": self.candidate.measures.as_json(),
        }

    def flags_as_json(self) -> list[dict[str, str | float]]:
        """For the record's `flags`."""
        return [flag.as_json() for flag in self.flags]


def judge_candidate(
    key: str,
    candidate: FinishedCandidate,
    reference: PersonReference,
    company: Mapping[str, Vector],
    employee_id: str,
    kit: BrandKit,
    eyes: Eyes,
) -> Judged:
    """Judge one finished picture. `company`: `PersonReference.vector` of everybody by id; `key` is the caller's."""
    finished = candidate.finished
    face = find_head(finished.picture, eyes)
    if face is None:
        raise NoFaceLeft("no face found in a finished picture")
    likeness = score_headshot(
        eyes.judge.embed(finished.picture, face),
        reference.vectors,
        company,
        employee_id,
        eyes.judge_thresholds,
        hashes=face_hashes(finished.picture, face),
        selfie_hashes=reference.hashes,
    )
    found = compare_appearance(finished.measures, reference, kit.floors, finished.source_inter_eye)
    flags = (
        *candidate.flags,
        *likeness_flags(likeness, kit.floors, eyes.judge_thresholds, lane=finished.lane),
        *faithfulness_flags(found, kit.floors),
    )
    entry = Candidate(key, likeness, finished.measures, flags, found.texture_ratio)
    return Judged(candidate=entry, likeness=likeness, faithfulness=found, flags=flags)
