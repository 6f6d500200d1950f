"""Second chances: as many as the kit allows, once, whatever happens in between; then a person is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit
from tasks.likeness.chances import give_second_chances, sum_up_chances
from tasks.vault.batches import move_seat


def allowing(kit: BrandKit, rounds: int) -> BrandKit:
    return kit.model_copy(update={"candidates": kit.candidates.model_copy(update={"extra_rounds": rounds})})


def flag(house: Any, employee_id: str, reason: str) -> None:
    """What the judge says after a round."""
    if house.seat_of(employee_id).state == "trained":
        move_seat(house.vault, house.batch, employee_id, "rendered")
    move_seat(house.vault, house.batch, employee_id, "flagged", reason)


def test_who_falls_short_gets_one_round_and_is_then_left_to_a_person(house: Any, kit: BrandKit) -> None:
    house.seat("p0", cohort=2, state="flagged")
    flag(house, "p0", "holes")
    house.seat("p1", cohort=0, state="done")
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == [2]
    assert house.stands("p0") == ("trained", None)
    assert house.seat_of("p0").round == 1
    assert house.seat_of("p0").fell_short == "holes"
    assert house.seat_of("p0").lane == "generated"
    flag(house, "p0", "holes")
    for _ in range(3):  # and a repeated run asks for nothing
        assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == []
    assert house.stands("p0") == ("flagged", "holes")
    assert house.seat_of("p0").round == 1
    assert house.stands("p1") == ("done", None)


NOT_LIKE_THEM = pytest.mark.parametrize("reason", ["likeness", "relative_likeness", "wrong_person", "margin"])


@NOT_LIKE_THEM
def test_whom_new_seeds_did_not_help_is_learned_for_longer_once(house: Any, kit: BrandKit, reason: str) -> None:
    house.seat("p0", cohort=3, state="flagged", chances=1, round=1)
    flag(house, "p0", reason)
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == [3]
    assert house.stands("p0") == ("trained", None)
    assert house.seat_of("p0").longer_from == house.seat_of("p0").round == 2
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == [3]  # killed before it was learned
    assert house.seat_of("p0").longer_from == house.seat_of("p0").round == 2


@NOT_LIKE_THEM
def test_who_is_still_not_like_themselves_needs_new_photos(house: Any, kit: BrandKit, reason: str) -> None:
    house.seat("p0", state="flagged", chances=2, round=2, longer_from=2)
    flag(house, "p0", reason)
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == []
    assert house.stands("p0") == ("flagged", "needs_new_photos")
    assert house.seat_of("p0").cause == reason
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == []
    assert house.seat_of("p0").cause == reason


def test_a_round_that_was_killed_is_finished_and_not_given_again(house: Any, kit: BrandKit) -> None:
    house.seat("p0", cohort=1, state="flagged")
    flag(house, "p0", "skin_tone")
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == [1]
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == [1]  # killed before a picture was taken
    assert house.seat_of("p0").chances == house.seat_of("p0").round == 1


def test_no_chance_is_given_that_nobody_would_take(house: Any, kit: BrandKit) -> None:
    """Somebody refused as another's can be learned late in a run, and fall short in its last turn."""
    house.seat("p0", cohort=1, state="flagged")
    flag(house, "p0", "likeness")
    assert give_second_chances(house.vault, house.batch, BatchKits(kit), last=True) == []
    assert house.stands("p0") == ("flagged", "likeness"), "not left at trained, and not said to need new photos"
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == [1], "the next run gives it"


def test_the_kit_says_how_often(house: Any, kit: BrandKit) -> None:
    house.seat("p0", state="flagged")
    flag(house, "p0", "halo")
    assert give_second_chances(house.vault, house.batch, BatchKits(allowing(kit, 0))) == []
    rounds = 0
    while give_second_chances(house.vault, house.batch, BatchKits(allowing(kit, 2))):
        rounds += 1
        flag(house, "p0", "halo")
    assert rounds == 2  # and a halo is no reason to learn the face again
    assert house.seat_of("p0").longer_from is None


def test_a_kit_without_extra_rounds_gives_no_longer_training_either(house: Any, kit: BrandKit) -> None:
    house.seat("p0", state="flagged")
    flag(house, "p0", "likeness")
    assert give_second_chances(house.vault, house.batch, BatchKits(allowing(kit, 0))) == []
    assert house.stands("p0") == ("flagged", "needs_new_photos")


def test_a_reviewers_round_and_a_chance_add_up(house: Any, kit: BrandKit) -> None:
    """New seeds each time: a chance after a redo must not take the redo's pictures again."""
    house.seat("p0", state="flagged", round=1, answered="d1")
    flag(house, "p0", "light")
    give_second_chances(house.vault, house.batch, BatchKits(kit))
    assert house.seat_of("p0").round == 2
    assert house.seat_of("p0").answered == "d1"


def test_a_real_photograph_has_no_seeds(house: Any, kit: BrandKit) -> None:
    house.seat("p0", state="flagged", lane="faithful")
    flag(house, "p0", "likeness")
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == []
    assert house.stands("p0") == ("flagged", "needs_new_photos")


def test_no_seed_makes_a_second_photo(house: Any, kit: BrandKit) -> None:
    house.seat("p0", state="flagged")
    flag(house, "p0", "one_photo")
    assert give_second_chances(house.vault, house.batch, BatchKits(kit)) == []
    assert house.stands("p0") == ("flagged", "one_photo")


def test_what_it_came_to_is_told_in_numbers(house: Any) -> None:
    assert sum_up_chances(house.vault, house.batch) == {}
    house.seat("p0", state="done", chances=1)
    house.seat("p1", state="flagged", chances=1)
    house.seat("p2", state="flagged")
    facts = sum_up_chances(house.vault, house.batch)
    assert facts == {"second_chances": {"people": 2, "good_now": 1, "left_to_a_person": 1}}
