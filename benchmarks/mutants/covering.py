"""Which fast tests run which line: told once by running them, so that each mutant meets only those that can see it."""

import ast
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

import coverage
import pytest

# Libraries that were loaded before the fork cannot be rewritten for assertions; nobody needs that.
KEEP_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
OURS = ("flows", "tasks", "reports", "synthetic", "benchmarks", "tests")


@dataclass
class Covered:
    """What a run of the tests told: for each line its tests, how much work each was, which failed by themselves."""

    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)  # file → line → node ids
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)  # of others, which the tests loaded

    def tests_of(self, file: str, line: int) -> list[str]:
        """The tests that run this line, those of its module first, then the quickest; of a line outside functions those
        that use the file at all."""
        lines, own = self.lines.get(file, {}), f"/test_{Path(file).stem}.py::"
        here = lines.get(line) or sorted({test for tests in lines.values() for test in tests})
        left = [test for test in here if test not in self.failed]
        return sorted(left, key=lambda test: (own not in test, self.seconds[test], test))


class Listener:
    """A plugin of pytest: which test is running, how long it took, how it ended."""

    def __init__(self, tracer: coverage.Coverage, files: Collection[str]) -> None:
        self.tracer, self.seconds, self.failed = tracer, defaultdict[str, float](float), set[str]()
        self.measured = {str(Path(file).with_suffix("")).replace("/", ".") for file in files}

    def _remember_nothing(self) -> None:
        """What a test before has left in a cache would hide that this one needs the same lines."""
        for module in [sys.modules[name] for name in self.measured & sys.modules.keys()]:
            for value in vars(module).values():
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        began = _worked()
        self._remember_nothing()
        self.tracer.switch_context(item.nodeid)
        done = yield
        self.tracer.switch_context("")
        self.seconds[item.nodeid] = _worked() - began
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def _worked() -> float:
    """Processor time of this process and of those it has waited for, in seconds: the same on a busy machine."""
    return sum(os.times()[:4])


def run_and_tell(root: Path, tests: Collection[str], files: Collection[str], loaded: Collection[str]) -> Covered:
    """Runs these test files below `root` in this process and tells which test ran which line of `files`."""
    tracer = coverage.Coverage(
        data_file=None, config_file=False, include=[str(root / file) for file in files], messages=False,
    )  # fmt: skip
    tracer.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured", "already-imported"])
    listener = Listener(tracer, files)
    tracer.start()
    said = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly", *KEEP_QUIET]
    pytest.main([*said, *sorted(tests)], [listener])
    tracer.stop()
    data = tracer.get_data()
    lines: dict[str, dict[int, list[str]]] = {}
    for file in files:
        told = data.contexts_by_lineno(str(root / file))
        lines[file] = {line: named for line, names in told.items() if (named := [name for name in names if name])}
    others = [name for name in sys.modules if name.split(".")[0] not in OURS and name not in loaded]
    return Covered(lines, dict(listener.seconds), sorted(listener.failed), others)


def importers(root: Path) -> dict[str, set[str]]:
    """Module file → the test files that import it themselves, or by way of another test's module beside them."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((root / "tests").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for module in modules:
                found[f"{module.replace('.', '/')}.py"].add(name)
    return found


def room_tests(root: Path, files: Collection[str]) -> set[str]:
    """All test files of the rooms that these modules are."""
    rooms = {
        parts[1] if parts[0] == "tasks" and len(parts) > 2 else parts[0] for parts in (Path(f).parts for f in files)
    }
    return {path.relative_to(root).as_posix() for room in rooms for path in (root / "tests" / room).glob("test_*.py")}


def first_tests(root: Path, file: str) -> list[str]:
    """The test files of its own room that import this module, the one of its name first: most mutants end there."""
    own = room_tests(root, [file])
    by_name = sorted(test for test in own if Path(test).stem == f"test_{Path(file).stem}")
    return [*by_name, *sorted(own & importers(root).get(file, set()) - set(by_name))]


def elsewhere_tests(root: Path, file: str) -> list[str]:
    """The test files of other rooms that import this module themselves: promises that a neighbour holds."""
    found = importers(root).get(file, set()) - room_tests(root, [file])
    return sorted(test for test in found if Path(test).name.startswith("test_"))


def near_tests(root: Path, files: Collection[str]) -> set[str]:
    """The tests of these rooms, and whatever other test file imports one of these modules."""
    found = room_tests(root, files)
    imported = importers(root)
    for file in files:
        for test in imported.get(file, ()):
            beside = Path(test)
            named = [test] if beside.name.startswith("test_") else [
                path.relative_to(root).as_posix() for path in (root / beside.parent).glob("test_*.py")]  # fmt: skip
            found |= set(named)
    return found
