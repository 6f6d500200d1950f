"""Runs are judged by their signs of life: a machine knows its own dead, others are given their time to speak."""

import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.environment import HEARTBEAT_S
from flows.life import BEGINNING, EVERY_S, NO_SIGN, SILENCE, STOPPED, LifeGuard, crash_own_dead, noted, without_life

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
LONG = NOW - timedelta(hours=2)


def run(name: str, state: str = "RUNNING", since: datetime = LONG) -> dict[str, Any]:
    return {"id": name, "state": {"type": state, "timestamp": since.isoformat()}}


def test_who_was_heard_lives_however_long_it_has_run() -> None:
    assert without_life([run("a"), run("b")], {"a"}, NOW, LONG) == ["b"]


def test_death_is_noticed_within_two_minutes_and_not_before_three_beats_were_missed() -> None:
    assert timedelta(seconds=3 * HEARTBEAT_S) <= SILENCE
    assert SILENCE + timedelta(seconds=EVERY_S) <= timedelta(minutes=2)


@pytest.mark.parametrize(("state", "patience"), [("RUNNING", SILENCE), ("CANCELLING", SILENCE), ("PENDING", BEGINNING)])
def test_silence_is_death_only_after_its_time(state: str, patience: timedelta) -> None:
    moment = timedelta(seconds=1)
    assert without_life([run("a", state, NOW - patience + moment)], (), NOW, LONG) == []
    assert without_life([run("a", state, NOW - patience - moment)], (), NOW, LONG) == ["a"]


def test_after_a_pause_of_the_server_everybody_has_their_time_to_speak() -> None:
    assert without_life([run("a")], (), NOW, listening_since=NOW - timedelta(seconds=5)) == []
    assert without_life([run("a")], (), NOW, listening_since=NOW - SILENCE * 2) == ["a"]


class Server:
    """Prefect's API as far as it is asked: unfinished runs, their beats, and what they are set to."""

    def __init__(self, *runs: dict[str, Any], heard: tuple[str, ...] = ()) -> None:
        self.runs, self.heard, self.crashed, self.away = list(runs), heard, dict[str, str](), False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path.endswith("/flow_runs/filter"):
            return httpx.Response(200, json=[one for one in self.runs if one["id"] not in self.crashed])
        if path.endswith("/events/filter"):
            beats = [{"resource": {"prefect.resource.id": f"prefect.flow-run.{name}"}} for name in self.heard]
            return httpx.Response(200, json={"events": beats})
        if path.endswith("/set_state"):
            self.crashed[path.split("/")[-2]] = request.read().decode()
            return httpx.Response(201, json={})
        return httpx.Response(404)


@pytest.fixture
def api() -> Callable[[Server], httpx.Client]:
    return lambda server: httpx.Client(base_url="http://server/api", transport=httpx.MockTransport(server))


def test_a_machines_own_dead_are_known_at_once_and_the_living_let_be(tmp_path: Path, api: Any) -> None:
    """One whose process died with the machine, one that is at work, one that has ended and left nothing."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    code = f"from tasks.vault.lease import _began; print(_began({child.pid}))"
    began = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path / "running"
    folder.mkdir()
    (folder / "dead").write_text(f"{socket.gethostname()} {child.pid} {began}")
    child.communicate(b"\n")
    with noted(tmp_path, "ended"):
        pass
    server = Server(run("dead", since=NOW), run("living", since=NOW), run("elsewhere"))
    with noted(tmp_path, "living"):
        assert crash_own_dead(api(server), tmp_path) == 1
    assert list(server.crashed) == ["dead"]
    assert STOPPED in server.crashed["dead"]
    assert list(folder.iterdir()) == []


def test_another_machines_notes_are_not_judged_here(tmp_path: Path, api: Any) -> None:
    """In a home that several machines share."""
    (tmp_path / "running").mkdir()
    (tmp_path / "running" / "theirs").write_text("another-machine 1 1")
    server = Server(run("theirs"))
    assert crash_own_dead(api(server), tmp_path) == 0
    assert server.crashed == {}


def test_the_guard_crashes_the_silent_and_starts_to_listen_anew_after_a_pause(tmp_path: Path, api: Any) -> None:
    now = [NOW]
    server, said = Server(run("silent"), run("beats"), heard=("beats",)), list[str]()
    guard = LifeGuard(api(server), tmp_path, said.append, clock=lambda: now[0], next_at=0.0)

    def at(seconds: float) -> list[str]:
        now[0] = NOW + timedelta(seconds=seconds)
        guard.tend(seconds)
        return list(server.crashed)

    assert at(0) == []
    server.away = True
    assert at(60) == []
    server.away = False
    assert at(120) == [], "it could not have been heard"
    assert at(120 + SILENCE.total_seconds() + 1) == ["silent"]
    assert NO_SIGN in server.crashed["silent"]
    assert said == ["Run silent gave no sign of life and counts as crashed."]
