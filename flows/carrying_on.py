"""What a machine took down with it goes on by itself: batches, and who was to be forgotten. A few times each.

Only a run that crashed is followed, or under which records or files went away. Any other that failed has said why, one
that was cancelled or stopped was a person's word, and one that somebody typed on a terminal is theirs to repeat.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa

from tasks.vault.batches import how_far
from tasks.vault.lease import Abandoned, abandoned

EVERY_S = 60.0  # a look at the records costs a query; a dead run waits a minute longer at most
MOST = 3  # times in a row that a run is followed which came no further: what takes it down each time is not cured
# The same of a run that lost records or files: it waits a minute, then twice as long each time up to an hour, in all
# for a night without them.
MOST_LOST = 12
WAIT_S, LONGEST_WAIT_S = 60.0, 3600.0
LONG_S = 3600.0  # a run that worked for so long before it died is no part of such a row: a large batch lasts days
TAG = "carried-on-"
DONE = "done-"  # and how far the batch was when the run was started
FORGETTING = "forget-a-person"  # the flow's name
MAKING = ("make-headshots", "reshoot")  # of batches
# How a run says that the records or the files went away under it (tasks.vault.telling, tasks.vault.failures).
LOST = ("database_lost", "store_lost")
LATELY = timedelta(days=1)  # what the nightly sweep has not finished by then needs a person

logger = logging.getLogger(__name__)


def times_carried(tags: Iterable[str]) -> int:
    """How often the run with these tags is a carrying on already."""
    found = [re.fullmatch(rf"{TAG}(\d+)", tag) for tag in tags]
    return max((int(one[1]) for one in found if one), default=0)


def times_in_a_row(run: Mapping[str, Any], far: str = "") -> int:
    """How often a run was carried on before this one, each dying soon, with nothing done. `far`: how far it is now."""
    begun_at = next((tag.removeprefix(DONE) for tag in run["tags"] if tag.startswith(DONE)), far)
    went_on = (far and begun_at != far) or run.get("total_run_time", 0.0) >= LONG_S
    return 0 if went_on else times_carried(run["tags"])


def is_followed(run: Mapping[str, Any], now: datetime, far: str = "") -> bool:
    """Whether a run that ended like this is started again at this moment. One that failed by itself says why, and needs
    somebody; one that lost what it stood on is given time to get it back."""
    state = run["state"]
    lost = state["type"] == "FAILED" and any(one in (state["message"] or "") for one in LOST)
    if not (lost or state["type"] == "CRASHED") or run["deployment_id"] is None:
        return False
    times = times_in_a_row(run, far)
    if not lost:
        return times < MOST
    ended = datetime.fromisoformat(state["timestamp"])
    return times < MOST_LOST and (now - ended).total_seconds() >= min(WAIT_S * 2**times, LONGEST_WAIT_S)


def carry_on(api: httpx.Client, left: Abandoned, now: datetime, far: str = "") -> str | None:
    """Starts the run again that made this batch; its new number, or None where it is not to be followed. `far`: how far
    the batch is, in a word.

    Asking twice starts one.
    """
    answer = api.get(f"/flow_runs/{left.run}")
    if answer.status_code in {404, 422}:  # not of this server, or no run's number at all
        return None
    answer.raise_for_status()
    run: dict[str, Any] = answer.json()
    if not is_followed(run, now, far):
        return None
    asked = dict(run["parameters"])
    if "drop" in asked:  # "the newest upload" may be another one by now
        asked["drop"] = left.drop
    started = _start_again(api, run, asked, f"carry-on:{left.run}", far)
    # One that ended before it took the batch left no trace in the records: it is followed in its turn.
    while is_followed(started, now, far):
        started = _start_again(api, started, asked, f"carry-on:{started['id']}", far)
    return None if started["state"]["type"] in {"CRASHED", "FAILED"} else str(started["id"])


def forget_again(api: httpx.Client, now: datetime) -> list[str]:
    """Starts again each forgetting whose run crashed or lost its footing lately; those runs. Asking twice starts one.

    A server that was away when the process began leaves no case that the nightly sweep could finish: the request stands
    in this run and nowhere else.
    """
    asked = {
        "flows": {"name": {"any_": [FORGETTING]}},
        "flow_runs": {
            "state": {"type": {"any_": ["CRASHED", "FAILED"]}},
            "expected_start_time": {"after_": (now - LATELY).isoformat()},
        },
    }  # fmt: skip
    answer = api.post("/flow_runs/filter", json=asked)
    answer.raise_for_status()
    crashed = [run for run in answer.json() if is_followed(run, now)]
    for run in crashed:
        _start_again(api, run, run["parameters"], f"forget-again:{run['id']}")
    return [run["id"] for run in crashed]


def begin_again(api: httpx.Client, now: datetime) -> list[str]:
    """Starts again each making of a batch that crashed lately before it had begun; those runs. Asking twice starts one.

    The server was away when its process began, or the process was killed at once: no batch in the records says so. An
    order for "the newest upload" is let be, since that may be another one by now.
    """
    lately = {"after_": (now - LATELY).isoformat()}
    asked = {
        "flows": {"name": {"any_": list(MAKING)}},
        "flow_runs": {"state": {"type": {"any_": ["CRASHED"]}}, "expected_start_time": lately},
    }
    answer = api.post("/flow_runs/filter", json=asked)
    answer.raise_for_status()
    lost = [
        run for run in answer.json()
        if run["run_count"] == 0 and run["parameters"].get("drop", "a batch") and is_followed(run, now)
    ]  # fmt: skip
    for run in lost:
        _start_again(api, run, run["parameters"], f"carry-on:{run['id']}")
    return [run["id"] for run in lost]


def _start_again(
    api: httpx.Client, run: dict[str, Any], parameters: dict[str, Any], key: str, far: str = ""
) -> dict[str, Any]:
    """The same form with these parameters, tagged as one carrying on more; the run that this key has started."""
    body = {
        # What it was begun with was held against the form then; the form's drop-downs have moved on since.
        "parameters": parameters, "enforce_parameter_schema": False,
        "tags": [f"{TAG}{times_in_a_row(run, far) + 1}", *([DONE + far] if far else [])], "idempotency_key": key,
        "state": {"type": "SCHEDULED", "message": "Carried on: what it stood on had gone away"},
    }  # fmt: skip
    started = api.post(f"/deployments/{run['deployment_id']}/create_flow_run", json=body)
    if started.status_code == 404 and (now := deployed_now(api, run["flow_id"])):
        started = api.post(f"/deployments/{now}/create_flow_run", json=body)
    started.raise_for_status()
    again: dict[str, Any] = started.json()
    return again


def deployed_now(api: httpx.Client, flow: str) -> str | None:
    """The form that starts this flow today: an update may have given it another name. None where there is none."""
    found = api.post("/deployments/filter", json={"flows": {"id": {"any_": [flow]}}, "limit": 1})
    found.raise_for_status()
    return str(found.json()[0]["id"]) if found.json() else None


@dataclass
class CarryOnGuard:
    """Looks every minute, from the control machine, for batches whose run is no more, and crashed forgettings."""

    api: httpx.Client
    records: sa.Engine
    say: Callable[[str], None]
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    next_at: float = 0.0
    followed: set[str] = field(default_factory=set)  # runs that were told of

    def tend(self, now: float) -> None:
        """A server or a database that is away for a while ends nothing."""
        if now < self.next_at:
            return
        self.next_at = now + EVERY_S
        try:
            for run in set(forget_again(self.api, self.clock())) - self.followed:
                self.followed.add(run)
                self.say(f"Forgetting run {run} crashed with its machine; it was started again.")
            for run in set(begin_again(self.api, self.clock())) - self.followed:
                self.followed.add(run)
                self.say(f"Run {run} crashed before it had begun; it was started again.")
            for left in abandoned(self.records, self.clock()):
                if started := carry_on(self.api, left, self.clock(), how_far(self.records, left.batch)):
                    self.say(f"Batch {left.batch} goes on in run {started}: {left.run} was cut off while it made it.")
        except (httpx.HTTPError, sa.exc.SQLAlchemyError) as away:
            logger.info("abandoned batches could not be looked for (%s)", type(away).__name__)
