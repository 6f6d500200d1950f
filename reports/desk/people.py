"""People at the desk: everybody found by name, number or e-mail; one person's page, and what HR does for one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from reports.desk.day import title_of
from reports.desk.everybody import PER_PAGE, PersonShown, load_person, search
from reports.desk.everything import everything_of, sent_in_pieces
from reports.desk.home import stream
from reports.desk.login import signed_in
from reports.desk.page import form_of, fragment, show
from reports.desk.retention import receipts_of
from reports.desk.runs import NoOrchestrator
from reports.withdrawals import let_withdrawn_go
from tasks.headshots.kit import sort_kits
from tasks.retention.holds import REASONS, end_holds, hold_person, holds_of
from tasks.retention.inventory import take_inventory
from tasks.retention.plan import Forgetting, forgetting_of
from tasks.retention.rules import rules_or_built_in
from tasks.roster.by_hand import EVIDENCE, Noted, record_consent, record_withdrawal
from tasks.sentences import tell
from tasks.vault.failures import NotLikeThis
from tasks.vault.looks import looks_at, note_look
from tasks.vault.seat_kits import choose_kit
from tasks.vault.store import Vault


def add_people(app: FastAPI) -> None:
    """The search, one person's page, and its forms."""
    vault: Vault = app.state.vault

    @app.get("/people")
    def people(request: Request, q: str = "", page: int = 1) -> Response:
        place = max(1, page) - 1
        found, total = search(vault, q[:100], place)
        return show(
            request,
            "people.html",
            q=q[:100],
            found=found,
            total=total,
            page=place + 1,
            pages=max(1, -(-total // PER_PAGE)),
        )

    @app.get("/people/{person}")
    def one(person: str, request: Request) -> Response:
        note_look(vault, signed_in(request).author, person, "", app.state.clock()) if _load(request, person) else None
        return _page(request, person)

    @app.get("/people/{person}/events")
    async def changes(person: str, request: Request) -> Response:
        await run_in_threadpool(_load, request, person)
        return stream(request, lambda: fragment(request, "person_live.html", **_live(request, person)))

    @app.get("/people/{person}/everything.zip")
    def everything(person: str, request: Request) -> Response:
        found, now = _load(request, person), app.state.clock()
        if found.state != "active":
            raise HTTPException(410)
        author = signed_in(request).author or "reviewer"
        vault.audit("access_request", person, actor=author, now=now)
        rules = rules_or_built_in(app.state.settings.retention_rules)[0]
        file = everything_of(vault, found, rules, now)
        headers = {"Content-Disposition": f'attachment; filename="everything-{person}.zip"'}
        return StreamingResponse(sent_in_pieces(file), media_type="application/zip", headers=headers)

    for what in ACTS:
        _add_act(app, what)


def _add_act(app: FastAPI, what: str) -> None:
    @app.post(f"/people/{{person}}/{what}", name=what)
    async def act(person: str, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(_do, request, person, ACTS[what], form)


def _do(request: Request, person: str, act: Act, form: Mapping[str, str]) -> Response:
    """One act; what cannot be meant is said on the page."""
    if _load(request, person).state != "active":
        raise HTTPException(410)
    try:
        act(request, person, form)
    except (NotLikeThis, NoOrchestrator) as refused:
        words = tell("people.forget_unreachable") if isinstance(refused, NoOrchestrator) else str(refused)
        return _page(request, person, words)
    return RedirectResponse(f"/people/{person}", 303)


def _load(request: Request, person: str) -> PersonShown:
    state = request.app.state
    titles = {one.id: title_of(one) for one in state.states.all(state.clock())}
    found = load_person(state.vault, person, titles)
    if found is None:
        raise HTTPException(404)
    return found


def _page(request: Request, person: str, error: str = "") -> Response:
    now = request.app.state.clock()
    today = now.astimezone(ZoneInfo(request.app.state.settings.timezone)).date()
    return show(
        request,
        "person_desk.html",
        409 if error else 200,
        error=error,
        evidence=EVIDENCE,
        reasons=REASONS,
        today=today.isoformat(),
        looks=looks_at(request.app.state.vault, person),
        kits={name: kit.title for name, kit in sort_kits(request.app.state.settings.kits)[0].items()},
        **_live(request, person),
    )


def _live(request: Request, person: str) -> dict[str, Any]:
    """What of the page changes by itself: how far a forgetting is."""
    state = request.app.state
    found, now = _load(request, person), state.clock()
    rules = rules_or_built_in(state.settings.retention_rules)[0]
    goes: Forgetting | None = None
    if found.consent == "withdrawn" or found.status == "left":
        known = next((one for one in take_inventory(state.vault).people if one.id == person), None)
        goes = forgetting_of(known, rules) if known is not None else None
    return {
        "person": found,
        "held": holds_of(state.vault, rules, now, person),
        "goes": goes,
        "receipts": receipts_of(state.vault, person),
        "forgetting": _is_being_forgotten(request, person),
    }


def _is_being_forgotten(request: Request, person: str) -> bool:
    try:
        return any(run.parameters.get("person") == person for run in request.app.state.runs.going())
    except NoOrchestrator:
        return False


def _forget(request: Request, person: str, form: Mapping[str, str]) -> None:
    """Starts the flow, by opaque id, once the person's number or name has been written out."""
    state, found = request.app.state, _load(request, person)
    written = form.get("confirm", "").strip()
    if not written or written not in (found.number, found.name):
        raise NotLikeThis(tell("people.write_it", number=found.number))
    now = state.clock()
    if holds_of(state.vault, rules_or_built_in(state.settings.retention_rules)[0], now, person):
        raise NotLikeThis(tell("people.held_first"))
    state.runs.start("forget", {"person": person}, f"forget:{person}", now)


def _hold(request: Request, person: str, form: Mapping[str, str]) -> None:
    until = _day(form.get("until", "")) if form.get("until") else None
    hold_person(
        request.app.state.vault, person, form.get("reason", ""), until, signed_in(request).by, request.app.state.clock()
    )


def _end_hold(request: Request, person: str, form: Mapping[str, str]) -> None:
    if not end_holds(request.app.state.vault, person, request.app.state.clock()):
        raise NotLikeThis(tell("people.no_hold"))


def _consent(request: Request, person: str, form: Mapping[str, str]) -> None:
    record_consent(
        request.app.state.vault, person, _noted(request, form), form.get("text", ""), request.app.state.clock()
    )


def _withdraw(request: Request, person: str, form: Mapping[str, str]) -> None:
    vault, now = request.app.state.vault, request.app.state.clock()
    record_withdrawal(vault, person, _noted(request, form), now)
    let_withdrawn_go(vault, now)
    for seat in _load(request, person).seats:  # no wall shows them from now on
        request.app.state.writing.written(seat.batch, 0.5)


def _kit(request: Request, person: str, form: Mapping[str, str]) -> None:
    """Photographs them under another kit within one batch, from its next run on."""
    state, batch = request.app.state, form.get("batch", "")
    if batch not in {seat.batch for seat in _load(request, person).seats}:
        raise NotLikeThis(tell("people.not_in_batch"))
    known = list(sort_kits(state.settings.kits)[0])
    choose_kit(state.vault, batch, {person}, form.get("kit", ""), known, state.clock())


def _noted(request: Request, form: Mapping[str, str]) -> Noted:
    now = request.app.state.clock()
    day = _day(form.get("day", ""))
    zone = ZoneInfo(request.app.state.settings.timezone)
    # A day's end where the company is, so that a consent of today is newer than a withdrawal of this morning.
    if day > now.astimezone(zone).date():
        raise NotLikeThis(tell("people.day_to_come"))
    when = min(datetime.combine(day, time(23, 59), zone).astimezone(UTC), now)
    return Noted(form.get("evidence", ""), form.get("reference", ""), when, signed_in(request).author)


Act = Callable[[Request, str, Mapping[str, str]], None]
ACTS: Mapping[str, Act] = {
    "forget": _forget, "hold": _hold, "end-hold": _end_hold, "consent": _consent, "withdraw": _withdraw, "kit": _kit,
}  # fmt: skip


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotLikeThis(tell("people.which_day")) from None
