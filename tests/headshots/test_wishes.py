"""Reasons of a redo: each changes the next pictures, and what would change nothing is not offered."""

from __future__ import annotations

import pytest

from synthetic.painter.caption import vocabulary
from tasks.headshots.kit import BrandKit
from tasks.headshots.shots import Shot, choose_garment, shots_for
from tasks.headshots.wishes import AS_USUAL, REASONS, Wish, offered, other_garment, wish_after, wish_of


def shots(kit: BrandKit, family: str, wish: Wish, glasses: str = "keep") -> list[Shot]:
    return shots_for(kit, "p1", None, glasses, family, "sks", 0, wish)


@pytest.mark.parametrize("family", ["small", "sd", "sdxl", "flux2-klein"])
@pytest.mark.parametrize("name", ["daylight", "harbour", "northwind", "signal"])
def test_every_reason_that_is_offered_changes_what_is_told_to_the_base(
    kits: dict[str, BrandKit], name: str, family: str
) -> None:
    kit = kits[name]
    usual = shots(kit, family, AS_USUAL)
    for reason in offered(kit, family):
        if reason == "not_like_them":
            continue  # the face is learned for longer: another adapter, and so other pictures
        if reason == "looser":
            assert wish_after(AS_USUAL, [reason], None).strength < AS_USUAL.strength == 1
            continue
        for shown in (True, False) if reason == "glasses" else (None,):
            wished = shots(kit, family, wish_after(AS_USUAL, [reason], shown))
            assert [one.seed for one in wished] == [one.seed for one in usual]
            told = [(one.prompt, one.negative) for one in wished]
            assert told != [(one.prompt, one.negative) for one in usual], (reason, shown)
    assert "not_like_them" in offered(kit, family)
    assert set(offered(kit, family)) <= set(REASONS)


def test_what_would_change_nothing_is_not_offered(kits: dict[str, BrandKit]) -> None:
    kit = kits["northwind"]
    assert "room" not in offered(kit, "small")  # the small grammar has no words for it
    assert "serious" not in offered(kit, "small")  # nobody was asked to smile
    assert "serious" in offered(
        kit.model_copy(update={"candidates": kit.candidates.model_copy(update={"expressions": ("smiling",)})}), "small"
    )
    assert "smile" not in offered(
        kit.model_copy(update={"candidates": kit.candidates.model_copy(update={"expressions": ("smiling",)})}), "small"
    )
    one = kit.wardrobe.model_copy(update={"choices": kit.wardrobe.choices[:1], "default": None})
    assert "clothes" not in offered(kit.model_copy(update={"wardrobe": one}), "sdxl")


def test_the_small_base_is_asked_in_its_own_words(kits: dict[str, BrandKit]) -> None:
    known = set(" ".join(vocabulary()).replace(",", " ").split()) | {"sks", "a", "person"}
    for kit in kits.values():
        for wish in (
            Wish(clothes=1),
            Wish(clothes=3),
            Wish(expression="smile"),
            Wish(expression="serious"),
            Wish(room=True),
        ):
            for shot in shots(kit, "small", wish):
                assert set(shot.prompt.replace(",", " ").split()) <= known, shot.prompt


def test_other_clothes_are_others_each_time_and_come_round(kits: dict[str, BrandKit]) -> None:
    kit = kits["northwind"]
    usual = choose_garment(kit, "p1", None)
    worn = [other_garment(kit, usual, Wish(clothes=times)) for times in range(len(kit.wardrobe.choices) + 1)]
    assert worn[0] == worn[-1] == usual
    assert len({garment.key for garment in worn if garment}) == len(kit.wardrobe.choices)
    own = choose_garment(kit, "p1", "keep")
    assert own is None
    assert other_garment(kit, own, Wish(clothes=1)) == kit.wardrobe.choices[0]


def test_what_was_asked_for_stays_until_something_else_is() -> None:
    first = wish_after(AS_USUAL, ["clothes", "smile"], None)
    second = wish_after(first, ["not_like_them"], None)
    third = wish_after(second, ["clothes", "serious", "glasses"], True)
    assert second == first == Wish(clothes=1, expression="smile")
    assert third == Wish(clothes=2, glasses="on", expression="serious")
    assert wish_after(AS_USUAL, ["glasses"], None) == AS_USUAL  # the photos do not agree: there is nothing to go by
    wishes = {"1": first.as_json(), "4": third.as_json()}
    assert [wish_of(wishes, turn) for turn in (0, 1, 3, 4, 5)] == [AS_USUAL, first, first, third, third]


def test_looser_is_a_dial_of_three_steps_that_comes_round() -> None:
    wish, found = AS_USUAL, []
    for _ in range(4):
        found.append(wish.strength)
        wish = wish_after(wish, ["looser"], None)
    assert found == [1.0, 0.9, 0.8, 1.0]
    assert wish_after(Wish(looser=1), ["clothes"], None).strength == 0.9, "it stays until something else is asked for"
    assert wish_of({"1": {"clothes": 1, "glasses": "", "expression": "", "room": False}}, 1).strength == 1
