"""The edge between our steps and Prefect: what it learns of a fault, and what is tried again.

Prefect writes down whatever an exception says, in five tables and a log. So a step's exceptions are told in our own
words before Prefect sees them, and the traceback in its log, which would quote them, is left out.
"""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from tasks.vault.failures import StoreLost
from tasks.vault.telling import DatabaseLost, told

P = ParamSpec("P")
R = TypeVar("R")

# Seconds before a step that lost its database or its files is tried again: a lock, a restart, a failover.
AGAIN_AFTER = [5, 30, 120]
LOGGERS = ("prefect.task_runs", "prefect.flow_runs", "prefect.engine")


def step(function: Callable[P, R]) -> Task[P, R]:
    """A task that keeps nothing in Prefect, named as its function, with hyphens. Called as `.fn` it is that function,
    but for the words of its faults."""
    sentences_only()
    return Task(
        in_our_words(function), name=function.__name__.replace("_", "-"), persist_result=False, cache_policy=NO_CACHE,
        retries=len(AGAIN_AFTER), retry_delay_seconds=list(AGAIN_AFTER), retry_condition_fn=_may_pass,
    )  # fmt: skip


def in_our_words(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose exceptions are fit to be read by others."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as fault:
            words = told(fault)
        # Outside the handler, so that the fault itself does not hang on to what is told of it.
        raise words.with_traceback(None)

    return guarded


def _may_pass(_task: Task[..., object], _run: TaskRun, state: State[object]) -> bool:
    return isinstance(state.data, DatabaseLost | StoreLost)


class _WithoutTraces(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


def sentences_only() -> None:
    """Prefect's logs of runs hold sentences from now on: its tracebacks quote exceptions, and those of a fault that was
    foreseen stand in the middle of a log like an alarm. Doing it twice changes nothing."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _WithoutTraces) for one in logger.filters):
            logger.addFilter(_WithoutTraces())
