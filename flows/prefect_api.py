"""What the supervisor asks of Prefect, over plain HTTP: each `prefect` command costs two seconds of imports."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import httpx

UNFINISHED = ["RUNNING", "PENDING", "CANCELLING"]
OLD_AUTOMATION = "rollcall: runs without a heartbeat"
HEARTBEAT, RESOURCE = "prefect.flow-run.heartbeat", "prefect.flow-run."
INSTALLATION = "rollcall_installation"  # the name of Prefect's variable
PAGE, EVENTS = 200, 50  # what Prefect answers at most
AT_ONCE = 12  # runs asked for together: each beats four times at most within the time that is asked about
GPU = "gpu"  # the pool of workers that learn and draw
# Runs at a time in all of a pool. `gpu` has no limit of its own: each worker takes one, and more workers may come.
POOLS: dict[str, int | None] = {"desk": 2, "keep": None, GPU: None}
# Whoever creates a run chooses its parameters and nothing else: no command, no environment, no folder.
JOB_TEMPLATE: dict[str, Any] = {
    "variables": {"type": "object", "properties": {}, "additionalProperties": False},
    "job_configuration": {"command": "python -m flows.engine", "env": {}, "stream_output": True, "working_dir": None},
}


def unfinished_runs(api: httpx.Client) -> list[dict[str, Any]]:
    """Runs that have begun and not ended, as Prefect tells of them, all of them."""
    found: list[dict[str, Any]] = []
    while True:
        wanted = {"state": {"type": {"any_": UNFINISHED}}}
        some = api.post("/flow_runs/filter", json={"flow_runs": wanted, "limit": PAGE, "offset": len(found)})
        some.raise_for_status()
        found += some.json()
        if len(some.json()) < PAGE:
            return found


def waiting_in(api: httpx.Client, pool: str) -> list[str]:
    """Some of the runs that wait for a worker of this pool."""
    wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "work_pools": {"name": {"any_": [pool]}}}
    answer = api.post("/flow_runs/filter", json={**wanted, "limit": PAGE})
    answer.raise_for_status()
    return [run["id"] for run in answer.json()]


def heard_from(api: httpx.Client, runs: Collection[str], since: datetime) -> set[str]:
    """Which of these runs have sent a sign of life since then."""
    heard, asked_for = set[str](), sorted(runs)
    for start in range(0, len(asked_for), AT_ONCE):
        asked = {
            "occurred": {"since": since.isoformat()},
            "event": {"name": [HEARTBEAT]},
            "resource": {"id": [RESOURCE + run for run in asked_for[start : start + AT_ONCE]]},
        }
        answer = api.post("/events/filter", json={"filter": asked, "limit": EVENTS})
        answer.raise_for_status()
        heard |= {event["resource"]["prefect.resource.id"].removeprefix(RESOURCE) for event in answer.json()["events"]}
    return heard


def crash(api: httpx.Client, run: str, why: str) -> None:
    """Marks a run as crashed, so that it frees its place and can be started again."""
    state = {"state": {"type": "CRASHED", "name": "Crashed", "message": why}, "force": True}
    api.post(f"/flow_runs/{run}/set_state", json=state).raise_for_status()


def cancel(api: httpx.Client, run: str) -> None:
    """Marks a run as cancelled, which is the end of it."""
    state = {"state": {"type": "CANCELLED", "name": "Cancelled"}, "force": True}
    api.post(f"/flow_runs/{run}/set_state", json=state).raise_for_status()


def ensure_pools(api: httpx.Client) -> None:
    """Creates the work pools, or sets their limits and what a run may choose back to ours."""
    for name, limit in POOLS.items():
        ours = {"concurrency_limit": limit, "base_job_template": JOB_TEMPLATE, "is_paused": False}
        answer = api.patch(f"/work_pools/{name}", json=ours)
        if answer.status_code == 404:
            answer = api.post("/work_pools/", json={"name": name, "type": "process", **ours})
        answer.raise_for_status()


def remove_heartbeat_automation(api: httpx.Client) -> None:
    """Up to 0.1 Prefect looked for runs without a sign of life itself, and took a pause of its own for their death."""
    found = api.post("/automations/filter", json={"automations": {"name": {"any_": [OLD_AUTOMATION]}}})
    found.raise_for_status()
    for automation in found.json():
        api.delete(f"/automations/{automation['id']}").raise_for_status()


def name_installation(api: httpx.Client, installation: str) -> None:
    """Notes with the server which records it serves; workers of other machines compare."""
    note = {"name": INSTALLATION, "value": installation, "tags": []}
    answer = api.patch(f"/variables/name/{INSTALLATION}", json=note)
    if answer.status_code == 404:
        answer = api.post("/variables/", json=note)
    answer.raise_for_status()


def installation_named(api: httpx.Client) -> str | None:
    """Which records this server serves; None where nobody has said."""
    answer = api.get(f"/variables/name/{INSTALLATION}")
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    return str(answer.json()["value"])


def resume_schedules(api: httpx.Client) -> int:
    """Switches on again what somebody switched off at the pages; how many schedules that were."""
    found = api.post("/deployments/filter", json={})
    found.raise_for_status()
    paused = [
        (deployment["id"], schedule["id"])
        for deployment in found.json()
        for schedule in deployment["schedules"]
        if not schedule["active"]
    ]
    for deployment, schedule in paused:
        api.patch(f"/deployments/{deployment}/schedules/{schedule}", json={"active": True}).raise_for_status()
    return len(paused)
