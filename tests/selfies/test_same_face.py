"""One face under two names: found by the very same picture, or by a limit that the company's own pairs set."""

import tracemalloc

import numpy as np
import pytest

from tasks.selfies.same_face import SAME_PICTURE, Alike, ComparedPhoto, findings_of, same_faces, settled_by
from tasks.vision.faces import Thresholds
from tests.selfies.test_judge import THRESHOLDS, direction

BITS = 6
SIZE = 64


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def photo(vector: np.ndarray, number: int, digest: str = "") -> ComparedPhoto:
    shape = int(np.random.default_rng(number).integers(0, 2**63))
    return ComparedPhoto(unit(vector), digest or f"d{number}", shape, ~shape & (2**64 - 1))


def company(people: int, photos: int = 4, alike: float = 0.7, seed: int = 1) -> dict[str, list[ComparedPhoto]]:
    """People at random places; `alike`: the usual cosine of two photos of one person."""
    random = np.random.default_rng(seed)
    found = {}
    for person in range(people):
        centre = unit(random.normal(size=SIZE))
        noise = np.sqrt(1 / alike - 1)
        found[str(person)] = [
            photo(centre + noise * unit(random.normal(size=SIZE)), person * 100 + i) for i in range(photos)
        ]
    return found


def with_twins(found: dict[str, list[ComparedPhoto]], twins: int) -> dict[str, list[ComparedPhoto]]:
    """The first so many people lie under a second name, with other photos of theirs."""
    more = {f"twin {n}": found[str(n)][len(found[str(n)]) // 2 :] for n in range(twins)}
    return {**found, **{str(n): found[str(n)][: len(found[str(n)]) // 2] for n in range(twins)}, **more}


def pairs(alike: list[Alike]) -> set[tuple[str, str]]:
    return {(one.first, one.second) for one in alike}


def test_both_wait_until_hr_has_said_that_they_are_two() -> None:
    def folder(*angles: float, at: int = 0) -> list[ComparedPhoto]:
        return [photo(direction(angle), at + i) for i, angle in enumerate(angles)]

    people = {"1": folder(0, 10, 20), "2": folder(5, 15, 25, at=10), "3": folder(90, 95, at=20), "4": []}
    found = same_faces(people, THRESHOLDS, BITS)
    assert pairs(found) == {("1", "2")}
    assert not found[0].picture
    findings = findings_of(found)
    assert sorted(findings) == ["1", "2"]
    assert {f.code for one in findings.values() for f in one} == {"same_face_two_names"}
    assert findings_of(settled_by(found, frozenset({("1", "2")}))) == {}
    assert findings_of(settled_by([Alike("2", "1", False, 1, 1)], frozenset({("1", "2")}))) == {}
    # Look-alikes: near to each other, but each nearer to themselves.
    assert same_faces({"1": folder(0, 2, 4), "2": folder(40, 42, 44, at=9)}, THRESHOLDS, BITS) == []
    assert pairs(same_faces({"1": folder(0), "2": folder(8, at=9)}, THRESHOLDS, BITS)) == {("1", "2")}
    assert same_faces({"1": folder(0)}, THRESHOLDS, BITS) == []


def test_the_very_same_photo_in_two_folders_is_named_as_that() -> None:
    people = company(40)
    copied = people["3"][0]
    again = ComparedPhoto(unit(copied.vector + 0.1 * unit(direction_in_space(5))), "saved again", copied.hash ^ 0b11, 7)
    flipped = ComparedPhoto(copied.vector, "flipped", copied.mirrored, copied.hash)
    for other in (copied, again, flipped):
        found = same_faces({**people, "9": [*people["9"], other]}, THRESHOLDS, BITS)
        assert [(one.first, one.second, one.picture) for one in found] == [("3", "9", True)]
        assert "very same photo" in findings_of(found)["9"][0].sentence
    # The same room behind another face, and the same face in another picture, are no copy.
    room = ComparedPhoto(people["20"][0].vector, "room", copied.hash, copied.mirrored)
    assert float(room.vector @ copied.vector) < SAME_PICTURE
    assert same_faces({**people, "20": [*people["20"][1:], room]}, THRESHOLDS, BITS) == []


def direction_in_space(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SIZE)


@pytest.mark.parametrize("people", [30, 100, 700])
def test_a_company_has_few_false_alarms_however_large_it_is(people: int) -> None:
    low = Thresholds(**{**vars(THRESHOLDS), "twin_folder": 0.2})  # a limit for each pair would accuse many
    found = [len(same_faces(company(people, seed=seed), low, BITS)) for seed in range(5)]
    assert sum(found) <= 2, found


@pytest.mark.parametrize("people", [80, 680])
def test_twins_are_found_in_a_company_of_any_size(people: int) -> None:
    low = Thresholds(**{**vars(THRESHOLDS), "twin_folder": 0.2})
    found = pairs(same_faces(with_twins(company(people, photos=8), 20), low, BITS))
    planted = {(str(n), f"twin {n}") for n in range(20)}
    assert len(found & planted) >= 19
    assert len(found - planted) <= 1


def test_where_the_card_knows_pairs_one_photo_each_is_enough_and_more_photos_accuse_nobody() -> None:
    """Means of many photos lie nearer to each other than photos do, so a limit of means is too high for one photo."""

    def folder(*angles: float, at: int) -> list[ComparedPhoto]:
        return [photo(direction(angle), at + i) for i, angle in enumerate(angles)]

    pairs_known = Thresholds(**{**vars(THRESHOLDS), "twin_pairs": 0.4})
    one_each = {"1": folder(0, at=0), "2": folder(63, at=9), "3": folder(180, at=19)}  # cosine .45: of one person
    assert same_faces(one_each, THRESHOLDS, BITS) == []
    assert pairs(same_faces(one_each, pairs_known, BITS)) == {("1", "2")}
    apart = {"1": folder(-40, 40, at=0), "2": folder(26, 106, at=9)}  # the means: cosine .41; all pairs: .24
    assert same_faces(apart, pairs_known, BITS) == []


def test_three_names_for_one_face_are_three_pairs() -> None:
    people = company(60, photos=9)
    nine = people.pop("0")
    people |= {"a": nine[:3], "b": nine[3:6], "c": nine[6:]}
    low = Thresholds(**{**vars(THRESHOLDS), "twin_folder": 0.2})
    assert pairs(same_faces(people, low, BITS)) == {("a", "b"), ("a", "c"), ("b", "c")}


def test_who_is_first_in_the_roster_does_not_matter() -> None:
    people = with_twins(company(120, photos=8), 3)
    turned = dict(reversed(people.items()))
    one, other = (pairs(same_faces(order, THRESHOLDS, BITS)) for order in (people, turned))
    assert {tuple(sorted(pair)) for pair in one} == {tuple(sorted(pair)) for pair in other}


@pytest.mark.slow
def test_twenty_thousand_people_fit_into_a_gigabyte() -> None:
    people = company(20_000, photos=2)
    tracemalloc.start()
    same_faces(people, THRESHOLDS, BITS)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**30
