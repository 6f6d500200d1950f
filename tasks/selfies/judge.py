"""Judges one photo by its measurements; a person's photos together does judge_set.py. Pure: no pixels.

Limits come with the eyes that measured (`Eyes.limits`, `Eyes.thresholds`): a cosine of one encoder says nothing about
another's. Exposure is judged on clipping and darkness, never on how light somebody's skin is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tasks.selfies.findings import Finding, Severity, finding
from tasks.selfies.look import Look
from tasks.vision.faces import QualityLimits
from tasks.vision.quality import Quality

REJECT: Severity = "reject"
WARN: Severity = "warn"


@dataclass(frozen=True)
class SelfieVerdict:
    """What becomes of one photo. `photo` counts from 1, in the order they were given."""

    photo: int
    accepted: bool
    findings: tuple[Finding, ...] = ()
    rating: int = 0  # 0..100: which of this person's photos is best


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
    if found := _judge_room(look, limits, photo):
        return found
    if q.inter_eye_px < limits.inter_eye_usual_px:
        return [finding("small_face/usable", q.inter_eye_px, limits.inter_eye_usual_px, photo=photo)]
    return []


def _judge_room(look: Look, limits: QualityLimits, photo: int) -> list[Finding]:
    """Whether the photo goes on as far as the frame of each kit: on which sides it does not, or under which kits."""
    if look.around is None:
        return []
    there = asdict(look.around)
    shares = {kit: {side: there[side] / asked for side, asked in asdict(frame).items()} for kit, frame in limits.frames}
    short = {kit: min(sides.values()) for kit, sides in shares.items() if min(sides.values()) < limits.room}
    if not short:
        return []
    if len(short) < len(shares):
        return [finding("no_room/some", ", ".join(sorted(short)), photo=photo)]
    where = {side for sides in shares.values() for side, share in sides.items() if share < limits.room}
    beside = {"beside" if side in ("left", "right") else side for side in where}
    code = f"no_room/{beside.pop()}" if len(beside) == 1 else "no_room"
    return [finding(code, min(short.values()), limits.room, photo=photo)]


def _judge_lids(look: Look, limits: QualityLimits, photo: int) -> list[Finding]:
    """Shut eyes and covered faces, of heads that are not turned: a profile has one eye, and points that move."""
    if look.lids is None or look.quality is None or look.quality.turned > limits.yaw:
        return []
    found = []
    if look.lids.shut > limits.lids_warn:
        severity = REJECT if look.lids.shut > limits.lids_shut else WARN
        found.append(finding("eyes_shut", look.lids.shut, limits.lids_warn, severity=severity, photo=photo))
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
    elif q.turned <= limits.yaw and q.eye_structure < limits.eye_structure:
        found.append(finding("sunglasses/tinted", q.eye_structure, limits.eye_structure, photo=photo))
    return found
