"""The mutation runner: what it turns, what it leaves alone, and that the same seed draws the same places."""

import time
import tomllib
from pathlib import Path

import pytest

from benchmarks.mutants.__main__ import PROMISES, draw, promised
from benchmarks.mutants.covering import Covered, elsewhere_tests, first_tests, run_and_tell
from benchmarks.mutants.forks import DIED, LATE, in_a_fork
from benchmarks.mutants.places import Place, places_in
from benchmarks.mutants.trying import KILLED, SAME, SURVIVED, UNDECIDED, Told, Tries, Verdict

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


def verdict(line: int, word: str, by: str = "") -> Verdict:
    return Verdict("m.py", line, f"line {line}", "turned", word, by)  # type: ignore[arg-type]


def test_what_has_no_verdict_is_in_no_share_and_a_cut_run_knows_its_kills(tmp_path: Path) -> None:
    told = Told(tmp_path / "found.jsonl")
    assert told.share() == 1.0, "nothing is decided yet"
    for one in (verdict(1, UNDECIDED), verdict(2, SAME)):
        told.add(one)
    assert told.share() == 1.0
    for one in (verdict(3, KILLED, "a test"), verdict(4, KILLED, DIED), verdict(5, KILLED), verdict(6, SURVIVED)):
        told.add(one)
    assert told.share() == 0.75
    said = told.summary(7)
    assert "6 of 7 tried, 4 decided: 3 killed (75.0%; 1 by hanging or not loading), 1 survived." in said
    assert "m.py:6" in said
    assert "m.py:3" not in said
    again = Told(tmp_path / "found.jsonl")
    place = Place("m.py", 33, 0, 0, "", "")
    known = again.known(place, "line 3", "turned")
    assert known is not None, "found again where it stands now"
    assert known.by == "a test"
    assert again.known(place, "line 6", "turned") is None, "a survivor is tried again: there may be a test by now"


def test_time_by_the_wall_decides_nothing_and_work_without_end_is_a_kill(tmp_path: Path) -> None:
    assert in_a_fork(tmp_path, lambda: "done") == "done"
    assert in_a_fork(tmp_path, lambda: time.sleep(60), seconds=0.2) == LATE

    def works_on() -> None:
        while True:
            pass

    assert in_a_fork(tmp_path, works_on, processor=1) == DIED


def test_a_modules_own_tests_come_first_and_a_test_that_fails_by_itself_kills_nothing(tmp_path: Path) -> None:
    write(tmp_path, {
        "office/limit.py": "LIMIT = 3\n",
        "tests/office/test_limit.py": "from office.limit import LIMIT\n\n\ndef test_it():\n    assert LIMIT == 3\n",
        "tests/office/test_all.py": "from office import limit\n\n\ndef test_always():\n    assert limit is None\n",
        "tests/other/test_else.py": "from office import limit\n\n\ndef test_it():\n    assert limit.LIMIT == 3\n",
        "tests/other/beside.py": "from office import limit\n",
    })  # fmt: skip
    limit = "office/limit.py"
    assert first_tests(tmp_path, limit) == ["tests/office/test_limit.py", "tests/office/test_all.py"]
    assert elsewhere_tests(tmp_path, limit) == ["tests/other/test_else.py"]
    (tmp_path / "tests/office/test_limit.py").unlink()
    [place] = places_in(limit, "LIMIT = 3\n")
    tries = Tries(tmp_path, lambda: Covered(seconds={}))
    assert tries.quickly(place) == "tests/other/test_else.py::test_it", "a neighbour's test holds it"
    (tmp_path / "tests/other/test_else.py").unlink()
    assert tries.quickly(place) == ""
    assert tries.thoroughly(place) == (SURVIVED, "")
    assert (tmp_path / limit).read_text() == "LIMIT = 3\n"


def test_what_an_earlier_test_left_in_a_cache_hides_no_later_one(tmp_path: Path) -> None:
    once = "from functools import lru_cache\n\n\n@lru_cache\ndef limit():\n    return 3\n"
    both = "".join(f"\n\ndef test_{name}():\n    assert limit() == 3\n" for name in ("one", "two"))
    write(tmp_path, {"office/kept.py": once, "tests/test_kept.py": f"from office.kept import limit\n{both}"})
    told = in_a_fork(tmp_path, lambda: run_and_tell(tmp_path, ["tests/test_kept.py"], ["office/kept.py"], ()))
    # whichever of the two was quicker stands first
    named = [f"tests/test_kept.py::test_{name}" for name in ("one", "two")]
    assert sorted(told.tests_of("office/kept.py", 6)) == named


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
