"""The door before Prefect: who is asking, what people may ask, and that what was checked is what is passed on.

Behind the door stands an application that says what reached it; tests/flows/test_supervisor.py opens the real one.
"""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest

from flows.door import HEADERS, WINDOW_S, WRONG, PrefectDoor
from flows.enter_page import ENTER

MACHINES, PEOPLE = "rollcall:the-secret-of-the-machines", "hr:the-secret-of-people"
ID, OTHER = "01234567-89ab-cdef-0123-456789abcdef", "fedcba98-7654-3210-fedc-ba9876543210"
RUN = f"/api/deployments/{ID}/create_flow_run"
STATE = f"/api/flow_runs/{ID}/set_state"
SWITCH = f"/api/deployments/{ID}/schedules/{OTHER}"
SCHEDULE = {"cron": "30 3 * * *", "timezone": "Europe/Berlin"}


async def says_what_came(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the method, path, login and body that it was asked with."""
    raw = b""
    while True:
        message = await receive()
        raw += message.get("body", b"")
        if not message.get("more_body"):
            break
    heads = {name.decode(): value.decode() for name, value in scope["headers"]}
    came = {"call": f"{scope['method']} {scope['path']}", "heads": heads, "body": raw.decode("utf-8", "replace")}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(came).encode()})


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> PrefectDoor:
    return PrefectDoor(
        says_what_came, machines=MACHINES, people=PEOPLE, names={"127.0.0.1", "localhost", "[::1]", "rollcall.corp"},
        numbers=False, schedule=SCHEDULE, clock=clock,
    )  # fmt: skip


@pytest.fixture
def ask(door: PrefectDoor) -> Any:
    """Asks through the door: `ask("POST", path, login, json=...)`."""

    def request(
        method: str, path: str, login: str | None = None, host: str = "127.0.0.1:4200", **more: Any
    ) -> httpx.Response:
        heads = {"Host": host, **more.pop("headers", {})}
        if login:
            heads["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()

        async def once() -> httpx.Response:
            through = httpx.ASGITransport(app=door, client=(more.pop("client", "10.0.0.7"), 1))
            async with httpx.AsyncClient(transport=through, base_url="http://127.0.0.1:4200") as client:
                return await client.request(method, path, headers=heads, **more)

        return asyncio.run(once())

    return request


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost", "LOCALHOST:4200", "[::1]:4200", "rollcall.corp:80"])
def test_it_answers_to_its_own_names(ask: Any, host: str) -> None:
    assert ask("GET", "/dashboard", host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "rollcall.corp.evil.example:4200", "10.0.0.5", "", "[::2]"]
)
def test_it_answers_to_no_other_name(ask: Any, host: str) -> None:
    """A name of somebody else's that was pointed here would make their page one of ours."""
    assert ask("GET", "/dashboard", host=host).status_code == 400


def test_beyond_loopback_it_answers_to_bare_addresses_which_nobody_can_point_here(ask: Any, door: PrefectDoor) -> None:
    door.numbers = True
    assert ask("GET", "/", host="10.0.0.5:4200").status_code == 200
    assert ask("GET", "/", host="[fe80::1]:4200").status_code == 200
    assert ask("GET", "/", host="evil.example").status_code == 400


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"])
def test_what_helps_strangers_and_loads_scripts_from_elsewhere_is_closed(ask: Any, prefix: str, path: str) -> None:
    assert ask("GET", prefix + path, MACHINES).status_code == 404


def test_every_answer_refuses_to_be_framed_and_guessed_at(ask: Any) -> None:
    for path, host in (("/", "localhost"), ("/enter", "localhost"), ("/docs", "localhost"), ("/", "evil.example")):
        heads = ask("GET", path, host=host).headers
        assert "frame-ancestors 'none'" in heads["content-security-policy"]
        assert {name.decode() for name in HEADERS} <= set(heads)


def test_the_page_that_signs_in_runs_its_own_script_and_none_else(ask: Any) -> None:
    answer = ask("GET", "/enter")
    assert answer.content == ENTER
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_machines_pass_unchanged(ask: Any) -> None:
    came = ask("POST", "/api/work_pools/", MACHINES, json={"name": "x"}).json()
    assert came["call"] == "POST /api/work_pools/"
    assert json.loads(came["body"]) == {"name": "x"}


def test_without_a_login_prefect_is_asked_and_refuses_itself(ask: Any) -> None:
    assert "authorization" not in ask("GET", "/api/health").json()["heads"]


@pytest.mark.parametrize(
    "call",
    [
        "GET /admin/settings", "GET /csrf-token", f"GET /flow_runs/{ID}", f"GET /flow_runs/{ID}/graph-v2",
        "GET /artifacts/report-b1/latest", "GET /work_pools/keep/queues/default", "POST /flow_runs/paginate",
        "POST /ui/flow_runs/history", "POST /artifacts/latest/count", "POST /events/count-by/time", "POST /logs/filter",
        "POST /ui/schemas/validate", "POST /work_pools/gpu/workers/filter", "POST /v2/concurrency_limits/filter",
    ],
)  # fmt: skip
def test_people_look_at_everything_under_the_machines_login(ask: Any, call: str) -> None:
    method, path = call.split(" ")
    came = ask(method, f"/api{path}", PEOPLE, json={"limit": 5} if method == "POST" else None)
    assert came.status_code == 200
    assert base64.b64decode(came.json()["heads"]["authorization"].removeprefix("Basic ")).decode() == MACHINES


def test_a_run_goes_on_with_its_parameters_held_against_the_form_and_nothing_else(ask: Any) -> None:
    later = {"scheduled_time": "2026-11-28T12:00:00Z"}
    sent = {
        "name": "Hannah's run", "tags": ["secret"], "parameters": {"kit": "harbour"}, "job_variables": {},
        "state": {"type": "SCHEDULED", "message": "Hannah", "state_details": later},
        "enforce_parameter_schema": False, "work_queue_name": "default", "empirical_policy": {"retries": None},
    }  # fmt: skip
    came = ask("POST", RUN, PEOPLE, json=sent).json()
    assert json.loads(came["body"]) == {
        "parameters": {"kit": "harbour"},
        "enforce_parameter_schema": True,
        "state": {
            "type": "SCHEDULED",
            "message": "Started from the pages",
            "state_details": {"scheduled_time": "2026-11-28T12:00:00+00:00"},
        },
    }
    assert int(came["heads"]["content-length"]) == len(came["body"])


def test_what_was_checked_is_what_is_passed_on(ask: Any) -> None:
    """A key twice: whoever reads the first one and whoever reads the last must see the same."""
    twice = b'{"job_variables": {"command": "sh"}, "parameters": {}, "job_variables": {}}'
    came = ask("POST", RUN, PEOPLE, content=twice)
    assert "command" not in came.json()["body"]
    in_utf16 = '{"job_variables": {"command": "sh"}}'.encode("utf-16")
    assert ask("POST", RUN, PEOPLE, content=in_utf16).status_code == 405
    assert came.json()["heads"]["content-type"] == "application/json"


def test_cancelling_and_repeating_are_never_forced(ask: Any) -> None:
    for kind in ("CANCELLING", "SCHEDULED"):
        sent = {"state": {"type": kind, "message": "Hannah", "state_details": {"deferred": True}}, "force": True}
        body = json.loads(ask("POST", STATE, PEOPLE, json=sent).json()["body"])
        assert body["force"] is False
        assert (body["state"]["type"], "state_details" in body["state"]) == (kind, False)
        assert "Hannah" not in str(body)


def test_a_schedule_is_switched_and_not_moved(ask: Any) -> None:
    whole = {"slug": "daily", "active": False, "schedule": {**SCHEDULE, "day_or": True}, "parameters": {}}
    assert json.loads(ask("PATCH", SWITCH, PEOPLE, json=whole).json()["body"]) == {"active": False}
    for moved in (
        {**whole, "schedule": {"interval": 1}},
        {**whole, "schedule": {**SCHEDULE, "cron": "30 3 1 1 *"}},
        {**whole, "schedule": {**SCHEDULE, "timezone": "Pacific/Auckland"}},
        {**whole, "parameters": {"dry_run": True}},
        {"slug": "daily"},
        {"active": "no"},
    ):
        assert ask("PATCH", SWITCH, PEOPLE, json=moved).status_code == 405, moved


HOSTILE: list[tuple[str, str, Any]] = [
    ("POST", RUN, {"job_variables": {"command": "sh -c id"}}),
    ("POST", RUN + "/", {"job_variables": {"command": "sh"}}),
    ("POST", RUN + "/", {}),
    ("POST", RUN.replace("/api/", "/api//"), {}),
    ("POST", RUN.replace(ID, ID.upper()), {}),
    ("POST", RUN.replace("-", ""), {}),
    ("POST", RUN.replace(ID, f"{ID}%2F..%2F{ID}"), {}),
    ("POST", RUN, {"infrastructure_document_id": ID}),
    ("POST", RUN, {"idempotency_key": "x"}),
    ("POST", RUN, {"work_queue_name": "other"}),
    ("POST", RUN, {"empirical_policy": {"retries": 5}}),
    ("POST", RUN, {"state": {"type": "RUNNING"}}),
    ("POST", RUN, {"state": {"state_details": {"scheduled_time": "whenever"}}}),
    ("POST", RUN, {"parameters": ["x"]}),
    ("POST", RUN, {"work_queue_name": ["default"]}),
    ("POST", RUN, ["job_variables"]),
    ("POST", RUN, None),
    ("POST", "/api/flow_runs", {"flow_id": ID, "job_variables": {"command": "sh"}}),
    ("POST", "/api/flow_runs/", {"flow_id": ID}),
    ("PATCH", f"/api/flow_runs/{ID}", {"job_variables": {"command": "sh"}}),
    ("DELETE", f"/api/flow_runs/{ID}", None),
    ("POST", STATE, {"state": {"type": "COMPLETED"}}),
    ("POST", STATE, {"state": {"type": "CRASHED"}, "force": True}),
    ("POST", STATE, {"state": "CANCELLING"}),
    ("POST", f"/api/flow_runs/{ID}/resume", {}),
    ("POST", "/api/deployments/", {"name": "x", "pull_steps": [{"prefect.deployments.steps.run_shell_script": {}}]}),
    ("PATCH", f"/api/deployments/{ID}", {"job_variables": {"command": "sh"}}),
    ("DELETE", f"/api/deployments/{ID}", None),
    ("POST", f"/api/deployments/{ID}/schedules", [{"active": True, "schedule": {"interval": 1}}]),
    ("DELETE", SWITCH, None),
    ("POST", f"/api/deployments/{ID}/pause_deployment", {}),
    ("PATCH", "/api/work_pools/gpu", {"base_job_template": {}}),
    ("PATCH", "/api/work_pools/keep", {"is_paused": True}),
    ("POST", "/api/work_pools/", {"name": "x", "type": "process"}),
    ("PATCH", "/api/work_pools/keep/queues/default", {"is_paused": True}),
    ("POST", "/api/work_pools/gpu/get_scheduled_flow_runs", {}),
    ("POST", "/api/flows/", {"name": "x"}),
    ("POST", "/api/block_documents/", {}),
    ("POST", "/api/block_documents/filter", {"include_secrets": True}),
    ("POST", "/api/automations/", {}),
    ("PATCH", f"/api/automations/{ID}", {"enabled": False}),
    ("DELETE", f"/api/automations/{ID}", None),
    ("POST", "/api/variables/", {}),
    ("POST", "/api/events", []),
    ("POST", "/api/logs/", []),
    ("PUT", "/api/admin/storage", {}),
    ("GET", "/api/collections/views/aggregate-worker-metadata", None),
    ("GET", "/api/../api/deployments", None),
    ("POST", RUN, {"parameters": {"drop": "x" * 700_000}}),
]


@pytest.mark.parametrize(("method", "path", "body"), HOSTILE, ids=[f"{m} {p} {str(b)[:40]}" for m, p, b in HOSTILE])
def test_people_may_not(ask: Any, method: str, path: str, body: Any) -> None:
    answer = ask(method, path, PEOPLE, json=body)
    assert answer.status_code == 405
    assert answer.json()["detail"].endswith("."), "a sentence, which Prefect's pages show"


def test_a_body_nested_without_end_is_refused_and_not_a_crash(ask: Any) -> None:
    assert ask("POST", RUN, PEOPLE, content=b"[" * 100_000).status_code == 405


def test_a_wrong_login_is_wrong(ask: Any) -> None:
    for login in ("hr:the-secret", "hr:", "rollcall:", MACHINES + "x"):
        assert ask("GET", "/api/admin/version", login).status_code == 401


def test_guessing_ends_after_ten_for_a_minute_and_for_that_address_only(ask: Any, clock: Clock) -> None:
    for number in range(WRONG):
        assert ask("GET", "/api/admin/version", f"hr:guess-{number}").status_code == 401
    assert ask("GET", "/api/admin/version", "hr:guess-more").status_code == 429
    assert ask("GET", "/api/admin/version", PEOPLE).status_code == 429, "or the right one would stand out"
    assert ask("GET", "/api/admin/version", MACHINES).status_code == 200, "work goes on"
    assert ask("GET", "/api/admin/version", PEOPLE, client="10.0.0.8").status_code == 200
    clock.now += WINDOW_S
    assert ask("GET", "/api/admin/version", PEOPLE).status_code == 200


def test_a_page_left_open_with_yesterdays_login_shuts_nobody_out(ask: Any) -> None:
    for _ in range(5 * WRONG):
        assert ask("GET", "/api/admin/version", "hr:yesterday").status_code == 401
    assert ask("GET", "/api/admin/version", PEOPLE).status_code == 200


def test_without_a_login_for_people_nobody_is_people(ask: Any, door: PrefectDoor) -> None:
    """The server that `rollcall make` starts for itself."""
    door.people = None
    assert ask("GET", "/api/admin/version", PEOPLE).status_code == 401


@pytest.mark.parametrize(("login", "host"), [(PEOPLE, "evil.example"), ("hr:wrong", "localhost")])
def test_a_websocket_from_elsewhere_or_with_a_wrong_login_is_closed(door: PrefectDoor, login: str, host: str) -> None:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    basic = b"Basic " + base64.b64encode(login.encode())
    heads = [(b"host", host.encode()), (b"authorization", basic)]
    asyncio.run(door({"type": "websocket", "path": "/api/events/out", "headers": heads}, receive, send))
    assert said == [{"type": "websocket.close", "code": 1008}]
