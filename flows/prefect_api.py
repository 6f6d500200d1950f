"""Prefect's API as the supervisor uses it, over plain HTTP: each `prefect` command costs two seconds of imports."""

from collections.abc import Generator
from typing import Any
from uuid import uuid4

import httpx

UNFINISHED = ["RUNNING", "PENDING", "CANCELLING"]
HEARTBEAT_AUTOMATION = "rollcall: runs without a heartbeat"
# Workers and flows beat every 30 s; three missed beats and a little are death.
HEARTBEAT_WINDOW_S = 95
# Runs at a time in all of a pool. `gpu` has no limit of its own: each worker takes one, and more workers may come.
POOLS: dict[str, int | None] = {"desk": 2, "keep": None, "gpu": None}
# Whoever creates a run chooses its parameters and nothing else: no command, no environment, no folder.
JOB_TEMPLATE: dict[str, Any] = {
    "variables": {"type": "object", "properties": {}, "additionalProperties": False},
    "job_configuration": {"command": "python -m flows.engine", "env": {}, "stream_output": True, "working_dir": None},
}


class SignedIn(httpx.Auth):
    """A login, and before each write a token of our own: one per client name, so never another's."""

    requires_response_body = True

    def __init__(self, login: str) -> None:
        name, _, secret = login.partition(":")
        self._basic = httpx.BasicAuth(name, secret)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.method not in {"GET", "HEAD"}:
            client = str(uuid4())
            ask = httpx.Request("GET", request.url.copy_with(path="/api/csrf-token", query=f"client={client}".encode()))
            [_] = self._basic.auth_flow(ask)
            answer = yield ask
            if answer.status_code == 200:  # else the write itself is refused, and says why
                request.headers["Prefect-Csrf-Client"] = client
                request.headers["Prefect-Csrf-Token"] = answer.json()["token"]
        [_] = self._basic.auth_flow(request)
        yield request


def client(api: str, login: str) -> httpx.Client:
    """Prefect's API at this address (ending in /api), as a machine."""
    return httpx.Client(base_url=api, auth=SignedIn(login), timeout=30, trust_env=False)


def crash_leftovers(api: httpx.Client, why: str) -> int:
    """Marks runs that nobody works on any more as crashed, so that they free their places. Returns how many."""
    found = api.post("/flow_runs/filter", json={"flow_runs": {"state": {"type": {"any_": UNFINISHED}}}})
    found.raise_for_status()
    for run in found.json():
        state = {"state": {"type": "CRASHED", "name": "Crashed", "message": why}, "force": True}
        api.post(f"/flow_runs/{run['id']}/set_state", json=state).raise_for_status()
    return len(found.json())


def ensure_pools(api: httpx.Client) -> None:
    """Creates the work pools, or sets their limits and what a run may choose back to ours."""
    for name, limit in POOLS.items():
        ours = {"concurrency_limit": limit, "base_job_template": JOB_TEMPLATE, "is_paused": False}
        answer = api.patch(f"/work_pools/{name}", json=ours)
        if answer.status_code == 404:
            answer = api.post("/work_pools/", json={"name": name, "type": "process", **ours})
        answer.raise_for_status()


def ensure_heartbeat_automation(api: httpx.Client) -> None:
    """One automation that crashes runs without a sign of life; never two, so its name is looked up first."""
    named = {"automations": {"name": {"any_": [HEARTBEAT_AUTOMATION]}}}
    found = api.post("/automations/filter", json=named)
    found.raise_for_status()
    if found.json():
        return
    trigger = {
        "type": "event",
        "posture": "Proactive",
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "after": ["prefect.flow-run.heartbeat"],
        "expect": ["prefect.flow-run.*"],
        "for_each": ["prefect.resource.id"],
        "threshold": 1,
        "within": HEARTBEAT_WINDOW_S,
    }
    crash = {
        "type": "change-flow-run-state",
        "state": "CRASHED",
        "message": "No sign of life; the machine or the process died. Run it again: nothing finished is lost.",
    }
    body = {"name": HEARTBEAT_AUTOMATION, "trigger": trigger, "actions": [crash], "enabled": True}
    api.post("/automations/", json=body).raise_for_status()


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
