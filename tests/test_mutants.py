"""The mutation runner: what it turns, what it leaves alone, and that the same seed draws the same places."""

import tomllib
from pathlib import Path

import pytest

from benchmarks.mutants.__main__ import PROMISES, draw, promised
from benchmarks.mutants.places import places_in

ROOT = Path(__file__).resolve().parents[1]
SOURCE = '''"""Words: not a limit of 3."""
LIMIT = 3
STATES = ("ready", "done")


def may(age: int, of: list[int]) -> bool:
    if age < LIMIT:
        raise ValueError(f"{age} of {LIMIT + 1}")
    logger.info("asked", 4)
    store(age)
    return age in of and not max(of) == 7
'''


def test_guards_limits_and_results_are_turned_and_words_are_not() -> None:
    turned = {place.changed(SOURCE) for place in places_in("m.py", SOURCE)}
    after = {line for _, line in turned}
    assert "LIMIT = 4" in after
    assert "STATES = ('done',)" in after
    assert "if (age <= LIMIT):" in after
    assert "if (False):" in after
    assert "pass" in after, "a call that is made for its effect"
    assert "return (age in of or not max(of) == 7)" in after
    assert "return (not (age in of and (not max(of) == 7)))" in after
    assert "return age in of and not (min(of)) == 7" in after
    assert not any("logger" in before or "ValueError" in before or "Words" in before for before, _ in turned)
    for place in places_in("m.py", SOURCE):
        compile(place.applied(SOURCE), "m.py", "exec")


def test_the_same_seed_draws_the_same_places_from_every_room() -> None:
    once = draw(ROOT, list(PROMISES), 7, 22)
    assert once == draw(ROOT, list(reversed(PROMISES)), 7, 22)
    assert once != draw(ROOT, list(PROMISES), 8, 22)
    rooms = [room for place in once for room in PROMISES if place.file in promised(ROOT, room)]
    assert sorted(rooms) == sorted([*PROMISES] * 2)


@pytest.mark.parametrize("room", PROMISES)
def test_every_room_has_its_files(room: str) -> None:
    names = [name for pattern in PROMISES[room] for name in ([pattern] if "*" not in pattern else [])]
    assert all((ROOT / name).is_file() for name in names)
    assert promised(ROOT, room)


def test_each_exception_has_its_reason_and_is_still_there() -> None:
    listed = tomllib.loads((ROOT / "benchmarks/mutants/equivalent.toml").read_text()).get("mutant", [])
    for one in listed:
        assert len(one["reason"]) > 20, one
        found = places_in(one["file"], source := (ROOT / one["file"]).read_text())
        assert (one["before"], one["after"]) in {place.changed(source) for place in found}, f"no longer there: {one}"
