"""Who runs the cohorts: the workers of the `gpu` pool where there are some, this process where there are none.

Our own records say who is done; Prefect's states only say whether the machinery still runs. A cohort that died is
started once more under a new key, and finds its finished people done; one that died twice is given up, and its
people are in the report with that reason.
"""

import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import WorkerFilter, WorkerFilterLastHeartbeatTime
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.runtime import flow_run

from flows.cohort import cohort
from flows.environment import SILENCE
from tasks import progress
from tasks.adapters.task import give_up
from tasks.likeness.task import judge_team, second_chances
from tasks.vault.telling import kind_of

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
        cohorts = second_chances(batch)
        if not cohorts:
            return


def on_workers() -> bool:
    """Whether cohorts go to the workers of the `gpu` pool, which may be other machines."""
    return bool(os.environ.get("ROLLCALL_UNDER_SUPERVISOR"))


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
    finished, window = 0, _Window()
    while waiting or running:
        while waiting and len(running) < window.open(time.monotonic()):
            number, attempt = waiting.pop(0)
            running[number] = (_submit(batch, number, attempt, turn), attempt)
        time.sleep(POLL_S)
        for number, (run, attempt) in list(running.items()):
            state = _state_of(run)
            if state not in ENDED:
                continue
            del running[number]
            if state in {"FAILED", "CRASHED"} and attempt < ATTEMPTS:
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


def _submit(batch: str, number: int, attempt: int, turn: int) -> FlowRun:
    """One cohort, for whichever worker is free. The key makes a repeated request find the same run."""
    run = run_deployment(
        "cohort/Cohort",
        parameters={"batch": batch, "number": number, "attempt": attempt},
        timeout=0,
        as_subflow=True,
        # A later run of the same batch may submit the same cohort again, so its own id is part of the key.
        idempotency_key=f"{batch}:{number}:{turn}:{attempt}:{flow_run.id}",
        tags=["cohort"],
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
