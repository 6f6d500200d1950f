"""A worker of the gpu pool: takes group after group in one process, so that a base is opened once and not once a group.

Prefect's own workers start a process for every run; where a base is 20 GB that is most of the work. This one asks the
same server for waiting runs, claims one (of two that claim, the server lets one have it), and runs it here. What goes
wrong in a group never reaches the next: after a run that did not end well the process begins anew, and so it does when
the run is no longer ours, or when there was nothing to do for so long that the memory is better given back.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from flows.environment import HEARTBEAT_S
from flows.life import forget_note, noted
from flows.supervisor import signals_noted
from reports.prefect_client import client
from tasks.vault.settings import load_settings

POOL = "gpu"
POLL_S = 2.0  # seconds between two looks at the queue
LOOK_S = 10.0  # between two looks at whether the run is still ours
STAYS = 600.0  # seconds without work after which base and eyes are let go
# Somebody cancelled it, or it was declared dead and others may be at it.
NOT_OURS = frozenset({"CANCELLING", "CANCELLED", "CRASHED"})

logger = logging.getLogger(__name__)


def waiting(api: httpx.Client, now: datetime) -> list[str]:
    """Runs that wait for a worker, oldest first."""
    asked = {"scheduled_before": (now + timedelta(seconds=POLL_S)).isoformat(), "limit": 10}
    answer = api.post(f"/work_pools/{POOL}/get_scheduled_flow_runs", json=asked)
    answer.raise_for_status()
    return [str(one["flow_run"]["id"]) for one in answer.json()]


def claim(api: httpx.Client, run: str) -> bool:
    """Whether the run is ours from now on; another worker may have been faster."""
    answer = api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "PENDING", "name": "Pending"}})
    answer.raise_for_status()
    return bool(answer.json()["status"] == "ACCEPT")


def not_ours(api: httpx.Client, run: str) -> bool:
    """Whether somebody ended this run; one that is being cancelled is marked as cancelled."""
    answer = api.get(f"/flow_runs/{run}")
    answer.raise_for_status()
    state = str(answer.json()["state"]["type"])
    if state == "CANCELLING":
        done = {"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
        api.post(f"/flow_runs/{run}/set_state", json=done).raise_for_status()
    return state in NOT_OURS


@dataclass
class Worker:
    """One place at the server's pool. `run` brings a claimed run to its end and says whether that was a good one."""

    api: httpx.Client
    home: Path
    name: str
    run: Callable[[str], bool]
    begin_anew: Callable[[], None]
    at_work: str | None = None
    warm: bool = False  # whether something has been opened
    idle_since: float = field(default_factory=time.monotonic)

    def turn(self) -> bool:
        """Takes one run if one waits; whether it did. A server that is away for a while ends nothing."""
        try:
            found = next((one for one in waiting(self.api, datetime.now(UTC)) if claim(self.api, one)), None)
        except httpx.HTTPError as away:
            logger.info("no run could be asked for (%s)", type(away).__name__)
            found = None
        if found is None:
            if self.warm and time.monotonic() - self.idle_since > STAYS:
                self.begin_anew()
            return False
        self.warm = True
        with noted(self.home, found):
            self.at_work = found
            well = self.run(found)
            self.at_work = None
        self.idle_since = time.monotonic()
        if not well:
            self.begin_anew()
        return True

    def beat(self) -> None:
        """Says that this worker lives, and ends with a run that is no longer ours: a person cancelled it, or it was
        declared dead while the network was away, and another worker may have it by now."""
        try:
            said = {"name": self.name, "heartbeat_interval_seconds": HEARTBEAT_S}
            self.api.post(f"/work_pools/{POOL}/workers/heartbeat", json=said).raise_for_status()
            run = self.at_work
            if run is not None and not_ours(self.api, run) and self.at_work == run:
                logger.warning("run %s is no longer this worker's; it begins anew", run)
                forget_note(self.home, run)
                self.begin_anew()
        except httpx.HTTPError as away:
            logger.info("the server could not be told that this worker lives (%s)", type(away).__name__)


def run_here(run: str) -> bool:
    """Runs a claimed run in this process as Prefect's engine does; whether it completed."""
    from prefect.exceptions import Abort, Pause, TerminationSignal
    from prefect.flow_engine import load_flow, load_flow_run, run_flow

    try:
        found = load_flow_run(run)  # type: ignore[arg-type]
        state: Any = run_flow(load_flow(found), flow_run=found, return_type="state")
    except (Abort, Pause):  # somebody decided otherwise while it began
        return False
    except TerminationSignal:  # which the engine has told the server
        sys.exit(0)
    except Exception as fault:  # the server was away when the run should have been read, and the like
        logger.warning("run %s could not be run (%s)", run, type(fault).__name__)
        return False
    return bool(state.is_completed())


def begin_anew() -> None:
    """This process from its beginning, with nothing in memory: same place, same number, same parent."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "flows.worker", *sys.argv[1:]])


def begin(name: str) -> None:
    """Works under this name until a signal comes, for the server that the environment names."""
    from prefect.logging.configuration import setup_logging

    setup_logging()
    for ours in ("flows", "tasks"):
        logging.getLogger(ours).setLevel(logging.INFO)
    login = os.environ["PREFECT_API_AUTH_STRING"]
    with signals_noted() as asked, client(os.environ["PREFECT_API_URL"], login) as api:
        work(Worker(api, load_settings().home.resolve(), name, run_here, begin_anew), asked)


def work(worker: Worker, asked: Callable[[], bool]) -> None:
    """Works until asked to stop, and says all the while that it lives."""
    ended = threading.Event()

    def live() -> None:
        while not ended.is_set():
            worker.beat()
            ended.wait(LOOK_S)

    threading.Thread(target=live, name="beat", daemon=True).start()
    logger.info("worker %s waits for groups", worker.name)
    try:
        while not asked():
            if not worker.turn():
                time.sleep(POLL_S)
    finally:
        ended.set()
