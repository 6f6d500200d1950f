"""Uploads at the desk: take a roster and photos, check them in the background, show what was found, and lead on.

A check reads the drop and writes nothing; what it found lives in this process only and is found again when asked for.
The page ends in the form that starts a run with it (`desk_run`).
"""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException

from reports import desk_pages
from reports.archives import BadUpload
from reports.desk_corrections import Desk, add_corrections, sent
from reports.desk_door import Door, Session
from reports.desk_strays import choices
from reports.pages import Problem
from reports.sealed_spool import sealed_form
from reports.unpacking import MOST_FILES, Room
from reports.upload_parts import is_coming
from reports.uploads import clear_parts, half_written, keep_upload
from reports.withdrawals import withdraw_now
from reports.words import say
from tasks.roster.drop import DropFault
from tasks.roster.open_drop import upload_in, uploads
from tasks.roster.row_desk import look_ahead
from tasks.roster.rows import Unreadable
from tasks.roster.upload import Upload
from tasks.selfies.check import CheckReport, check_upload, return_table
from tasks.selfies.keep import photos_in_use
from tasks.selfies.people import PersonCheck
from tasks.selfies.two_people import known_two_people, remember_two_people
from tasks.vault.files import make_folders
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes, EyesMissing
from tasks.vision.open_eyes import open_eyes
from tasks.vision.worlds import BaseWorld

KEPT = 30  # results remembered; older ones are checked again when somebody asks
LISTED = 20  # earlier uploads on the upload page


@dataclass
class Check:
    """One drop being looked at. `done` of `total` photos; then a report, or what stopped it in words."""

    done: int = 0
    total: int = 0
    report: CheckReport | None = None
    failed: str = ""


@dataclass
class Checks:
    """The desk's checks, one at a time: they share a machine with everything else."""

    settings: Settings
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "check"))
    _known: dict[str, Check] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, identity: str, now: datetime) -> Check:
        """The check of this drop, begun if nobody asked before."""
        with self._lock:
            check = self._known.get(identity)
            if check is None:
                check = self._known[identity] = Check()
                for old in list(self._known)[:-KEPT]:
                    del self._known[old]
                self.pool.submit(self._run, identity, check, now)
        return check

    def forget(self, identity: str) -> None:
        """The drop has changed: the next who asks begins a new check."""
        with self._lock:
            self._known.pop(identity, None)

    def _run(self, identity: str, check: Check, now: datetime) -> None:
        def progress(what: str, done: int, total: int) -> None:
            check.done, check.total = done, total

        try:
            with open_vault(self.settings) as vault:
                upload, known = upload_in(self.settings.uploads / identity, vault), known_two_people(vault)
                kept = photos_in_use(vault)
            check.report = check_upload(
                upload, eyes_at_hand(self.settings), now=now, on_progress=progress, kept=kept, two_people=known,
                base=self._base(),
            )  # fmt: skip
        except (DropFault, Unreadable) as fault:
            check.failed = getattr(fault, "fix", "") or "The roster cannot be read. Export it again as CSV or XLSX."
        except Exception as fault:  # a thread has nobody above it: whatever it was, the page must say so
            check.failed = f"The check stopped ({type(fault).__name__}). Nothing was changed; try `rollcall check`."

    def _base(self) -> BaseWorld:
        card = load_base_card(self.settings.base, self.settings.bases)
        return BaseWorld(card.world, self.settings.mixed_worlds, card.render_size)


def eyes_at_hand(settings: Settings) -> Eyes | None:
    """The eyes, or None where they are not installed: roster, consent and matching are worth a check by themselves."""
    try:
        return open_eyes(settings.eyes, settings.models)
    except (EyesMissing, OSError):
        return None


def add_drops(app: FastAPI) -> None:
    """The upload page, what it leads to, and the table to send back."""
    settings, door = app.state.settings, app.state.door
    app.state.checks = checks = Checks(settings)
    _put_in_order(app.state.vault)

    def session_of(request: Request) -> Session:
        session = request.state.session
        if not isinstance(session, Session):
            raise HTTPException(401)
        return session

    @app.get("/drops/new")
    def ask(request: Request) -> Response:
        session = session_of(request)
        return HTMLResponse(desk_pages.upload(session, door.token(session), earlier=earlier_uploads(settings)))

    @app.get("/drops")
    @app.get("/drops/")
    def listed() -> Response:
        return RedirectResponse("/drops/new", 303)

    @app.post("/drops")
    async def take(request: Request) -> Response:
        session = session_of(request)
        in_parts = request.headers.get("x-rollcall-parts") == "yes"
        try:
            identity = await _take(request, settings, door, session, app.state.clock(), coming=in_parts)
        except BadUpload as fault:
            if in_parts:
                return JSONResponse({"error": str(fault)}, 422)
            return HTMLResponse(
                desk_pages.upload(session, door.token(session), str(fault), earlier_uploads(settings)), 400
            )
        return JSONResponse({"drop": identity}) if in_parts else RedirectResponse(f"/drops/{identity}", 303)

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
            return HTMLResponse(desk_pages.coming(session, door.token(session), identity))
        # A copy: the check goes on beside us, and the page must not change its mind while it is written.
        check = copy(checks.of(_drop(settings, identity), app.state.clock()))
        found = _found(app, identity, check.report)
        return HTMLResponse(desk_pages.drop(session, door.token(session), check=check, id=identity, **found))

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
                raise BadUpload("Choose the roster: a CSV or Excel file from your HR system.")
            identity = f"{now:%Y%m%d}-{secrets.token_hex(5)}"
            upload = await run_in_threadpool(_new_upload, request.app.state.vault, identity)
            await run_in_threadpool(partial(keep_upload, upload, roster, consents, photos, coming=coming))
            await run_in_threadpool(withdraw_now, request.app.state.vault, upload, now)
    except MultiPartException as fault:
        raise BadUpload("The upload did not arrive whole. Try again.") from fault
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


def earlier_uploads(settings: Settings) -> list[tuple[str, datetime]]:
    """Uploads that still lie here, the newest first: a check whose page was closed is found again by its time."""
    folder = settings.uploads
    found = [path for path in folder.iterdir() if path.is_dir() and _is_drop(path.name)] if folder.is_dir() else []
    times = sorted(((datetime.fromtimestamp(path.stat().st_mtime, UTC), path.name) for path in found), reverse=True)
    return [(name, at) for at, name in times[:LISTED]]


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
        ("blocked", "Blocked", lines(report.blocked)),
        ("attention", "Ready, with remarks", lines(report.warned)),
        ("approved", "Ready", lines(report.ready)),
    ]
