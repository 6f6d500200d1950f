"""`rollcall up`: everything starts, HR finds the forms, and everything stops; nothing is left running or "Running"."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def up(start_up: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with start_up(tmp_path_factory.mktemp("up")) as running:
        yield running


def test_every_story_is_a_deployment_with_words_for_hr(up: Any) -> None:
    found = up.deployments()
    assert set(found) == {
        "Make headshots", "Cohort", "Reshoot", "Deliver", "Forget a person", "Retention (daily)"
    }  # fmt: skip
    assert all(deployment["description"] for deployment in found.values())


def test_the_form_has_titles_help_and_drop_downs(up: Any) -> None:
    form = up.deployments()["Make headshots"]["parameter_openapi_schema"]["properties"]
    assert form["kit"]["title"] == "Brand kit"
    assert len(form["kit"]["enum"]) >= 4
    assert form["quality"]["enum"] == ["draft", "standard", "best"]
    assert all(field["title"] and field["description"] for field in form.values())


def test_retention_is_scheduled_daily(up: Any) -> None:
    schedules = up.deployments()["Retention (daily)"]["schedules"]
    assert [schedule["schedule"]["cron"] for schedule in schedules] == ["30 3 * * *"]


def test_the_pages_are_the_ones_with_visible_buttons(up: Any) -> None:
    settings = httpx.get(f"http://127.0.0.1:{up.port}/ui-settings", trust_env=False).json()
    assert settings["api_url"] == f"http://127.0.0.1:{up.port}/api"


def test_the_desk_asks_who_you_are(up: Any) -> None:
    as_a_browser = {"Accept": "text/html"}
    address = f"http://127.0.0.1:{up.port + 1}/"
    answer = httpx.get(address, headers=as_a_browser, follow_redirects=True, trust_env=False)
    assert "password" in answer.text.lower()


def test_a_run_left_behind_is_not_running_for_ever_and_nothing_outlives_up(up: Any) -> None:
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
    with sqlite3.connect(up.home / "prefect" / "prefect.db") as database:
        rows = database.execute("select state_type from flow_run where state_type in ('RUNNING','PENDING')").fetchall()
    assert rows == []
