"""A batch whose machine went down goes on by itself, a few times; a person's word and a failure are let be."""

import json
from typing import Any

import httpx
import pytest

from flows.carrying_on import MOST, TAG, carry_on, times_carried
from tasks.vault.lease import Abandoned

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

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            known = request.url.path.endswith("/flow_runs/r1")
            return httpx.Response(200, json=self.run) if known else httpx.Response(404)
        if request.url.path.endswith("/deployments/filter"):
            return httpx.Response(200, json=[{"id": "d2"}])
        if request.url.path.endswith("/deployments/gone/create_flow_run"):
            return httpx.Response(404)
        self.by.append(request.url.path.split("/")[-2])
        self.started.append(json.loads(request.read()))
        return httpx.Response(201, json={"id": "r2"})

    def api(self) -> httpx.Client:
        return httpx.Client(base_url="http://server/api", transport=httpx.MockTransport(self))


def test_the_same_order_is_started_again_with_the_drop_that_it_was() -> None:
    server = Server()
    assert carry_on(server.api(), LEFT) == "r2"
    [asked] = server.started
    assert asked["parameters"] == {"drop": "/srv/drops/today", "kit": "harbour"}, "not a newer upload"
    assert asked["idempotency_key"] == "carry-on:r1", "asked twice, started once"
    assert asked["tags"] == [f"{TAG}1"]
    assert server.by == ["d1"]
    assert asked["enforce_parameter_schema"] is False, "the form's drop-downs are others by now"


def test_after_an_update_the_form_that_there_is_now_takes_it() -> None:
    server = Server(deployment_id="gone")
    assert carry_on(server.api(), LEFT) == "r2"
    assert server.by == ["d2"]


def test_a_reshoot_has_no_drop() -> None:
    server = Server(parameters={"batch": LEFT.batch})
    assert carry_on(server.api(), LEFT) == "r2"
    assert server.started[0]["parameters"] == {"batch": LEFT.batch}


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "CANCELLING", "COMPLETED", "RUNNING", "PENDING"])
def test_only_a_crash_is_followed(state: str) -> None:
    server = Server(state={"type": state})
    assert carry_on(server.api(), LEFT) is None
    assert server.started == []


def test_a_run_of_a_terminal_is_not_this_servers() -> None:
    assert carry_on(Server().api(), Abandoned(LEFT.batch, "by itself, process 7", "/x")) is None
    assert carry_on(Server(deployment_id=None).api(), LEFT) is None


def test_it_is_not_tried_for_ever() -> None:
    assert times_carried(["x", f"{TAG}2", "carried-on-x"]) == 2
    assert carry_on(Server(tags=[f"{TAG}{MOST - 1}"]).api(), LEFT) == "r2"
    assert carry_on(Server(tags=[f"{TAG}{MOST}"]).api(), LEFT) is None
