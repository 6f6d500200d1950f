"""Runs as the desk sees them: what HR starts, stops and waits for, by Prefect's API. Ids and choices, never people.

What a run is about stands in our own records; Prefect says whether it waits, runs or has ended, and how full its bar
is.
Every question has a short time limit: a desk without Prefect still shows pages, and says that nothing can be started.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from reports.prefect_client import client
from tasks.failures import RollcallError
from tasks.vault.settings import Settings

PATIENCE = 4.0  # seconds until a page goes on without Prefect
FRESH = 1.5  # seconds for which an answer is shown to everybody
DEPLOYMENTS: Mapping[str, str] = {
    "make": "make-headshots/1 Make headshots",
    "reshoot": "reshoot/2 Reshoot",
    "deliver": "deliver/3 Deliver",
    "forget": "forget-a-person/4 Forget a person",
    "retention": "retention/5 Retention (daily)",
}
ONE_PRESS = timedelta(minutes=1)  # presses of one button, by whomever, that are one
WAITING = frozenset({"SCHEDULED", "PENDING"})
GOING = frozenset({"RUNNING", "CANCELLING", "PAUSED"})
STOPPING = "CANCELLING"


class NoOrchestrator(RollcallError):
    """Prefect does not answer, or does not know what was asked for: nothing was started."""


@dataclass(frozen=True)
class Run:
    """One run. `state` is Prefect's word; `message` the sentence it ended with, empty while all is well."""

    id: str
    name: str
    state: str
    message: str
    deployment: str
    parameters: Mapping[str, Any]
    started: datetime | None
    ended: datetime | None
    expected: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.state not in WAITING | GOING


@dataclass(frozen=True)
class HowFar:
    """How far a run is: `percent`, what it does now in words, and the time left where it can be told."""

    percent: float
    words: str
    left: timedelta | None = None


@dataclass
class Runs:
    """The door to Prefect's runs for the pages of one desk. Usable from several threads."""

    settings: Settings
    transport: httpx.BaseTransport | None = None
    clock: Callable[[], float] = time.monotonic
    _ids: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _pressed: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, what: str, parameters: Mapping[str, Any], press: str, now: datetime) -> str:
        """Starts a run and returns its id. The same `press` within a minute finds the same run while it is on its way:
        a second one starts nothing, also at another desk, where that is not just when a minute changes.

        Raises NoOrchestrator.
        """
        key = self._key(press, now)
        body = {
            "parameters": dict(parameters), "idempotency_key": key, "state": {"type": "SCHEDULED"},
            # The forms' drop-downs speak of kits and batches in words; the desk names them, and the flows check.
            "enforce_parameter_schema": False,
        }  # fmt: skip
        path = f"/deployments/{self.deployment(what)}/create_flow_run"
        made = _run(self._ask("POST", path, body))
        if made.is_over:  # it was asked for before, and has ended since
            made = _run(self._ask("POST", path, {**body, "idempotency_key": f"{key}:{made.id}"}))
        self._seen.clear()
        return made.id

    def _key(self, press: str, now: datetime) -> str:
        with self._lock:
            self._pressed = {one: first for one, first in self._pressed.items() if now - first < ONE_PRESS}
            first = self._pressed.setdefault(press, now)
        return f"{press}:{first:%Y%m%dT%H%M}"

    def stop(self, run: str) -> None:
        """Asks a run to end; what is finished is kept. Raises NoOrchestrator."""
        state = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": False}
        self._ask("POST", f"/flow_runs/{run}/set_state", state)
        self._seen.clear()

    def find(self, run: str) -> Run | None:
        """One run by its id; None when Prefect does not know it. Raises NoOrchestrator."""
        found = self._ask("GET", f"/flow_runs/{quote(run, safe='')}", None, missing=True)
        return None if found is None else _run(found)

    def going(self) -> list[Run]:
        """Every run that waits or runs now, those that were begun first in front. Raises NoOrchestrator."""
        found: list[Run] = self._shared("going", self._going)
        return found

    def _going(self) -> list[Run]:
        states = sorted(WAITING | GOING)
        wanted = {"flow_runs": {"state": {"type": {"any_": states}}}, "limit": 100, "sort": "EXPECTED_START_TIME_ASC"}
        rows = self._ask("POST", "/flow_runs/filter", wanted)
        ours = {self.deployment(name): name for name in DEPLOYMENTS}
        runs = [_run(row, ours) for row in rows if str(row.get("deployment_id")) in ours]
        # The sweep of the next night is always scheduled; it is no run that anybody waits for.
        return [run for run in runs if not (run.deployment == "retention" and run.state == "SCHEDULED")]

    def bar(self, batch: str, run: Run | None, now: datetime) -> HowFar | None:
        """The bar of the newest run of this batch; None before it is drawn. Raises NoOrchestrator."""
        rows = self._shared(f"bar {batch}", lambda: self._bars(batch))
        if not rows or (run is not None and rows[0].get("flow_run_id") not in (None, run.id)):
            return None
        percent = float(rows[0].get("data") or 0)
        left = None
        if run is not None and run.started is not None and percent >= 5:
            left = (now - run.started) * ((100 - percent) / percent)
        return HowFar(percent, str(rows[0].get("description") or ""), left)

    def _bars(self, batch: str) -> Any:
        wanted = {"artifacts": {"key": {"any_": [f"progress-{batch}"]}}, "limit": 1, "sort": "CREATED_DESC"}
        return self._ask("POST", "/artifacts/filter", wanted)

    def run_of(self, batch: str) -> str | None:
        """The id of the newest run that drew this batch's bar. Raises NoOrchestrator."""
        rows = self._shared(f"bar {batch}", lambda: self._bars(batch))
        return str(rows[0]["flow_run_id"]) if rows and rows[0].get("flow_run_id") else None

    def page(self, run: str) -> str:
        """Where Prefect shows this run, for IT."""
        return f"{self.settings.prefect_ui_url.rstrip('/')}/runs/flow-run/{quote(run, safe='')}"

    def deployment(self, what: str) -> str:
        """The id of a deployment. Raises NoOrchestrator."""
        if what not in self._ids:
            flow, _, name = DEPLOYMENTS[what].partition("/")
            found = self._ask("GET", f"/deployments/name/{quote(flow)}/{quote(name)}", None)
            self._ids[what] = str(found["id"])
        return self._ids[what]

    def _shared(self, what: str, ask: Callable[[], Any]) -> Any:
        """Many pages ask the same at once: one answer serves all of them for a moment."""
        with self._lock:
            at, known = self._seen.get(what, (float("-inf"), None))
            if self.clock() - at > FRESH:
                known = ask()
                self._seen[what] = self.clock(), known
            return known

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, *, missing: bool = False) -> Any:
        if not self.settings.machine_login:
            raise NoOrchestrator("no login")
        api = self.settings.prefect_api_url.rstrip("/")
        try:
            with client(api, self.settings.machine_login, timeout=PATIENCE, transport=self.transport) as prefect:
                answer = prefect.request(method, path, json=body)
        except httpx.HTTPError as lost:
            raise NoOrchestrator(type(lost).__name__) from lost
        if answer.status_code == 404:
            self._ids.clear()  # registered anew under other ids, perhaps
            if missing:
                return None
        if answer.status_code >= 400:
            raise NoOrchestrator(f"answer {answer.status_code}")
        return answer.json() if answer.content else None


def _run(row: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Run:
    state = row.get("state") or {}
    return Run(
        id=str(row["id"]),
        name=str(row.get("name", "")),
        state=str(state.get("type") or row.get("state_type") or ""),
        message=str(state.get("message") or ""),
        deployment=(names or {}).get(str(row.get("deployment_id")), ""),
        parameters=row.get("parameters") or {},
        started=_moment(row.get("start_time")),
        ended=_moment(row.get("end_time")),
        expected=_moment(row.get("expected_start_time")),
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None
