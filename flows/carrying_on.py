"""Batches that a machine took down with it go on by themselves: the run that made them is started again, a few times.

Only a run that crashed is followed. One that failed has said why, one that was cancelled or stopped was a person's
word, and one that somebody typed on a terminal is theirs to repeat.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import sqlalchemy as sa

from tasks.vault.lease import Abandoned, abandoned

EVERY_S = 60.0  # a look at the records costs a query; a dead run waits a minute longer at most
MOST = 3  # times that one run is followed: what takes a machine down each time is not cured by that
TAG = "carried-on-"

logger = logging.getLogger(__name__)


def times_carried(tags: Iterable[str]) -> int:
    """How often the run with these tags is a carrying on already."""
    found = [re.fullmatch(rf"{TAG}(\d+)", tag) for tag in tags]
    return max((int(one[1]) for one in found if one), default=0)


def carry_on(api: httpx.Client, left: Abandoned) -> str | None:
    """Starts the run again that made this batch; its new number, or None where it is not to be followed.

    Asking twice starts one.
    """
    answer = api.get(f"/flow_runs/{left.run}")
    if answer.status_code in {404, 422}:  # not of this server, or no run's number at all
        return None
    answer.raise_for_status()
    run: dict[str, Any] = answer.json()
    carried = times_carried(run["tags"])
    if run["state"]["type"] != "CRASHED" or run["deployment_id"] is None or carried >= MOST:
        return None
    asked = dict(run["parameters"])
    if "drop" in asked:  # "the newest upload" may be another one by now
        asked["drop"] = left.drop
    body = {
        # What it was begun with was held against the form then; the form's drop-downs have moved on since.
        "parameters": asked, "enforce_parameter_schema": False, "tags": [f"{TAG}{carried + 1}"],
        "idempotency_key": f"carry-on:{left.run}",
        "state": {"type": "SCHEDULED", "message": "Carried on after a machine went down"},
    }  # fmt: skip
    started = api.post(f"/deployments/{run['deployment_id']}/create_flow_run", json=body)
    if started.status_code == 404 and (now := deployed_now(api, run["flow_id"])):
        started = api.post(f"/deployments/{now}/create_flow_run", json=body)
    started.raise_for_status()
    return str(started.json()["id"])


def deployed_now(api: httpx.Client, flow: str) -> str | None:
    """The form that starts this flow today: an update may have given it another name. None where there is none."""
    found = api.post("/deployments/filter", json={"flows": {"id": {"any_": [flow]}}, "limit": 1})
    found.raise_for_status()
    return str(found.json()[0]["id"]) if found.json() else None


@dataclass
class CarryOnGuard:
    """Looks every minute, from the control machine, for batches whose run is no more."""

    api: httpx.Client
    records: sa.Engine
    say: Callable[[str], None]
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    next_at: float = 0.0

    def tend(self, now: float) -> None:
        """A server or a database that is away for a while ends nothing."""
        if now < self.next_at:
            return
        self.next_at = now + EVERY_S
        try:
            for left in abandoned(self.records, self.clock()):
                if started := carry_on(self.api, left):
                    self.say(
                        f"Batch {left.batch} goes on in run {started}: a machine went down while {left.run} made it."
                    )
        except (httpx.HTTPError, sa.exc.SQLAlchemyError) as away:
            logger.info("abandoned batches could not be looked for (%s)", type(away).__name__)
