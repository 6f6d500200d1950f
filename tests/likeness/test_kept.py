"""Glasses and hair are kept: against the person's own selfies, and silent where those disagree."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tasks.likeness.head import OUTLINE, Head
from tasks.likeness.kept import COLOUR_FLOOR, compare_heads, kept_flags
from tasks.vision.glasses import BARE, GLASSES, WORN, wears_glasses

BROWN, SKIN = (0.10, 0.056, 0.030), (0.56, 0.335, 0.22)
HEAD = Head(1.0, (1.8, 1.8, 1.7, 1.4, 1.3, 1.0), BROWN, SKIN)
GLASSED = replace(HEAD, glasses=7.0)
EYES = "embedded"


def codes(head: Head, selfies: list[Head], wish: str = "keep", eyes: str = EYES) -> list[str]:
    return [flag.code for flag in kept_flags(compare_heads(head, selfies, wish, eyes), wish)]


def outline(**places: float) -> tuple[float, ...]:
    return tuple(places.get(place, own) for place, own in zip(OUTLINE, HEAD.outline, strict=True))


def test_nothing_changed_is_nothing_said() -> None:
    assert codes(HEAD, [HEAD] * 5) == []
    assert codes(GLASSED, [GLASSED] * 5) == []


def test_glasses_that_come_or_go_are_flagged_in_words() -> None:
    gone = kept_flags(compare_heads(HEAD, [GLASSED] * 4, "keep", EYES), "keep")
    assert [(flag.code, flag.limit) for flag in gone] == [("glasses", WORN)]
    assert gone[0].sentence == "The selfies show glasses; this picture does not."
    come = kept_flags(compare_heads(GLASSED, [HEAD] * 4, "keep", EYES), "keep")
    assert [(flag.code, flag.limit) for flag in come] == [("glasses", BARE)]
    assert come[0].sentence == "The selfies show no glasses; this picture does."


def test_glasses_in_some_selfies_only_bind_nobody() -> None:
    some = [GLASSED, HEAD, GLASSED, GLASSED]
    assert codes(HEAD, some) == codes(GLASSED, some) == []


def test_fewer_than_three_selfies_say_nothing() -> None:
    other = replace(GLASSED, outline=outline(top=3.0), hair=(0.5, 0.33, 0.14))
    assert codes(other, [HEAD] * 2) == []
    assert codes(other, []) == []
    assert set(codes(other, [HEAD] * 3)) == {"glasses", "hair_colour", "hair_outline"}


def test_the_wish_goes_before_the_selfies() -> None:
    assert codes(HEAD, [GLASSED] * 5, wish="off") == []
    assert codes(GLASSED, [HEAD] * 5, wish="on") == []
    asked = kept_flags(compare_heads(GLASSED, [GLASSED] * 5, "off", EYES), "off")
    assert [flag.sentence for flag in asked] == ["Glasses were not wanted; this picture shows some."]
    missed = kept_flags(compare_heads(HEAD, [], "on", EYES), "on")
    assert [flag.sentence for flag in missed] == ["Glasses were wanted; there are none."]


def test_between_the_limits_nobody_can_say() -> None:
    assert wears_glasses((BARE + WORN) / 2) is None
    faint = replace(HEAD, glasses=(BARE + WORN) / 2)
    assert codes(faint, [GLASSED] * 5) == codes(faint, [HEAD] * 5) == codes(GLASSED, [faint] * 5) == []


def test_eyes_without_limits_record_the_score_and_flag_nothing() -> None:
    other = replace(HEAD, outline=outline(top=3.0), hair=(0.5, 0.33, 0.14))
    found = compare_heads(other, [GLASSED] * 5, "keep", "others")
    assert found.as_json()["glasses"] == 1.0
    assert found.as_json()["glasses_selfies"] == 7.0
    assert found.hair_outline == pytest.approx(1.2)
    assert found.hair_colour is not None
    assert found.hair_colour > COLOUR_FLOOR
    assert kept_flags(found, "keep") == []
    assert codes(GLASSED, [HEAD] * 5, wish="off", eyes="others") == []


def test_eyes_for_real_people_judge_glasses_by_limits_of_their_own_and_hair_not_at_all() -> None:
    bare, worn = GLASSES["opencv"]
    frown, frame = replace(HEAD, glasses=bare - 0.1), replace(HEAD, glasses=worn + 0.1)
    assert codes(frown, [frame] * 3, eyes="opencv") == codes(frame, [frown] * 3, eyes="opencv") == ["glasses"]
    assert codes(frown, [HEAD] * 3, eyes="opencv") == []  # beyond the drawn people's limit, and still a bare face
    assert codes(frown, [frame] * 2, eyes="opencv") == []  # two selfies do not agree on anything
    other = replace(HEAD, outline=outline(top=3.0), hair=(0.5, 0.33, 0.14))
    assert codes(other, [HEAD] * 5, eyes="opencv") == []


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("top", 2.6, "stands 0.8 eye distances higher"),
        ("top", 1.1, "is 0.7 eye distances lower"),
        ("temples", 1.2, "flatter at the sides"),
        ("mouth", 1.6, "0.6 eye distances wider at the mouth"),
    ],
)
def test_hair_that_grew_or_went_is_told_with_its_place(place: str, value: float, words: str) -> None:
    flags = kept_flags(
        compare_heads(replace(HEAD, outline=outline(**{place: value})), [HEAD] * 4, "keep", EYES), "keep"
    )
    assert [flag.code for flag in flags] == ["hair_outline"]
    assert words in flags[0].sentence
    assert flags[0].measured > flags[0].limit


def test_before_a_photograph_of_a_room_the_outline_is_recorded_and_not_judged() -> None:
    grown = replace(HEAD, outline=outline(top=3.0))
    found = compare_heads(grown, [HEAD] * 4, "keep", EYES, plain=False)
    assert found.hair_outline == pytest.approx(1.2)
    assert kept_flags(found, "keep") == []
    assert codes(grown, [HEAD] * 4) == ["hair_outline"]


def test_hair_up_and_down_is_the_persons_own_choice() -> None:
    down = replace(HEAD, outline=outline(mouth=1.7, cheeks=1.8))
    assert codes(down, [HEAD] * 4) == ["hair_outline"]
    assert codes(down, [HEAD, HEAD, down, HEAD]) == []


def test_what_a_frame_cuts_off_is_not_compared() -> None:
    cut = replace(HEAD, outline=outline(top=math.nan))
    assert codes(replace(HEAD, outline=outline(top=2.9)), [cut, cut, HEAD, HEAD]) == []
    assert codes(cut, [HEAD] * 4) == []


def test_another_colour_is_flagged_and_another_light_is_not() -> None:
    blonde = replace(HEAD, hair=(0.50, 0.33, 0.14))
    assert codes(blonde, [HEAD] * 4) == ["hair_colour"]
    warm = replace(HEAD, hair=(0.15, 0.056, 0.018), skin=(0.84, 0.335, 0.132))  # both 1.5, 1 and 0.6 times as bright
    assert codes(warm, [HEAD] * 4) == []
    found = compare_heads(warm, [HEAD] * 4, "keep", EYES)
    assert found.hair_colour == pytest.approx(0, abs=1.5)
    assert found.hair_colour_limit == COLOUR_FLOOR


def test_hair_dyed_between_the_selfies_binds_nobody() -> None:
    blonde = replace(HEAD, hair=(0.50, 0.33, 0.14))
    assert codes(blonde, [HEAD, blonde, HEAD, HEAD]) == []
