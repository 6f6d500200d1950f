"""The choice and its reason, as a reviewer reads it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import Candidate, choose
from tasks.likeness.score import LikenessScore

LIKE = LikenessScore(0.6, 0.95, 0.99, 1, 0.3, "p9", False)
HALO = Flag("halo", 4.0, 3.0, "The edge round the person is 4.0 off the backdrop.")
WRONG = Flag("wrong_person", 2, 1, "It is more like somebody else in the company.")


def candidate(
    key: str, measures: PictureMeasures, relative: float = 0.95, *flags: Flag, halo: float = 0.8
) -> Candidate:
    return Candidate(key, replace(LIKE, relative=relative), replace(measures, halo=halo), flags, 1.0)


def test_clean_before_flagged_before_grave(clean: PictureMeasures) -> None:
    order = choose([
        candidate("wrong", clean, 1.1, WRONG),
        candidate("flagged", clean, 1.05, HALO),
        candidate("clean", clean, 0.9),
    ])  # fmt: skip
    assert [choice.key for choice in order] == ["clean", "flagged", "wrong"]
    assert [choice.place for choice in order] == [1, 2, 3]
    assert order[0].why == (
        "Nothing to object to, unlike the next one; 90% as like the selfies as they are among themselves."
    )
    assert order[1].why == HALO.sentence


def test_a_head_that_is_cut_off_comes_after_whatever_else_can_be_mended(clean: PictureMeasures) -> None:
    cut = Flag("crown_cut", 20.0, 10.0, "The hair ends flat over 20 % of the width.")
    off = Flag("eye_line", 2.0, 1.0, "The eyes are 2.0 % of the picture off their line.")
    order = choose([
        candidate("wrong", clean, 1.1, WRONG),
        candidate("cut", clean, 1.1, cut),
        candidate("off", clean, 0.9, HALO, off),
    ])  # fmt: skip
    assert [choice.key for choice in order] == ["off", "cut", "wrong"]


def test_the_more_like_comes_first_and_says_so(clean: PictureMeasures) -> None:
    order = choose([candidate("b", clean, 0.85), candidate("a", clean, 0.99)])
    assert order[0].key == "a"
    assert "the most like: 99%" in order[0].why
    assert order[1].why == "Less like the selfies: 85%, the first choice 99%."


def test_against_one_photo_no_share_is_told(clean: PictureMeasures) -> None:
    """With one selfie a picture was "187% as like the selfies as they are among themselves"."""
    alone = [
        replace(one, likeness=replace(one.likeness, relative=None, likeness=cosine))
        for one, cosine in ((candidate("a", clean), 0.7), (candidate("b", clean), 0.9))
    ]
    best, other = choose(alone)
    assert best.key == "b"
    assert best.why == "Nothing to object to, and the most like: 99% sure that it is them, by the one photo there is."
    assert other.why == "Less like the one photo there is than the first choice."


def test_nobody_is_more_like_than_they_are_themselves(clean: PictureMeasures) -> None:
    assert choose([candidate("a", clean, 1.87)])[0].why == (
        "Nothing to object to; 100% as like the selfies as they are among themselves."
    )


def test_near_ties_are_decided_by_what_can_be_seen(clean: PictureMeasures) -> None:
    order = choose([candidate("rough", clean, 0.951, halo=2.4), candidate("neat", clean, 0.95, halo=0.5)])
    assert order[0].key == "neat"
    assert "cleaner edges round the hair" in order[0].why
    assert "cleaner edges round the hair" in order[1].why


def test_the_best_of_a_bad_lot_is_called_that(clean: PictureMeasures) -> None:
    order = choose([candidate("a", clean, 0.9, HALO), candidate("b", clean, 0.9, HALO, WRONG)])
    assert order[0].key == "a"
    assert order[0].why.startswith("The best there is, but: The edge round the person")


def test_a_single_candidate_needs_no_rival(clean: PictureMeasures) -> None:
    assert choose([candidate("a", clean)])[0].why.startswith("Nothing to object to; 95%")
    assert choose([]) == []


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(range(6))))
def test_the_order_of_asking_does_not_matter(order: list[int]) -> None:
    measures = PictureMeasures(
        0.2, (70.0, 0.0, 0.0), 0.8, 0.0, 0.47, 0.5, 0.195, 0.72, 0.05, 0.0, 0.5, 0.3, 1.5, 30.0, (60.0, 12.0, 18.0),
        1.0, 0.1,
    )  # fmt: skip
    all_of_them = [candidate(f"k{i}", measures, 0.8 + 0.01 * (i % 3), *([HALO] if i % 2 else [])) for i in range(6)]
    expected = [choice.key for choice in choose(all_of_them)]
    assert [choice.key for choice in choose([all_of_them[i] for i in order])] == expected
    assert sorted(expected) == sorted(one.key for one in all_of_them)
