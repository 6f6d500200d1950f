"""Runs are judged by their signs of life: a machine knows its own dead, others are given their time to speak."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from flows import life
from flows.children import StartFailed
from flows.environment import HEARTBEAT_S
from flows.life import (
    BEGINNING,
    CANCELLED_AFTER,
    CONTROL,
    EVERY_S,
    NO_SIGN,
    PAUSE,
    SILENCE,
    STOPPED,
    LifeGuard,
    crash_own_dead,
    end_cancelled,
    in_control,
    need_to_be_alone,
    noted,
    with_pause,
    without_life,
)
from tasks.vault.life_signs import STALE, give_sign, signs

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
LONG = NOW - timedelta(hours=2)


def run(name: str, state: str = "RUNNING", since: datetime = LONG) -> dict[str, Any]:
    return {"id": name, "state": {"type": state, "timestamp": since.isoformat()}}


def test_who_was_heard_lives_however_long_it_has_run() -> None:
    assert without_life([run("a"), run("b")], {"a": NOW}, NOW, ()) == ["b"]


def test_death_is_noticed_within_two_minutes_and_not_before_three_beats_were_missed() -> None:
    assert timedelta(seconds=3 * HEARTBEAT_S) <= SILENCE
    assert SILENCE + timedelta(seconds=EVERY_S) <= timedelta(minutes=2)


@pytest.mark.parametrize(("state", "patience"), [("RUNNING", SILENCE), ("CANCELLING", SILENCE), ("PENDING", BEGINNING)])
def test_silence_is_death_only_after_its_time(state: str, patience: timedelta) -> None:
    moment = timedelta(seconds=1)
    assert without_life([run("a", state, NOW - patience + moment)], {}, NOW, ()) == []
    assert without_life([run("a", state, NOW - patience - moment)], {}, NOW, ()) == ["a"]


def test_it_is_the_time_of_the_last_sign_that_counts() -> None:
    moment = timedelta(seconds=1)
    assert without_life([run("a")], {"a": NOW - SILENCE + moment}, NOW, ()) == []
    assert without_life([run("a")], {"a": NOW - SILENCE - moment}, NOW, ()) == ["a"]
    begun = run("a", "PENDING", NOW - SILENCE * 2)
    assert without_life([begun], {"a": NOW - SILENCE - moment}, NOW, ()) == ["a"], "it had begun, and then fell silent"


def test_a_sign_from_before_a_run_came_into_its_state_is_not_held_against_it() -> None:
    """Somebody had a run that had died repeated, under its own number."""
    assert without_life([run("a", since=NOW)], {"a": LONG}, NOW, ()) == []


def test_a_run_of_the_gpu_pool_is_heard_of_from_the_moment_it_was_claimed() -> None:
    late = NOW - SILENCE - timedelta(seconds=1)
    assert without_life([{**run("a", "PENDING", late), "work_pool_name": "gpu"}], {}, NOW, ()) == ["a"]
    assert without_life([{**run("a", "PENDING", late), "work_pool_name": "desk"}], {}, NOW, ()) == []
    assert without_life([{**run("a", "PENDING", late), "work_pool_name": "gpu"}], {"a": NOW}, NOW, ()) == []


def test_what_nobody_could_hear_is_no_silence_and_gives_nothing_anew() -> None:
    """Died 90 s before a pause of five minutes: five more seconds of listening tell, and not another 95."""
    end = NOW + timedelta(minutes=5)
    for after, dead in ((4, []), (6, ["a"])):
        now = end + timedelta(seconds=after)
        assert without_life([run("a", since=NOW - timedelta(seconds=90))], {}, now, [(NOW, end)]) == dead
    assert without_life([run("a", since=end)], {}, end + SILENCE * 1.1, [(NOW, end)]) == ["a"], "it is not of its time"


def test_a_pause_is_what_lies_between_two_looks_that_are_far_apart() -> None:
    assert with_pause([], NOW - PAUSE, NOW) == [], "one look that failed takes no sign away"
    late = NOW - PAUSE - timedelta(seconds=1)
    assert with_pause([], late, NOW) == [(late, NOW)]
    assert with_pause([(LONG, LONG)], late, NOW) == [(late, NOW)], "what is long over touches nobody"
    (first,) = with_pause([], None, NOW)
    assert without_life([run("a")], {}, NOW + SILENCE, [first]) == [], "nobody has ever listened here"


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


def another_process() -> tuple["subprocess.Popen[bytes]", str]:
    """A process that waits for a line, and what is noted of a run that it works on."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    code = f"from tasks.vault.lease import _began; print(_began({child.pid}))"
    began = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return child, f"{socket.gethostname()} {child.pid} {began}"


@pytest.fixture
def api() -> Callable[[Server], httpx.Client]:
    return lambda server: httpx.Client(base_url="http://server/api", transport=httpx.MockTransport(server))


def test_a_machines_own_dead_are_known_at_once_and_the_living_let_be(
    tmp_path: Path, api: Any, records: sa.Engine
) -> None:
    """One whose process died with the machine, one that is at work, one that has ended and left nothing."""
    child, note = another_process()
    folder = tmp_path / "running"
    folder.mkdir()
    (folder / "dead").write_text(note)
    child.communicate(b"\n")
    with noted(tmp_path, "ended", records):
        assert "ended" in signs(records, NOW)
    assert "ended" not in signs(records, NOW)
    server = Server(run("dead", since=NOW), run("living", since=NOW), run("elsewhere"))
    with noted(tmp_path, "living", records):
        assert crash_own_dead(api(server), tmp_path) == 1
    assert list(server.crashed) == ["dead"]
    assert STOPPED in server.crashed["dead"]
    assert list(folder.iterdir()) == []


def test_a_run_that_was_cancelled_while_prefect_had_stopped_watching_is_ended_by_us(tmp_path: Path, api: Any) -> None:
    """Prefect's own watch gives up when its server was away; then the button was pressed and nothing happened."""
    child, note = another_process()
    folder = tmp_path / "running"
    folder.mkdir()
    for name, process in {"mine": note, "goes-on": note, "theirs": "another-machine 1 1"}.items():
        (folder / name).write_text(process)
    runs = [run("mine", "CANCELLING", NOW), run("goes-on", "RUNNING", NOW), run("theirs", "CANCELLING", NOW)]
    runs.append(run("not-noted", "CANCELLING", NOW))
    server = Server()
    assert end_cancelled(api(server), tmp_path, runs, NOW + CANCELLED_AFTER) == [], "Prefect's own watch comes first"
    assert child.poll() is None
    later = NOW + CANCELLED_AFTER + timedelta(seconds=1)
    assert end_cancelled(api(server), tmp_path, runs, later) == ["mine"]
    assert child.wait(10) == -signal.SIGKILL, "Prefect's engine calls itself crashed when it is asked"
    assert list(server.crashed) == ["mine"]
    assert "CANCELLED" in server.crashed["mine"], "not a crash, which would be followed"
    assert end_cancelled(api(server), tmp_path, runs, later) == [], "its process is no more"
    child.communicate()


def test_the_guard_looks_for_cancelled_runs_too(
    tmp_path: Path, api: Any, records: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "end_cancelled", lambda api, home, runs, now: [one["id"] for one in runs])
    said = list[str]()
    LifeGuard(api(Server(run("a", since=NOW))), records, tmp_path, said.append, "home", lambda: NOW, next_at=0.0).tend(
        0.0
    )
    assert said == ["Run a was cancelled, and has been ended."]


def test_another_machines_notes_are_not_judged_here(tmp_path: Path, api: Any) -> None:
    """In a home that several machines share."""
    (tmp_path / "running").mkdir()
    (tmp_path / "running" / "theirs").write_text("another-machine 1 1")
    server = Server(run("theirs"))
    assert crash_own_dead(api(server), tmp_path) == 0
    assert server.crashed == {}


class Watched:
    """The control machine over time: seconds from `NOW`, the server it asks, and the records it reads."""

    def __init__(self, home: Path, api: Any, records: sa.Engine, *runs: dict[str, Any]) -> None:
        self.server, self.records, self.home, self.api = Server(*runs), records, home, api
        self.moment, self.said = NOW, list[str]()
        self.start()

    def start(self) -> None:
        """Begins, or is started again: it knows nothing but what stands in the records."""
        self.guard = LifeGuard(
            self.api(self.server), self.records, self.home, self.said.append, "mine", lambda: self.moment, next_at=0.0
        )

    def until(self, second: int, *alive: str) -> list[str]:
        """Looks every ten seconds up to this one, while these runs give signs; who counts as crashed then."""
        while (passed := (self.moment - NOW).total_seconds()) < second:
            self.moment += timedelta(seconds=10)
            for name in alive:
                give_sign(self.records, name, self.moment)
            self.guard.tend(passed + 10)
        return list(self.server.crashed)

    def sleep(self, second: int) -> None:
        """Nothing looks until then."""
        self.moment = NOW + timedelta(seconds=second)


@pytest.fixture
def watched(tmp_path: Path, api: Any, records: sa.Engine) -> Watched:
    """Two runs that have been at work for two hours, and a control machine that has been listening."""
    one = Watched(tmp_path, api, records, run("dies"), run("lives"))
    one.until(20, "dies", "lives")
    return one


def test_a_silent_run_counts_as_crashed_within_two_minutes_of_its_last_sign(watched: Watched) -> None:
    assert watched.until(20 + 90, "lives") == []
    assert watched.until(20 + 110, "lives") == ["dies"]
    assert NO_SIGN in watched.server.crashed["dies"]
    assert watched.said == ["Run dies gave no sign of life and counts as crashed."]


def test_a_server_that_restarts_over_and_over_gives_a_dead_run_nothing_anew(watched: Watched) -> None:
    """Measured before: noticed after 201 s, since each restart gave 95 s."""
    for begins in (30, 60, 90):
        watched.server.away = True
        watched.until(begins + 20, "lives")
        watched.server.away = False
        assert watched.until(begins + 30, "lives") == ([] if begins < 90 else ["dies"])


def test_while_the_server_is_away_living_runs_are_heard_of_in_the_records(watched: Watched) -> None:
    watched.server.away = True
    watched.until(600, "lives")
    watched.server.away = False
    assert watched.until(610, "lives") == ["dies"]


def test_a_database_that_is_cut_for_a_moment_gives_nothing_anew(watched: Watched, monkeypatch: Any) -> None:
    whole = life.signs

    def cut(engine: sa.Engine, now: datetime) -> dict[str, datetime]:
        if (now - NOW).seconds % 30 == 0:
            raise sa.exc.OperationalError("SELECT", {}, Exception("cut"))
        return whole(engine, now)

    monkeypatch.setattr(life, "signs", cut)
    assert watched.until(20 + 110, "lives") == ["dies"]


def test_records_that_were_away_for_long_make_nobody_dead_who_speaks_when_they_are_back(watched: Watched) -> None:
    watched.sleep(600)
    assert watched.until(610) == [], "it is the first look: nobody could have been heard"
    assert watched.until(690, "lives") == []
    assert watched.until(710, "lives") == ["dies"], "that died before it, or in it"


def test_a_control_machine_that_is_started_again_goes_on_listening_where_it_stopped(watched: Watched) -> None:
    watched.until(70, "lives")
    watched.start()
    assert watched.until(20 + 110, "lives") == ["dies"]


def test_a_second_control_machine_of_the_same_records_is_told_of_the_first(records: sa.Engine) -> None:
    need_to_be_alone(records, "first", NOW)
    need_to_be_alone(records, "first", NOW)  # it fell over, and was started again
    with pytest.raises(StartFailed, match="heard of 20 s ago"):
        need_to_be_alone(records, "second", NOW + timedelta(seconds=20))
    need_to_be_alone(records, "second", NOW + SILENCE + timedelta(seconds=1))  # the first has died


def test_one_that_was_stopped_leaves_its_place_to_another_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rollcall.db'}"
    with in_control(url, "first", NOW) as records:
        with pytest.raises(StartFailed), in_control(url, "second", NOW):
            raise AssertionError
        assert set(signs(records, NOW)) == {CONTROL + "first"}
    with in_control(url, "second", NOW):
        pass


def test_of_two_control_machines_that_began_in_one_moment_one_goes_on(watched: Watched) -> None:
    give_sign(watched.records, CONTROL + "z-another", NOW + timedelta(seconds=30))
    watched.until(40)
    give_sign(watched.records, CONTROL + "another", NOW + timedelta(seconds=50))
    with pytest.raises(StartFailed, match="Another control machine"):
        watched.until(50)


def test_signs_that_machines_left_behind_are_not_kept(watched: Watched) -> None:
    give_sign(watched.records, "long-gone", NOW - STALE)
    watched.until(30)
    assert set(signs(watched.records, NOW)) == {"dies", "lives", CONTROL + "mine"}


def test_whoever_beats_with_prefect_alone_lives(watched: Watched) -> None:
    """Their way to the records is cut, and not that of the control machine."""
    watched.server.heard = ("dies",)
    assert watched.until(300, "lives") == []
