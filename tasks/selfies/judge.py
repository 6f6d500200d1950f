"""Judges photos by their measurements: one by one and as a set; across the company does same_face.py. Pure: no pixels.

Limits come with the eyes that measured (`Eyes.limits`, `Eyes.thresholds`): a cosine of one encoder says nothing about
another's. Exposure is judged on clipping and darkness, never on how light somebody's skin is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.selfies.findings import Finding, Severity, finding
from tasks.selfies.look import Look
from tasks.selfies.same_face import ComparedPhoto
from tasks.vision.faces import QualityLimits, Thresholds, Vector
from tasks.vision.quality import Quality, hamming
from tasks.vision.worlds import DRAWING, PHOTOGRAPH, BaseWorld

WANTED = 4  # accepted photos from which a person no longer counts as having few
REJECT: Severity = "reject"
WARN: Severity = "warn"
# Relative to how alike a person's photos are among themselves, which differs much from one person to the next:
NARROW = 0.85  # eyes this much nearer to each other than usual belong to a turned head
APART = 0.25  # two groups in one folder are two people when photos across are less alike than this
ALONE = 0.45  # a photo whose best match is less than this much of the others' is somebody else's
ENOUGH_VARIETY_BITS = 10  # hashes of photos taken in different places lie 14 and more apart


@dataclass(frozen=True)
class SelfieVerdict:
    """What becomes of one photo. `photo` counts from 1, in the order they were given."""

    photo: int
    accepted: bool
    findings: tuple[Finding, ...] = ()
    rating: int = 0  # 0..100: which of this person's photos is best


@dataclass(frozen=True)
class SetVerdict:
    """What becomes of a person's photos together."""

    verdicts: tuple[SelfieVerdict, ...]
    findings: tuple[Finding, ...]  # about the set
    shown: tuple[ComparedPhoto, ...] = ()  # the accepted photos, for comparing people; never stored
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


def judge_photo(look: Look, limits: QualityLimits, photo: int = 1) -> SelfieVerdict:
    """One photo by itself."""
    if look.refused:
        code, measured, limit = look.refused
        return SelfieVerdict(photo, False, (finding(code, measured, limit, photo=photo),))
    if look.quality is None:
        return SelfieVerdict(photo, False, (finding("no_face", look.faces, 1, photo=photo),))
    found = []
    if look.second_share > limits.second_face_warn:
        severity = REJECT if look.second_share > limits.second_face_reject else WARN
        found.append(finding("several_faces", look.faces, 1, severity=severity, photo=photo))
    found += _judge_flaws(look, limits, photo)
    found += _judge_lids(look, limits, photo)
    found += _judge_size(look, look.quality, limits, photo)
    found += _judge_quality(look.quality, limits, photo, uneven=any(f.code == "uneven_light" for f in found))
    if look.weak and not any(f.severity == "reject" for f in found):
        return SelfieVerdict(photo, False, (finding("no_face", 0, 1, photo=photo),))
    return SelfieVerdict(photo, all(f.severity != "reject" for f in found), tuple(found), look.rating)


def _judge_flaws(look: Look, limits: QualityLimits, photo: int) -> list[Finding]:
    """What a photo must not be, whatever else it is."""
    found = []
    if look.turned:
        found.append(finding("turned_upright", 90 * look.turned, photo=photo))
    if look.quality is not None and abs(look.quality.roll) > limits.roll:
        found.append(finding("rolled", abs(look.quality.roll), limits.roll, photo=photo))
    if look.flaws is None:
        return found
    flaws = look.flaws
    if flaws.beyond > limits.beyond:
        found.append(finding("cut_off", flaws.beyond, limits.beyond, photo=photo))
    if look.table > limits.table:
        found.append(finding("compressed", look.table, limits.table, photo=photo))
    elif flaws.blocks > limits.blocks:
        found.append(finding("compressed", flaws.blocks, limits.blocks, photo=photo))
    if flaws.noise > limits.grain:
        found.append(finding("noisy", flaws.noise, limits.grain, photo=photo))
    if flaws.chroma < limits.chroma:
        found.append(finding("no_colour", flaws.chroma, limits.chroma, photo=photo))
    # A turned head shows one side broad and the other in its own shade.
    if flaws.halves < limits.halves and look.quality is not None and look.quality.turned <= limits.yaw:
        found.append(finding("uneven_light", flaws.halves, limits.halves, photo=photo))
    return found


def _judge_size(look: Look, q: Quality, limits: QualityLimits, photo: int) -> list[Finding]:
    """Pixels between the eyes, and whether they hold as much as they are. What is blurred is called blurred."""
    if q.inter_eye_px < limits.inter_eye_px:
        return [finding("small_face", q.inter_eye_px, limits.inter_eye_px, photo=photo)]
    detail = look.flaws.detail if look.flaws is not None else q.inter_eye_px
    if detail < min(limits.inter_eye_px, q.inter_eye_px, limits.detail_px) and q.sharpness >= limits.sharpness:
        return [finding("little_detail", detail, limits.inter_eye_px, photo=photo)]
    if look.room < limits.room:
        return [finding("no_room", look.room, limits.room, photo=photo)]
    if q.inter_eye_px < limits.inter_eye_usual_px:
        return [finding("small_face/usable", q.inter_eye_px, limits.inter_eye_usual_px, photo=photo)]
    return []


def _judge_lids(look: Look, limits: QualityLimits, photo: int) -> list[Finding]:
    """Shut eyes and covered faces, of heads that are not turned: a profile has one eye, and points that move."""
    if look.lids is None or look.quality is None or look.quality.turned > limits.yaw:
        return []
    found = []
    if look.lids.apart < limits.lids_warn:
        severity = REJECT if look.lids.apart < limits.lids_shut else WARN
        found.append(finding("eyes_shut", look.lids.apart, limits.lids_warn, severity=severity, photo=photo))
    if look.lids.unsteady > limits.unsteady:
        found.append(finding("covered", look.lids.unsteady, limits.unsteady, photo=photo))
    return found


def _judge_quality(q: Quality, limits: QualityLimits, photo: int, *, uneven: bool = False) -> list[Finding]:
    """`uneven`: the light comes from one side, and that has been said. The dark half of such a face is black enough for
    dark skin to be called a dark photo, and not for light skin: one word for everybody."""
    found: list[Finding] = []
    if q.turned > limits.yaw:
        bad = q.turned > limits.yaw_reject
        bound, severity = (limits.yaw_reject, REJECT) if bad else (limits.yaw, WARN)
        found.append(finding("turned_away", q.turned, bound, severity=severity, photo=photo))
    # A low median alone is also very dark skin in fair light: only with much of the face lost in black is it dark.
    dim = q.exposure_median_L < limits.median_l_low and q.dark_share > limits.dark_share / 2
    if uneven:
        return found
    if dim or q.dark_share > limits.dark_share:
        found.append(finding("dark", q.exposure_median_L, limits.median_l_low, photo=photo))
    elif q.exposure_median_L > limits.median_l_high or q.clipped_share > limits.clipped_share:
        found.append(finding("overexposed", q.clipped_share, limits.clipped_share, photo=photo))
    # In a dark or burnt-out photo the following would only repeat it in other words: blur and hidden eyes are
    # read from contrasts that are not there.
    if any(f.code in ("dark", "overexposed") for f in found):
        return found
    if q.sharpness < limits.sharpness:
        found.append(finding("blurred", q.sharpness, limits.sharpness, photo=photo))
    # A turned head hides an eye as glasses would: frontal first.
    if q.turned <= limits.yaw_reject and q.eye_contrast < limits.eye_contrast:
        found.append(finding("sunglasses", q.eye_contrast, limits.eye_contrast, photo=photo))
    return found


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
        found.append(finding("too_few_photos", len(left), WANTED))
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
