"""`rollcall up`: everything starts, HR finds the forms, and everything stops; nothing is left running or "Running"."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest

from flows.environment import SWEEP_CRON
from tasks.headshots.form_words import LAST_REVIEWED
from tasks.vault.batches import Order, note_facts, open_batch
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def rollcall_up(home: Path, port: int) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "up", "--port", str(port), "--home", str(home)],
        cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_every_story_is_a_deployment_with_words_for_hr(up: Any) -> None:
    found = up.deployments()
    assert set(found) == {
        "Make headshots", "Cohort", "Reshoot", "Deliver", "Forget a person", "Retention (daily)"
    }  # fmt: skip
    assert all(deployment["description"] for deployment in found.values())


def test_the_form_has_titles_help_and_drop_downs(up: Any) -> None:
    form = up.deployments()["Make headshots"]["parameter_openapi_schema"]["properties"]
    assert form["kit"]["title"] == "Brand kit"
    assert {"Harbour partners", "Northwind studio"} <= set(form["kit"]["enum"])
    assert form["quality"]["enum"] == ["draft", "standard", "best"]
    assert all(field["title"] and field["description"] for field in form.values())


def test_a_batch_is_in_the_drop_downs_as_soon_as_it_is_there(up: Any) -> None:
    """By kit, day and count, and never under the name that somebody gave it."""
    with open_vault(Settings(home=up.home)) as vault:
        batch = open_batch(
            vault, Order("/srv/drop", "harbour", "draft", "embedded"), datetime(2026, 11, 28, 9, tzinfo=UTC)
        )
        note_facts(vault, batch, label={"name": "Hannah's batch"})
    said = f"Harbour partners · 28 Nov 2026, 10:00 · 0 people · {batch}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and said not in str(up.deployments()["Deliver"]["parameter_openapi_schema"]):
        time.sleep(0.5)
    found = up.deployments()
    assert found["Reshoot"]["parameter_openapi_schema"]["properties"]["batch"]["enum"] == [said]
    deliver = found["Deliver"]["parameter_openapi_schema"]["properties"]["batch"]
    assert (deliver["enum"], deliver["default"]) == ([LAST_REVIEWED, said], LAST_REVIEWED)
    assert "Hannah" not in str(found)
    wrong = up.people.post(
        f"/deployments/{found['Reshoot']['id']}/create_flow_run", json={"parameters": {"batch": "Hannah"}}
    )
    assert wrong.status_code in {409, 422}


def test_retention_is_scheduled_daily(up: Any) -> None:
    schedules = up.deployments()["Retention (daily)"]["schedules"]
    assert [schedule["schedule"]["cron"] for schedule in schedules] == [SWEEP_CRON]


def test_forgetting_has_a_pool_of_its_own_with_a_worker(up: Any) -> None:
    found = up.deployments()
    pools = {name: deployment["work_pool_name"] for name, deployment in found.items()}
    assert {pools.pop("Forget a person"), pools.pop("Retention (daily)")} == {"keep"}
    assert "keep" not in pools.values(), "nothing of photography may stand before it"
    for pool in ("desk", "keep", "gpu"):
        [worker] = up.ask(f"/work_pools/{pool}/workers/filter")
        assert worker["status"] == "ONLINE"


def test_every_process_writes_for_itself_and_dumps_no_core(up: Any) -> None:
    """The flow runs' included: one is running while this looks."""
    deployment = up.deployments()["Retention (daily)"]["id"]
    run = up.people.post(f"/deployments/{deployment}/create_flow_run", json={"parameters": {"dry_run": True}}).json()
    seen: dict[str, set[str]] = {}
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and "flows.engine" not in seen:
        for child in psutil.Process(up.process.pid).children(recursive=True):
            try:
                words = [word for word in child.cmdline() if word.startswith("flows.")]
                mask = re.search(r"Umask:\s+(\d+)", Path(f"/proc/{child.pid}/status").read_text())
                core = child.rlimit(psutil.RLIMIT_CORE)
            except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                continue
            if words and mask:
                seen.setdefault(words[0], set()).add(f"{mask[1]} {max(core)}")
        time.sleep(0.05)
    assert set(seen) >= {"flows.server", "flows.worker", "flows.cli", "flows.engine"}
    assert {kind for kinds in seen.values() for kind in kinds} <= {"0077 1", "0077 0"}
    assert up.people.get(f"/flow_runs/{run['id']}").json()["name"]


def test_a_second_service_in_the_same_home_is_told_of_the_first(up: Any) -> None:
    done = rollcall_up(up.home, port=up.port + 10)
    assert done.returncode == 1
    assert f"process {up.process.pid}: {up.address}" in " ".join(done.stdout.split())


def test_a_port_that_is_taken_is_named_and_nothing_is_started(up: Any, tmp_path: Path) -> None:
    done = rollcall_up(tmp_path / "home", port=up.port)
    assert done.returncode == 1
    assert f"Port {up.port}, for Prefect" in done.stdout
    assert not (tmp_path / "home" / "prefect").exists()


def test_a_worker_that_is_killed_is_started_again(up: Any) -> None:
    def desk_workers() -> list[psutil.Process]:
        alive = [one for one in psutil.Process(up.process.pid).children() if one.status() != psutil.STATUS_ZOMBIE]
        return [child for child in alive if child.cmdline()[1:5] == ["-m", "flows.worker", "--pool", "desk"]]

    [worker] = desk_workers()
    worker.kill()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and [child.pid for child in desk_workers()] in ([], [worker.pid]):
        time.sleep(0.2)
    [again] = desk_workers()
    assert again.pid != worker.pid


def test_the_pages_are_the_ones_with_visible_buttons(up: Any) -> None:
    settings = httpx.get(f"{up.address}/ui-settings", trust_env=False).json()
    assert settings["default_ui"] == "v1"
    assert settings["api_url"] == "/api", "whatever name the pages are opened by"


def test_the_desk_asks_who_you_are(up: Any) -> None:
    as_a_browser = {"Accept": "text/html"}
    address = f"http://127.0.0.1:{up.port + 1}/"
    answer = httpx.get(address, headers=as_a_browser, follow_redirects=True, trust_env=False)
    assert "password" in answer.text.lower()


def test_prefect_has_met_no_error(up: Any) -> None:
    """Its scheduler once failed every minute, for days, into a log that nobody read."""
    assert up.errors() == []


def test_stopping_marks_what_died_here_lets_others_be_and_nothing_outlives_up(up: Any) -> None:
    """Two runs that Prefect calls Running: one was worked on by a process of this machine that is no more, the other
    by another machine, which may well go on."""
    deployment = up.deployments()["Retention (daily)"]["id"]
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2036-01-01T00:00:00Z"}}}
    ours, theirs = (up.api.post(f"/deployments/{deployment}/create_flow_run", json=later).json()["id"] for _ in "ab")
    state = {"state": {"type": "RUNNING", "name": "Running"}, "force": True}
    for run in (ours, theirs):
        up.api.post(f"/flow_runs/{run}/set_state", json=state).raise_for_status()
    (up.home / "running" / ours).write_text(f"{socket.gethostname()} 999999999 1")
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert len(children) >= 4

    up.process.send_signal(signal.SIGHUP)  # a closed terminal, and like Ctrl-C in every way
    assert up.process.wait(60) == 0

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(child.is_running() for child in children):
        time.sleep(0.2)
    assert [child.pid for child in children if child.is_running()] == []
    with sqlite3.connect(up.home / "prefect" / "prefect.db") as database:
        states = {str(UUID(name)): state for name, state in database.execute("select id, state_type from flow_run")}
    assert (states[ours], states[theirs]) == ("CRASHED", "RUNNING")
    assert [run for run, state in states.items() if state in ("RUNNING", "PENDING")] == [theirs]


def test_the_next_one_starts_and_leaves_nothing_even_when_it_is_killed(up: Any, start_up: Any) -> None:
    """kill -9, as the kernel does when memory is short: no server, worker or desk serves on with nobody above it."""
    with start_up(up.home) as again:
        children = psutil.Process(again.process.pid).children(recursive=True)
        assert len(children) >= 5
        again.process.kill()
        again.process.wait()
        _, alive = psutil.wait_procs(children, timeout=30)
        assert [child.cmdline() for child in alive] == []
