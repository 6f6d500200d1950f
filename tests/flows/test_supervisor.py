"""`rollcall up`: everything starts, HR finds the forms, and everything stops; nothing is left running or "Running"."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def two_free_ports() -> int:
    """A port that is free and whose successor is too: `up` takes both."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class Up:
    """A running `rollcall up`."""

    def __init__(self, process: subprocess.Popen[str], port: int, home: Path) -> None:
        self.process, self.port, self.home = process, port, home
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=30, trust_env=False)

    def deployments(self) -> dict[str, dict[str, Any]]:
        return {found["name"]: found for found in self.api.post("/deployments/filter", json={}).json()}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home, port = tmp_path_factory.mktemp("up"), two_free_ports()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "up", "--port", str(port), "--home", str(home)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    else:
        pytest.fail("".join(said))
    running = Up(process, port, home)
    yield running
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    process.stdout.close()
    running.api.close()


def test_every_story_is_a_deployment_with_words_for_hr(up: Up) -> None:
    found = up.deployments()
    assert set(found) == {
        "Make headshots", "Cohort", "Reshoot", "Deliver", "Forget a person", "Retention (daily)"
    }  # fmt: skip
    assert all(deployment["description"] for deployment in found.values())


def test_the_form_has_titles_help_and_drop_downs(up: Up) -> None:
    form = up.deployments()["Make headshots"]["parameter_openapi_schema"]["properties"]
    assert form["kit"]["title"] == "Brand kit"
    assert len(form["kit"]["enum"]) >= 4
    assert form["quality"]["enum"] == ["draft", "standard", "best"]
    assert all(field["title"] and field["description"] for field in form.values())


def test_retention_is_scheduled_daily(up: Up) -> None:
    schedules = up.deployments()["Retention (daily)"]["schedules"]
    assert [schedule["schedule"]["cron"] for schedule in schedules] == ["30 3 * * *"]


def test_the_pages_are_the_ones_with_visible_buttons(up: Up) -> None:
    settings = httpx.get(f"http://127.0.0.1:{up.port}/ui-settings", trust_env=False).json()
    assert settings["api_url"] == f"http://127.0.0.1:{up.port}/api"


def test_the_desk_asks_who_you_are(up: Up) -> None:
    as_a_browser = {"Accept": "text/html"}
    address = f"http://127.0.0.1:{up.port + 1}/"
    answer = httpx.get(address, headers=as_a_browser, follow_redirects=True, trust_env=False)
    assert "password" in answer.text.lower()


def test_a_run_left_behind_is_not_running_for_ever_and_nothing_outlives_up(up: Up) -> None:
    """A run is forced into Running with nobody behind it; stopping marks it, and the next start would too."""
    deployment = up.deployments()["Retention (daily)"]["id"]
    run = up.api.post(f"/deployments/{deployment}/create_flow_run", json={}).json()
    state = {"state": {"type": "RUNNING", "name": "Running"}, "force": True}
    up.api.post(f"/flow_runs/{run['id']}/set_state", json=state).raise_for_status()
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert len(children) >= 4

    up.process.send_signal(signal.SIGINT)
    up.process.wait(60)

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(child.is_running() for child in children):
        time.sleep(0.2)
    assert [child.pid for child in children if child.is_running()] == []
    stopped = (up.home / "prefect" / "prefect.db").exists()
    assert stopped
    import sqlite3

    with sqlite3.connect(up.home / "prefect" / "prefect.db") as database:
        rows = database.execute("select state_type from flow_run where state_type in ('RUNNING','PENDING')").fetchall()
    assert rows == []
