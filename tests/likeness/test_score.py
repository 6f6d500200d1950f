"""Likeness: who is near, who is nearer, and who is a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.headshots.kit import BrandKit
from tasks.likeness.copies import Copying
from tasks.likeness.score import likeness_flags, person_vector, place_in_company, score_headshot
from tasks.vision.faces import Thresholds

Near = Callable[[np.ndarray, float, int], np.ndarray]


def unit(seed: int, size: int = 64) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(size)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture
def selfies(near: Near) -> list[np.ndarray]:
    return [near(unit(0), 0.8, seed) for seed in range(5)]


def test_their_own_picture_comes_first_with_a_lead(
    near: Near, selfies: list[np.ndarray], thresholds: Thresholds
) -> None:
    company = {"p0": person_vector(selfies), **{f"p{i}": unit(i) for i in range(1, 30)}}
    score = score_headshot(near(unit(0), 0.75, 99), selfies, company, "p0", thresholds)
    assert score.rank == 1
    assert score.margin > 0.2
    assert score.probability > 0.99
    assert 0.7 < score.relative < 1.2
    assert score.nearest_other in company
    assert score.nearest_other != "p0"


def test_a_swap_is_caught_by_rank(near: Near, selfies: list[np.ndarray], thresholds: Thresholds, kit: BrandKit) -> None:
    other = [near(unit(1), 0.8, seed) for seed in range(20, 25)]
    company = {"p0": person_vector(selfies), "p1": person_vector(other)}
    score = score_headshot(near(unit(1), 0.8, 77), selfies, company, "p0", thresholds)
    assert score.rank == 2
    assert score.margin < 0
    codes = {flag.code for flag in likeness_flags(score, kit.floors, thresholds, lane="generated")}
    assert {"wrong_person", "likeness"} <= codes


def test_twins_come_out_in_the_margin(
    near: Near, selfies: list[np.ndarray], thresholds: Thresholds, kit: BrandKit
) -> None:
    twin = near(person_vector(selfies), 0.97, 5)
    picture = near(person_vector(selfies), 0.9, 6)
    score = score_headshot(picture, selfies, {"p1": twin}, "p0", thresholds)
    codes = [flag.code for flag in likeness_flags(score, kit.floors, thresholds, lane="generated")]
    assert codes in (["margin"], ["wrong_person"])


def test_people_whose_selfies_differ_are_judged_by_that(near: Near, thresholds: Thresholds) -> None:
    alike = [near(unit(0), 0.95, seed) for seed in range(5)]
    unlike = [near(unit(0), 0.7, seed) for seed in range(5)]
    picture = near(unit(0), 0.7, 50)
    first, second = (score_headshot(picture, refs, {}, "p0", thresholds) for refs in (alike, unlike))
    assert first.relative < second.relative


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(5)))
def test_the_order_of_selfies_and_company_does_not_matter(seed: int, order: list[int]) -> None:
    thresholds = Thresholds(0.4, 0.3, 0.25, 0.5, 36.7, -9.3, 0.1, 0.4)
    vectors = [unit(seed + i) for i in range(5)]
    people = {f"p{i}": unit(seed + 100 + i) for i in range(6)}
    picture = unit(seed + 7)
    one = score_headshot(picture, vectors, people, "p2", thresholds)
    other = score_headshot(picture, [vectors[i] for i in order], dict(reversed(people.items())), "p2", thresholds)
    assert one.rank == other.rank
    assert one.nearest_other == other.nearest_other
    assert one.likeness == pytest.approx(other.likeness, abs=1e-5)
    assert one.margin == pytest.approx(other.margin, abs=1e-5)


def test_one_selfie_is_enough_to_score_and_none_is_not(thresholds: Thresholds) -> None:
    score = score_headshot(unit(0), [unit(0)], {}, "p0", thresholds)
    assert score.likeness == pytest.approx(1)
    assert score.relative is None  # there is no second photo to be as alike as
    assert (score.rank, score.margin, score.nearest_other) == (1, 1.0, None)
    with pytest.raises(ValueError, match="without a selfie"):
        score_headshot(unit(0), [], {}, "p0", thresholds)


def test_a_copy_is_flagged_with_what_was_measured_and_its_ceiling(kit: BrandKit, thresholds: Thresholds) -> None:
    score = score_headshot(unit(0), [unit(0), unit(0)], {}, "p0", thresholds, Copying(0.97, 0.88))
    (flag,) = likeness_flags(score, kit.floors, thresholds, lane="generated")
    assert (flag.code, flag.measured, flag.limit) == ("copied", 0.97, 0.88)
    assert likeness_flags(score, kit.floors, thresholds, lane="faithful") == []  # a photograph is meant to be one
    unmeasured = replace(score, nearness=None, ceiling=None)  # as an older version recorded it
    (flag,) = likeness_flags(unmeasured, kit.floors, thresholds, lane="generated")
    assert (flag.code, flag.measured, flag.limit) == ("copied", 1, 0)
    below = score_headshot(unit(0), [unit(0), unit(0)], {}, "p0", thresholds, Copying(0.87, 0.88))
    assert likeness_flags(below, kit.floors, thresholds, lane="generated") == []


def test_one_photo_is_too_little_to_say_that_a_picture_is_like_them(kit: BrandKit, thresholds: Thresholds) -> None:
    score = score_headshot(unit(0), [unit(0)], {}, "p0", thresholds)
    flags = likeness_flags(score, kit.floors, thresholds, lane="generated")
    assert [(flag.code, flag.measured, flag.limit) for flag in flags] == [("one_photo", 1, 2)]
    assert "%" not in flags[0].sentence
    two = score_headshot(unit(0), [unit(0), unit(0)], {}, "p0", thresholds)
    assert two.relative == pytest.approx(1)
    assert likeness_flags(two, kit.floors, thresholds, lane="generated") == []


@pytest.mark.parametrize(
    ("value", "probability", "relative"),
    [
        ("likeness", 0.499, 1.0),  # both floors are where the kit says, and nowhere else
        (None, 0.9, 0.8),
        ("likeness_unsure", 0.899, 1.0),
        ("likeness_unsure", 0.5, 1.0),
        ("relative_likeness", 1.0, 0.799),
    ],
)
def test_a_floor_is_where_the_kit_says(
    kit: BrandKit, thresholds: Thresholds, value: str | None, probability: float, relative: float
) -> None:
    floors = kit.floors
    assert (floors.likeness, floors.likeness_sure, floors.relative_likeness) == (0.5, 0.9, 0.8)
    good = score_headshot(unit(0), [unit(0), unit(0)], {}, "p0", thresholds)
    found = replace(good, probability=probability, relative=relative)
    codes = [flag.code for flag in likeness_flags(found, floors, thresholds, lane="generated")]
    assert codes == ([value] if value else [])


@pytest.mark.parametrize(("own", "other", "rank"), [(0.700, 0.701, 2), (0.701, 0.700, 1), (0.7, 0.7, 1)])
def test_rank_needs_no_lead(near: Near, own: float, other: float, rank: int) -> None:
    """Whoever is nearer is nearer, by however little; how much of a lead there should be is the margin's business."""
    picture = unit(0)
    company = {"p0": near(picture, own, 1), "p1": near(picture, other, 1)}
    assert place_in_company(picture, company, "p0")[0] == rank


def test_low_likeness_is_said_in_words(kit: BrandKit, thresholds: Thresholds) -> None:
    good = score_headshot(unit(0), [unit(0), unit(0)], {}, "p0", thresholds)
    poor = replace(good, probability=0.2, relative=0.5)
    flags = {flag.code: flag.sentence for flag in likeness_flags(poor, kit.floors, thresholds, lane="generated")}
    assert flags["likeness"] == "The likeness to the selfies is 20%."
    assert "50% as like the selfies" in flags["relative_likeness"]
