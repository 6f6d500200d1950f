"""Is it one company? The design's table, measured over everybody's finished picture.

Medians and the worst 5 % of people, never a mean alone; outliers are named by id with the measure that fails, so that
a reviewer can look. Face brightness is never compared between people: that would measure skin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.headshots.kit import BrandKit
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.faithful import Faithfulness, ToneBias, can_tell, skin_is_off, texture_is_off, tone_bias
from tasks.vision.colour import delta_e

Doubles = NDArray[np.float64]
LIGHT_OUTLIER = 3.0  # robust standard deviations from the team's median
SKIN = "skin tone kept"
LEAST_SPREAD = 0.1  # stops: in a team this even nobody is an outlier


@dataclass(frozen=True)
class TeamRow:
    """One line of the table."""

    measure: str
    unit: str
    median: float
    worst: float  # 95th percentile over people, of the distance from the kit; for sd rows the same as the median
    target: float
    met: bool  # the worst 5 % included, and nobody sticks out by this measure


@dataclass(frozen=True)
class Outlier:
    """One person's picture that sticks out, and by what."""

    employee_id: str
    measure: str
    value: float
    limit: float


@dataclass(frozen=True)
class TeamConsistency:
    """The table, the bias figures and who sticks out."""

    people: int
    rows: tuple[TeamRow, ...]
    bias: tuple[ToneBias, ...]
    outliers: tuple[Outlier, ...]

    def as_json(self) -> dict[str, object]:
        """Plain values for records and pages."""
        return asdict(self)


@dataclass(frozen=True)
class _Check:
    measure: str
    unit: str
    read: Callable[[PictureMeasures], float]
    target: float
    factor: float = 1.0  # to the unit shown
    floor: float | None = None  # beyond which one picture sticks out, where that is not the team's target


# measure, how it is read in stops, and the target for its spread over the team
LIGHT: tuple[tuple[str, Callable[[PictureMeasures], float], float], ...] = (
    ("light left to right", lambda m: m.light_left_right, 0.35),
    ("light top to bottom", lambda m: m.light_top_bottom, 0.25),
)


def team_consistency(
    measures: Mapping[str, PictureMeasures],
    kit: BrandKit,
    faithfulness: Mapping[str, Faithfulness] | None = None,
) -> TeamConsistency:
    """The design's table over one finished picture per person, by employee id."""
    if not measures:
        return TeamConsistency(0, (), (), ())
    rows: list[TeamRow] = []
    outliers: list[Outlier] = []
    for check in _checks(kit):
        values = {one: check.read(found) * check.factor for one, found in measures.items()}
        rows.append(_row(check, np.array(list(values.values()))))
        limit = check.floor if check.floor is not None else check.target
        outliers += [
            Outlier(one, check.measure, round(value, 3), limit) for one, value in values.items() if not value <= limit
        ]
    rows.insert(1, _between(list(measures.values()), kit))
    for measure, read, target in LIGHT:
        stops = np.array([read(found) for found in measures.values()], np.float64)
        sd = float(stops.std(ddof=1)) if stops.size > 1 else 0.0
        rows.append(TeamRow(measure, "stops, sd", sd, sd, target, bool(sd <= target)))
        outliers += _far_from_team(list(measures), measure, stops)
    found = faithfulness or {}
    rows += [*_texture(found, kit), *_skin(found)]
    outliers += [
        Outlier(one, SKIN, round(each.skin_shift or 0.0, 1), round(each.skin_limit or 0.0, 1))
        for one, each in found.items()
        if skin_is_off(each)
    ]
    outliers += [
        Outlier(one, "cheek texture", round(each.texture_ratio, 2), kit.floors.texture[each.texture_ratio > 1])
        for one, each in found.items()
        if each.texture_ratio is not None and texture_is_off(each, kit.floors)
    ]
    bias = tuple(tone_bias(list(found.values())))
    named = {outlier.measure for outlier in outliers}
    # A small team's worst twentieth is between two people: whoever sticks out counts, or red would be called fine.
    checked = tuple(replace(row, met=row.met and row.measure not in named) for row in rows)
    return TeamConsistency(len(measures), checked, bias, tuple(sorted(outliers, key=_severity)))


def _checks(kit: BrandKit) -> list[_Check]:
    frame, floors = kit.framing, kit.floors
    per_cent = 100.0
    return [
        _Check("background to brand", "ΔE", lambda m: m.background, floors.background),
        _Check("halo", "ΔE", lambda m: m.halo, floors.halo),
        _Check("holes", "%", lambda m: m.holes, floors.holes * per_cent, per_cent),
        _Check("eye line", "% of frame", lambda m: abs(m.eye_line - frame.eye_line), 1.0, per_cent),
        _Check("centre", "% of frame", lambda m: abs(m.centre - frame.centre), 1.0, per_cent),
        _Check("inter-eye", "% of frame", lambda m: abs(m.inter_eye - frame.inter_eye), 1.0, per_cent),
        _Check(
            "head height",
            "% of frame",
            lambda m: abs(m.head_height - frame.head_height),
            2.0,
            per_cent,
            floors.head_height * per_cent,
        ),
        _Check("roll", "degrees", lambda m: abs(m.roll), floors.roll),
    ]


def _row(check: _Check, values: Doubles) -> TeamRow:
    worst = float(np.percentile(values, 95))
    return TeamRow(
        check.measure, check.unit, float(np.median(values)), worst, check.target, bool(worst <= check.target)
    )


def _between(measures: Sequence[PictureMeasures], kit: BrandKit) -> TeamRow:
    """Background between any two people: median and 95th percentile over pairs."""
    labs = np.array([m.background_lab for m in measures], np.float64)
    first, second = np.triu_indices(len(labs), k=1)
    pairs = delta_e(labs[first], labs[second]) if first.size else np.zeros(1)
    worst = float(np.percentile(pairs, 95))
    target = kit.floors.background
    return TeamRow("background between people", "ΔE", float(np.median(pairs)), worst, target, bool(worst <= target))


def usual_light(values: Doubles) -> tuple[float, float]:
    """(middle, how far from it a picture may be) of one measure of light over the team, in stops."""
    middle = float(np.median(values))
    spread = max(LEAST_SPREAD, 1.4826 * float(np.median(np.abs(values - middle))))
    return middle, LIGHT_OUTLIER * spread


def _far_from_team(people: Sequence[str], measure: str, values: Doubles) -> list[Outlier]:
    middle, limit = usual_light(values)
    return [
        Outlier(one, measure, round(float(value), 2), round(middle + np.copysign(limit, value - middle), 2))
        for one, value in zip(people, values, strict=True)
        if abs(value - middle) > limit
    ]


def _texture(found: Mapping[str, Faithfulness], kit: BrandKit) -> list[TeamRow]:
    low, high = kit.floors.texture
    told = [one for one in found.values() if can_tell(one, low) and can_tell(one, high)]
    ratios = np.array([one.texture_ratio for one in told if one.texture_ratio is not None])
    if not ratios.size:
        return []
    off = np.abs(np.log(np.maximum(ratios, 1e-3)))
    worst = float(ratios[np.argsort(off)[int(np.ceil(0.95 * (len(off) - 1)))]])
    return [TeamRow("cheek texture kept", "ratio", float(np.median(ratios)), worst, high, bool(low <= worst <= high))]


def _skin(found: Mapping[str, Faithfulness]) -> list[TeamRow]:
    """How far skin moved from everybody's own selfies, in shares of what each person's selfies allow."""
    shares = [
        100 * abs(one.skin_shift) / one.skin_limit
        for one in found.values()
        if one.skin_shift is not None and one.skin_limit
    ]
    if not shares:
        return []
    middle, worst = float(np.median(shares)), float(np.percentile(shares, 95))
    return [TeamRow(SKIN, "% of own limit", middle, worst, 100.0, bool(worst <= 100))]


def _severity(outlier: Outlier) -> tuple[float, str, str]:
    return -abs(outlier.value) / max(abs(outlier.limit), 1e-6), outlier.employee_id, outlier.measure
