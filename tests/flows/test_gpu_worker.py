"""A worker of the gpu pool takes group after group in one process, and begins anew when something went wrong."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from flows import gpu_worker
from flows.gpu_worker import FAILED, HOLDS_BACK, POLL_S, RARELY_S, STAYS, Worker, missing_here, pause, wait_for
from flows.life import at_work
from reports import readiness
from tasks.vault.database import open_database, prepare
from tasks.vault.life_signs import signs
from tasks.vault.open_blobs import open_blobs
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault


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

    def anew(failed: int) -> None:
        raise Anew(failed)

    api = httpx.Client(base_url="http://prefect/api", transport=httpx.MockTransport(server))
    records = open_database(f"sqlite:///{home / 'records' / 'rollcall.db'}")
    prepare(records)
    return Worker(api, records, home, "w", run, anew)


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


def test_a_worker_that_fails_lets_others_ask_first_and_holds_back_the_longer(tmp_path: Path, ran: list[str]) -> None:
    """A broken machine is the quickest of all: without this it would use up both attempts of every group."""
    for failed, holds in enumerate(HOLDS_BACK):
        worker = worker_of(Server("a"), tmp_path / str(failed), ran)
        worker.failed = failed
        worker.idle_since = time.monotonic() - max(holds - 5, 0)
        assert worker.turn() is (holds == 0.0)
        worker.idle_since = time.monotonic() - holds - 1
        assert worker.turn() is (holds > 0.0)
        assert worker.failed == 0, "one that went well is no part of a row"
    assert list(HOLDS_BACK) == sorted(HOLDS_BACK)
    assert HOLDS_BACK[1] > RARELY_S + POLL_S, "whoever is free has asked by then"


def test_who_waits_for_long_asks_less_often_and_stops_at_once_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look costs the server 60 ms: forty workers that wait while photos are read may not take half of it."""
    assert pause(0.0) == POLL_S, "whoever has just ended a group asks again soon"
    waits = [pause(idle) for idle in range(0, 4000, 10)]
    assert waits == sorted(waits)
    assert max(waits) == RARELY_S
    assert 40 / RARELY_S * 0.060 < 0.5
    slept: list[float] = []
    monkeypatch.setattr(gpu_worker.time, "sleep", slept.append)
    wait_for(60.0, lambda: len(slept) == 3)
    assert slept == [1.0, 1.0, 1.0]
    wait_for(0.0, lambda: False)
    assert len(slept) == 3


def test_how_many_failed_in_a_row_is_known_to_the_process_that_begins_anew(
    tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_of(Server("a"), tmp_path, ran, "a")
    worker.failed, worker.idle_since = 1, 0.0
    with pytest.raises(Anew) as anew:
        worker.turn()
    assert anew.value.args == (2,)
    monkeypatch.setattr(gpu_worker.os, "execv", lambda program, words: None)
    monkeypatch.delenv(FAILED, raising=False)
    gpu_worker.begin_anew(2)
    assert gpu_worker.os.environ[FAILED] == "2"


def test_nothing_is_taken_while_what_a_run_stands_on_is_away(tmp_path: Path, ran: list[str], caplog: Any) -> None:
    """A bucket that is away for an hour would fail every group of the batch twice, in minutes."""
    worker, away = worker_of(Server("a"), tmp_path, ran), ["the bucket is away"]
    worker.missing = lambda: away[0] if away else None
    assert not worker.turn()
    assert not worker.turn()
    assert [record.message for record in caplog.records] == ["this worker takes no group: the bucket is away"], "once"
    away.clear()
    assert worker.turn()
    assert ran == ["a"]


@pytest.mark.parametrize("gone", ["disk", "records", "bucket"])
def test_disk_records_and_bucket_have_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    with open_vault(Settings(home=tmp_path)) as vault:
        assert missing_here(vault, datetime.now(UTC)) is None
        if gone == "disk":
            monkeypatch.setattr(readiness, "LEAST_FREE", 1 << 60)
        if gone == "records":
            with vault.engine.begin() as connection:
                connection.execute(sa.text("DROP TABLE alembic_version"))
        if gone == "bucket":
            vault.blobs = open_blobs("s3://nowhere/at/all?endpoint=http://127.0.0.1:9")
        missing = missing_here(vault, datetime.now(UTC))
    assert missing is not None
    assert missing.startswith(gone)


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


def test_a_run_gives_signs_of_life_from_the_moment_it_is_claimed(tmp_path: Path, ran: list[str]) -> None:
    """A machine that dies between claiming and beginning was noticed after five minutes, and later still by a server
    that was away meanwhile (measured: 739 s)."""
    server = Server("a")
    worker = worker_of(server, tmp_path, ran)
    begun = datetime.now(UTC)

    def run(one: str) -> bool:
        return one in signs(worker.records, begun)

    worker.run = run
    assert worker.turn()
    assert signs(worker.records, begun) == {}, "it has ended, and needs to be heard of no more"


def test_a_fresh_process_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(gpu_worker.os, "execv", lambda program, words: called.append([program, *words]))
    monkeypatch.setattr(gpu_worker.sys, "argv", ["worker.py", "--pool", "gpu", "--name", "n"])
    gpu_worker.begin_anew()
    assert called == [[called[0][0], called[0][0], "-m", "flows.worker", "--pool", "gpu", "--name", "n"]]
