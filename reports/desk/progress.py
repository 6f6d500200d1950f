"""How far what runs now is, in people and minutes: Prefect's bar beside our own records of who is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reports.desk.batch_state import BatchState
from reports.desk.day import title_of
from reports.desk.runs import STOPPING, WAITING, HowFar, NoOrchestrator, Run, Runs
from tasks.headshots.form_words import batch_meant, is_called
from tasks.sentences import tell

ABOUT_BATCHES = ("make", "reshoot")
# The phases of a run as flows/announcing.py names them in the bar's description, in front of its numbers.


@dataclass(frozen=True)
class UnderWay:
    """One thing that runs. `percent` is None while it waits to begin."""

    run: str
    title: str
    what: str
    batch: str
    percent: float | None
    words: str
    left: timedelta | None
    done: int  # people with pictures
    people: int  # people whom the run is about
    stopping: bool


def going_now(runs: Runs, states: Sequence[BatchState], now: datetime) -> tuple[list[UnderWay], bool]:
    """Everything that runs or waits to run; False when nobody can say, because Prefect does not answer."""
    try:
        found = runs.going()
        return [_going(runs, run, states, now) for run in found], True
    except NoOrchestrator:
        return [], False


def _going(runs: Runs, run: Run, states: Sequence[BatchState], now: datetime) -> UnderWay:
    batch = batch_of(run, states)
    bar = runs.bar(batch.id, run, now) if batch is not None and run.deployment in ABOUT_BATCHES else None
    return going_of(run, batch, bar)


def going_of(run: Run, batch: BatchState | None, bar: HowFar | None) -> UnderWay:
    """One run in words. `batch` is None until the run has begun one."""
    what = tell(f"run.{run.deployment or 'make'}")
    stopping = run.state == STOPPING
    waiting = run.state in WAITING
    words = (
        tell("run.stopping")
        if stopping
        else tell("run.waiting")
        if waiting
        else bar.words
        if bar
        else tell("run.going")
    )
    in_it = batch.people - batch.count("blocked", "forgotten", "stopped") if batch else 0
    done = batch.count("review", "attention", "approved", "rejected", "redo", "opted_out") if batch else 0
    return UnderWay(
        run.id,
        title_of(batch) if batch else run.name,
        what,
        batch.id if batch else "",
        None if waiting or bar is None else bar.percent,
        words,
        bar.left if bar and not stopping else None,
        min(done, in_it),
        in_it,
        stopping,
    )


def batch_of(run: Run, states: Sequence[BatchState]) -> BatchState | None:
    """Which batch a run is about: by its parameter, by the lease it holds, or by what it was ordered to make."""
    named = batch_meant(str(run.parameters.get("batch") or ""))
    for state in states:
        if state.id == named or (state.maker and state.maker == run.id):
            return state
    drop, quality = str(run.parameters.get("drop") or ""), run.parameters.get("quality")
    if run.deployment == "make" and drop:
        fitting = [state for state in states if (state.drop, state.quality) == (drop, quality)]
        return next((one for one in fitting if is_called(run.parameters.get("kit"), one.kit, one.kit_title)), None)
    return None
