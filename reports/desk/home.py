"""The desk's first page: what wants you now, what is running and for how long, and every batch. It renews itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from reports import when
from reports.desk.batch_state import BatchState, BatchStates
from reports.desk.day import AT_ONCE, title_of, wants_of
from reports.desk.login import signed_in
from reports.desk.page import fragment, show
from reports.desk.pages import faces_of
from reports.desk.progress import going_now
from reports.desk.runs import Runs
from reports.door.door import COOKIE
from tasks.retention.calendar import next_forgettings
from tasks.retention.holds import with_holds
from tasks.retention.overdue import lateness, sentence
from tasks.retention.rules import rules_or_built_in
from tasks.roster.questions import open_questions
from tasks.vault.store import Vault

EVERY = 2.0  # seconds between two looks at whether a page has changed
STREAM = 240.0  # seconds after which the browser asks again, and is asked again who it is
GOES_FRESH = timedelta(seconds=30)  # what goes when is worked out from all records, and changes by the day
SHOWN = 24  # batches with their faces on the first page; older ones as a list


def add_home(app: FastAPI) -> None:
    """The page, and its changes as they happen."""
    vault: Vault = app.state.vault
    app.state.runs = Runs(app.state.settings)
    app.state.states = BatchStates(vault)
    app.state.stream_for = STREAM

    @app.get("/")
    def home(request: Request) -> Response:
        now = app.state.clock()
        states = app.state.states.all(now)
        here = [state for state in states if not state.archived]
        cards = [_card(vault, state, now) for state in here[:SHOWN]]
        live = _live(request)
        archived = [{"id": one.id, "title": title_of(one), "at": one.created_at} for one in states if one.archived]
        older = [{"id": one.id, "title": title_of(one), "at": one.created_at} for one in here[SHOWN:]]
        return show(request, "home.html", live=live, cards=cards, archived=archived, older=older)

    @app.get("/events")
    async def changes(request: Request) -> Response:
        return stream(request, lambda: fragment(request, "home_live.html", live=_live(request)))


def _live(request: Request) -> dict[str, Any]:
    """What of the page changes by itself."""
    app = request.app
    now, vault = app.state.clock(), app.state.vault
    states: list[BatchState] = app.state.states.all(now)
    late = lateness(vault.engine, now)
    asked = len(open_questions(vault))
    wants = wants_of(states, asked, sentence(late) if late else "", signed_in(request).by, _goes(app, now))
    going, reachable = going_now(app.state.runs, states, now)
    return {"wants": wants[:AT_ONCE], "more": wants[AT_ONCE:], "going": going, "reachable": reachable}


def _goes(app: FastAPI, now: datetime) -> tuple[int, str]:
    """How many people are forgotten within a week, and the first day; asked again after half a minute."""
    at, known = getattr(app.state, "goes", (datetime.min.replace(tzinfo=UTC), (0, "")))
    if not timedelta(0) <= now - at < GOES_FRESH:
        rules = with_holds(app.state.vault, rules_or_built_in(app.state.settings.retention_rules)[0])
        found = next_forgettings(app.state.vault, rules, now + timedelta(days=7))
        known = (len(found), when.day(max(found[0].due_at, now), app.state.settings.timezone, now) if found else "")
        app.state.goes = now, known
    answer: tuple[int, str] = known
    return answer


def _card(vault: Vault, state: BatchState, now: Any) -> dict[str, Any]:
    shown = (
        "review",
        "attention",
        "approved",
        "redo",
        "rejected",
        "opted_out",
        "blocked",
        "failed",
        "waiting",
        "stopped",
        "awaiting_approval",
    )
    faces = faces_of(vault, state.id, now)
    return {
        "id": state.id,
        "title": title_of(state),
        "at": state.created_at,
        "people": state.people,
        "kit": state.kit_title,
        "faces": faces,
        "named": state.named,
        "counts": [(one, state.counts[one]) for one in shown if state.counts.get(one)],
    }


def stream(request: Request, draw: Callable[[], str]) -> Response:
    """Server-sent events: the part of a page that renews itself, whenever it has become another one.

    It ends by itself, so that whoever has signed out, or was away for too long, is not told for ever.
    """

    async def events() -> AsyncIterator[str]:
        last, state = "", request.app.state
        for _ in range(max(1, round(state.stream_for / EVERY))):
            here = await run_in_threadpool(state.door.session, request.cookies.get(COOKIE), state.clock())
            if here is None or await request.is_disconnected():
                return
            drawn = await run_in_threadpool(draw)
            if drawn != last:
                last = drawn
                yield f"data: {json.dumps(drawn)}\n\n"
            else:
                yield ": nothing new\n\n"
            await asyncio.sleep(min(EVERY, state.stream_for))

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
