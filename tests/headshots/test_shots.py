"""Shots: pure, shared where they should be, and in words that the small base was taught."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.painter.caption import vocabulary
from tasks.headshots.kit import BrandKit, list_kits, load_kit
from tasks.headshots.shots import BACKGROUND_WORDS, background_word, choose_garment, light_words, shots_for
from tasks.shipped import SHIPPED
from tasks.vision.diffusion_card import load_base_card

KITS = {name: load_kit(name, SHIPPED / "brand_kits") for name in list_kits(SHIPPED / "brand_kits")}
NORTHWIND, SIGNAL, HARBOUR = KITS["northwind"], KITS["signal"], KITS["harbour"]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(KITS)), st.text(max_size=12), st.integers(0, 5))
def test_shots_are_pure_and_as_many_as_the_kit_says(name: str, person: str, seed: int) -> None:
    first = shots_for(KITS[name], person, None, "keep", "small", "sks", seed)
    assert first == shots_for(KITS[name], person, None, "keep", "small", "sks", seed)
    assert [shot.index for shot in first] == list(range(KITS[name].candidates.per_person))
    assert len({shot.seed for shot in first}) == len(first)
    assert all(0 <= shot.seed < 2**31 for shot in first)


def test_seeds_are_shared_by_the_company_and_new_in_each_round() -> None:
    seeds = [[shot.seed for shot in shots_for(NORTHWIND, one, None, "keep", "small", "sks", 0)] for one in ("p1", "p2")]
    assert seeds[0] == seeds[1]
    again = [shot.seed for shot in shots_for(NORTHWIND, "p1", None, "keep", "small", "sks", 1)]
    assert not set(again) & set(seeds[0])


@pytest.mark.parametrize("name", sorted(KITS))
def test_the_small_base_is_spoken_to_in_its_own_words(name: str) -> None:
    known = set(" ".join(vocabulary()).replace(",", " ").split()) | {"sks", "a", "person"}
    for wardrobe in (None, "keep", *[garment.key for garment in KITS[name].wardrobe.choices]):
        for shot in shots_for(KITS[name], "p1", wardrobe, "on", "small", "sks", 0):
            unknown = set(shot.prompt.replace(",", " ").split()) - known
            assert unknown == set(), shot.prompt


def test_the_grammar_of_the_small_base_is_kept() -> None:
    (shot, *_) = shots_for(NORTHWIND, "p1", "charcoal-suit", "keep", "small", "sks", 0)
    assert shot.prompt == (
        "studio headshot of a sks person, plain light grey background, softbox light from the left, charcoal suit"
    )


def test_background_words_are_the_nearest_colours() -> None:
    assert {name: background_word(kit, small=False) for name, kit in KITS.items()} == {
        "daylight": "beige", "harbour": "navy", "northwind": "light grey", "signal": "teal",
    }  # fmt: skip


def test_a_small_base_draws_nobody_before_a_wall_as_dark_as_hair() -> None:
    """Of the same hue where there is one, so that what is left at the edges does not show."""
    words = {name: background_word(kit, small=True) for name, kit in KITS.items()}
    assert words == {"daylight": "beige", "harbour": "blue", "northwind": "light grey", "signal": "teal"}


def test_glasses_and_expressions_reach_the_prompt() -> None:
    on = shots_for(SIGNAL, "p1", None, "on", "sdxl", "ohwx", 0)[0]
    assert "a ohwx person with glasses" in on.prompt
    assert "smiling" in on.prompt
    assert "glasses" in shots_for(SIGNAL, "p1", None, "off", "sdxl", "ohwx", 0)[0].negative


def test_a_card_may_name_one_wall_inside_the_face_whatever_the_kits_is() -> None:
    """The same sentence but for the wall; none where the kit's is that one, since nothing would differ."""
    for name, kit in KITS.items():
        for shot in shots_for(kit, "p1", None, "on", "small", "sks", 0, face_wall="light grey"):
            wall = background_word(kit, small=True)
            face = shot.prompt.replace(f"plain {wall} background", "plain light grey background")
            assert shot.face == ("" if wall == "light grey" else face), name
    assert {shot.face for shot in shots_for(SIGNAL, "p1", None, "on", "small", "sks", 0)} == {""}
    wall = load_base_card("embedded", SHIPPED / "base_models").render.face_wall
    assert wall is not None
    assert wall.colour == BACKGROUND_WORDS[wall.word], "seen as it is named"


def test_what_a_card_wants_nowhere_is_in_every_negative_prompt_once() -> None:
    """As it was, a card's `negative` was read by nothing."""
    shots = shots_for(SIGNAL, "p1", None, "on", "sdxl", "ohwx", 0, avoid="deformed, cartoon")
    assert {shot.negative.count("deformed") for shot in shots} == {1}
    assert {shot.negative.count("cartoon") for shot in shots} == {1}


def test_wardrobe_wishes_keys_labels_and_ones_own_clothes() -> None:
    def worn(kit: BrandKit, wish: str | None, person: str = "p1") -> str | None:
        garment = choose_garment(kit, person, wish)
        return garment.key if garment else None

    assert worn(NORTHWIND, None) == "navy-suit"
    assert worn(NORTHWIND, " White Shirt ") == "white-shirt"
    assert worn(NORTHWIND, "keep") is None
    assert worn(HARBOUR, "keep") == "charcoal-suit"  # this kit does not allow it
    assert worn(NORTHWIND, "bathrobe") == "navy-suit"
    assert {worn(SIGNAL, None, f"p{i}") for i in range(20)} == {"black-t-shirt", "white-t-shirt"}


def test_own_clothes_leave_no_gap_in_the_sentence() -> None:
    for family in ("small", "sd", "sdxl", "flux2-klein", "z-image", "something new"):
        prompt = shots_for(NORTHWIND, "p1", "keep", "keep", family, "sks", 0)[0].prompt
        assert ", ," not in prompt
        assert "wearing ," not in prompt
        assert not prompt.rstrip().endswith(",")


def test_a_small_base_is_never_asked_for_a_light_without_a_side() -> None:
    # Its "rembrandt light" comes from either side: half of the team would be lit from the wrong one.
    assert light_words(HARBOUR, small=True) == "softbox light from the right"
    assert light_words(HARBOUR, small=False) == "dramatic rembrandt lighting from the right"


@pytest.mark.parametrize(
    ("side", "angle", "where"),
    [
        ("left", 24.9, "from just left of the camera"), ("left", 25.0, "from the left"),
        ("right", 60.0, "from the right"), ("right", 60.1, "from far to the right"), ("front", 80.0, "from the front"),
    ],
)  # fmt: skip
def test_where_the_light_stands_is_said_as_far_as_words_go(side: str, angle: float, where: str) -> None:
    kit = NORTHWIND.model_copy(
        update={"lighting": NORTHWIND.lighting.model_copy(update={"key_side": side, "key_angle": angle})}
    )
    assert light_words(kit, small=False).endswith(f"lighting {where}")
    assert "camera" not in light_words(kit, small=True)
    assert "far" not in light_words(kit, small=True)
