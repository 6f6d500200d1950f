"""Who runs the cohorts: the workers of the `gpu` pool where there are some, this process where there are none.

Our own records say who is done; Prefect's states only say whether the machinery still runs. A cohort that died is
started once more under a new key, and finds its finished people done; one that died twice is given up, and its
people are in the report with that reason. What an earlier run of the batch handed out before its machine went down is
waited for: it is at work, and taking it over would do its work twice.
"""

import logging
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    WorkerFilter,
    WorkerFilterLastHeartbeatTime,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.runtime import flow_run

from flows.cohort import cohort
from flows.environment import SILENCE
from tasks import progress
from tasks.adapters.task import give_up
from tasks.likeness.task import judge_team, second_chances
from tasks.vault.telling import kind_of

TAG = "cohort"  # of every run of one
EARLIER = 0  # the attempt of a run that is only waited for: however it ends, the first attempt of ours follows
PAGE = 200  # what Prefect answers at a time
ATTEMPTS = 2  # what kills a cohort twice kills it a third time; the others go on
# Cohorts handed out beyond the workers that live: whoever becomes free, or comes, finds one waiting.
BEYOND = 2
COUNT_EVERY_S = 15.0  # workers are heard of every 30 s: counting more often shows nothing new
POLL_S = 3.0  # a cohort takes minutes
# The first taking of pictures, the extra rounds that a kit may ask for (`extra_rounds`, at most 5), a longer training.
MOST_TURNS = 7
logger = logging.getLogger(__name__)
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


def take_and_judge(batch: str, cohorts: list[int]) -> None:
    """Runs the cohorts, looks at the whole team, and gives who fell short new pictures while the kit allows it."""
    for turn in range(MOST_TURNS):
        run_cohorts(batch, cohorts, turn)
        judge_team(batch)
        cohorts = second_chances(batch, last=turn == MOST_TURNS - 1)
        if not cohorts:
            return


def on_workers() -> bool:
    """Whether cohorts go to the workers of the `gpu` pool, which may be other machines."""
    return bool(os.environ.get("ROLLCALL_UNDER_SUPERVISOR"))


def workers_there() -> int:
    """On how many workers a run that begins now can count; one where this process works itself, or nobody knows."""
    if on_workers():
        with suppress(httpx.HTTPError):
            return max(live_workers(datetime.now(UTC)), 1)
    return 1


def run_cohorts(batch: str, cohorts: list[int], turn: int = 0) -> None:
    """Runs every cohort of the batch to its end, somewhere. `turn` counts the times that this run does so."""
    progress.tell("cohorts", 0, len(cohorts))
    if on_workers():
        _on_workers(batch, cohorts, turn)
        return
    for place, number in enumerate(cohorts):
        try:
            cohort(batch, number)
        except Exception as broken:  # one group is not the end of the others; whose it was stands in the report
            logger.warning("cohort %d broke down (%s); going on with the others", number, kind_of(broken))
            give_up(batch, number)
        progress.tell("cohorts", place + 1, len(cohorts))


@dataclass
class _Window:
    """How many cohorts may be out at a time: as many as there are live workers, and two more."""

    width: int = BEYOND
    counted_at: float = float("-inf")

    def open(self, now: float) -> int:
        if now - self.counted_at > COUNT_EVERY_S:
            self.counted_at = now
            with suppress(httpx.HTTPError):  # a server that restarts: as many as before
                self.width = live_workers(datetime.now(UTC)) + BEYOND
        return self.width


def _on_workers(batch: str, cohorts: list[int], turn: int) -> None:
    waiting = [(number, 1) for number in cohorts]
    running: dict[int, tuple[FlowRun, int]] = {}
    finished, window, earlier = 0, _Window(), _under_way(batch, cohorts)
    while waiting or running:
        while waiting and len(running) < window.open(time.monotonic()):
            number, attempt = waiting.pop(0)
            if number in earlier:
                running[number] = (earlier.pop(number), EARLIER)
            else:
                running[number] = (_submit(batch, number, attempt, turn), attempt)
        time.sleep(POLL_S)
        for number, (run, attempt) in list(running.items()):
            state = _state_of(run)
            if state not in ENDED:
                continue
            del running[number]
            if attempt == EARLIER or (state in {"FAILED", "CRASHED"} and attempt < ATTEMPTS):
                waiting.append((number, attempt + 1))
                continue
            if state != "COMPLETED":
                give_up(batch, number)
            finished += 1
            progress.tell("cohorts", finished, len(cohorts))


def live_workers(now: datetime) -> int:
    """How many workers have lately been heard of, on whichever machine. Raises httpx.HTTPError."""
    lately = WorkerFilter(last_heartbeat_time=WorkerFilterLastHeartbeatTime(after_=now - SILENCE))
    with get_client(sync_client=True) as client:
        return len(client.read_workers_for_work_pool("gpu", lately))


def _under_way(batch: str, cohorts: Collection[int]) -> dict[int, FlowRun]:
    """Runs of these groups that an earlier run of the batch has handed out, and that have not ended."""
    states = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING]
    wanted = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG]), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states))
    )
    found: list[FlowRun] = []
    try:
        with get_client(sync_client=True) as client:
            while page := client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=len(found)):
                found += page
    except httpx.HTTPError:  # a server that restarts: they are taken over, and stop by themselves
        return {}
    ours = [run for run in found if run.parameters["batch"] == batch and run.parameters["number"] in cohorts]
    return {run.parameters["number"]: run for run in sorted(ours, key=lambda run: run.parameters["attempt"])}


def _submit(batch: str, number: int, attempt: int, turn: int) -> FlowRun:
    """One cohort, for whichever worker is free. The key makes a repeated request find the same run."""
    run = run_deployment(
        "cohort/Cohort",
        parameters={"batch": batch, "number": number, "attempt": attempt},
        timeout=0,
        as_subflow=True,
        # A later run of the same batch may submit the same cohort again, so its own id is part of the key.
        idempotency_key=f"{batch}:{number}:{turn}:{attempt}:{flow_run.id}",
        tags=[TAG],
    )
    assert isinstance(run, FlowRun)
    return run


def _state_of(run: FlowRun) -> str:
    """How far Prefect says that it is; while the server is away, that it goes on."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run.id).state
    except httpx.HTTPError:
        return "RUNNING"
    return state.type.value if state else "PENDING"
