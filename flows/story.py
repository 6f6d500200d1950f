"""`@story`: a flow that ends in words. What was foreseen is a failed run with the sentence as its message.

Called without Prefect (`.fn`, or from a test), the same faults are raised.
"""

import functools
import os
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Flow, flow
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Failed
from pydantic import Field

from tasks.headshots.form_words import batch_in_words, batch_meant
from tasks.vault.failures import NotLikeThis
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import sentences_only
from tasks.vault.telling import told

# What ids look like (tasks/vault/records.py); a name that somebody types by mistake does not.
BATCH, PERSON = "b[0-9a-f]{15}", "p[0-9a-f]{15}"

P = ParamSpec("P")
R = TypeVar("R")


def story(name: str, run_name: Callable[[], str]) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """A flow that keeps nothing in Prefect. `run_name` is asked when a run begins, and may only use what it checked:
    whatever stands in a run's name stays in Prefect."""

    def made(function: Callable[P, R]) -> Flow[P, R]:
        sentences_only()

        @functools.wraps(function)
        def in_words(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Exception as fault:
                words = told(fault)
            if FlowRunContext.get() is None:
                raise words.with_traceback(None)
            return cast(R, Failed(message=str(words), data=words.with_traceback(None)))

        return flow(name=name, flow_run_name=run_name, persist_result=False)(in_words)

    return made


def named(what: str, **checked: str) -> Callable[[], str]:
    """A run's name: `what`, and of the named parameters those that match their pattern."""

    def name() -> str:
        asked = {key: str(flow_run.parameters.get(key, "")) for key in checked}
        return " ".join([what, *(value for key, value in asked.items() if re.fullmatch(checked[key], value))])

    return name


def named_by_batch(what: str) -> Callable[[], str]:
    """A run's name: `what`, and of its batch the kit and the day, which our records say and nobody typed."""

    def name() -> str:
        number = batch_meant(str(flow_run.parameters.get("batch", "")))
        if not re.fullmatch(BATCH, number):
            return what
        settings = load_settings()
        with open_vault(settings) as vault:
            return f"{what} · {batch_in_words(vault.engine, number, settings.kits, settings.timezone)}"

    return name


def field(title: str, description: str, *, choices: list[str] | None = None, pattern: str | None = None) -> Any:
    """How a parameter looks in Prefect's form, and what Prefect refuses before it stores anything.

    Not by pydantic's own arguments: Prefect overwrites titles given any other way, and the patterns' messages would
    quote what was typed into the run's log when the form's checks are off; the flows check again in their own words.
    """
    extra: dict[str, Any] = {"title": title, "description": description}
    extra |= {"enum": choices} if choices else {}
    # JSON Schema looks for a pattern anywhere in the text, so it is tied to both ends.
    extra |= {"pattern": f"^(?:{pattern})$"} if pattern else {}
    return Field(json_schema_extra=extra)


def fits(value: str, pattern: str, sentence: str) -> str:
    """The value, when it matches; NotLikeThis with the sentence when not: the form's checks can be switched off."""
    if not re.fullmatch(pattern, value):
        raise NotLikeThis(sentence)
    return value


def this_run() -> str:
    """What others are told of the present run: Prefect's own number of it, or that it runs by itself."""
    return str(flow_run.id or f"by itself, process {os.getpid()}")
