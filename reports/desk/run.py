"""Starting a run from a checked upload: the kit by its picture, the quality with its minutes, who is in and who is not.

The batch is opened in our records before Prefect is asked: who ordered it is kept there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports.desk.login import signed_in
from reports.desk.page import form_of, show
from reports.desk.runs import NoOrchestrator
from reports.kit_pictures import kits_of
from reports.words import say
from tasks.adapters.costs import QUALITIES, Cost, cost_of
from tasks.failures import RollcallError
from tasks.headshots.kit import sort_kits
from tasks.selfies.check import CheckReport
from tasks.sentences import tell
from tasks.vault.batches import Order, note_facts, open_batch
from tasks.vault.settings import Settings

WHO = ("everybody", "new")
MOST_PEOPLE = 999_999  # six figures fit the field; no roster has more (MAX_PEOPLE of tasks/roster/read.py)


@dataclass(frozen=True)
class RunForm:
    """What was filled in, checked."""

    kit: str
    quality: str
    people: str
    who: str


class BadChoice(RollcallError):
    """Something on the form cannot be meant; the message says what would do."""


def add_run(app: FastAPI) -> None:
    """The form, and what its button does."""

    @app.get("/drops/{identity}/run")
    def ask(identity: str, request: Request) -> Response:
        return _form(request, identity)

    @app.post("/drops/{identity}/run")
    async def start(identity: str, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(_start, request, identity, form)


def _form(request: Request, identity: str, error: str = "") -> Response:
    state = request.app.state
    report = _report(request, identity)
    if report is None:
        return RedirectResponse(f"/drops/{identity}", 303)
    ready = [*report.warned, *report.ready]
    kits = kits_of(state.settings)
    sound = [kit.name for kit in kits if not kit.broken]
    last = next((one.kit for one in state.states.all(state.clock()) if one.kit in sound), "")
    costs = {quality: cost_of(state.vault, state.settings, quality, len(ready)) for quality in QUALITIES}
    return show(
        request, "run_form.html", 422 if error else 200, id=identity, error=error, kits=kits,
        usual=last or next(iter(sound), ""),
        costs=costs, ready=[(person.number, person.name) for person in ready], out=_left_out(report),
        currency=state.settings.currency, limit=state.settings.yes_above,
        over=[name for name, cost in costs.items() if is_over(cost, state.settings)],
    )  # fmt: skip


def is_over(cost: Cost, settings: Settings) -> bool:
    """Whether it costs more than one person may say yes to."""
    return settings.yes_above is not None and cost.money is not None and cost.money > settings.yes_above


def _report(request: Request, identity: str) -> CheckReport | None:
    """What the check of this upload found; None while it goes on, or when it could not be read."""
    folder = request.app.state.settings.uploads / identity
    if not identity.replace("-", "").isalnum() or not folder.is_dir():
        raise HTTPException(404)
    found: CheckReport | None = request.app.state.checks.of(identity, request.app.state.clock()).report
    return found


def _left_out(report: CheckReport) -> list[tuple[str, str, str]]:
    """Number, name and first reason of everybody who needs something first."""
    return [
        (person.number, person.name, next((found.sentence or say(found.code).meaning for found in person.findings), ""))
        for person in report.blocked
    ]


def _start(request: Request, identity: str, form: Mapping[str, str]) -> Response:
    state = request.app.state
    _report(request, identity)
    try:
        choice = checked(form, state.settings)
    except BadChoice as wrong:
        return _form(request, identity, str(wrong))
    now = state.clock()
    order = Order(
        drop=str(state.settings.uploads / identity), kit=choice.kit, quality=choice.quality,
        base=state.settings.base, people=choice.people, who="new" if choice.who == "new" else "everybody",
    )  # fmt: skip
    batch = open_batch(state.vault, order, now)
    note_facts(state.vault, batch, ordered={"by": signed_in(request).by, "at": now.isoformat()})
    asked: dict[str, Any] = {
        "drop": order.drop,
        "kit": order.kit,
        "quality": order.quality,
        "people": order.people,
        "who": order.who,
    }
    try:
        state.runs.start("make", asked, batch, now)
    except NoOrchestrator:
        return _form(request, identity, tell("run.unreachable"))
    return RedirectResponse(f"/batches/{batch}/home", 303)


def checked(form: Mapping[str, str], settings: Settings) -> RunForm:
    """The form's choices. Raises BadChoice."""
    kit, quality, who = (form.get(name, "") for name in ("kit", "quality", "who"))
    sound, broken = sort_kits(settings.kits)
    if kit not in sound:
        raise BadChoice(broken.get(kit) or tell("start.no_kit"))
    if quality not in QUALITIES or who not in WHO:
        raise BadChoice(tell("start.no_choice"))
    people = form.get("people", "").strip().lower()
    if people in ("", "all"):
        return RunForm(kit, quality, "all", who)
    if not (people.isascii() and people.isdigit() and 0 < int(people) <= MOST_PEOPLE):
        raise BadChoice(tell("start.how_many"))
    return RunForm(kit, quality, str(int(people)), who)
