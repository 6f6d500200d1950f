"""`python -m benchmarks.mutants`: one line of a promise turned wrong at a time; does a fast test fail?

    --seed 1 --count 40          40 places, drawn by this seed from everything that the promises hang on
    --room vault                 only there; may be named several times
    --share                      the day's share, for .ci/run: one room, few mutants, within `--minutes`
    --results FILE               what was found, line by line: a run that was cut goes on, and tries no kill twice

Everything happens in a copy. A survivor is a line that may be wrong without anybody noticing: write the test, or say
in equivalent.toml why the turned line does the same. Ends with 1 when there is one that is not listed (--floor).
"""

import argparse
import compileall
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.mutants.covering import Covered, near_tests, room_tests, run_and_tell
from benchmarks.mutants.forks import in_a_fork, load_what_tests_load
from benchmarks.mutants.places import Place, places_in
from benchmarks.mutants.trying import KILLED, SAME, Told, Tries, Verdict

ROOT = Path(__file__).resolve().parents[2]
# What the README promises hangs on these; pictures' looks and the words of pages have tests of their own kind.
PROMISES: dict[str, tuple[str, ...]] = {
    "vault": ("tasks/vault/*.py",),
    "retention": ("tasks/retention/*.py",),
    "roster": ("tasks/roster/*.py",),
    "selfies": tuple(f"tasks/selfies/{name}.py" for name in (
        "intake", "keep", "match", "people", "picks", "same_face", "two_people", "whose", "check", "judge",
        "judge_set", "leave_drop")),
    "adapters": tuple(f"tasks/adapters/{name}.py" for name in (
        "cohort", "examples", "learning", "ownership", "plan", "slots", "training", "checkpoint", "shelf")),
    "headshots": tuple(f"tasks/headshots/{name}.py" for name in ("photographing", "redo", "shots", "studio", "wishes")),
    "likeness": tuple(f"tasks/likeness/{name}.py" for name in (
        "chances", "choose", "faithful", "judging", "reference", "score", "everybody")),
    "delivery": ("tasks/delivery/*.py",),
    "disclosure": ("tasks/disclosure/*.py",),
    "flows": ("flows/door.py", "flows/door_rules.py", "flows/outcome.py", "flows/sweep_guard.py", "flows/logins.py"),
    "reports": tuple(f"reports/{name}.py" for name in (
        "decisions", "withdrawals", "delivered", "door/door", "door/tries", "desk/login", "desk/questions",
        "uploads/receiving")),
}  # fmt: skip
# Prefect's side, which is words and ids; and lists of other people's words.
NOT_PROMISED = ("task.py", "__init__.py", "failpoints.py", "headers.py", "status_words.py")
# Of others, what nearly every test loads: loaded once, before the forks.
OFTEN_LOADED = ("numpy", "PIL", "cv2", "torch", "sqlalchemy", "sqlmodel", "pydantic", "fastapi", "hypothesis")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws, runs, prints; 0 when every survivor is known to do the same."""
    asked = _asked(arguments)
    rooms, seed = asked.room or list(PROMISES), asked.seed
    if asked.share:
        day = datetime.now(UTC).date().toordinal()
        rooms, seed = [sorted(PROMISES)[day % len(PROMISES)]], day
    ends = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        root = Path(folder) / "tree"
        _copy(root)
        drawn = draw(root, rooms, seed, asked.count)
        print(f"{len(drawn)} places, seed {seed}, in {', '.join(rooms)}", flush=True)
        files = [file for room in rooms for file in promised(root, room)]
        near = room_tests if asked.own_tests else near_tests
        tests = near(root, files) if not asked.all_tests else {"tests"}
        told = Told(Path(asked.results) if asked.results else None)
        _try_all(drawn, Tries(root, lambda: _told(root, tests, files, asked.remember)), told, ends)
        print(told.summary(len(drawn)))
        return 1 if told.share() < asked.floor else 0


def promised(root: Path, room: str) -> list[str]:
    """The files of one room."""
    paths = sorted(path for pattern in PROMISES[room] for path in root.glob(pattern))
    return [path.relative_to(root).as_posix() for path in paths if path.name not in NOT_PROMISED]


def draw(root: Path, rooms: Sequence[str], seed: int, count: int) -> list[Place]:
    """`count` places by this seed, the same number of each room. A place's turn is its own text's: another line that is
    written or mended meanwhile changes nothing about which are drawn."""

    def turn(place: Place) -> str:
        return hashlib.sha256(repr((seed, place.file, *place.changed(sources[place.file]))).encode()).hexdigest()

    sources = {file: (root / file).read_text() for room in rooms for file in promised(root, room)}
    piles = [sorted((one for file in promised(root, room) for one in places_in(file, sources[file])), key=turn)
             for room in sorted(rooms)]  # fmt: skip
    random.Random(seed).shuffle(piles)
    dealt = [pile[turn] for turn in range(count) for pile in piles if turn < len(pile)]
    return dealt[:count]


def _try_all(drawn: Sequence[Place], tries: Tries, told: Told, ends: float) -> None:
    equivalent, root = known_equivalents(), tries.root
    load_what_tests_load(OFTEN_LOADED)
    left: list[Place] = []
    for place in drawn:
        before, after = place.changed((root / place.file).read_text())
        known = told.known(place, before, after)
        if (place.file, before, after) in equivalent:
            told.add(Verdict(place.file, place.line, before, after, SAME), heard=True)
        elif known:
            told.add(Verdict(place.file, place.line, before, after, KILLED, known.by), heard=True)
        elif time.monotonic() < ends:
            killer = tries.quickly(place)
            if killer:
                told.add(Verdict(place.file, place.line, before, after, KILLED, killer))
            else:
                left.append(place)
    for place in left:
        if time.monotonic() < ends:
            before, after = place.changed((root / place.file).read_text())
            word, by = tries.thoroughly(place)
            told.add(Verdict(place.file, place.line, before, after, word, by))


def _told(root: Path, tests: set[str], files: Sequence[str], remember: str) -> Covered:
    """Which test runs which line; remembered in a file between two calls where one was named."""
    kept = Path(remember) if remember else None
    if kept and kept.is_file():
        values = json.loads(kept.read_text())
        values["lines"] = {f: {int(n): t for n, t in lines.items()} for f, lines in values["lines"].items()}
        return Covered(**values)
    began, loaded = time.monotonic(), set(sys.modules)
    covered = in_a_fork(root, lambda: run_and_tell(root, tests, files, loaded), 3600, 3600)
    if not isinstance(covered, Covered):
        raise SystemExit("the tests themselves could not be run")
    print(f"{len(covered.seconds)} tests in {time.monotonic() - began:.0f} s say which lines they run", flush=True)
    if covered.failed:
        print(f"not used, they fail by themselves here: {', '.join(covered.failed)}")
    load_what_tests_load(covered.modules)
    if kept:
        kept.write_text(json.dumps(vars(covered)))
    return covered


def _copy(root: Path) -> None:
    """The checkout as it is now, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source, copy = ROOT / name, root / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    compileall.compile_dir(root, quiet=2)  # once: no fork writes what it compiles


def known_equivalents() -> set[tuple[str, str, str]]:
    """Mutants that change nothing anybody could see, each with its reason in equivalent.toml: (file, before, after)."""
    listed = tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text()).get("mutant", [])
    return {(one["file"], one["before"], one["after"]) for one in listed if one["reason"]}


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mutants", description="Turns lines wrong, one at a time, and sees tests fail."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40, help="places to draw")
    parser.add_argument("--room", action="append", choices=sorted(PROMISES))
    parser.add_argument("--share", action="store_true", help="the day's room and seed")
    parser.add_argument("--floor", type=float, default=1.0, help="share that has to be killed; less ends with 1")
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no mutant after that many")
    parser.add_argument("--own-tests", action="store_true", help="only the tests of the rooms themselves: most kills")
    parser.add_argument("--all-tests", action="store_true", help="every fast test may kill, not only those near")
    parser.add_argument("--results", default="", help="a file of verdicts, added to; kills in it are not tried again")
    parser.add_argument("--remember", default="", help="a file to keep between calls which test runs which line")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
