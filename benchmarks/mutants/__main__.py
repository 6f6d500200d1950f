"""`python -m benchmarks.mutants`: one line of a promise turned wrong at a time; does a fast test fail?

    --seed 1 --count 40          40 places, drawn by this seed from everything that the promises hang on
    --room vault                 only there; may be named several times
    --share                      the day's share, for .ci/run: one room, few mutants, within `--minutes`

Everything happens in a copy. A survivor is a line that may be wrong without anybody noticing: write the test, or say
in equivalent.toml why the turned line does the same. Ends with 1 when there is one that is not listed (--floor).
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.mutants.covering import Covered, near_tests, run_and_tell
from benchmarks.mutants.places import Place, places_in

ROOT = Path(__file__).resolve().parents[2]
# What the README promises hangs on these; pictures' looks and the words of pages have tests of their own kind.
PROMISES: dict[str, tuple[str, ...]] = {
    "vault": ("tasks/vault/*.py",),
    "retention": ("tasks/retention/*.py",),
    "roster": ("tasks/roster/*.py",),
    "selfies": tuple(f"tasks/selfies/{name}.py" for name in (
        "intake", "keep", "match", "people", "picks", "same_face", "two_people", "whose", "check", "judge",
        "leave_drop")),
    "adapters": tuple(f"tasks/adapters/{name}.py" for name in (
        "cohort", "examples", "learning", "ownership", "plan", "slots", "training", "checkpoint", "shelf")),
    "headshots": tuple(f"tasks/headshots/{name}.py" for name in ("photographing", "redo", "shots", "studio", "wishes")),
    "likeness": tuple(f"tasks/likeness/{name}.py" for name in (
        "chances", "choose", "faithful", "judging", "reference", "score", "everybody")),
    "delivery": ("tasks/delivery/*.py",),
    "disclosure": ("tasks/disclosure/*.py",),
    "flows": ("flows/door.py", "flows/door_rules.py", "flows/outcome.py", "flows/sweep_guard.py", "flows/logins.py"),
    "reports": tuple(f"reports/{name}.py" for name in (
        "decisions", "desk_door", "desk_login", "desk_tries", "withdrawals", "delivered", "desk_questions", "uploads")),
}  # fmt: skip
# Prefect's side, which is words and ids; and lists of other people's words.
NOT_PROMISED = ("task.py", "__init__.py", "failpoints.py", "headers.py", "status_words.py")
HUNG, LOADING = "(hung, or took its process down)", "(the tests cannot be loaded)"
LIMIT_S = 90.0  # of one mutant's tests; who needs longer hangs, and that is noticed


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
        tests = near_tests(root, files) if not asked.all_tests else {"tests"}
        covered = _told(root, tests, files, asked.remember)
        if covered.failed:
            print(f"not used, they fail by themselves here: {', '.join(covered.failed)}")
        _preload(covered.modules)
        return _try_all(root, drawn, covered, ends, asked.floor)


def promised(root: Path, room: str) -> list[str]:
    """The files of one room."""
    paths = sorted(path for pattern in PROMISES[room] for path in root.glob(pattern))
    return [path.relative_to(root).as_posix() for path in paths if path.name not in NOT_PROMISED]


def draw(root: Path, rooms: Sequence[str], seed: int, count: int) -> list[Place]:
    """`count` places by this seed, the same number of each room; the same tree and seed give the same ones."""
    dice = random.Random(seed)
    piles = [[one for file in promised(root, room) for one in places_in(file, (root / file).read_text())]
             for room in sorted(rooms)]  # fmt: skip
    for pile in piles:
        dice.shuffle(pile)
    dice.shuffle(piles)
    dealt = [pile[turn] for turn in range(count) for pile in piles if turn < len(pile)]
    return dealt[:count]


def _try_all(root: Path, drawn: Sequence[Place], covered: Covered, ends: float, floor: float) -> int:
    equivalent = known_equivalents()
    killers: dict[Place, str] = {}
    survived: list[Place] = []
    same, waiting = 0, list(drawn)
    some = [test for place in drawn for test in covered.tests_of(place.file, place.line)[:1]]
    if some and _in_a_fork(root, lambda: _failures(some[:1], "-x"), LIMIT_S) in (None, [LOADING]):
        raise SystemExit("the tests cannot be begun with nothing turned: nothing would be known")
    while waiting:
        for place in waiting:
            if time.monotonic() > ends:
                break
            if (place.file, *place.changed((root / place.file).read_text())) in equivalent:
                same += 1
                continue
            killer = _killer(root, place, _in_time(covered.tests_of(place.file, place.line), covered))
            if killer:
                killers[place] = killer
            else:
                survived.append(place)
            print(_told_of(root, place, killer), flush=True)
        # A test that fails with nothing turned notices nothing: those lines meet the others.
        false = set(
            _in_a_fork(root, lambda: _failures(sorted({*killers.values()} - {HUNG, LOADING}), "--maxfail=1000"), 3600)
        )
        covered.failed += sorted(false)
        waiting = [place for place, killer in killers.items() if killer in false]
        for place in waiting:
            del killers[place]
    counted = len(killers) + len(survived)
    share = f"{len(killers) / counted:.0%}" if counted else "-"
    dead = sum(killer in (HUNG, LOADING) for killer in killers.values())
    print(
        f"\n{counted + same} of {len(drawn)} tried: {len(killers)} killed ({share}), of them {dead} by hanging or not"
    )
    print(f"loading; {len(survived)} survived, {same} do the same. Every other killer passes with nothing turned.")
    if survived:
        print("\n".join(["", "Survivors:", *(_told_of(root, place, "") for place in survived)]))
    return 1 if counted and len(killers) < floor * counted else 0


def _told_of(root: Path, place: Place, killer: str) -> str:
    before, after = place.changed((root / place.file).read_text())
    verdict = f"killed    {place.file}:{place.line} by {killer}" if killer else f"SURVIVED  {place.file}:{place.line}"
    return f"{verdict}\n    - {before}\n    + {after}"


def _in_time(tests: Sequence[str], covered: Covered) -> list[str]:
    """The quickest of them, as many as a third of the limit allows."""
    some, spent = [], 0.0
    for test in tests:
        spent += covered.seconds[test]
        if some and spent > LIMIT_S / 3:
            break
        some.append(test)
    return some


def _killer(root: Path, place: Place, tests: Sequence[str]) -> str:
    """The test that fails with this place turned; empty when none does."""
    if not tests:
        return ""
    path = root / place.file
    source = path.read_text()
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()
    _replace(path, place.applied(source))
    try:
        failed = _in_a_fork(root, lambda: _failures(tests, "-x"), LIMIT_S)
    finally:
        _replace(path, source)
    return HUNG if failed is None else next(iter(failed), "")


def _failures(tests: Sequence[str], stop: str) -> list[str]:
    """Runs these tests in this process; those that failed, or could not even be loaded."""
    import pytest

    sys.dont_write_bytecode = True
    failed: list[str] = []

    class Listener:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            failed.extend([report.nodeid] if report.failed else [])

        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            failed.extend([report.nodeid] if report.failed else [])

    said = [stop, "-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    code = pytest.main([*said, *tests], [Listener()]) if tests else 0
    return list(dict.fromkeys(failed or ([LOADING] if code else [])))


def _told(root: Path, tests: set[str], files: Sequence[str], remember: str) -> Covered:
    """Which test runs which line; remembered in a file between two calls where one was named."""
    kept = Path(remember) if remember else None
    if kept and kept.is_file():
        values = json.loads(kept.read_text())
        values["lines"] = {f: {int(n): t for n, t in lines.items()} for f, lines in values["lines"].items()}
        return Covered(**values)
    began, loaded = time.monotonic(), set(sys.modules)
    covered = _in_a_fork(root, lambda: run_and_tell(root, tests, files, loaded), 3600)
    if not isinstance(covered, Covered):
        raise SystemExit("the tests themselves could not be run")
    print(f"{len(covered.seconds)} tests in {time.monotonic() - began:.0f} s say which lines they run", flush=True)
    if kept:
        kept.write_text(json.dumps(vars(covered)))
    return covered


def _in_a_fork(root: Path, ask: Callable[[], Any], limit: float) -> Any:
    """What `ask` returns in a process of its own, in the copy; None when it died or took too long.

    Forked, so that large libraries are loaded once; none of ours is, so each process loads the turned line.
    """
    context = get_context("fork")
    here, there = context.Pipe(duplex=False)

    def child() -> None:
        os.setsid()
        os.chdir(root)
        sys.path.insert(0, str(root))
        os.environ["PYTHONPATH"] = str(root)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        there.send(ask())
        there.close()

    process = context.Process(target=child)
    process.start()
    there.close()
    try:
        return here.recv() if here.poll(limit) else None
    except EOFError:
        return None
    finally:
        process.join(5)
        try:
            os.killpg(process.pid or 0, signal.SIGKILL)  # and what the tests started
        except ProcessLookupError:
            process.join()
        process.join()


def _preload(modules: Sequence[str]) -> None:
    """What the tests load of others is loaded once, before the forks. Prefect reads its settings when it is loaded, and
    some libraries start threads: those are left to each process."""
    left = ("prefect", "pytest", "_pytest", "hypothesis", "_hypothesis", "coverage", "apprise", "docket", "playwright",
            "xdist", "anyio")  # fmt: skip
    for name in modules:
        if not name.startswith(left) and "." not in name:
            with suppress(Exception):  # what some of them make up at run time is nothing to be loaded
                __import__(name)


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


def _replace(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


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
    parser.add_argument("--all-tests", action="store_true", help="every fast test may kill, not only those near")
    parser.add_argument("--remember", default="", help="a file to keep between calls which test runs which line")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
