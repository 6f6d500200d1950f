"""Runs tests in a process of its own, forked so that large libraries are loaded once; none of ours is before the fork,
so each process loads the turned line."""

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from benchmarks.mutants.covering import KEEP_QUIET

DIED: Final = "(used up its processor time, or took its process down)"
LATE: Final = "(not done in time)"
LOADING: Final = "(the tests cannot be loaded)"
PROCESSOR_S = 90  # of one mutant's tests, by the processor's clock: who needs more hangs, however busy the machine is
PATIENCE_S = 240.0  # by the wall's clock: whoever waits longer may only stand in a queue, so nothing is said of it


def in_a_fork(root: Path, ask: Callable[[], Any], seconds: float = PATIENCE_S, processor: int = PROCESSOR_S) -> Any:
    """What `ask` returns in a process of its own, in the copy; DIED or LATE where it returns nothing."""
    context = get_context("fork")
    here, there = context.Pipe(duplex=False)

    def child() -> None:
        os.setsid()
        os.chdir(root)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
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
        return here.recv() if here.poll(seconds) else LATE
    except EOFError:
        return DIED
    finally:
        process.join(5)
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)  # and what the tests started
        process.join()


def failures(tests: Sequence[str]) -> list[str]:
    """Runs these tests in this process to the first that fails; that one, or LOADING where none could even begin."""
    import pytest

    sys.dont_write_bytecode = True
    failed: list[str] = []

    class Listener:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            failed.extend([report.nodeid] if report.failed else [])

        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            failed.extend([report.nodeid] if report.failed else [])

    said = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", *KEEP_QUIET]
    code = pytest.main([*said, *tests], [Listener()])
    return failed[:1] or ([LOADING] if code else [])


def load_what_tests_load(modules: Sequence[str]) -> None:
    """What the tests load of others, once, before the forks. Prefect reads its settings when it is loaded, and some
    libraries start threads: those are left to each process."""
    left = ("prefect", "pytest", "_pytest", "hypothesis", "_hypothesis", "coverage", "apprise", "docket", "playwright",
            "xdist", "anyio")  # fmt: skip
    for name in modules:
        if not name.startswith(left) and "." not in name:
            with suppress(Exception):  # what some of them make up at run time is nothing to be loaded
                __import__(name)
