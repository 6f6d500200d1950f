"""The team's table: what sticks out is named, by whom and by what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.headshots.kit import BrandKit
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.faithful import Faithfulness
from tasks.likeness.team import team_consistency

DESIGN_ROWS = {
    "background to brand": 1.0, "background between people": 1.0, "halo": 3.0, "holes": 0.5, "eye line": 1.0,
    "centre": 1.0, "inter-eye": 1.0, "head height": 2.0, "light left to right": 0.35, "light top to bottom": 0.25,
    "cheek texture kept": 1.4, "skin tone kept": 100.0,
}  # fmt: skip


@pytest.fixture
def team(clean: PictureMeasures) -> dict[str, PictureMeasures]:
    rng = np.random.default_rng(1)
    return {
        f"p{i:02d}": replace(
            clean,
            light_left_right=0.6 + 0.05 * float(rng.standard_normal()),
            light_top_bottom=0.3 + 0.04 * float(rng.standard_normal()),
            eye_line=clean.eye_line + 0.002 * float(rng.standard_normal()),
        )
        for i in range(20)
    }


def kept(team: dict[str, PictureMeasures]) -> dict[str, Faithfulness]:
    return {one: Faithfulness(0.5, 12.0, 1.0, 10.0 + i) for i, one in enumerate(team)}


def test_every_row_of_the_design_is_there_and_met(team: dict[str, PictureMeasures], kit: BrandKit) -> None:
    found = team_consistency(team, kit, kept(team))
    rows = {row.measure: row for row in found.rows}
    for measure, target in DESIGN_ROWS.items():
        assert rows[measure].target == pytest.approx(target), measure
        assert rows[measure].met, measure
    assert found.outliers == ()
    assert found.people == 20
    assert {one.group for one in found.bias} == {"all", "darkest third", "lightest third"}


@pytest.mark.parametrize(
    ("measure", "change"),
    [
        ("background to brand", {"background": 3.0}),
        ("halo", {"halo": 5.0}),
        ("holes", {"holes": 0.02}),
        ("eye line", {"eye_line": 0.52}),
        ("centre", {"centre": 0.53}),
        ("inter-eye", {"inter_eye": 0.25}),
        ("head height", {"head_height": 0.9}),
        ("light left to right", {"light_left_right": -0.9}),
        ("light top to bottom", {"light_top_bottom": 1.4}),
    ],
)
def test_an_outlier_is_named_with_its_measure(
    team: dict[str, PictureMeasures], kit: BrandKit, measure: str, change: dict[str, float]
) -> None:
    team["p07"] = replace(team["p07"], **change)
    found = team_consistency(team, kit)
    assert [(one.employee_id, one.measure) for one in found.outliers] == [("p07", measure)]


def test_the_worst_five_per_cent_count_not_the_mean(team: dict[str, PictureMeasures], kit: BrandKit) -> None:
    for one in ("p03", "p04"):
        team[one] = replace(team[one], halo=9.0)
    row = next(row for row in team_consistency(team, kit).rows if row.measure == "halo")
    assert row.median < 1
    assert not row.met


def test_the_brightness_of_faces_is_nobodys_business(team: dict[str, PictureMeasures], kit: BrandKit) -> None:
    """A team of every skin tone under one light is as consistent as a team of one tone."""
    mixed = {
        one: replace(measures, skin_lab=(25.0 + 3 * i, 12.0, 18.0), skin_ita=-50.0 + 6 * i)
        for i, (one, measures) in enumerate(team.items())
    }
    assert team_consistency(mixed, kit) == team_consistency(team, kit)


def test_nobody_and_one_person_are_teams_too(clean: PictureMeasures, kit: BrandKit) -> None:
    assert team_consistency({}, kit).people == 0
    alone = team_consistency({"p1": clean}, kit)
    assert alone.outliers == ()
    assert all(row.met for row in alone.rows)


def test_lost_texture_is_an_outlier(team: dict[str, PictureMeasures], kit: BrandKit) -> None:
    faithfulness = kept(team)
    faithfulness["p05"] = replace(faithfulness["p05"], texture_ratio=0.3)
    found = team_consistency(team, kit, faithfulness)
    assert [(one.employee_id, one.limit) for one in found.outliers] == [("p05", 0.6)]


def test_skin_is_a_measure_like_any_other(team: dict[str, PictureMeasures], kit: BrandKit) -> None:
    """By each person's own limit: what one person's selfies allow is much for another's."""
    faithfulness = kept(team)
    faithfulness["p05"] = replace(faithfulness["p05"], skin_shift=-20.0, skin_limit=24.0)
    faithfulness["p06"] = replace(faithfulness["p06"], skin_shift=8.8, skin_limit=None)
    assert team_consistency(team, kit, faithfulness).outliers == ()
    faithfulness["p07"] = replace(faithfulness["p07"], skin_shift=12.1)
    found = team_consistency(team, kit, faithfulness)
    assert [(one.employee_id, one.measure, one.limit) for one in found.outliers] == [("p07", "skin tone kept", 12.0)]
    assert [row.measure for row in found.rows if not row.met] == ["skin tone kept"]


def test_where_somebody_sticks_out_the_measure_is_not_met(clean: PictureMeasures, kit: BrandKit) -> None:
    """In a team of six the worst twentieth lies between two people, and one person in red was "within the target"."""
    six = {f"p{i}": replace(clean, halo=0.2) for i in range(6)} | {"p3": replace(clean, halo=3.1)}
    found = team_consistency(six, kit)
    assert [one.employee_id for one in found.outliers] == ["p3"]
    assert [row.measure for row in found.rows if not row.met] == ["halo"]


def test_texture_that_the_selfies_cannot_tell_is_nobodys_outlier(
    team: dict[str, PictureMeasures], kit: BrandKit
) -> None:
    faithfulness = kept(team)
    faithfulness["p05"] = replace(faithfulness["p05"], texture_ratio=0.3, texture_unsure=0.5)
    found = team_consistency(team, kit, faithfulness)
    assert found.outliers == ()
    assert all(row.met for row in found.rows)
