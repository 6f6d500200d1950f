"""Glasses and hair are kept: a headshot's head against the person's own selfies, with the selfies' own spread.

Somebody who wears glasses in some selfies only, or their hair now up and now down, cannot be wronged by either, so
where the selfies disagree the check is silent; nothing is judged on fewer than three. What the roster wishes about
glasses goes before what the selfies show.

Limits belong to the eyes. Those of hair are the embedded eyes' and drawn people's, on whom they were found and hold at
24 px between the eyes as at 65 (`benchmarks/studio_appearance.py` prints how well). With the eyes for real people hair
is recorded and not judged: one person's in two photographs differs as much as two people's. Glasses are: on 121
photographs their limits were wrong about 1 of 91 bare faces (a frown at noon) and 1 of 26 with glasses (rimless), and
silent on 15 of 117. They were fitted on these, so that is a ceiling, and they are asked where three selfies agree.

Not noticed, because light and pose alone do as much: black hair turned dark brown, a parting that moves, an inch more
or less. A haircut is not told from a mistake either; that is for the reviewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.studio import Flag
from tasks.likeness.head import OUTLINE, Colour, Head
from tasks.sentences import tell
from tasks.vision.colour import delta_e, linear_to_srgb, to_lab
from tasks.vision.glasses import BARE, GLASSES, WORN, wears_glasses

Doubles = NDArray[np.float64]
ENOUGH = 3  # selfies that must show a thing before it is judged
JUDGED_BY = frozenset({"embedded"})  # eyes on whose people the limits below were found
# Eye distances by which an outline may always differ, by place: what pose and lens do to a head that kept its hair.
OUTLINE_FLOOR = (0.60, 0.45, 0.40, 0.25, 0.42, 0.30)
RANGE = 1.5  # times the selfies' own range is allowed where that is more: a new shot may go beyond a few others
COLOUR_FLOOR = 10.0  # CIEDE2000 with lightness at half weight: what light does to hair
WISHES = {"on": True, "off": False}  # of the roster; "keep" leaves it to the selfies
PLACES = ("top", "cheeks", "mouth")  # that have a sentence of their own; the rest is the sides


@dataclass(frozen=True)
class KeptLooks:
    """Glasses and hair of one picture against its person's selfies. None where nothing can be said."""

    glasses: float  # score of the picture: see `Head.glasses`
    glasses_selfies: float | None  # median of the selfies
    glasses_expected: bool | None  # by the wish, or by selfies that agree
    hair_colour: float | None  # difference, lightness at half weight
    hair_colour_limit: float | None
    hair_outline: float | None  # eye distances, picture minus selfies, at the place that is worst for its limit
    hair_outline_limit: float | None
    hair_place: str | None  # one of `OUTLINE`
    glasses_bare: float = BARE  # the limits of the eyes that read the score
    glasses_worn: float = WORN

    def as_json(self) -> dict[str, float | bool | str | None]:
        """Plain values for records."""
        return asdict(self)


def compare_heads(head: Head, selfies: Sequence[Head], wish: str, eyes: str, *, plain: bool = True) -> KeptLooks:
    """`wish`: keep, on or off, as the roster says. `eyes`: the name of those that read all of it.

    Eyes without limits of their own leave limits and expectation out, and so raise no flag. `plain` is false for a
    backdrop that is a photograph: there the eyes take bright spots for hair, and the outline has no limit.
    """
    limits, between = eyes in JUDGED_BY, GLASSES.get(eyes)
    colour, colour_limit = _compare_colours(head, selfies)
    shift, shift_limit, place = _compare_outlines(head, selfies)
    scores = [one.glasses for one in selfies]
    return KeptLooks(
        glasses=head.glasses,
        glasses_selfies=float(np.median(scores)) if scores else None,
        glasses_expected=_expected(scores, wish, between) if between else None,
        hair_colour=colour,
        hair_colour_limit=colour_limit if limits else None,
        hair_outline=shift,
        hair_outline_limit=shift_limit if limits and plain else None,
        hair_place=place,
        glasses_bare=(between or (BARE, WORN))[0],
        glasses_worn=(between or (BARE, WORN))[1],
    )


def kept_flags(found: KeptLooks, wish: str) -> list[Flag]:
    """What has come, gone or changed on the head, in words that a reviewer can check against the selfies."""
    flags = []
    between = (found.glasses_bare, found.glasses_worn)
    shown, expected = wears_glasses(found.glasses, between), found.glasses_expected
    if None not in (shown, expected) and shown != expected:
        limit = found.glasses_worn if expected else found.glasses_bare
        flags.append(Flag("glasses", round(found.glasses, 1), limit, _say_glasses(bool(shown), wish)))
    colour, colour_limit = found.hair_colour, found.hair_colour_limit
    if colour is not None and colour_limit is not None and colour > colour_limit:
        sentence = tell("seen.hair_colour", off=colour)
        flags.append(Flag("hair_colour", round(colour, 1), round(colour_limit, 1), sentence))
    shift, shift_limit = found.hair_outline, found.hair_outline_limit
    if shift is not None and shift_limit is not None and abs(shift) > shift_limit:
        sentence = _say_outline(found.hair_place or "", shift)
        flags.append(Flag("hair_outline", round(abs(shift), 2), round(shift_limit, 2), sentence))
    return flags


def _expected(scores: Sequence[float], wish: str, between: tuple[float, float]) -> bool | None:
    """What the picture should show: the wish, or what at least three selfies show and none contradicts."""
    if wish in WISHES:
        return WISHES[wish]
    said = [wears_glasses(score, between) for score in scores]
    clear = {one for one in said if one is not None}
    return clear.pop() if len(clear) == 1 and len(said) - said.count(None) >= ENOUGH else None


def _compare_outlines(head: Head, selfies: Sequence[Head]) -> tuple[float | None, float | None, str | None]:
    """(difference, limit, place) where the difference is largest for its limit.

    A place's limit is its floor, or a little more than the range of the selfies where that is larger.
    """
    found: list[tuple[float, float, str]] = []
    for at, (place, floor) in enumerate(zip(OUTLINE, OUTLINE_FLOOR, strict=True)):
        own, others = head.outline[at], [one.outline[at] for one in selfies]
        seen = np.array([other for other in others if math.isfinite(other)])
        if len(seen) >= ENOUGH and math.isfinite(own):
            found.append((own - float(np.median(seen)), max(floor, RANGE * float(np.ptp(seen))), place))
    return max(found, key=lambda one: abs(one[0]) / one[1], default=(None, None, None))


def _compare_colours(head: Head, selfies: Sequence[Head]) -> tuple[float | None, float | None]:
    """(difference, limit). Limit: the floor, or how far the selfies themselves lie from their middle."""
    shown = [(one.hair, one.skin) for one in selfies if one.hair is not None and one.skin is not None]
    if len(shown) < ENOUGH or head.hair is None or head.skin is None:
        return None, None
    tone = np.median([skin for _hair, skin in shown], axis=0)
    plain = [_lab(hair) for hair, _skin in shown]
    under = [_under_one_light(hair, skin, tone) for hair, skin in shown]
    middles = np.median(plain, axis=0), np.median(under, axis=0)

    def off(as_seen: Doubles, as_lit: Doubles) -> float:
        # Chance light tints hair as it is seen; chance shade on the face tints it relative to skin. Both at once only
        # when it is another colour.
        return min(_difference(as_seen, middles[0]), _difference(as_lit, middles[1]))

    limit = max(COLOUR_FLOOR, max(map(off, plain, under)))
    return off(_lab(head.hair), _under_one_light(head.hair, head.skin, tone)), limit


def _under_one_light(hair: Colour, skin: Colour, tone: Doubles) -> Doubles:
    """Hair as it would look in the light under which this picture's skin has the selfies' tone."""
    return _lab(np.asarray(hair) / np.maximum(skin, 1e-3) * tone)


def _lab(linear: Colour | Doubles) -> Doubles:
    byte = np.rint(linear_to_srgb(np.clip(linear, 0, 1)) * 255).astype(np.uint8)
    return np.asarray(to_lab(byte[None])[0], np.float64)


def _difference(first: Doubles, second: Doubles) -> float:
    """CIEDE2000, lightness at half weight: a lamp changes how light hair is more than what colour it has."""
    return float(delta_e([(first[0] + second[0]) / 2, first[1], first[2]], second))


def _say_glasses(shown: bool, wish: str) -> str:
    if wish in WISHES:
        return tell("seen.glasses_not_wanted" if shown else "seen.glasses_wanted")
    return tell("seen.glasses_come" if shown else "seen.glasses_gone")


def _say_outline(place: str, shift: float) -> str:
    where, way = place if place in PLACES else "sides", "more" if shift > 0 else "less"
    return tell(f"seen.hair_{where}_{way}", off=abs(shift))
