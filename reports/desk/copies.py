"""Copies and paper: approved pictures of a batch for a colleague, dated and without selfies; and what was decided on a
copy from disk, taken in by a button."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from io import BytesIO
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, select
from starlette.concurrency import run_in_threadpool

from reports.decisions import BadDecisions, apply_decisions, refusal_of
from reports.desk.batch import page_of, state_of
from reports.desk.batch_state import standing_of
from reports.desk.corrections import sent
from reports.desk.day import title_of
from reports.desk.login import signed_in
from reports.gather import viewable
from reports.site import render
from tasks.sentences import tell
from tasks.vault.records import Batch, Employee, Seat
from tasks.vault.report_files import files_of
from tasks.vault.review import reviews_of
from tasks.vault.seat_kits import kits_of
from tasks.vault.store import Vault

FILE_SIZE = 16 * 2**20  # bytes of a file of decisions


def add_copies(app: FastAPI) -> None:
    """The copy, and the way back of what was decided elsewhere."""
    vault: Vault = app.state.vault

    @app.get("/batches/{batch}/copy.zip")
    def copy(batch: str, request: Request) -> Response:
        state, now = state_of(request, batch), app.state.clock()
        data = copy_of(vault, batch, title_of(state), now)
        headers = {"Content-Disposition": f'attachment; filename="headshots-{batch}-{now:%Y-%m-%d}.zip"'}
        return Response(data, media_type="application/zip", headers=headers)

    @app.post("/batches/{batch}/decisions-file")
    async def take(batch: str, request: Request) -> Response:
        session = signed_in(request)
        if int(request.headers["content-length"]) > FILE_SIZE:
            raise HTTPException(413)
        async with request.form(max_files=1, max_fields=8) as form:
            if not app.state.door.accepts(session, str(form.get("token"))):
                raise HTTPException(403)
            chosen = sent(form.get("decisions"))
            data = await run_in_threadpool(chosen.content.read) if chosen else b""
        return await run_in_threadpool(_take, request, batch, data)


def _take(request: Request, batch: str, data: bytes) -> Response:
    """Every decision of the file under the name of who has signed in; what is refused is said."""
    session, state = signed_in(request), request.app.state
    state_of(request, batch)
    try:
        payload: Any = json.loads(data)
        if not isinstance(payload, dict) or payload.get("batch") != batch:
            raise BadDecisions("another batch")
        applied = apply_decisions(
            state.vault, payload, session.by, state.clock(), author=session.author,
            may_decide=lambda department: session.may("reviewer", department),
        )  # fmt: skip
    except (BadDecisions, ValueError, RecursionError):
        return page_of(request, batch, tell("copies.no_decisions"))
    if applied.refused:
        codes = sorted({str(refusal_of(one)["code"]) for one in applied.refused})
        words = tell("copies.refused", len(applied.refused), taken=applied.recorded, why=", ".join(codes))
        return page_of(request, batch, words)
    return RedirectResponse(f"/batches/{batch}/home", 303)


def copy_of(vault: Vault, batch: str, title: str, now: datetime) -> bytes:
    """Approved pictures of people whose consent stands at this moment, with a page that shows them and says its day."""
    with vault.reading() as session:
        people = _approved(session, batch)
    files = files_of(vault, batch)
    out = BytesIO()
    shown: list[tuple[str, str, str, str]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for employee, digest in people:
            below = f"people/{employee.id}/"
            name = next((n for n in files.names(below) if n.startswith(f"{below}h-{digest[:16]}-")), None)
            content = files.read(name) if name and viewable(vault, employee.id, now) else None
            if content is None:
                continue
            picture = f"pictures/{len(shown) + 1:04d}.webp"
            archive.writestr(picture, content)
            shown.append((picture, employee.name, employee.title, employee.department))
        page = render("copy.html", title=title, shown=shown, made=now)
        archive.writestr("index.html", page, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _approved(session: Session, batch: str) -> list[tuple[Employee, str]]:
    row = session.get(Batch, batch)
    if row is None:
        raise HTTPException(404)
    reviews = reviews_of(session, kits_of(session, row))
    seats = session.exec(select(Seat).where(Seat.batch_id == batch).order_by(Seat.position)).all()  # type: ignore[arg-type]
    found = []
    for seat in seats:
        employee, review = session.get(Employee, seat.employee_id), reviews[seat.employee_id]
        if (
            employee is not None
            and review.approved
            and standing_of(seat, review, employee.state == "active") == "approved"
        ):
            found.append((employee, review.approved))
    return found
