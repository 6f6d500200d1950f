"""Uploads at the desk: take a roster and photos, check them in the background, show what was found, and lead on.

A check reads the drop and writes nothing (`uploads.checks`); what lies here is listed in `uploads`. The page of a check
ends in the form that starts a run with it (`run`).
"""

import secrets
from collections.abc import Callable
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException

from reports.desk import pages
from reports.desk.corrections import Desk, add_corrections, sent
from reports.desk.strays import choices
from reports.desk.uploads import add_uploads, limits, room_for
from reports.door.door import Door, Session
from reports.pages import Problem
from reports.uploads.archives import BadUpload
from reports.uploads.checks import Checks
from reports.uploads.parts import is_coming
from reports.uploads.receiving import clear_parts, half_written, keep_upload
from reports.uploads.sealed_form import sealed_form
from reports.uploads.unpacking import MOST_FILES, Room
from reports.withdrawals import withdraw_now
from reports.words import say
from tasks.roster.open_drop import upload_in, uploads
from tasks.roster.row_desk import look_ahead
from tasks.roster.upload import Upload
from tasks.selfies.check import CheckReport, return_table
from tasks.selfies.people import PersonCheck
from tasks.selfies.two_people import remember_two_people
from tasks.sentences import tell
from tasks.vault.files import make_folders
from tasks.vault.settings import Settings
from tasks.vault.store import Vault


def add_drops(app: FastAPI) -> None:
    """The upload page, what it leads to, and the table to send back."""
    settings, door = app.state.settings, app.state.door
    app.state.checks = checks = Checks(settings)
    _put_in_order(app.state.vault)
    checks.go_on(app.state.clock())

    def session_of(request: Request) -> Session:
        session = request.state.session
        if not isinstance(session, Session):
            raise HTTPException(401)
        return session

    @app.get("/drops/new")
    def ask(request: Request) -> Response:
        session = session_of(request)
        return HTMLResponse(pages.upload(session, door.token(session), room=limits(settings), free=room_for(settings)))

    @app.post("/drops")
    async def take(request: Request) -> Response:
        session = session_of(request)
        in_parts = request.headers.get("x-rollcall-parts") == "yes"
        try:
            identity = await _take(request, settings, door, session, app.state.clock(), coming=in_parts)
        except BadUpload as fault:
            if in_parts:
                return JSONResponse({"error": str(fault)}, 422)
            return HTMLResponse(pages.upload(session, door.token(session), str(fault), limits(settings)), 400)
        app.state.vault.audit("upload", identity, actor=session.author or "reviewer", now=app.state.clock())
        return JSONResponse({"drop": identity}) if in_parts else RedirectResponse(f"/drops/{identity}", 303)

    add_uploads(app, checks, partial(_drop, settings))
    _add_check(app, checks, session_of)
    add_corrections(
        app,
        Desk(
            door,
            lambda identity: upload_in(settings.uploads / _drop(settings, identity), app.state.vault),
            session_of,
            lambda identity: checks.of(_drop(settings, identity), app.state.clock()).report,
            checks.forget,
            lambda upload: withdraw_now(app.state.vault, upload, app.state.clock()),
            lambda first, second, by: remember_two_people(app.state.vault, first, second, by, app.state.clock()),
        ),
    )


def _add_check(app: FastAPI, checks: Checks, session_of: Callable[[Request], Session]) -> None:
    """The page of a check, and the table to send back."""
    settings, door = app.state.settings, app.state.door

    @app.get("/drops/{identity}")
    def show(identity: str, request: Request) -> Response:
        session = session_of(request)
        if is_coming(settings.uploads / _drop(settings, identity)):
            return HTMLResponse(pages.coming(session, door.token(session), identity))
        # A copy: the check goes on beside us, and the page must not change its mind while it is written.
        check = copy(checks.of(_drop(settings, identity), app.state.clock()))
        found = _found(app, identity, check.report)
        before = checks.before(identity)
        waits = copy(before) if before is not None else None
        return HTMLResponse(pages.drop(session, door.token(session), check=check, id=identity, waits=waits, **found))

    @app.get("/drops/{identity}/return.csv")
    def table(identity: str, request: Request) -> Response:
        session_of(request)
        report = checks.of(_drop(settings, identity), app.state.clock()).report
        if report is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": 'attachment; filename="to-send-back.csv"'}
        return Response(return_table(report), media_type="text/csv; charset=utf-8", headers=headers)


def _found(app: FastAPI, identity: str, report: CheckReport | None) -> dict[str, Any]:
    """What the page of a finished check shows; nothing while it goes on."""
    if report is None:
        return {}
    return {
        "report": report, "groups": groups_of(report),
        "strays": choices(report), "people": _people(report), "names": names_of(report),
        "asked": look_ahead(app.state.vault, report.roster, app.state.clock()),
    }  # fmt: skip


async def _take(
    request: Request, settings: Settings, door: Door, session: Session, now: datetime, *, coming: bool
) -> str:
    """Keep what was sent as a new drop and return its id."""
    Room(settings.home).must_hold(int(request.headers["content-length"]))
    try:
        async with sealed_form(request, max_files=MOST_FILES, max_fields=10) as form:
            if not door.accepts(session, str(form.get("token"))):
                raise HTTPException(403)
            roster, consents = sent(form.get("roster")), sent(form.get("consents"))
            photos = [one for one in map(sent, form.getlist("photos")) if one is not None]
            if roster is None:
                raise BadUpload(tell("sent.no_roster"))
            identity = f"{now:%Y%m%d}-{secrets.token_hex(5)}"
            upload = await run_in_threadpool(_new_upload, request.app.state.vault, identity)
            await run_in_threadpool(partial(keep_upload, upload, roster, consents, photos, coming=coming))
            await run_in_threadpool(withdraw_now, request.app.state.vault, upload, now)
    except MultiPartException as fault:
        raise BadUpload(tell("sent.not_whole")) from fault
    return identity


def _new_upload(vault: Vault, identity: str) -> Upload:
    """Its folder is there before its key: a sweep takes a key without a folder for an old one's."""
    folder = vault.settings.uploads / identity
    make_folders(half_written(folder))
    return upload_in(folder, vault)


def _put_in_order(vault: Vault) -> None:
    """What a crash left half unpacked goes, and what an older version left in clear is sealed."""
    clear_parts(vault.settings.uploads)
    for upload in uploads(vault):
        upload.seal_clear()


def _is_drop(identity: str) -> bool:
    return identity.replace("-", "").isalnum()  # what is being written begins with a dot


def _drop(settings: Settings, identity: str) -> str:
    if not _is_drop(identity) or not (settings.uploads / identity).is_dir():
        raise HTTPException(404)
    return identity


def names_of(report: CheckReport) -> dict[str, str]:
    """Number as filed → name."""
    return {report.roster.filed_number(row): row.name for row in report.roster.rows}


def _people(report: CheckReport) -> list[str]:
    """Everybody on the roster, for typing a name where none of the candidates is right."""
    return [f"{report.roster.filed_number(row)} · {row.name}" for row in report.roster.rows]


def groups_of(report: CheckReport) -> list[tuple[str, str, list[tuple[str, str, list[Problem]]]]]:
    """People by how they stand: (state, title, [(number, name, problems)])."""

    def lines(people: tuple[PersonCheck, ...]) -> list[tuple[str, str, list[Problem]]]:
        return [
            (
                p.number,
                p.name,
                [
                    Problem(
                        f.code,
                        say(f.code),
                        str(f.measured) if f.details else "",
                        str(f.limit),
                        f.sentence,
                        f.severity,
                        p.file_of(f),
                    )
                    for f in p.findings
                ],
            )
            for p in people
        ]

    return [
        ("blocked", tell("check.are_blocked"), lines(report.blocked)),
        ("attention", tell("check.are_warned"), lines(report.warned)),
        ("approved", tell("check.are_ready"), lines(report.ready)),
    ]
