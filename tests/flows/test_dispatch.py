"""Groups go to workers, a second time when they die, and are not handed out twice when the run that did is gone."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import flows.dispatch as dispatch

BATCH = "b0123456789abcde"


class Server:
    """Prefect as far as a batch asks it: what is under way there, what was handed out, and how each run ends."""

    def __init__(self, **ends: str) -> None:
        self.ends, self.handed_out, self.under_way, self.away = ends, list[tuple[int, int]](), list[Any](), False

    def __enter__(self) -> "Server":
        if self.away:
            raise httpx.ConnectError("away")
        return self

    def __exit__(self, *_: object) -> None: ...

    def read_flow_runs(self, *, flow_run_filter: Any, limit: int, offset: int) -> list[Any]:
        assert flow_run_filter.tags.all_ == ["cohort"]
        assert {state.value for state in flow_run_filter.state.type.any_} == {"SCHEDULED", "PENDING", "RUNNING"}
        return self.under_way[offset : offset + limit]

    def submit(self, batch: str, number: int, attempt: int, turn: int) -> Any:
        self.handed_out.append((number, attempt))
        return run(number, attempt)

    def state_of(self, one: Any) -> str:
        return self.ends.get(f"{one.name}", "COMPLETED")


def run(number: int, attempt: int, batch: str = BATCH, name: str = "") -> Any:
    parameters = {"batch": batch, "number": number, "attempt": attempt}
    return SimpleNamespace(name=name or f"g{number}a{attempt}", parameters=parameters)


@pytest.fixture
def given_up() -> list[int]:
    return []


@pytest.fixture
def hand_out(monkeypatch: pytest.MonkeyPatch, given_up: list[int]) -> Any:
    """Runs these groups to their ends on this server."""

    def go(server: Server, *cohorts: int) -> list[tuple[int, int]]:
        monkeypatch.setattr(dispatch, "get_client", lambda **_: server)
        monkeypatch.setattr(dispatch, "live_workers", lambda now: 1)
        monkeypatch.setattr(dispatch, "_submit", server.submit)
        monkeypatch.setattr(dispatch, "_state_of", server.state_of)
        monkeypatch.setattr(dispatch, "give_up", lambda batch, number: given_up.append(number))
        monkeypatch.setattr(dispatch, "POLL_S", 0.0)
        dispatch._on_workers(BATCH, list(cohorts), 0)
        return server.handed_out

    return go


def test_each_group_is_handed_out_once(hand_out: Any) -> None:
    assert hand_out(Server(), 0, 1, 2, 3, 4) == [(number, 1) for number in range(5)]


def test_one_that_dies_is_started_once_more_and_then_given_up(hand_out: Any, given_up: list[int]) -> None:
    assert hand_out(Server(g1a1="CRASHED"), 0, 1) == [(0, 1), (1, 1), (1, 2)]
    assert given_up == []
    assert hand_out(Server(g1a1="CRASHED", g1a2="FAILED"), 0, 1) == [(0, 1), (1, 1), (1, 2)]
    assert given_up == [1]


@pytest.mark.parametrize("end", ["COMPLETED", "CRASHED", "FAILED"])
def test_what_an_earlier_run_handed_out_is_waited_for_and_then_looked_after(
    hand_out: Any, given_up: list[int], end: str
) -> None:
    """The desk's worker died, and the batch is carried on while a group is at work: two would do the same work."""
    server = Server(old=end)
    server.under_way = [run(1, 1, name="old"), run(9, 1), run(0, 1, batch="another")]
    looks: list[list[tuple[int, int]]] = []
    server.state_of, told = (lambda one: (looks.append(list(server.handed_out)), told(one))[1]), server.state_of  # type: ignore[method-assign]
    assert hand_out(server, 0, 1) == [(0, 1), (1, 1)], "whoever was left out, or came meanwhile, is in the second"
    assert looks[0] == [(0, 1)], "not before the earlier one has ended"
    assert given_up == [], "its two attempts are its own"


def test_of_two_under_way_the_later_attempt_is_waited_for(hand_out: Any) -> None:
    server = Server()
    server.under_way = [run(0, 2, name="second"), run(0, 1, name="first")]
    asked: list[str] = []
    server.state_of = lambda one: (asked.append(one.name), "COMPLETED")[1]  # type: ignore[method-assign]
    hand_out(server, 0)
    assert asked == ["second", "g0a1"]


def test_all_pages_are_read(hand_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAGE", 2)
    server = Server()
    server.under_way = [run(8, 1), run(9, 1), run(0, 1, name="old")]
    asked: list[str] = []
    server.state_of = lambda one: (asked.append(one.name), "COMPLETED")[1]  # type: ignore[method-assign]
    hand_out(server, 0)
    assert asked == ["old", "g0a1"]


def test_a_server_that_is_away_then_holds_nothing_up(hand_out: Any) -> None:
    server = Server()
    server.away = True
    assert hand_out(server, 0) == [(0, 1)]


def test_as_many_are_out_as_workers_live_and_two_more(hand_out: Any) -> None:
    """Whoever becomes free, or comes, finds one waiting; one worker lives here."""
    server, most = Server(), list[int]()
    out: set[str] = set()

    def submit(batch: str, number: int, attempt: int, turn: int) -> Any:
        out.add(f"g{number}a{attempt}")
        most.append(len(out))
        return run(number, attempt)

    def ends(one: Any) -> str:
        out.discard(one.name)
        return "COMPLETED"

    server.submit, server.state_of = submit, ends  # type: ignore[method-assign]
    hand_out(server, *range(9))
    assert max(most) == 1 + dispatch.BEYOND == 3


def test_a_run_counts_on_the_workers_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "live_workers", lambda now: 5)
    monkeypatch.delenv("ROLLCALL_UNDER_SUPERVISOR", raising=False)
    assert dispatch.workers_there() == 1, "this process does the work itself"
    monkeypatch.setenv("ROLLCALL_UNDER_SUPERVISOR", "1")
    assert dispatch.workers_there() == 5
    monkeypatch.setattr(dispatch, "live_workers", lambda now: 0)
    assert dispatch.workers_there() == 1, "somebody will come, and an hour is said"

    def away(now: Any) -> int:
        raise httpx.ConnectError("away")

    monkeypatch.setattr(dispatch, "live_workers", away)
    assert dispatch.workers_there() == 1


def test_a_run_has_so_many_turns_and_asks_for_nothing_in_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def second_chances(batch: str, last: bool = False) -> list[int]:
        asked.append(last)
        return [1]

    ran: list[int] = []
    monkeypatch.setattr(dispatch, "run_cohorts", lambda batch, cohorts, turn: ran.append(turn))
    monkeypatch.setattr(dispatch, "judge_team", lambda batch: None)
    monkeypatch.setattr(dispatch, "second_chances", second_chances)
    dispatch.take_and_judge("b1", [1])
    assert ran == [*range(dispatch.MOST_TURNS)]
    assert asked == [False] * (dispatch.MOST_TURNS - 1) + [True]
