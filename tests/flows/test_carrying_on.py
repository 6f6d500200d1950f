"""What a machine took down with it goes on by itself, a few times; a person's word and a failure are let be."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from flows.carrying_on import (
    DONE,
    EVERY_S,
    FORGETTING,
    LATELY,
    LONGEST_WAIT_S,
    MAKING,
    MOST,
    MOST_LOST,
    TAG,
    WAIT_S,
    CarryOnGuard,
    begin_again,
    carry_on,
    forget_again,
    times_carried,
)  # fmt: skip
from flows.headshots import make_headshots
from flows.reshoot import reshoot
from flows.retention import forget_person
from tasks.vault.failures import StoreLost
from tasks.vault.lease import Abandoned
from tasks.vault.telling import told

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LEFT = Abandoned("b0123456789abcde", "r1", "/srv/drops/today")


class Server:
    """Prefect, as far as it is asked."""

    def __init__(self, **run: Any) -> None:
        self.run: dict[str, Any] = {
            "state": {"type": "CRASHED"}, "deployment_id": "d1", "tags": [], "flow_id": "f1",
            "parameters": {"drop": "", "kit": "harbour"}, **run,
        }  # fmt: skip
        self.started: list[dict[str, Any]] = []
        self.by: list[str] = []
        self.successors: list[dict[str, Any]] = []  # what the key has started before
        self.crashed: list[dict[str, Any]] = []
        self.looked_for: dict[str, Any] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            known = request.url.path.endswith("/flow_runs/r1")
            return httpx.Response(200, json=self.run) if known else httpx.Response(404)
        if request.url.path.endswith("/flow_runs/filter"):
            self.looked_for = json.loads(request.read())
            flows = self.looked_for["flows"]["name"]["any_"]
            return httpx.Response(
                200, json=[run for run in self.crashed if ("run_count" in run) == (flows != [FORGETTING])]
            )
        if request.url.path.endswith("/deployments/filter"):
            return httpx.Response(200, json=[{"id": "d2"}])
        if request.url.path.endswith("/deployments/gone/create_flow_run"):
            return httpx.Response(404)
        self.by.append(request.url.path.split("/")[-2])
        self.started.append(json.loads(request.read()))
        if self.successors:
            return httpx.Response(200, json=self.successors.pop(0))
        return httpx.Response(201, json={"id": "r2", "state": {"type": "SCHEDULED"}})

    def api(self) -> httpx.Client:
        return httpx.Client(base_url="http://server/api", transport=httpx.MockTransport(self))


def test_the_same_order_is_started_again_with_the_drop_that_it_was() -> None:
    server = Server()
    assert carry_on(server.api(), LEFT, NOW) == "r2"
    [asked] = server.started
    assert asked["parameters"] == {"drop": "/srv/drops/today", "kit": "harbour"}, "not a newer upload"
    assert asked["idempotency_key"] == "carry-on:r1", "asked twice, started once"
    assert asked["tags"] == [f"{TAG}1"]
    assert server.by == ["d1"]
    assert asked["enforce_parameter_schema"] is False, "the form's drop-downs are others by now"


def test_after_an_update_the_form_that_there_is_now_takes_it() -> None:
    server = Server(deployment_id="gone")
    assert carry_on(server.api(), LEFT, NOW) == "r2"
    assert server.by == ["d2"]


def test_a_reshoot_has_no_drop() -> None:
    server = Server(parameters={"batch": LEFT.batch})
    assert carry_on(server.api(), LEFT, NOW) == "r2"
    assert server.started[0]["parameters"] == {"batch": LEFT.batch}


def lost(sentence: str, minutes: float) -> dict[str, Any]:
    """The state of a run under which something went away so long ago."""
    return {"type": "FAILED", "message": sentence, "timestamp": (NOW - timedelta(minutes=minutes)).isoformat()}


DATABASE = str(told(OperationalError("x", None, Exception())))
STORE = str(StoreLost("EndpointConnectionError", "put"))


@pytest.mark.parametrize("sentence", [DATABASE, STORE])
@pytest.mark.parametrize(("times", "minutes"), [(0, 1), (1, 2), (3, 8), (6, 60), (MOST_LOST - 1, 60)])
def test_a_batch_that_lost_what_it_stands_on_is_followed_after_a_wait(
    sentence: str, times: int, minutes: float
) -> None:
    tags = [f"{TAG}{times}"] if times else []
    assert carry_on(Server(state=lost(sentence, minutes - 0.1), tags=tags).api(), LEFT, NOW) is None, "it waits longer"
    server = Server(state=lost(sentence, minutes), tags=tags)
    assert carry_on(server.api(), LEFT, NOW) == "r2"
    assert server.started[0]["tags"] == [f"{TAG}{times + 1}"]


def test_it_does_not_wait_for_ever_for_what_went_away() -> None:
    assert carry_on(Server(state=lost(STORE, 1000), tags=[f"{TAG}{MOST_LOST}"]).api(), LEFT, NOW) is None
    waits = [min(WAIT_S * 2**times, LONGEST_WAIT_S) for times in range(MOST_LOST)]
    assert 6 * 3600 < sum(waits) < 12 * 3600, "a night"


def test_a_successor_that_found_it_still_away_waits_in_its_turn() -> None:
    """It never took the batch, so the records name the first one still."""
    still = {"id": "r2", "deployment_id": "d1", "flow_id": "f1", "tags": [f"{TAG}1"]}
    server = Server(state=lost(STORE, 10))
    server.successors = [{**still, "state": lost(STORE, 1.9)}]
    assert carry_on(server.api(), LEFT, NOW) is None
    assert [asked["idempotency_key"] for asked in server.started] == ["carry-on:r1"]
    server = Server(state=lost(STORE, 10))
    server.successors = [{**still, "state": lost(STORE, 2)}, {"id": "r3", "state": {"type": "SCHEDULED"}}]
    assert carry_on(server.api(), LEFT, NOW) == "r3"
    assert [asked["idempotency_key"] for asked in server.started] == ["carry-on:r1", "carry-on:r2"]


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "CANCELLING", "COMPLETED", "RUNNING", "PENDING"])
def test_what_ended_otherwise_is_let_be(state: str) -> None:
    server = Server(state={"type": state, "message": "no_photos: nobody sent any"})
    assert carry_on(server.api(), LEFT, NOW) is None
    assert server.started == []


def test_a_run_of_a_terminal_is_not_this_servers() -> None:
    assert carry_on(Server().api(), Abandoned(LEFT.batch, "by itself, process 7", "/x"), NOW) is None
    assert carry_on(Server(deployment_id=None).api(), LEFT, NOW) is None


def test_it_is_not_tried_for_ever() -> None:
    assert times_carried(["x", f"{TAG}2", "carried-on-x"]) == 2
    assert carry_on(Server(tags=[f"{TAG}{MOST - 1}"]).api(), LEFT, NOW) == "r2"
    assert carry_on(Server(tags=[f"{TAG}{MOST}"]).api(), LEFT, NOW) is None


def test_a_run_that_worked_for_an_hour_before_it_died_begins_a_new_row() -> None:
    """Ten thousand people last days: three nights' restarts are no reason to leave them."""
    server = Server(tags=[f"{TAG}{MOST}"], total_run_time=3600.0)
    assert carry_on(server.api(), LEFT, NOW) == "r2"
    assert server.started[0]["tags"] == [f"{TAG}1"]
    assert carry_on(Server(tags=[f"{TAG}{MOST}"], total_run_time=3599.0).api(), LEFT, NOW) is None


def test_a_run_that_came_further_before_it_died_begins_a_new_row() -> None:
    """Found by `benchmarks.scale`: killed again and again while 300 people's photos were looked at, each time further
    on, and twice with the server away when it began; after the fourth nothing followed."""
    server = Server(tags=[f"{TAG}{MOST}", f"{DONE}before"])
    assert carry_on(server.api(), LEFT, NOW, "now") == "r2"
    assert server.started[0]["tags"] == [f"{TAG}1", f"{DONE}now"]
    assert carry_on(Server(tags=[f"{TAG}{MOST}", f"{DONE}now"]).api(), LEFT, NOW, "now") is None, (
        "it died at the same place"
    )
    again = Server(tags=[f"{TAG}1", f"{DONE}now"])
    assert carry_on(again.api(), LEFT, NOW, "now") == "r2"
    assert again.started[0]["tags"] == [f"{TAG}2", f"{DONE}now"]


def test_a_successor_that_died_before_it_took_the_batch_is_followed_in_its_turn() -> None:
    """Found by `benchmarks.scale`: the desk's worker died twice within a minute, and the batch stood still for ever."""
    server = Server()
    crashed = {"state": {"type": "CRASHED"}, "deployment_id": "d1", "flow_id": "f1"}
    server.successors = [{"id": "r2", "tags": [f"{TAG}1"], **crashed}, {"id": "r3", "tags": [f"{TAG}2"], **crashed}]
    server.successors.append({"id": "r4", "tags": [f"{TAG}3"], "state": {"type": "RUNNING"}})
    assert carry_on(server.api(), LEFT, NOW) == "r4"
    assert [asked["idempotency_key"] for asked in server.started] == ["carry-on:r1", "carry-on:r2", "carry-on:r3"]
    assert [asked["tags"] for asked in server.started] == [[f"{TAG}1"], [f"{TAG}2"], [f"{TAG}3"]]


def test_a_row_of_successors_ends_too() -> None:
    server = Server()
    crashed = {"state": {"type": "CRASHED"}, "deployment_id": "d1", "flow_id": "f1"}
    server.successors = [{"id": f"r{number + 1}", "tags": [f"{TAG}{number}"], **crashed} for number in (1, 2, 3, 4)]
    assert carry_on(server.api(), LEFT, NOW) is None
    assert len(server.started) == MOST


def forgetting(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "deployment_id": "d1",
        "flow_id": "f1",
        "tags": [],
        "parameters": {"person": "p1"},
        "state": {"type": "CRASHED", "message": None},
        **more,
    }


def test_a_forgetting_that_crashed_is_started_again() -> None:
    """The server was away when its process began: no case is in the records, and the sweep knows of nothing."""
    server = Server()
    server.crashed = [forgetting("r1"), forgetting("r2", tags=[f"{TAG}{MOST}"]), forgetting("r3", deployment_id=None)]
    assert forget_again(server.api(), NOW) == ["r1"]
    [asked] = server.started
    assert asked["parameters"] == {"person": "p1"}
    assert asked["idempotency_key"] == "forget-again:r1", "asked twice, started once"
    assert asked["tags"] == [f"{TAG}1"]
    assert server.looked_for["flows"] == {"name": {"any_": ["forget-a-person"]}}
    assert server.looked_for["flow_runs"]["state"] == {"type": {"any_": ["CRASHED", "FAILED"]}}
    assert server.looked_for["flow_runs"]["expected_start_time"] == {"after_": (NOW - LATELY).isoformat()}


def test_one_whose_database_went_away_is_started_again_and_one_that_says_why_it_failed_is_not() -> None:
    server = Server()
    server.crashed = [
        forgetting("r1", state=lost(DATABASE, 1)),
        forgetting("r4", state=lost(STORE, 1)),
        forgetting("r5", state=lost(STORE, 0.5)),  # in half a minute
        forgetting("r2", state={"type": "FAILED", "message": "held: somebody has put a hold on this person"}),
        forgetting("r3", state={"type": "FAILED", "message": None}),
    ]
    assert forget_again(server.api(), NOW) == ["r1", "r4"]


def making(name: str, **more: Any) -> dict[str, Any]:
    return {**forgetting(name), "parameters": {"drop": "/srv/drops/today"}, "run_count": 0, **more}


def test_an_order_that_crashed_before_it_had_begun_is_started_again() -> None:
    """Found by `benchmarks.scale`: the server died just when it was pressed, and nothing in the records knew of it."""
    server = Server()
    server.crashed = [
        making("pressed"),
        making("redo", parameters={"batch": "b1"}),
        making("begun", run_count=1),  # its batch says so (`carry_on`), or a person has stopped it
        making("newest", parameters={"drop": ""}),
        making("terminal", deployment_id=None),
        making("again-and-again", tags=[f"{TAG}{MOST}", f"{DONE}somewhere"]),
    ]
    assert begin_again(server.api(), NOW) == ["pressed", "redo"]
    assert [asked["idempotency_key"] for asked in server.started] == ["carry-on:pressed", "carry-on:redo"]
    assert server.started[0]["parameters"] == {"drop": "/srv/drops/today"}
    assert server.looked_for["flow_runs"]["state"] == {"type": {"any_": ["CRASHED"]}}
    assert server.looked_for["flow_runs"]["expected_start_time"] == {"after_": (NOW - LATELY).isoformat()}


def test_the_names_that_are_looked_for_are_the_flows() -> None:
    assert forget_person.name == FORGETTING
    assert (make_headshots.name, reshoot.name) == MAKING


def test_the_control_machine_looks_every_minute_and_tells_once() -> None:
    server, said = Server(), list[str]()
    server.crashed = [forgetting("r1")]
    engine = sa.create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    guard = CarryOnGuard(server.api(), engine, said.append, clock=lambda: NOW)
    for second in (0.0, EVERY_S - 1, EVERY_S):
        guard.tend(second)
    assert len(server.started) == 2
    assert said == ["Forgetting run r1 crashed with its machine; it was started again."]
