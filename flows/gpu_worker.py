"""A worker of the gpu pool: takes group after group in one process, so that a base is opened once and not once a group.

Prefect's own workers start a process for every run; where a base is 20 GB that is most of the work. This one asks the
same server for waiting runs, claims one (of two that claim, the server lets one have it), and runs it here. What goes
wrong in a group never reaches the next: after a run that did not end well the process begins anew, and so it does when
the run is no longer ours, or when there was nothing to do for so long that the memory is better given back.

A worker on which everything fails would be the first to ask for the next group, and use up the attempts of all: it
takes nothing while what it stands on is away, and after a run that failed it lets others ask first.
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
import sqlalchemy as sa

from flows.environment import HEARTBEAT_S
from flows.life import forget_note, noted
from flows.prefect_api import GPU
from flows.supervisor import signals_noted
from reports.prefect_client import client
from reports.readiness import readiness
from tasks.vault.settings import load_settings
from tasks.vault.store import Vault, open_vault

POLL_S, RARELY_S = 2.0, 8.0  # seconds between two looks at the queue, at first and after three minutes of nothing
LOOK_S = 10.0  # between two looks at whether the run is still ours
# Seconds before the next run after so many that failed in a row: others ask first, and a broken machine slows down.
HOLDS_BACK = (0.0, 15.0, 60.0, 300.0)
FAILED = "ROLLCALL_FAILED_IN_A_ROW"  # how the process that begins anew knows
STAYS = 600.0  # seconds without work after which base and eyes are let go
# Somebody cancelled it, or it was declared dead and others may be at it.
NOT_OURS = frozenset({"CANCELLING", "CANCELLED", "CRASHED"})

logger = logging.getLogger(__name__)


def waiting(api: httpx.Client, now: datetime) -> list[str]:
    """Runs that wait for a worker, oldest first."""
    asked = {"scheduled_before": (now + timedelta(seconds=POLL_S)).isoformat(), "limit": 10}
    answer = api.post(f"/work_pools/{GPU}/get_scheduled_flow_runs", json=asked)
    answer.raise_for_status()
    return [str(one["flow_run"]["id"]) for one in answer.json()]


def claim(api: httpx.Client, run: str) -> bool:
    """Whether the run is ours from now on; another worker may have been faster."""
    answer = api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "PENDING", "name": "Pending"}})
    answer.raise_for_status()
    return bool(answer.json()["status"] == "ACCEPT")


def state_of(api: httpx.Client, run: str) -> str:
    """How this run stands, as the server says; one that is being cancelled is marked as cancelled."""
    answer = api.get(f"/flow_runs/{run}")
    answer.raise_for_status()
    state = str(answer.json()["state"]["type"])
    if state == "CANCELLING":
        done = {"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
        api.post(f"/flow_runs/{run}/set_state", json=done).raise_for_status()
    return state


@dataclass
class Worker:
    """One place at the server's pool. `run` brings a claimed run to its end and says whether that was a good one."""

    api: httpx.Client
    records: sa.Engine
    home: Path
    name: str
    run: Callable[[str], bool]
    begin_anew: Callable[[int], None]  # with how many runs have failed in a row
    missing: Callable[[], str | None] = lambda: None  # what cannot be done without, and is not there
    failed: int = 0
    at_work: str | None = None
    warm: bool = False  # whether something has been opened
    idle_since: float = field(default_factory=time.monotonic)
    told: str | None = None  # what was missing at the last look

    def turn(self) -> bool:
        """Takes one run if one waits; whether it did. A server that is away for a while ends nothing."""
        try:
            found = self._take()
        except httpx.HTTPError as away:
            logger.info("no run could be asked for (%s)", type(away).__name__)
            found = None
        if found is None:
            if self.warm and time.monotonic() - self.idle_since > STAYS:
                self.begin_anew(self.failed)
            return False
        self.warm = True
        with noted(self.home, found, self.records):
            self.at_work = found
            well = self.run(found)
            self.at_work = None
        self.idle_since = time.monotonic()
        self.failed = 0 if well else self.failed + 1
        if not well:
            self.begin_anew(self.failed)
        return True

    def _take(self) -> str | None:
        """The run that is ours from now on. None while there is none, or it is better taken by others."""
        if time.monotonic() - self.idle_since < HOLDS_BACK[min(self.failed, len(HOLDS_BACK) - 1)]:
            return None
        wait = waiting(self.api, datetime.now(UTC))
        missing = self.missing() if wait else self.told
        if missing != self.told:
            self.told = missing
            if missing is None:
                logger.warning("this worker takes groups again")
            else:
                logger.warning("this worker takes no group: %s", missing)
        return None if missing else next((one for one in wait if claim(self.api, one)), None)

    def beat(self) -> None:
        """Says that this worker lives, and ends with a run that is no longer ours: a person cancelled it, or it was
        declared dead while the network was away, and another worker may have it by now."""
        try:
            said = {"name": self.name, "heartbeat_interval_seconds": HEARTBEAT_S}
            self.api.post(f"/work_pools/{GPU}/workers/heartbeat", json=said).raise_for_status()
            run = self.at_work
            if run is None:
                return
            state = state_of(self.api, run)
            if state in NOT_OURS and self.at_work == run:
                logger.warning("run %s is no longer this worker's; it begins anew", run)
                forget_note(self.home, run)
                self.begin_anew(self.failed)
        except httpx.HTTPError as away:
            logger.info("the server could not be told that this worker lives (%s)", type(away).__name__)


def pause(idle: float) -> float:
    """Seconds until the next look at the queue, after so many without work. A look costs the server, which is one
    process for all, some 60 ms: forty workers that wait for photos would keep it busy. A group can wait these few."""
    return min(POLL_S + idle / 30, RARELY_S)


def wait_for(seconds: float, asked: Callable[[], bool]) -> None:
    """Returns early, within a second, when asked to stop."""
    until = time.monotonic() + seconds
    while not asked() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 1.0))


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


def begin_anew(failed: int = 0) -> None:
    """This process from its beginning, with nothing in memory: same place, same number, same parent."""
    os.environ[FAILED] = str(failed)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "flows.worker", *sys.argv[1:]])


def missing_here(vault: Vault, now: datetime) -> str | None:
    """What a run cannot do without and is not there at this moment, for the log; None where all of it is."""
    missing = (part for part in readiness(vault, now, needed_only=True) if not part.well)
    return next((f"{part.name}: {part.said}" for part in missing), None)


def begin(name: str) -> None:
    """Works under this name until a signal comes, for the server that the environment names."""
    from prefect.logging.configuration import setup_logging

    setup_logging()
    for ours in ("flows", "tasks"):
        logging.getLogger(ours).setLevel(logging.INFO)
    login = os.environ["PREFECT_API_AUTH_STRING"]
    settings, failed = load_settings(), int(os.environ.pop(FAILED, "0"))
    with (
        signals_noted() as asked,
        open_vault(settings) as vault,
        client(os.environ["PREFECT_API_URL"], login) as api,
    ):
        worker = Worker(
            api, vault.engine, settings.home.resolve(), name, run_here, begin_anew,
            lambda: missing_here(vault, datetime.now(UTC)), failed,
        )  # fmt: skip
        work(worker, asked)


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
                wait_for(pause(time.monotonic() - worker.idle_since), asked)
    finally:
        ended.set()
