"""A worker of the gpu pool takes group after group in one process, and begins anew when something went wrong."""

import json
from pathlib import Path

import httpx
import pytest

from flows import gpu_worker
from flows.gpu_worker import STAYS, Worker
from flows.life import at_work


class Server:
    """Prefect's API as far as a worker asks it."""

    def __init__(self, *runs: str) -> None:
        self.states = dict.fromkeys(runs, "SCHEDULED")
        self.beats: list[str] = []
        self.others_take: set[str] = set()
        self.away = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path.endswith("/get_scheduled_flow_runs"):
            wait = [{"flow_run": {"id": run}} for run, state in self.states.items() if state == "SCHEDULED"]
            return httpx.Response(200, json=wait)
        if path.endswith("/heartbeat"):
            self.beats.append(json.loads(request.content)["name"])
            return httpx.Response(204)
        run = path.split("/")[-2] if path.endswith("/set_state") else path.split("/")[-1]
        if request.method == "GET":
            return httpx.Response(200, json={"state": {"type": self.states[run]}})
        if run in self.others_take:
            self.states[run] = "RUNNING"
            return httpx.Response(200, json={"status": "ABORT"})
        self.states[run] = json.loads(request.content)["state"]["type"]
        return httpx.Response(201, json={"status": "ACCEPT"})


class Anew(Exception):
    """Stands for the end of this process and a fresh one in its place."""


@pytest.fixture
def ran() -> list[str]:
    return []


def worker_of(server: Server, home: Path, ran: list[str], *fails: str) -> Worker:
    def run(one: str) -> bool:
        assert at_work(home), "the machine knows that it works"
        ran.append(one)
        server.states[one] = "FAILED" if one in fails else "COMPLETED"
        return one not in fails

    def anew() -> None:
        raise Anew

    api = httpx.Client(base_url="http://prefect/api", transport=httpx.MockTransport(server))
    return Worker(api, home, "w", run, anew)


def test_one_process_takes_every_group_that_waits(tmp_path: Path, ran: list[str]) -> None:
    worker = worker_of(Server("a", "b", "c"), tmp_path, ran)
    assert [worker.turn() for _ in range(4)] == [True, True, True, False]
    assert ran == ["a", "b", "c"]
    assert not at_work(tmp_path)


def test_of_two_that_claim_one_has_it(tmp_path: Path, ran: list[str]) -> None:
    server = Server("a", "b")
    server.others_take = {"a"}
    worker = worker_of(server, tmp_path, ran)
    assert worker.turn()
    assert not worker.turn()
    assert ran == ["b"]


def test_after_a_group_that_failed_nothing_of_it_is_left(tmp_path: Path, ran: list[str]) -> None:
    worker = worker_of(Server("a", "b"), tmp_path, ran, "a")
    with pytest.raises(Anew):
        worker.turn()
    assert ran == ["a"]


def test_memory_is_given_back_when_nothing_was_to_be_done_for_long(tmp_path: Path, ran: list[str]) -> None:
    worker = worker_of(Server("a"), tmp_path, ran)
    worker.idle_since -= STAYS + 1
    assert worker.turn(), "nothing had been opened, so nothing is given back"
    assert not worker.turn(), "it has only just ended"
    worker.idle_since -= STAYS + 1
    with pytest.raises(Anew):
        worker.turn()


def test_a_server_that_is_away_ends_nothing(tmp_path: Path, ran: list[str]) -> None:
    server = Server("a")
    worker = worker_of(server, tmp_path, ran)
    server.away = True
    assert not worker.turn()
    worker.beat()
    server.away = False
    assert worker.turn()
    worker.beat()
    assert server.beats == ["w"]


@pytest.mark.parametrize(("state", "left"), [("CRASHED", "CRASHED"), ("CANCELLING", "CANCELLED")])
def test_a_run_that_is_not_its_any_more_is_left_at_once(tmp_path: Path, ran: list[str], state: str, left: str) -> None:
    """Declared dead while the network was away, or cancelled by a person."""
    server = Server("a")
    worker = worker_of(server, tmp_path, ran)

    def run(one: str) -> bool:
        worker.beat()  # as its own thread does, meanwhile
        server.states[one] = state
        worker.beat()
        return True

    worker.run = run
    with pytest.raises(Anew):
        worker.turn()
    assert server.states["a"] == left
    assert not at_work(tmp_path), "no note keeps the machine from ending when idle"


def test_a_run_that_ended_by_itself_is_not_mistaken_for_a_lost_one(tmp_path: Path, ran: list[str]) -> None:
    server = Server("a")
    worker = worker_of(server, tmp_path, ran)
    worker.at_work = "a"
    for state in ("PENDING", "RUNNING", "COMPLETED", "FAILED"):
        server.states["a"] = state
        worker.beat()


def test_a_fresh_process_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(gpu_worker.os, "execv", lambda program, words: called.append([program, *words]))
    monkeypatch.setattr(gpu_worker.sys, "argv", ["worker.py", "--pool", "gpu", "--name", "n"])
    gpu_worker.begin_anew()
    assert called == [[called[0][0], called[0][0], "-m", "flows.worker", "--pool", "gpu", "--name", "n"]]
