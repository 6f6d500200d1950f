"""Judges a person's photos as a set, each judged by itself before: copies, turned heads, strangers, variety. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.selfies.findings import Finding, finding
from tasks.selfies.judge import REJECT, WARN, SelfieVerdict, judge_photo
from tasks.selfies.look import Look
from tasks.selfies.same_face import ComparedPhoto
from tasks.vision.faces import QualityLimits, Thresholds, Vector
from tasks.vision.quality import hamming
from tasks.vision.worlds import DRAWING, PHOTOGRAPH, BaseWorld

WANTED = 4  # accepted photos from which a person no longer counts as having few
NARROW = 0.85  # eyes this much nearer to each other than usual belong to a turned head
# Relative to how alike a person's photos are among themselves, which differs much from one person to the next:
APART = 0.25  # two groups in one folder are two people when photos across are less alike than this
ALONE = 0.45  # a photo whose best match is less than this much of the others' is somebody else's
ENOUGH_VARIETY_BITS = 10  # hashes of photos taken in different places lie 14 and more apart


@dataclass(frozen=True)
class SetVerdict:
    """What becomes of a person's photos together."""

    verdicts: tuple[SelfieVerdict, ...]
    findings: tuple[Finding, ...]  # about the set
    shown: tuple[ComparedPhoto, ...] = ()  # the accepted photos, for comparing people
    texture: float | None = None  # median of the accepted photos; None where there is none

    @property
    def accepted(self) -> int:
        return sum(verdict.accepted for verdict in self.verdicts)

    @property
    def best(self) -> int | None:
        """The number of the photo that makes the best headshot; None where none is accepted."""
        accepted = [verdict for verdict in self.verdicts if verdict.accepted]
        return max(accepted, key=lambda verdict: (verdict.rating, -verdict.photo)).photo if accepted else None

    @property
    def few(self) -> bool:
        return 0 < self.accepted < WANTED

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Of the set first, then photo by photo."""
        return self.findings + tuple(f for verdict in self.verdicts for f in verdict.findings)


def judge_set(looks: Sequence[Look], limits: QualityLimits, thresholds: Thresholds) -> SetVerdict:
    """All photos of one person: copies counted once, strangers found, and whether enough is left."""
    verdicts = [judge_photo(look, limits, i + 1) for i, look in enumerate(looks)]
    verdicts = _without_copies(looks, verdicts, limits)
    verdicts = _without_profiles(looks, verdicts)
    verdicts, found = _without_strangers(looks, verdicts, thresholds)
    left = [look for look, verdict in zip(looks, verdicts, strict=True) if verdict.accepted]
    if not looks:
        found.append(finding("no_photos", 0, WANTED))
    elif not left:
        found.append(finding("no_photos/unusable", len(looks), WANTED))
    elif len(left) < WANTED:
        found.append(finding(f"too_few_photos/{len(left)}", len(left), WANTED))  # each number means something else
    elif _spread(left) < ENOUGH_VARIETY_BITS:
        found.append(finding("little_variety", _spread(left), ENOUGH_VARIETY_BITS))
    shown = (
        ComparedPhoto(look.vector, look.digest, look.hash, look.mirrored) for look in left if look.vector is not None
    )
    texture = float(np.median([look.texture for look in left])) if left else None
    return SetVerdict(tuple(verdicts), tuple(found), tuple(shown), texture)


def of_another_world(verdict: SetVerdict, base: BaseWorld) -> tuple[Finding, ...]:
    """Photographs for a base that draws drawings, and drawings for one that draws people."""
    if verdict.texture is None:
        return ()
    if base.world == "drawn" and verdict.texture > PHOTOGRAPH:
        return (finding("photographs/anyway" if base.anyway else "photographs", verdict.texture, PHOTOGRAPH),)
    if base.world == "real" and verdict.texture < DRAWING:
        return (finding("drawn", verdict.texture, DRAWING),)
    return ()


def _distance(first: Look, second: Look) -> int:
    """Bits between two pictures; a mirrored copy is a copy."""
    return min(hamming(first.hash, second.hash), hamming(first.hash, second.mirrored))


def _spread(looks: Sequence[Look]) -> int:
    return max((_distance(a, b) for i, a in enumerate(looks) for b in looks[:i]), default=64)


def _reject(verdict: SelfieVerdict, why: Finding) -> SelfieVerdict:
    accepted = verdict.accepted and why.severity != "reject"
    return replace(verdict, accepted=accepted, findings=(*verdict.findings, why))


def _without_copies(
    looks: Sequence[Look], verdicts: Sequence[SelfieVerdict], limits: QualityLimits
) -> list[SelfieVerdict]:
    """Of photos that are nearly the same the largest face stays; bursts are no evidence of anything."""
    result = list(verdicts)
    kept: list[int] = []
    by_size = sorted(
        (i for i, verdict in enumerate(verdicts) if verdict.accepted),
        key=lambda i: (-(q.inter_eye_px if (q := looks[i].quality) else 0.0), i),
    )
    for i in by_size:
        nearest = min((_distance(looks[i], looks[j]) for j in kept), default=64)
        if nearest <= limits.duplicate_bits:
            result[i] = _reject(result[i], finding("near_duplicate", nearest, limits.duplicate_bits, photo=i + 1))
        else:
            kept.append(i)
    return result


def _without_profiles(looks: Sequence[Look], verdicts: Sequence[SelfieVerdict]) -> list[SelfieVerdict]:
    """Heads turned so far that the second eye is a guess, and the nose with it, still show by eyes that have moved
    together. Faces differ in this, so the measure is the person's own other photos."""
    result = list(verdicts)
    left = [i for i, verdict in enumerate(verdicts) if verdict.accepted]
    if len(left) < 3:
        return result
    usual = float(np.median([looks[i].eye_width for i in left]))
    for i in left:
        share = looks[i].eye_width / max(usual, 1e-6)
        if share < NARROW:
            result[i] = _reject(result[i], finding("turned_away/far", share, NARROW, photo=i + 1))
    return result


def _without_strangers(
    looks: Sequence[Look], verdicts: Sequence[SelfieVerdict], thresholds: Thresholds
) -> tuple[list[SelfieVerdict], list[Finding]]:
    """Photos whose best match inside the folder is below `belongs`, and folders that hold two people."""
    result = list(verdicts)
    left = [i for i, verdict in enumerate(verdicts) if verdict.accepted and looks[i].vector is not None]
    if len(left) < 2:
        return result, []
    vectors = np.stack([v for i in left if (v := looks[i].vector) is not None])
    cosines = vectors @ vectors.T
    if len(left) == 2:  # nothing says which of two is the right one
        value = float(cosines[0, 1])
        if value < thresholds.stranger:
            for i in left:
                result[i] = _reject(result[i], finding("other_person/which", value, thresholds.stranger, photo=i + 1))
            return result, [finding("other_person/set", value, thresholds.stranger, severity="warn")]
        return result, []
    groups = _groups(cosines, thresholds.stranger)
    if len(groups) > 1 and len(groups[1]) > 1:
        between = float(np.mean(cosines[np.ix_(groups[0], groups[1])]))
        bound = min(thresholds.stranger, APART * _agreement(cosines, groups[0], groups[1]))
        if between < bound:
            return result, [finding("other_person/set", between, bound)]
    np.fill_diagonal(cosines, -1.0)
    best = cosines.max(axis=1)
    for place, i in enumerate(left):
        usual = float(np.median(np.delete(best, place)))  # how surely the others find each other
        if best[place] < thresholds.belongs:
            sure = best[place] < max(thresholds.stranger, min(thresholds.belongs, ALONE * usual))
            # Only photos that find each other can say of another one that it is not them: else each of them is doubted
            # by the others, and blaming one would be a guess that hits the right one in a fifth of all cases.
            code = "other_person" if usual >= thresholds.belongs else "other_person/which"
            severity = REJECT if sure and code == "other_person" else WARN
            why = finding(code, float(best[place]), thresholds.belongs, severity=severity, photo=i + 1)
            result[i] = _reject(result[i], why)
    return result, []


def _agreement(cosines: Vector, *groups: Sequence[int]) -> float:
    """How alike the photos within each group are: the geometric mean over the groups of their mean cosines."""
    means = []
    for group in groups:
        block = cosines[np.ix_(group, group)]
        if len(group) > 1:
            means.append((float(block.sum()) - float(np.trace(block))) / (len(group) * (len(group) - 1)))
    return float(np.prod(np.maximum(means, 0.01)) ** (1 / len(means))) if means else 1.0


def _groups(cosines: Vector, limit: float) -> list[list[int]]:
    """Average-linkage groups, the largest first: merged while the mean cosine between two groups reaches `limit`."""
    groups = [[i] for i in range(len(cosines))]
    while len(groups) > 1:
        best, pair = -2.0, (0, 0)
        for a in range(len(groups)):
            for b in range(a):
                value = float(np.mean(cosines[np.ix_(groups[a], groups[b])]))
                if value > best:
                    best, pair = value, (a, b)
        if best < limit:
            break
        groups[pair[1]] += groups.pop(pair[0])
    return sorted(groups, key=len, reverse=True)
