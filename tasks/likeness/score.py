"""Is it them? Likeness of a headshot to its person's own selfies, and to everybody else's.

Three questions, because each catches what the others miss: is it like the selfies (probability), is it as like them
as they are among themselves (relative: fair to people whose selfies differ much; from one selfie nothing is said), and
is it nearer to this person than to anybody else in the company (rank and margin: twins, look-alikes, swaps). A fourth
guards them: a picture that is one of the selfies over again is not a headshot, however like it is. Vectors are unit
vectors of the judge, an encoder that guided nothing; they live in memory only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit_sections import Floors
from tasks.headshots.studio import Flag
from tasks.likeness.copies import Copying
from tasks.sentences import tell
from tasks.vision.faces import Thresholds

Vector = NDArray[np.float32]
NEAREST = 3  # selfies that count: the nearest ones, so that one odd selfie costs nothing


@dataclass(frozen=True)
class LikenessScore:
    """How like a picture is to its person. Cosines are of the judge; people see the probability."""

    likeness: float  # mean cosine to the nearest selfies
    relative: float | None  # likeness over how alike the selfies are among themselves; None where there is one only
    probability: float  # that it is the same person, 0..1
    rank: int  # 1: nearer to this person than to anybody else
    margin: float  # lead over the nearest other person (negative: somebody else leads)
    nearest_other: str | None  # id of the nearest other person
    copied: bool  # one of the selfies over again: nearer to it than the ceiling
    nearness: float | None = None  # to the nearest selfie's own pixels (`copies.Copying`); None in older records
    ceiling: float | None = None

    def as_json(self) -> dict[str, float | int | str | bool | None]:
        """Plain values for records."""
        return asdict(self)


def person_vector(references: Sequence[Vector]) -> Vector:
    """One unit vector for a person: the normalised mean of theirs."""
    mean = np.mean(np.stack(references), axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def score_headshot(
    vector: Vector,
    references: Sequence[Vector],
    company: Mapping[str, Vector],
    employee_id: str,
    thresholds: Thresholds,
    copying: Copying | None = None,
) -> LikenessScore:
    """Score one headshot's vector. `company` holds `person_vector`s by id, with or without this person's own."""
    if not references:
        raise ValueError("a headshot cannot be scored without a selfie of its person")
    likeness = _nearest_mean(references, vector)
    rank, margin, nearest = place_in_company(vector, {**company, employee_id: person_vector(references)}, employee_id)
    return LikenessScore(
        likeness=likeness,
        relative=likeness / max(among, 1e-3) if (among := among_themselves(references)) is not None else None,
        probability=thresholds.probability(likeness),
        rank=rank,
        margin=margin,
        nearest_other=nearest,
        copied=copying is not None and copying.copied,
        nearness=None if copying is None else round(copying.nearness, 3),
        ceiling=None if copying is None else round(copying.ceiling, 3),
    )


def place_in_company(vector: Vector, company: Mapping[str, Vector], owner: str) -> tuple[int, float, str | None]:
    """(rank, margin, nearest other) of a picture's vector among everybody's own vectors, the owner's included."""
    own = float(np.dot(vector, company[owner]))
    others = {other: float(np.dot(vector, v)) for other, v in company.items() if other != owner}
    if not others:
        return 1, 1.0, None
    nearest = max(others, key=lambda other: (others[other], other))
    return 1 + sum(cosine > own for cosine in others.values()), own - others[nearest], nearest


def among_themselves(references: Sequence[Vector]) -> float | None:
    """How alike a person's selfies are: the median over selfies of the mean likeness to the nearest others.

    One selfie says nothing about that.
    """
    if len(references) < 2:
        return None
    rest = [[other for j, other in enumerate(references) if j != i] for i in range(len(references))]
    return float(np.median([_nearest_mean(rest[i], references[i]) for i in range(len(references))]))


def likeness_flags(score: LikenessScore, floors: Floors, thresholds: Thresholds, *, lane: str) -> list[Flag]:
    """What keeps this picture from being shipped as it is. A photograph is a copy of itself, so not flagged so."""
    flags = company_flags(score, thresholds)
    if score.probability < floors.likeness:
        sentence = tell("seen.likeness", sure=score.probability)
        flags.append(Flag("likeness", round(score.probability, 3), floors.likeness, sentence))
    elif score.probability < floors.likeness_sure:
        sentence = tell("seen.likeness_unsure", sure=score.probability)
        flags.append(Flag("likeness_unsure", round(score.probability, 3), floors.likeness_sure, sentence))
    if score.relative is None and lane != "faithful":
        sentence = tell("seen.one_photo")
        flags.append(Flag("one_photo", 1, 2, sentence))
    elif score.relative is not None and score.relative < floors.relative_likeness:
        sentence = tell("seen.relative", like=score.relative)
        flags.append(Flag("relative_likeness", round(score.relative, 3), floors.relative_likeness, sentence))
    if score.copied and lane != "faithful":
        sentence = tell("seen.copied")
        flags.append(Flag("copied", score.nearness or 1, score.ceiling or 0, sentence))
    return flags


def company_flags(score: LikenessScore, thresholds: Thresholds) -> list[Flag]:
    """What keeps a picture from being shipped because of who else there is."""
    if score.rank > 1:
        return [Flag("wrong_person", score.rank, 1, tell("seen.wrong_person"))]
    if score.margin < thresholds.margin:
        sentence = tell("seen.margin")
        return [Flag("margin", round(score.margin, 3), thresholds.margin, sentence)]
    return []


def _nearest_mean(references: Sequence[Vector], vector: Vector) -> float:
    cosines = sorted((float(np.dot(vector, reference)) for reference in references), reverse=True)
    return float(np.mean(cosines[:NEAREST]))
