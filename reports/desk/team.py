"""What the desk shows to who has a role for some departments only: their batches, and pages without anybody else."""

from dataclasses import replace
from datetime import datetime

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import col, select

from reports.desk.login import signed_in
from reports.door.door import Door, Session
from reports.gather import gather, kit_title
from reports.pages import say_time
from reports.site import render
from reports.site_of_batch import page_for_some
from tasks.vault.records import Batch, Employee, Seat
from tasks.vault.store import Vault

SHOWN = 40  # batches on the page


def add_team(app: FastAPI) -> None:
    """The first page of a sub-team."""
    vault: Vault = app.state.vault
    door: Door = app.state.door

    @app.get("/team")
    def team(request: Request) -> Response:
        session = signed_in(request)
        if session.may("viewer"):
            return RedirectResponse("/", 303)
        cards = team_batches(vault, session)
        return HTMLResponse(render("team.html", root="/", by=session.by, token=door.token(session), cards=cards))


def team_batches(vault: Vault, session: Session) -> list[dict[str, object]]:
    """The newest batches in which there is somebody of this session's departments, with how many."""
    with vault.reading() as records:
        batches = records.exec(select(Batch).order_by(col(Batch.created_at).desc()).limit(SHOWN)).all()
        seats = select(Seat.batch_id, Employee.department).join(Employee, col(Employee.id) == col(Seat.employee_id))
        here = col(Seat.batch_id).in_([batch.id for batch in batches]), col(Employee.state) == "active"
        counts: dict[str, int] = {}
        for batch_id, department in records.exec(seats.where(*here)):
            counts[batch_id] = counts.get(batch_id, 0) + session.may("viewer", department)
    return [
        {
            "id": batch.id, "kit": kit_title(batch.kit, vault.settings.kits), "when": say_time(batch.created_at),
            "people": counts[batch.id],
        }
        for batch in batches
        if counts.get(batch.id)
    ]  # fmt: skip


def team_page(vault: Vault, batch: str, path: str, session: Session, now: datetime) -> str:
    """A page of a batch, with the people of this session's departments and nobody else."""
    data = gather(vault, batch, now=now)
    mine = tuple(person for person in data.people if session.may("viewer", person.department))
    # What is measured over the whole company, and lines of the roster, say something about the others.
    facts = {key: value for key, value in data.batch.facts.items() if key not in {"team", "delivered", "delivery_asks"}}
    known = replace(data.batch, facts=facts, problems=())
    small = replace(data, batch=known, people=mine, erased=0, forgotten_rows=())
    text = page_for_some(vault, batch, small, path)
    if text is None:
        raise HTTPException(404)
    return text
