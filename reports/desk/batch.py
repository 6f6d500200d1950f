"""One batch at the desk: how it stands, what can be done with it, its name, and its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from reports.desk.batch_state import BatchState
from reports.desk.day import reasons_of, title_of
from reports.desk.home import stream
from reports.desk.login import signed_in
from reports.desk.page import form_of, fragment, show
from reports.desk.progress import UnderWay, going_of
from reports.desk.runs import NoOrchestrator, Run, Runs
from reports.labels import BadLabel, archive_batch, name_batch
from tasks.headshots.form_words import batch_meant, is_called
from tasks.headshots.kit import sort_kits
from tasks.sentences import tell
from tasks.vault.failures import NotLikeThis
from tasks.vault.halts import approve_cost, carry_on, stop_batch
from tasks.vault.records import Batch, Employee, Seat
from tasks.vault.seat_kits import choose_kit, department_of
from tasks.vault.store import Vault


def add_batch(app: FastAPI) -> None:
    """The page about a batch, and what its buttons do."""
    vault: Vault = app.state.vault

    @app.get("/batches/{batch}/home")
    def about(batch: str, request: Request) -> Response:
        return page_of(request, batch)

    @app.get("/batches/{batch}/events")
    async def changes(batch: str, request: Request) -> Response:
        await run_in_threadpool(state_of, request, batch)
        return stream(request, lambda: fragment(request, "batch_live.html", **_live(request, batch)))

    @app.post("/batches/{batch}/name")
    async def rename(batch: str, request: Request) -> Response:
        form = await form_of(request)
        try:
            await run_in_threadpool(
                name_batch, vault, batch, form.get("name", ""), signed_in(request).by, app.state.clock()
            )
        except BadLabel as fault:
            return await run_in_threadpool(page_of, request, batch, str(fault))
        return RedirectResponse(f"/batches/{batch}/home", 303)

    @app.post("/batches/{batch}/kit")
    async def another_kit(batch: str, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(_another_kit, request, batch, form.get("department", ""), form.get("kit", ""))

    @app.post("/batches/{batch}/archive")
    async def put_away(batch: str, request: Request) -> Response:
        form = await form_of(request)
        away = form.get("away") == "yes"
        await run_in_threadpool(archive_batch, vault, batch, away, signed_in(request).by, app.state.clock())
        return RedirectResponse("/" if away else f"/batches/{batch}/home", 303)

    @app.post("/batches/{batch}/stop")
    async def stop(batch: str, request: Request) -> Response:
        await form_of(request)
        return await run_in_threadpool(_stop, request, batch)

    @app.post("/batches/{batch}/go-on")
    async def go_on(batch: str, request: Request) -> Response:
        await form_of(request)
        return await run_in_threadpool(_go_on, request, batch)

    @app.post("/batches/{batch}/reshoot")
    async def reshoot(batch: str, request: Request) -> Response:
        await form_of(request)
        return await run_in_threadpool(_reshoot, request, batch)

    @app.post("/batches/{batch}/approve-cost")
    async def approve(batch: str, request: Request) -> Response:
        await form_of(request)
        return await run_in_threadpool(_approve, request, batch)


def state_of(request: Request, batch: str) -> BatchState:
    found: BatchState | None = request.app.state.states.one(batch, request.app.state.clock())
    if found is None:
        raise HTTPException(404)
    return found


def page_of(request: Request, batch: str, error: str = "", done: str = "") -> Response:
    """The batch's page; `error` or `done` says what became of the last press."""
    state = state_of(request, batch)
    sound, _ = sort_kits(request.app.state.settings.kits)
    return show(
        request, "batch.html", 409 if error else 200, title=title_of(state), error=error, done=done,
        departments=_departments(request, batch), kits=[(name, kit.title) for name, kit in sound.items()],
        **_live(request, batch),
    )  # fmt: skip


def _departments(request: Request, batch: str) -> list[str]:
    """The departments of a batch, where there is more than one."""
    vault: Vault = request.app.state.vault
    query = select(Employee.department).join(Seat, col(Seat.employee_id) == col(Employee.id))
    with vault.reading() as session:
        rows = session.exec(query.where(Seat.batch_id == batch, Employee.state == "active").distinct()).all()
    found = sorted(row for row in rows if row)
    return found if len(found) > 1 else []


def _live(request: Request, batch: str) -> dict[str, object]:
    """What of the page renews itself: counts, and the run's bar."""
    state = state_of(request, batch)
    going, page = _going(request, state)
    page = page if signed_in(request).may("admin") else ""  # Prefect is IT's alone
    own = state.held_by == signed_in(request).by
    return {
        "batch": state,
        "going": going,
        "prefect": page,
        "blocked": reasons_of(state.blocked),
        "own": own,
    }


def _going(request: Request, state: BatchState) -> tuple[UnderWay | None, str]:
    """The run that works on this batch, if one does, and where Prefect shows the newest one."""
    runs: Runs = request.app.state.runs
    try:
        found = next((one for one in runs.going() if _is_about(one, state)), None)
        if found is None:
            last = runs.run_of(state.id)
            return None, runs.page(last) if last else ""
        return going_of(found, state, runs.bar(state.id, found, request.app.state.clock())), runs.page(found.id)
    except NoOrchestrator:
        return None, ""


def _is_about(run: Run, state: BatchState) -> bool:
    if run.deployment not in ("make", "reshoot"):
        return False
    return (
        run.id == state.maker
        or batch_meant(str(run.parameters.get("batch"))) == state.id
        or (
            (run.parameters.get("drop"), run.parameters.get("quality")) == (state.drop, state.quality)
            and is_called(run.parameters.get("kit"), state.kit, state.kit_title)
        )
    )


def _stop(request: Request, batch: str) -> Response:
    """Nobody is worked on any more, whatever Prefect says; and the run is asked to end."""
    state, runs = state_of(request, batch), request.app.state.runs
    stop_batch(request.app.state.vault, batch, signed_in(request).by, request.app.state.clock())
    try:
        for run in runs.going():
            if _is_about(run, state):
                runs.stop(run.id)
    except NoOrchestrator:
        return page_of(request, batch, tell("batch.stop_unreachable"))
    return RedirectResponse(f"/batches/{batch}/home", 303)


def _another_kit(request: Request, batch: str, department: str, kit: str) -> Response:
    """A department is photographed under another kit from the next run on."""
    state_of(request, batch)
    state = request.app.state
    people = department_of(state.vault, batch, department)
    try:
        changed = choose_kit(state.vault, batch, people, kit, list(sort_kits(state.settings.kits)[0]), state.clock())
    except NotLikeThis as refused:
        return page_of(request, batch, str(refused))
    return page_of(request, batch, "", tell("batch.kit_changed", changed))


def _go_on(request: Request, batch: str) -> Response:
    """Takes a stop back and runs the batch's order once more: finished work is found and kept."""

    def take_stop_back() -> None:
        if state_of(request, batch).stopped:
            carry_on(request.app.state.vault, batch, signed_in(request).by, request.app.state.clock())

    return run_again(request, batch, take_stop_back)


def run_again(request: Request, batch: str, first: Callable[[], None] = lambda: None) -> Response:
    """The batch's own order as a run, after what has to be done `first`; leads to its page. Nothing is done where the
    upload that it was made from was removed since, or its time was up, or its kit cannot be used: a run would end at
    once, and HR hear of it from nobody."""
    state, ours = state_of(request, batch), request.app.state.settings.uploads
    if Path(state.drop).is_relative_to(ours) and not Path(state.drop).is_dir():
        return page_of(request, batch, tell("batch.upload_gone"))
    if fault := _kit_fault(request, state):
        return page_of(request, batch, fault)
    try:
        first()
    except NotLikeThis as refused:
        return page_of(request, batch, str(refused))
    return _start_order(request, batch)


def _kit_fault(request: Request, state: BatchState) -> str:
    """What is wrong with the batch's kit, in a sentence; "" where it can be used."""
    sound, broken = sort_kits(request.app.state.settings.kits)
    if state.kit in sound:
        return ""
    return broken.get(state.kit) or tell("batch.kit_gone", kit=state.kit_title)


def _start_order(request: Request, batch: str) -> Response:
    with request.app.state.vault.reading() as session:
        row = session.get_one(Batch, batch)
        order = {
            "drop": row.drop,
            "kit": row.kit,
            "quality": row.quality,
            "people": str(row.facts.get("people", "all")),
            "who": str(row.facts.get("who", "everybody")),
        }
    try:
        request.app.state.runs.start("make", order, batch, request.app.state.clock())
    except NoOrchestrator:
        return page_of(request, batch, tell("run.unreachable"))
    return RedirectResponse(f"/batches/{batch}/home", 303)


def _reshoot(request: Request, batch: str) -> Response:
    state = state_of(request, batch)
    if not state.redo:
        return page_of(request, batch, tell("batch.no_redo"))
    if fault := _kit_fault(request, state):
        return page_of(request, batch, fault)
    now = request.app.state.clock()
    try:
        request.app.state.runs.start("reshoot", {"batch": batch}, f"{batch}:reshoot", now)
    except NoOrchestrator:
        return page_of(request, batch, tell("run.unreachable"))
    return RedirectResponse(f"/batches/{batch}/home", 303)


def _approve(request: Request, batch: str) -> Response:
    """A second person's yes; then the run goes on by itself."""

    def say_yes() -> None:
        approve_cost(request.app.state.vault, batch, signed_in(request).by, request.app.state.clock())

    return run_again(request, batch, say_yes)
