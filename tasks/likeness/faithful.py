"""Faithful, not idealised: has anything about the person been "improved"?

Skin is compared with the person's own selfies, never with another person's or a norm; texture of the cheek shows
smoothing; over the company, the mean shift of skin is given for everybody and for the darkest and the lightest third
of references, because that is where a pull to a middle tone or a general lightening shows. Nothing here guesses
anybody's ethnicity, age or gender.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit_sections import Floors
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.reference import ENOUGH_FOR_TONE, PersonReference, reference_texture
from tasks.sentences import tell

SMALLEST_COMPANY = 6  # people: thirds of fewer say nothing
TARGET_SHIFT = 4.0  # degrees ITA, company-wide


@dataclass(frozen=True)
class Faithfulness:
    """One picture against its person's selfies."""

    skin_shift: float | None  # degrees ITA, picture minus selfies; positive is lighter
    skin_limit: float | None  # how much is within this person's own spread; None with too few selfies
    texture_ratio: float | None  # cheek texture, picture over selfies
    reference_ita: float | None
    texture_unsure: float | None = None  # sd of the ratio's logarithm, from how the selfies differ among themselves

    def as_json(self) -> dict[str, float | None]:
        """Plain values for records."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, float | None]) -> Faithfulness:
        """From records of any version: what is no longer measured is passed over."""
        return cls(**{field.name: values.get(field.name) for field in fields(cls)})


@dataclass(frozen=True)
class ToneBias:
    """Mean skin shift over a group of people, in degrees ITA."""

    group: str  # "all", "darkest third", "lightest third"
    people: int
    shift: float
    within_target: bool
    error: float | None = None  # standard error of the shift: selfies under chance light say little about few people


def compare_appearance(
    measures: PictureMeasures,
    reference: PersonReference,
    floors: Floors,
    source_inter_eye: float,
    *,
    chance_light: bool = False,
) -> Faithfulness:
    """Skin and texture of a finished picture against the selfies of its person.

    `chance_light`: the selfies are photographs under whatever light there was. Then one picture's skin has no limit:
    two photos of one person differ as two people's do, by angle and by hue (`benchmarks/faces.py --only skin`), and no
    limit that leaves them alone notices half a stop of lightening. The company's mean shift still does.
    """
    tone = reference.tone
    texture = reference_texture(reference, source_inter_eye)
    ratio, unsure = None, None
    if texture is not None and measures.texture > 0:
        ratio, unsure = measures.texture / texture.value, texture.unsure
    if tone is None:
        return Faithfulness(None, None, ratio, None, unsure)
    limit = max(floors.skin_shift, 2 * tone.ita_spread) if tone.photos >= ENOUGH_FOR_TONE and not chance_light else None
    return Faithfulness(
        skin_shift=measures.skin_ita - tone.ita,
        skin_limit=limit,
        texture_ratio=ratio,
        reference_ita=tone.ita,
        texture_unsure=unsure,
    )


def faithfulness_flags(found: Faithfulness, floors: Floors) -> list[Flag]:
    """What has been changed about the person. Skin needs five selfies before it is judged at all."""
    flags = []
    if found.skin_shift is not None and found.skin_limit is not None and skin_is_off(found):
        way = "lighter" if found.skin_shift > 0 else "darker"
        sentence = tell(f"seen.skin_{way}", degrees=abs(found.skin_shift))
        flags.append(Flag("skin_tone", round(found.skin_shift, 1), round(found.skin_limit, 1), sentence))
    if found.texture_ratio is not None and texture_is_off(found, floors):
        low, high = floors.texture
        if found.texture_ratio < low:
            sentence = tell("seen.smoothed", left=found.texture_ratio)
            flags.append(Flag("smoothed", round(found.texture_ratio, 2), low, sentence))
        else:
            sentence = tell("seen.roughened", left=found.texture_ratio)
            flags.append(Flag("roughened", round(found.texture_ratio, 2), high, sentence))
    return flags


def skin_is_off(found: Faithfulness) -> bool:
    """Whether the skin is further from the selfies' than they allow: the one rule, for flags, team and pages."""
    shift, limit = found.skin_shift, found.skin_limit
    return shift is not None and limit is not None and abs(shift) > limit


def can_tell(found: Faithfulness, limit: float) -> bool:
    """Whether this person's selfies are alike enough for a texture beyond this limit to mean anything.

    Two standard deviations of what chance does must fit within the limit; where they do not, the check is silent.
    """
    return found.texture_unsure is None or 2 * found.texture_unsure <= abs(math.log(limit))


def texture_is_off(found: Faithfulness, floors: Floors) -> bool:
    """Whether the cheek has lost or gained more texture than the kit allows, as far as the selfies can say."""
    ratio, (low, high) = found.texture_ratio, floors.texture
    if ratio is None:
        return False
    return (ratio < low and can_tell(found, low)) or (ratio > high and can_tell(found, high))


def tone_bias(found: Sequence[Faithfulness]) -> list[ToneBias]:
    """Company-wide shift of skin: everybody, and the darkest and lightest third by their selfies."""
    pairs = sorted(
        (one.reference_ita, one.skin_shift)
        for one in found
        if one.reference_ita is not None and one.skin_shift is not None
    )
    if not pairs:
        return []
    shifts = np.array([shift for _, shift in pairs])
    groups = [("all", shifts)]
    if len(pairs) >= SMALLEST_COMPANY:
        third = len(pairs) // 3
        groups += [("darkest third", shifts[:third]), ("lightest third", shifts[-third:])]
    return [
        ToneBias(name, len(values), float(values.mean()), bool(abs(values.mean()) <= TARGET_SHIFT), _error(values))
        for name, values in groups
    ]


def _error(values: NDArray[np.float64]) -> float | None:
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
