"""Prefect as far as the desk uses it, and a desk that asks it: for tests of what the desk makes of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

import httpx
from fastapi.testclient import TestClient

from tasks.vault.settings import Settings
from tests.reports.browsing import PASSWORD

RUN = "0b5a3e5c-1111-4222-8333-444455556666"


class Prefect:
    """Remembers what was asked of it. `began`: since when what goes on there has been going on."""

    def __init__(self, began: datetime) -> None:
        self.began = began
        self.asked: list[tuple[str, Any]] = []
        self.going: list[dict[str, Any]] = []
        self.bar: float | None = None
        self.gone = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.gone:
            raise httpx.ConnectError("nobody is there")
        path, body = request.url.path, json.loads(request.content) if request.content else None
        if "csrf" in path:
            return httpx.Response(200, json={"token": "t"})
        if "/deployments/name/" in path:
            return httpx.Response(200, json={"id": f"dep {path.split('/')[4]}"})
        if path.endswith("/flow_runs/filter"):
            return httpx.Response(200, json=self.going)
        if path.endswith("/artifacts/filter"):
            return httpx.Response(200, json=[{"data": self.bar, "flow_run_id": RUN}] if self.bar is not None else [])
        self.asked.append((path, body))
        return httpx.Response(201, json={"id": RUN, "state": {"type": "SCHEDULED"}})

    def started(self) -> list[dict[str, Any]]:
        return [body for path, body in self.asked if path.endswith("create_flow_run")]

    def run(self, state: str = "RUNNING", **parameters: Any) -> None:
        self.going.append({
            "id": RUN, "name": "x", "state": {"type": state}, "deployment_id": "dep make-headshots",
            "parameters": parameters, "start_time": self.began.isoformat(),
        })  # fmt: skip


@contextmanager
def signed_in_desk(settings: Settings, prefect: Prefect, now: datetime, name: str) -> Iterator[TestClient]:
    """A desk at which somebody has signed in, on a machine that has a login for Prefect."""
    from reports.desk.app import create_desk  # every test's own conftest reads this module first

    app = create_desk(settings.model_copy(update={"machine_login": "rollcall:" + "x" * 22}), clock=lambda: now)
    app.state.runs.transport = httpx.MockTransport(prefect.answer)
    app.state.runs.clock = count(step=10).__next__  # no answer is so fresh that it is shown twice
    with TestClient(app, base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5000)) as client:
        client.post("/login", data={"name": name, "password": PASSWORD})
        yield client
    app.state.vault.close()
