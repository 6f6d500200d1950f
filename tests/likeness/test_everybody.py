"""What only the whole company shows: swaps across cohorts, and a light that falls otherwise than on the team."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.everybody import beside_the_teams_light, compare_everybody, pictures_digest
from tasks.likeness.together import judge_together, judged_by
from tasks.vault.batches import load_batch, note_facts
from tasks.vault.records import Seat
from tasks.vault.settings import Settings
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes
from tests.likeness.test_judging import Counting


def furnish(
    house: Any, paintings: dict[str, tuple[list[Picture], Picture]], clean: PictureMeasures, shown: dict[str, str],
    cohorts: dict[str, int],
) -> None:  # fmt: skip
    """Everybody with selfies and one finished picture: that of `shown`, their own if left out."""
    for one, (selfies, _) in paintings.items():
        house.seat(one, cohorts[one])
        for shot, selfie in enumerate(selfies):
            house.selfie(one, f"{one}{shot}", selfie)
        house.headshot(one, f"d{one}", clean, paintings[shown.get(one, one)][1])


def test_two_people_swapped_across_cohorts_are_caught(
    house: Any, paintings: dict[str, tuple[list[Picture], Picture]], clean: PictureMeasures, eyes: Eyes
) -> None:
    cohorts = {"p0": 0, "p1": 1, "p2": 0, "p3": 1}
    furnish(house, paintings, clean, {"p0": "p1", "p1": "p0"}, cohorts)
    compare_everybody(house.vault, house.batch, BatchKits(house.kit), eyes)
    for swapped in ("p0", "p1"):
        assert house.stands(swapped) == ("flagged", "wrong_person")
        row = house.row(f"d{swapped}")
        assert row.scores["likeness"]["rank"] > 1
        assert row.scores["likeness"]["margin"] < 0
        assert row.flags == ["wrong_person"]
        assert "more like somebody else" in house.showing(row.digest).why
        assert not {"p0", "p1", "p2", "p3"} & set(map(str, row.scores.values()))  # nobody else's id in a record
    for right in ("p2", "p3"):
        assert house.stands(right) == ("done", None)
        assert house.row(f"d{right}").scores["likeness"]["rank"] == 1


def test_somebody_without_a_picture_is_company_too(
    house: Any, paintings: dict[str, tuple[list[Picture], Picture]], clean: PictureMeasures, eyes: Eyes
) -> None:
    """A picture of p1 under p0's name is caught though p1 has none: p1's selfies are there."""
    furnish(house, paintings, clean, {"p0": "p1"}, {"p0": 0, "p1": 1, "p2": 0, "p3": 1})
    with house.vault.session() as session:
        session.delete(house.row("dp1"))
        seat = session.get_one(Seat, (house.batch, "p1"))
        seat.state, seat.reason = "failed", "no_face"
    compare_everybody(house.vault, house.batch, BatchKits(house.kit), eyes)
    assert house.stands("p0") == ("flagged", "wrong_person")


@pytest.mark.parametrize("notes", [{"cohort": None, "state": "ready"}, {"cohort": 1, "state": "blocked"}])
def test_nobodys_photos_are_opened_who_takes_no_part(
    house: Any, paintings: dict[str, tuple[list[Picture], Picture]], clean: PictureMeasures, eyes: Eyes, notes: Any
) -> None:
    """Neither of those who were not asked for in this run nor of those who wait for HR: they are no company."""
    furnish(house, paintings, clean, {}, {"p0": 0, "p1": 1, "p2": 0, "p3": 1})
    with house.vault.session() as session:
        session.delete(house.row("dp1"))
        seat = session.get_one(Seat, (house.batch, "p1"))
        seat.state, seat.cohort = notes["state"], notes["cohort"]
    counting = Counting(eyes.judge)
    compare_everybody(house.vault, house.batch, BatchKits(house.kit), replace(eyes, judge=counting))
    assert counting.asked == 3 * 3 + 3, "three people's selfies, and their pictures"


def test_one_cohort_has_been_compared_by_its_own_judge(house: Any, clean: PictureMeasures) -> None:
    """No eyes are needed: nothing is opened again."""
    for one in ("p0", "p1", "p2"):
        house.seat(one)
        house.headshot(one, f"d{one}", clean)
    compare_everybody(house.vault, house.batch, BatchKits(house.kit), None)  # type: ignore[arg-type]
    assert house.stands("p0") == ("done", None)


def test_another_picture_of_the_same_person_is_chosen_when_the_light_is_off(house: Any, clean: PictureMeasures) -> None:
    rng = np.random.default_rng(2)
    for number in range(8):
        house.seat(f"p{number}")
        usual = replace(clean, light_left_right=0.6 + 0.05 * float(rng.standard_normal()))
        house.headshot(f"p{number}", f"d{number}", usual, choice=1 if number else 2, relative=1.0 if number else 0.9)
    house.headshot("p0", "dark", replace(clean, light_left_right=-0.9), relative=1.1, choice=1)
    compare_everybody(house.vault, house.batch, BatchKits(house.kit), None)  # type: ignore[arg-type]
    assert house.row("dark").flags == ["light"]
    assert "stops otherwise than on the team" in house.showing("dark").why
    assert (house.showing("d0").choice, house.showing("dark").choice) == (1, 2)
    assert house.stands("p0") == ("done", None)


def test_who_has_no_other_picture_is_flagged_for_the_light(house: Any, clean: PictureMeasures) -> None:
    for number in range(7):
        house.seat(f"p{number}")
        light = clean.light_top_bottom + (1.2 if number == 3 else 0.02 * number)
        house.headshot(f"p{number}", f"d{number}", replace(clean, light_top_bottom=light))
    compare_everybody(house.vault, house.batch, BatchKits(house.kit), None)  # type: ignore[arg-type]
    assert house.stands("p3") == ("flagged", "light")
    assert [house.stands(f"p{number}")[0] for number in (0, 1, 2, 4, 5, 6)] == ["done"] * 6


def test_nobody_at_all_is_no_team() -> None:
    assert beside_the_teams_light([]) == []


def test_the_same_pictures_are_compared_once(house: Any, clean: PictureMeasures, tmp_path: Any) -> None:
    opened = []

    def count(name: str, models: Path) -> Eyes:
        opened.append(name)
        return open_eyes(name, models)

    for one in ("p0", "p1"):
        house.seat(one)
        house.headshot(one, f"d{one}", clean)
    before = pictures_digest(house.vault, house.batch, BatchKits(house.kit))
    for _ in range(2):
        facts = judge_together(house.vault, house.batch, BatchKits(house.kit), Settings(home=tmp_path / "other"), count)
        note_facts(house.vault, house.batch, **facts)
    assert len(opened) == 1
    assert load_batch(house.vault, house.batch).facts["judges"] == judged_by("one", "other") != judged_by("one", "one")
    assert load_batch(house.vault, house.batch).facts["team"]["pictures"] == before
    house.headshot("p0", "new", clean, choice=2)
    assert pictures_digest(house.vault, house.batch, BatchKits(house.kit)) != before
