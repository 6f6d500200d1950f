"""Which candidate comes first, and why, in words a reviewer can check with their own eyes.

Order: pictures without flags before pictures with; then by how like they are; framing, edges and texture break near
ties. The sentence names what decided against the runner-up, not a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.score import LikenessScore
from tasks.sentences import tell

NEAR_TIE = 0.03  # of relative likeness: below this nobody sees a difference
GRAVE = {"wrong_person", "no_face", "copied", "holes"}  # flags that no likeness makes good
# Flags that new seeds may not cure: the person has to be learned for longer, or the photos do not show enough.
NOT_LIKE_THEM = {"likeness", "relative_likeness", "wrong_person", "margin"}
# Flags that no other picture can lose: they are about what was handed in.
OF_THE_PHOTOS = {"one_photo"}


@dataclass(frozen=True)
class Candidate:
    """One finished picture as the choice sees it. `key` is the caller's, for instance its digest."""

    key: str
    likeness: LikenessScore
    measures: PictureMeasures
    flags: tuple[Flag, ...]
    texture_ratio: float | None = None  # cheek texture over the selfies'


@dataclass(frozen=True)
class Ranked:
    """A candidate's place: 1 is shown first."""

    key: str
    place: int
    why: str


def choose(candidates: Sequence[Candidate]) -> list[Ranked]:
    """All candidates in order, each with its reason. Equal inputs give equal orders."""
    ordered = sorted(candidates, key=_rank)
    choices = []
    for place, candidate in enumerate(ordered, start=1):
        if place == 1:
            why = _why_first(candidate, ordered[1] if len(ordered) > 1 else None)
        else:
            why = _why_after(candidate, ordered[0])
        choices.append(Ranked(candidate.key, place, why))
    return choices


def _rank(candidate: Candidate) -> tuple[int, bool, bool, int, float, float, str]:
    codes = [flag.code for flag in candidate.flags]
    grave = sum(code in GRAVE for code in codes)
    # Near ties in likeness are one step, so that what people do see decides within it.
    step = -round(min(_closeness(candidate), 1.2) / NEAR_TIE)
    # A head that is cut off is seen before anything else that is wrong with a picture.
    last = "copied" in codes, "head_lost" in codes or "crown_cut" in codes
    return grave, *last, len(codes), step, _blemish(candidate), candidate.key


def _closeness(candidate: Candidate) -> float:
    """How like a picture is, for telling one person's apart: against one photo alone, by the cosine itself."""
    relative = candidate.likeness.relative
    return candidate.likeness.likeness if relative is None else relative


def _say_like(candidate: Candidate) -> str:
    """In words; nothing is more like somebody's photos than they are themselves."""
    relative = candidate.likeness.relative
    if relative is None:
        return tell("chosen.sure", sure=candidate.likeness.probability)
    return tell("chosen.as_like", like=min(relative, 1))


def _blemish(candidate: Candidate) -> float:
    """How far a picture is from clean, in no unit: halo, holes, texture lost or added."""
    texture = abs(1 - candidate.texture_ratio) if candidate.texture_ratio is not None else 0.0
    return candidate.measures.halo / 3 + candidate.measures.holes / 0.005 + texture


def _why_first(first: Candidate, second: Candidate | None) -> str:
    like = _say_like(first)
    if first.flags:
        return tell("chosen.best_there_is", flags=_list_flags(first), like=like)
    if second is None:
        return tell("chosen.nothing", like=like)
    if second.flags:
        return tell("chosen.unlike_next", like=like)
    if _closeness(first) - _closeness(second) > NEAR_TIE:
        return tell("chosen.most_like", like=like, other=_other(second, "next"))
    return tell("chosen.as_next", like=like, better=_cleaner(first, second))


def _why_after(candidate: Candidate, first: Candidate) -> str:
    if candidate.flags and not first.flags:
        return _list_flags(candidate).strip()
    if candidate.flags:
        return tell("chosen.less_against", flags=_list_flags(candidate))
    if _closeness(first) - _closeness(candidate) > NEAR_TIE:
        relative = candidate.likeness.relative
        if relative is None:
            return tell("chosen.less_like_one")
        return tell("chosen.less_like", like=min(relative, 1), other=_other(first, "first"))
    return tell("chosen.as_first", better=_cleaner(first, candidate))


def _other(other: Candidate, who: str) -> str:
    """The same about another picture; against one photo alone there is no such number."""
    relative = other.likeness.relative
    return "" if relative is None else tell(f"chosen.and_{who}", like=min(relative, 1))


def _cleaner(first: Candidate, other: Candidate) -> str:
    """What is visibly better in the first."""
    if other.measures.halo - first.measures.halo > 0.3:
        return tell("chosen.cleaner_edges")
    if other.measures.holes - first.measures.holes > 0.001:
        return tell("chosen.cleaner_background")
    ours, theirs = first.texture_ratio, other.texture_ratio
    if ours is not None and theirs is not None and abs(1 - theirs) - abs(1 - ours) > 0.1:
        return tell("chosen.nearer_skin")
    return tell("chosen.nothing_else")


def _list_flags(candidate: Candidate) -> str:
    return " ".join(flag.sentence for flag in candidate.flags)
