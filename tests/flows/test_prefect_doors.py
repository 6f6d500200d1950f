"""Who may do what to the real Prefect, of `rollcall up` and of the server that `rollcall make` starts for itself."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from reports.prefect_client import client

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

START_ONE = """
import json, os, sys, time
from flows.temporary_server import use_prefect
from tasks.vault.settings import load_settings
use_prefect(load_settings())
print(json.dumps([os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"]]), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A process that has started a server for itself, as `rollcall make` does; the server's address; its login."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
    parent = subprocess.Popen(
        [sys.executable, "-c", START_ONE], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**clean, "ROLLCALL_HOME": str(tmp_path_factory.mktemp("made"))},
    )  # fmt: skip
    assert parent.stdout
    api, login = json.loads(parent.stdout.readline())
    yield parent, api, login
    parent.kill()
    parent.wait()
    parent.stdout.close()


def strangers(api: str) -> Callable[..., int]:
    """Asks without a login; the answer's status."""

    def ask(method: str, path: str, **more: Any) -> int:
        return httpx.request(method, api + path, timeout=30, trust_env=False, **more).status_code

    return ask


@pytest.fixture(params=["up", "make"])
def api(request: pytest.FixtureRequest) -> str:
    """The address of each server that Rollcall starts."""
    if request.param == "up":
        return str(request.getfixturevalue("up").address + "/api")
    return str(request.getfixturevalue("made")[1])


def test_without_a_login_there_is_nothing_but_a_sign_of_life(api: str) -> None:
    ask = strangers(api)
    assert ask("GET", "/health") == 200
    assert ask("GET", "/admin/version") == 401
    assert ask("GET", "/version") == 401
    # 403 where the token is missing as well: Prefect looks for that first.
    assert ask("POST", "/deployments/filter", json={}) == 403
    assert ask("POST", "/flow_runs/", json={"flow_id": "0" * 32}) == 403
    for closed in ("/docs", "/redoc", "/openapi.json"):
        assert ask("GET", closed) == 404
        assert httpx.get(api.removesuffix("/api") + closed, trust_env=False).status_code == 404


def test_a_login_without_a_token_writes_nothing(up: Any, made: Any) -> None:
    for api, login in ((f"{up.address}/api", up.logins.people), (made[1], made[2])):
        name, _, secret = login.partition(":")
        assert strangers(api)("POST", "/deployments/filter", json={}, auth=(name, secret)) == 403


def test_another_name_is_not_answered_to(api: str) -> None:
    """What a page sees whose name was pointed at this machine."""
    ask = strangers(api)
    assert ask("GET", "/health", headers={"Host": "rebind.evil.example:4200"}) == 400
    assert ask("GET", "/health", headers={"Host": "localhost"}) == 200


def test_another_site_gets_no_leave_from_the_server(api: str) -> None:
    asks = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{api}/deployments/filter", headers=asks, trust_env=False)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers
    plain = httpx.get(f"{api}/health", headers={"Origin": "http://evil.example"}, trust_env=False)
    assert "access-control-allow-origin" not in plain.headers


def test_the_server_of_make_lets_no_people_in(up: Any, made: Any) -> None:
    with closing(client(made[1], up.logins.people)) as people:
        assert people.post("/deployments/filter", json={}).status_code == 401
        assert people.get("/admin/version").status_code == 401
    with closing(client(made[1], made[2])) as machine:
        assert machine.post("/deployments/filter", json={}).status_code == 200


def test_signed_in_people_get_no_shell(up: Any) -> None:
    """By a run's variables, by a deployment of one's own, by another's steps, by a pool's template: 405, in words."""
    found = up.deployments()["Retention (daily)"]
    before = up.api.get("/work_pools/keep").json()["base_job_template"]
    steps = [{"prefect.deployments.steps.run_shell_script": {"script": "id"}}]
    template = {"job_configuration": {"command": "sh -c id"}, "variables": {}}
    tries = [
        ("POST", f"/deployments/{found['id']}/create_flow_run", {"job_variables": {"command": "sh -c id"}}),
        ("POST", f"/deployments/{found['id']}/create_flow_run/", {"job_variables": {"command": "sh -c id"}}),
        ("POST", "/flow_runs/", {"flow_id": found["flow_id"], "job_variables": {"command": "sh -c id"}}),
        ("POST", "/deployments/", {"name": "x", "flow_id": found["flow_id"], "pull_steps": steps}),
        ("PATCH", f"/deployments/{found['id']}", {"pull_steps": steps}),
        ("PATCH", "/work_pools/keep", {"base_job_template": template}),
        ("POST", "/work_pools/", {"name": "y", "type": "process", "base_job_template": template}),
    ]
    for method, path, body in tries:
        answer = up.people.request(method, path, json=body)
        assert (answer.status_code, answer.json()["detail"][-1]) == (405, "."), path
    assert up.deployments()["Retention (daily)"]["pull_steps"] == found["pull_steps"]
    assert up.api.get("/work_pools/keep").json()["base_job_template"] == before


def test_not_even_machines_choose_what_a_run_executes(up: Any) -> None:
    """The second lock: the pools' templates leave nothing to whoever creates a run."""
    deployment = up.deployments()["Retention (daily)"]["id"]
    for chosen in ({"command": "sh -c id"}, {"env": {"LD_PRELOAD": "x"}}, {"working_dir": "/"}):
        answer = up.api.post(f"/deployments/{deployment}/create_flow_run", json={"job_variables": chosen})
        assert answer.status_code == 422, chosen
        assert "not allowed" in answer.text


def test_people_cancel_what_runs_and_not_what_is_over(up: Any) -> None:
    deployment = up.deployments()["Retention (daily)"]["id"]
    cancel = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": True}
    # Far in the future, so that no worker takes it.
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2036-01-01T00:00:00Z"}}}
    for before, after in (("RUNNING", "CANCELLING"), ("COMPLETED", "COMPLETED")):
        run = up.people.post(f"/deployments/{deployment}/create_flow_run", json=later).json()["id"]
        up.api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": before}, "force": True}).raise_for_status()
        up.people.post(f"/flow_runs/{run}/set_state", json=cancel)
        assert up.people.get(f"/flow_runs/{run}").json()["state"]["type"] == after
        up.api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "CANCELLED"}, "force": True})


def test_secrets_are_in_no_command_line_log_or_database(up: Any) -> None:
    secrets = [login.split(":")[1] for login in (up.logins.people, up.logins.machines)]
    processes = [psutil.Process(up.process.pid), *psutil.Process(up.process.pid).children(recursive=True)]
    lines = [" ".join(process.cmdline()) for process in processes]
    written = b"".join(
        path.read_bytes() for path in up.home.rglob("*") if path.is_file() and path.name != "logins.json"
    )
    settings = up.people.get("/admin/settings").text
    for secret in secrets:
        assert not any(secret in line for line in lines)
        assert secret.encode() not in written
        assert secret not in settings


def test_the_server_of_make_ends_with_it_also_by_kill_9(made: Any) -> None:
    parent, api, _ = made
    [server] = psutil.Process(parent.pid).children()
    assert "flows.server" in server.cmdline()
    parent.kill()
    parent.wait()
    gone, _ = psutil.wait_procs([server], timeout=20)
    assert gone, "it would serve on for ever"
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{api}/health", trust_env=False)


def test_nobody_can_serve_without_a_login(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
    done = subprocess.run(
        [sys.executable, "-m", "flows.server", "--port", "9"], cwd=ROOT, capture_output=True, text=True,
        env={**clean, "PREFECT_HOME": str(tmp_path)}, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "without a login" in done.stderr


def test_the_scheduler_makes_the_nightly_runs_and_one_fires(up: Any) -> None:
    """Prefect's own scheduler, no timer of ours: under another SQLAlchemy it made none, and nothing was forgotten."""
    deployment = up.deployments()["Retention (daily)"]
    [schedule] = deployment["schedules"]
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"

    def runs(**state: Any) -> list[dict[str, Any]]:
        wanted = {"deployment_id": {"any_": [deployment["id"]]}, "state": state}
        found: list[dict[str, Any]] = up.ask("/flow_runs/filter", flow_runs=wanted, sort="EXPECTED_START_TIME_ASC")
        return [run for run in found if run["auto_scheduled"]]

    upcoming = _until(90, lambda: runs(type={"any_": ["SCHEDULED"]}))
    assert {run["expected_start_time"][11:19] for run in upcoming} == {"02:30:00"}, "half past three in winter's Berlin"
    # Every minute: of one minute of the day a scheduler that is late, on a busy machine, makes tomorrow's run.
    moved = {"schedule": {"cron": "* * * * *", "timezone": "UTC"}, "active": True}
    address = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
    up.api.patch(address, json=moved).raise_for_status()
    try:
        _until(240, lambda: runs(type={"any_": ["COMPLETED"]}))
    finally:
        up.api.patch(address, json={"schedule": schedule["schedule"], "active": True}).raise_for_status()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "retention", "run", "--if-overdue", "--home", str(up.home)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "", "the sweep that has just run counts"


def _until(patience_s: float, found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(1)
    pytest.fail(f"waited {patience_s:.0f} s")
