"""What goes when: the next seven days by name, what would stop the sweep, holds, and receipts as pages and on paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from reports.desk.login import signed_in
from reports.desk.page import form_of, show
from reports.desk.receipt_paper import receipt_pdf
from reports.desk.runs import NoOrchestrator
from tasks.retention.calendar import EVERYTHING, DueLine, what_goes_when
from tasks.retention.forecast import forecast
from tasks.retention.holds import holds_of, with_holds
from tasks.retention.overdue import lateness, sentence
from tasks.retention.policy import schedule
from tasks.retention.receipts import Receipt, headline, receipt_lines, receipt_of
from tasks.retention.rules import rules_or_built_in
from tasks.sentences import tell, tell_if_known
from tasks.vault.records import Employee, Erasure
from tasks.vault.store import Vault

SOON = timedelta(days=7)  # the week that the page is for: time to put a hold
SHOWN = 60  # receipts on the page
NAMED = 200  # people named under one line


@dataclass(frozen=True)
class Due:
    """One line of the page: what goes on a day, of how many people, and who they are: (id, name, number)."""

    at: datetime
    kind: str
    why: str
    items: int
    people: tuple[tuple[str, str, str], ...]

    @property
    def is_everything(self) -> bool:
        return self.kind == EVERYTHING


def add_retention(app: FastAPI) -> None:
    """The page, its one button, and the receipts."""
    vault: Vault = app.state.vault

    @app.get("/retention")
    def page(request: Request) -> Response:
        return _page(request)

    @app.post("/retention/sweep")
    async def sweep(request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(_sweep, request, form.get("people", "").strip())

    @app.get("/retention/receipts/{receipt}")
    def receipt_page(receipt: str, request: Request) -> Response:
        found = _receipt(vault, receipt)
        return show(request, "receipt.html", receipt=found, head=headline(found), lines=receipt_lines(found))

    @app.get("/retention/receipts/{receipt}/paper.pdf")
    def paper(receipt: str) -> Response:
        found = _receipt(vault, receipt)
        headers = {"Content-Disposition": f'attachment; filename="erasure-receipt-{found.id}.pdf"'}
        return Response(receipt_pdf(found), media_type="application/pdf", headers=headers)

    @app.get("/retention/receipts/{receipt}/signed.json")
    def signed(receipt: str) -> Response:
        file = vault.settings.receipts / f"{_receipt(vault, receipt).id}.json"
        if not file.is_file():
            raise HTTPException(404)
        return FileResponse(file, media_type="application/json", filename=f"erasure-receipt-{receipt}.json")


def _page(request: Request, error: str = "") -> Response:
    app = request.app
    vault, now = app.state.vault, app.state.clock()
    rules, fault = rules_or_built_in(app.state.settings.retention_rules)
    seen = forecast(vault, now, rules)
    lines = grouped(what_goes_when(vault, seen, with_holds(vault, rules)), people_named(vault))
    late = lateness(vault.engine, now)
    held = holds_of(vault, rules, now)
    names = people_named(vault)
    return show(
        request,
        "retention.html",
        409 if error else 200,
        error=error,
        fault=str(fault or ""),
        soon=[one for one in lines if one.at < now + SOON],
        later=[one for one in lines if one.at >= now + SOON],
        late=sentence(late) if late else "",
        stops=seen.because,
        stops_for=seen.stops_for,
        held=[(hold.person, *names.get(hold.person, ("", "")), hold.reason, hold.until) for hold in held],
        receipts=receipts_of(vault),
        rules=schedule(rules),
        going=_is_going(request),
    )


def grouped(lines: Iterable[DueLine], names: dict[str, tuple[str, str]]) -> list[Due]:
    """The lines of a day, kind and reason as one, with everybody it is about by name."""
    together: dict[tuple[datetime, str, str], list[DueLine]] = {}
    for line in lines:
        day = line.due_at if line.kind == EVERYTHING else line.due_at.replace(hour=0, minute=0, second=0, microsecond=0)
        why = tell(f"goes.why_{line.why}") if line.kind == EVERYTHING else line.sentence
        together.setdefault((day, line.kind, why), []).append(line)
    return [
        Due(
            day,
            kind,
            why,
            sum(line.count for line in some),
            tuple((one.person, *names.get(one.person, ("", ""))) for one in some if one.person)[:NAMED],
        )
        for (day, kind, why), some in sorted(together.items())
    ]


def people_named(vault: Vault) -> dict[str, tuple[str, str]]:
    """Id to name and number of everybody who is here."""
    with vault.reading() as session:
        rows = session.exec(select(Employee.id, Employee.name, Employee.number).where(Employee.state == "active")).all()
    return {identity: (name, number) for identity, name, number in rows}


def receipts_of(vault: Vault, person: str | None = None) -> list[tuple[Receipt, str, str]]:
    """The newest receipts, of everybody or of one person: (receipt, how far it has come, why)."""
    told = select(Erasure).where(col(Erasure.state).in_(("provisional", "blocked", "final")))
    if person is not None:
        told = told.where(Erasure.employee_id == person)
    with vault.reading() as session:
        rows = session.exec(told.order_by(col(Erasure.started_at).desc()).limit(SHOWN)).all()
    found = [receipt_of(row) for row in rows]
    return [
        (one, tell(f"goes.state_{one.state}"), tell_if_known(f"goes.reason_{one.reason}", one.reason)) for one in found
    ]


def _receipt(vault: Vault, identity: str) -> Receipt:
    with vault.reading() as session:
        row = session.get(Erasure, identity)
    if row is None or row.state not in ("provisional", "blocked", "final"):
        raise HTTPException(404)
    return receipt_of(row)


def _is_going(request: Request) -> bool:
    try:
        return any(run.deployment == "retention" for run in request.app.state.runs.going())
    except NoOrchestrator:
        return False


def _sweep(request: Request, people: str) -> Response:
    """The sweep now. `people`: the number that lets one through which would stop; nothing lets any other through."""
    vault, now = request.app.state.vault, request.app.state.clock()
    seen = forecast(vault, now, rules_or_built_in(request.app.state.settings.retention_rules)[0])
    if seen.stops_because and not signed_in(request).may("admin"):
        return _page(request, tell("goes.admin_lets"))
    if seen.stops_because and people != str(seen.stops_for):
        return _page(request, tell("goes.say_number", seen.stops_for))
    asked = {"dry_run": False, "mass_deletion": seen.stops_for if seen.stops_because else 0}
    try:
        request.app.state.runs.start("retention", asked, "retention", now)
    except NoOrchestrator:
        return _page(request, tell("run.unreachable"))
    return RedirectResponse("/retention", 303)
