"""Many hands: our own heavy work on pixels, one process for each core, answered in the order in which it was asked.

Beside the sandbox and by its means: children without our environment, keys or records, who get plain bytes, answer with
plain values and end when we do. What they work on is our own, so they get the memory and the time that it takes, and
work that fell with its child is done once more. On one core nothing is started: the same function is called here.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from tasks.sandbox import Fallen, Limits, Opened, Sandbox, cores
from tasks.vault.failures import HandLost

GIB = 2**30  # bytes
EACH = GIB  # bytes of memory that one process may come to need: a large picture, its mattes and the networks
MOST = 32  # processes: more would wait for the one that hands out the work
LIMITS = Limits(memory=3 * GIB, cpu=600.0, patience=1800.0, answer=512 * 2**20)
AHEAD = 2  # jobs for each process that wait or are done and not yet taken: no more pictures than that are in memory
TRIES = 2  # times a job is handed out, when the child that had it is ended from outside

Tag = TypeVar("Tag")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Job:
    """What one call of the work gets: bytes, and options that JSON can hold."""

    data: bytes
    options: Mapping[str, Any]


class Hands:
    """So many processes at once; 1 is this one. Safe to use from one thread at a time."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._children = Sandbox(processes) if processes > 1 else None

    def each(
        self, work: str, jobs: Iterable[tuple[Tag, Job]], then: Callable[[Tag, Opened], Result]
    ) -> Iterator[tuple[Tag, Result]]:
        """What `work` ("package.module:function") makes of each job, in order; `jobs` are asked for as they are needed.

        `then` turns an answer into what is wanted, beside the children and not after them. Raises HandLost when a
        process was ended from outside twice, or when the work broke.
        """
        if self._children is None:
            for tag, job in jobs:
                yield tag, then(tag, _here(work, job))
            return
        pool = ThreadPoolExecutor(self.processes, "hands")
        waiting: deque[tuple[Tag, Future[Result]]] = deque()
        try:
            for tag, job in jobs:
                waiting.append((tag, pool.submit(self._done, work, tag, job, then)))
                if len(waiting) >= AHEAD * self.processes:
                    first, result = waiting.popleft()
                    yield first, result.result()
            while waiting:
                first, result = waiting.popleft()
                yield first, result.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _done(self, work: str, tag: Tag, job: Job, then: Callable[[Tag, Opened], Result]) -> Result:
        assert self._children is not None
        for left in reversed(range(TRIES)):
            try:
                return then(tag, self._children.open(work, job.data, LIMITS, job.options))
            except Fallen as fallen:
                if not (left and fallen.how.startswith(("signal", "exit"))):
                    raise HandLost(fallen.how) from None
        raise AssertionError("TRIES is at least 1")

    def close(self) -> None:
        """End the processes that wait for work."""
        if self._children is not None:
            self._children.close()


def _here(work: str, job: Job) -> Opened:
    """The same in this process, with the same values: what has been through JSON is not what went in."""
    module, _, function = work.partition(":")
    value, blocks = getattr(importlib.import_module(module), function)(job.data, **json.loads(json.dumps(job.options)))
    return Opened(json.loads(json.dumps(value)), tuple(bytearray(memoryview(block).cast("B")) for block in blocks))


def usual_processes() -> int:
    """One for each core that this process may use, as far as the memory goes."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        memory = EACH
    return max(1, min(cores(), MOST, memory // EACH))


@functools.lru_cache(maxsize=2)
def the_hands(processes: int | None) -> Hands:
    """This process's own, started when first needed; `processes` as the settings say, None for the usual number."""
    made = Hands(processes or usual_processes())
    atexit.register(made.close)
    return made
