"""One place turned wrong: which test fails? And what was found so far, kept in a file that outlives the run."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from benchmarks.mutants.covering import Covered, elsewhere_tests, first_tests
from benchmarks.mutants.forks import DIED, LATE, LOADING, PROCESSOR_S, failures, in_a_fork
from benchmarks.mutants.places import Place

QUICK_S = 30  # of processor time for the tests that name a module
TESTS_S = 30.0  # of tests that one mutant meets, by the processor's clock, as long as they took with nothing turned
KILLED: Final = "killed"
SURVIVED: Final = "survived"
SAME: Final = "does the same"
UNDECIDED: Final = "no verdict"
Word = Literal["killed", "survived", "does the same", "no verdict"]


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant; `by` is the test that failed."""

    file: str
    line: int
    before: str
    after: str
    word: Word
    by: str = ""

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        return f"{self.word:13} {self.file}:{self.line}{by}\n    - {self.before}\n    + {self.after}"


class Tries:
    """Turns places of a copy, one at a time, before the tests that name its module, then before those that run it.

    Which tests run which line is asked (`tell`) when the first mutant gets that far. A test that fails with nothing
    turned notices nothing: it is left out.
    """

    def __init__(self, root: Path, tell: Callable[[], Covered]) -> None:
        self.root, self._tell = root, tell
        self.sound, self.unsound = set[str](), set[str]()
        self._met: dict[Place, list[str]] = {}  # test files that have seen it and passed

    @cached_property
    def covered(self) -> Covered:
        """Which test runs which line, and how long it takes."""
        return self._tell()

    def quickly(self, place: Place) -> str:
        """The test that fails with this place turned, of those that name its module: its own room's, then others'.
        Empty where none does, or none can be told."""
        for named in (first_tests(self.root, place.file), elsewhere_tests(self.root, place.file)):
            failed = self._with(place, named, QUICK_S) if named else LATE
            if failed == []:
                self._met[place] = [*self._met.get(place, []), *named]
            if isinstance(failed, list) and failed and failed != [LOADING] and self.passes(failed[0]):
                return failed[0]
        return ""

    def thoroughly(self, place: Place) -> tuple[Word, str]:
        """Whether a test that runs this line fails with this place turned, and which."""
        met = self._met.get(place, [])
        tests = [one for one in in_time(self.covered, place) if one.partition("::")[0] not in met]
        while tests := [test for test in tests if test not in self.unsound]:
            failed = self._with(place, tests)
            if failed in (DIED, [LOADING]):
                return KILLED, DIED if failed == DIED else LOADING
            if isinstance(failed, str):
                return UNDECIDED, ""
            if not failed:
                break
            if self.passes(failed[0]):
                return KILLED, failed[0]
        return SURVIVED, ""

    def passes(self, test: str) -> bool:
        """Whether it passes with nothing turned; asked once."""
        if test not in self.sound | self.unsound:
            passed = in_a_fork(self.root, lambda: failures([test])) == []
            (self.sound if passed else self.unsound).add(test)
        return test in self.sound

    def _with(self, place: Place, tests: Sequence[str], processor: int = PROCESSOR_S) -> list[str] | str:
        path = self.root / place.file
        source = path.read_text()
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            stale.unlink()
        _replace(path, place.applied(source))
        try:
            failed: list[str] | str = in_a_fork(self.root, lambda: failures(tests), processor=processor)
        finally:
            _replace(path, source)
        return failed


def in_time(covered: Covered, place: Place) -> list[str]:
    """The tests that run this line, in their order, as many as time allows."""
    some, spent = list[str](), 0.0
    for test in covered.tests_of(place.file, place.line):
        spent += covered.seconds[test]
        if some and spent > TESTS_S:
            break
        some.append(test)
    return some


class Told:
    """The verdicts, in a file of lines where one was named: a run that was cut goes on, and tries no kill twice."""

    def __init__(self, file: Path | None) -> None:
        lines = file.read_text().splitlines() if file and file.is_file() else []
        self.file, self.before = file, [Verdict(**json.loads(line)) for line in lines]
        self.now: list[Verdict] = []

    def known(self, place: Place, before: str, after: str) -> Verdict | None:
        """The kill of it that an earlier run told of."""
        mine = [one for one in self.before if (one.file, one.before, one.after) == (place.file, before, after)]
        return mine[-1] if mine and mine[-1].word == KILLED else None

    def add(self, verdict: Verdict, heard: bool = False) -> None:
        """Prints and keeps it; `heard` if the file has it already."""
        self.now.append(verdict)
        print(verdict, flush=True)
        if self.file and not heard:
            with self.file.open("a") as lines:
                lines.write(json.dumps(asdict(verdict)) + "\n")

    def of(self, word: Word) -> list[Verdict]:
        """Those that this became of."""
        return [one for one in self.now if one.word == word]

    def share(self) -> float:
        """Killed of those that are decided; 1 where none is."""
        killed, survived = len(self.of(KILLED)), len(self.of(SURVIVED))
        return killed / (killed + survived) if killed + survived else 1.0

    def summary(self, drawn: int) -> str:
        """The figure, and everything that is no kill."""
        killed, survived = self.of(KILLED), self.of(SURVIVED)
        dead = sum(one.by in (DIED, LOADING) for one in killed)
        undecided = self.of(UNDECIDED)
        lines = [
            f"{len(self.now)} of {drawn} tried, {len(killed) + len(survived)} decided: {len(killed)} killed "
            f"({self.share():.1%}; {dead} by hanging or not loading), {len(survived)} survived. "
            f"{len(self.of(SAME))} do the same; {len(undecided)} without a verdict, since time ran out.",
        ]
        lines += [f"{verdict}" for verdict in [*survived, *undecided]]
        return "\n".join(["", *lines])


def _replace(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)
