"""The review desk: a small server that lets reviewers in, shows the report, records decisions and takes uploads.

Pages come from the report's folder by an exact list of shapes, never by joining what was asked for to a path. A page
about a person comes only while that person is active and their consent stands; afterwards the answer is 410 Gone.
Without a password the desk answers this machine only.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as HttpFault

from reports.decisions import BadDecisions, apply_decisions, events_of, mark_of, refusal_of
from reports.desk import pages
from reports.desk.batch import add_batch
from reports.desk.consent import add_consent_form
from reports.desk.copies import add_copies
from reports.desk.deliver import add_deliver
from reports.desk.drops import add_drops
from reports.desk.for_it import add_service
from reports.desk.frame import framed
from reports.desk.home import add_home
from reports.desk.kits import add_kits
from reports.desk.login import add_login, address_of, door_to, signed_in
from reports.desk.people import add_people
from reports.desk.provider import add_provider
from reports.desk.questions import add_questions
from reports.desk.readiness import add_readiness
from reports.desk.retention import add_retention
from reports.desk.run import add_run
from reports.desk.squeeze import Squeezed
from reports.desk.team import add_team, team_page
from reports.desk.verify import add_verify
from reports.desk.writing import AGAIN_S, Writing
from reports.door.address import Forwarded, is_here, proxies_of
from reports.door.door import COOKIE, IDLE, Door, Session
from reports.door.routes import by_role
from reports.gather import viewable
from reports.site import asset, asset_names
from reports.site_of_batch import rewrite_report
from tasks.vault.looks import note_look
from tasks.vault.records import Batch, Employee, Seat
from tasks.vault.report_files import ReportFiles, files_of
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

BATCH = re.compile(r"[a-z0-9]{1,40}")
PAGE = re.compile(r"(index|blocked|run|print)\.html")
WALL = "index.html"
PERSON = re.compile(r"people/([a-z0-9]{1,40})(\.html|/[hts]-[0-9a-zA-Z]{1,64}-\d{1,5}x\d{1,5}\.webp)")
ASSET = re.compile(r"assets/([a-z]+\.[0-9a-f]{10}\.(?:css|js|svg))")
PIECE = re.compile(r"wall/[0-9]{1,4}\.[0-9a-f]{10}\.js")
TYPES = {".html": "text/html; charset=utf-8", ".webp": "image/webp", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}  # fmt: skip
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
DECISIONS_SIZE = 16 * 2**20  # bytes
FOREVER = "public, max-age=31536000, immutable"
OPEN = {"/login", "/login/start", "/login/callback", "/login/out", "/health", "/ready", "/metrics"}

# Every part of the desk adds its own pages; who may ask for them stands in reports/door/routes.py.
PARTS: tuple[Callable[[FastAPI], None], ...] = (
    add_login,
    add_readiness,
    add_home,
    add_batch,
    add_copies,
    add_run,
    add_kits,
    add_people,
    add_retention,
    add_team,
    add_drops,
    add_questions,
    add_deliver,
    add_verify,
    add_service,
    add_consent_form,
    add_provider,
)

Next = Callable[[Request], Awaitable[Response]]


def create_desk(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> FastAPI:
    """The desk's application. `clock` is for tests of what time does."""
    app = FastAPI(
        title="Rollcall desk", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(by_role)]
    )
    app.state.settings, app.state.clock = settings, clock
    own_names = {urlsplit(settings.public_url).netloc}
    app.state.vault = vault = open_vault(settings)
    app.state.door = Door(settings, vault)
    app.state.writing = Writing(lambda batch: rewrite_report(vault, batch, now=clock()))

    @app.middleware("http")
    async def guard(request: Request, call_next: Next) -> Response:
        """Who is asking, from where, and by whose leave; then the headers every answer carries."""
        door, now = app.state.door, clock()
        refused = _refused_at_once(request, door, own_names)
        asset = request.url.path.startswith("/assets/")
        session = None if asset else await run_in_threadpool(door.session, request.cookies.get(COOKIE), now)
        request.state.session = session
        if refused is not None:
            response: Response = refused
        elif session is None and request.url.path not in OPEN and not asset:
            asks_page = request.method == "GET" and "text/html" in request.headers.get("accept", "text/html")
            response = (
                RedirectResponse(door_to(request), 303) if asks_page else JSONResponse({"error": "signed_out"}, 401)
            )
        else:
            response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # A page that renews itself, or looks by the clock for what colleagues did, is no sign of a person.
        renews = request.url.path.endswith("/events") or "x-rollcall-look" in request.headers
        counts = request.url.path != "/logout" and not renews
        if session is not None and refused is None and counts and now - session.seen > IDLE / 20:
            await run_in_threadpool(door.renew, session, now)
        return response

    _answer_in_words(app)
    app.add_middleware(Squeezed)
    app.add_middleware(Forwarded, proxies=proxies_of(settings.proxies))  # outside the guard: it says who is asking
    for add in PARTS:
        add(app)
    _add_pages(app)  # last: what comes under a batch's address and is nobody else's is looked for in its report
    return app


def _answer_in_words(app: FastAPI) -> None:
    """What is refused, and what breaks, is a page for people and a word for scripts."""

    @app.exception_handler(HttpFault)
    def in_words(request: Request, fault: HttpFault) -> Response:
        if fault.status_code == 303:
            return Response(status_code=303, headers=fault.headers)
        session: Session | None = getattr(request.state, "session", None)
        role = (session.role or "none") if session and "X-Rollcall-Refused" in (fault.headers or {}) else ""
        if "text/html" in request.headers.get("accept", ""):
            who = (session.by, app.state.door.token(session)) if session else ("", "")
            return HTMLResponse(pages.fault(fault.status_code, role, *who), fault.status_code, fault.headers)
        return JSONResponse({"error": "role" if role else fault.status_code}, fault.status_code, fault.headers)

    @app.exception_handler(Exception)
    def broken(request: Request, fault: Exception) -> Response:
        """A defect of ours, in words: it is written down behind this, with its traceback, and goes past the guard."""
        response = in_words(request, HttpFault(500))
        response.headers.update(HEADERS)
        return response


def _refused_at_once(request: Request, door: Door, own_names: set[str]) -> Response | None:
    """Strangers where there is no password, names we do not answer to, and forms sent from other sites."""
    proxied = any(name.startswith(("x-forwarded", "forwarded")) for name in request.headers)
    if not door.asks_anything and (proxied or not (is_here(address_of(request)) and _named_here(request))):
        return JSONResponse({"error": "this_machine_only"}, 403)
    if request.method not in {"GET", "HEAD", "POST"}:
        return JSONResponse({"error": "method"}, 405)
    if request.method == "POST":
        origin = request.headers.get("origin", "null")  # browsers write null where no referrer may be sent
        # A proxy may ask for us by a name of its own: then the public address is where our forms stand.
        if origin != "null" and urlsplit(origin).netloc not in {request.headers.get("host"), *own_names}:
            return JSONResponse({"error": "other_site"}, 403)
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return JSONResponse({"error": "other_site"}, 403)
        if not request.headers.get("content-length", "").isdigit():
            return JSONResponse({"error": "length_required"}, 411)
    return None


def _named_here(request: Request) -> bool:
    """A page elsewhere whose name was pointed at this machine must not be answered."""
    return (request.url.hostname or "") in {"127.0.0.1", "localhost", "::1"}


def _add_pages(app: FastAPI) -> None:
    vault: Vault = app.state.vault
    door: Door = app.state.door

    @app.get("/batches/{batch}")
    def slash(batch: str) -> Response:
        return RedirectResponse(f"/batches/{batch}/" if BATCH.fullmatch(batch) else "/", 308)

    @app.get("/batches/{batch}/decisions")
    def decided(batch: str, request: Request) -> Response:
        _known(vault, batch)
        session = signed_in(request)
        mark = f'"{mark_of(vault, batch)}-{session.id[:8]}"'
        if request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers={"ETag": mark})
        events = events_of(vault, batch, partial(session.may, "viewer"))
        return JSONResponse({"decisions": events}, headers={"ETag": mark})

    @app.post("/batches/{batch}/decisions")
    async def decide(batch: str, request: Request) -> Response:
        session = signed_in(request)
        if not door.accepts(session, request.headers.get("x-rollcall-token")):
            return JSONResponse({"error": "token"}, 403)
        if int(request.headers["content-length"]) > DECISIONS_SIZE:
            return JSONResponse({"error": "too_large"}, 413)
        try:
            payload = await request.json()
            if not isinstance(payload, dict) or payload.get("batch") != batch:
                raise BadDecisions("another batch")
            applied = await run_in_threadpool(
                partial(
                    apply_decisions, vault, payload, session.by, app.state.clock(), author=session.author,
                    may_decide=partial(session.may, "reviewer"),
                )
            )  # fmt: skip
        except (BadDecisions, ValueError, RecursionError):
            return JSONResponse({"error": "not_decisions"}, 422)
        refused = [refusal_of(one) for one in applied.refused]
        return JSONResponse({"recorded": applied.recorded, "repeated": applied.repeated, "refused": refused})

    @app.get("/batches/{batch}/{path:path}")
    def page(batch: str, path: str, request: Request) -> Response:
        _known(vault, batch)
        return _page(app, batch, path or "index.html", signed_in(request))

    @app.get("/assets/{name}")
    def static(name: str) -> Response:
        for plain, hashed in asset_names().items():
            if hashed == f"assets/{name}":
                kind = TYPES[Path(plain).suffix]
                return Response(asset(plain), media_type=kind, headers={"Cache-Control": FOREVER})
        raise HTTPException(404)


def _known(vault: Vault, batch: str) -> None:
    with vault.reading() as session:
        if not BATCH.fullmatch(batch) or session.get(Batch, batch) is None:
            raise HTTPException(404)


def _page(app: FastAPI, batch: str, path: str, session: Session) -> Response:
    vault: Vault = app.state.vault
    files = files_of(vault, batch)
    if ASSET.fullmatch(path):
        return _picture(files, path, forever=True)
    person = PERSON.fullmatch(path)
    if person is not None:
        _still_here(vault, batch, person[1], app.state.clock(), session)
        if person[2] == ".html":
            note_look(vault, session.author, person[1], batch, app.state.clock())
    elif PIECE.fullmatch(path) and session.may("viewer"):  # who sees some departments only has it all in the page
        return _piece(vault, batch, files, path)
    elif not PAGE.fullmatch(path):
        raise HTTPException(404)
    elif not session.may("viewer"):  # some departments only: a page of the whole batch is written for them
        text = team_page(vault, batch, path, session, app.state.clock())
        return HTMLResponse(framed(text, batch, session.by, app.state.door.token(session)))
    if files.read("index.html") is None and not app.state.writing.written(batch):
        return _later(app, session)
    if path.endswith(".webp"):
        return _picture(files, path)
    text = _read(files, path)
    beside = [_read(files, piece) for piece in files.names("wall/")] if path == WALL else []
    if any(gone in said for gone in _gone(vault, batch) for said in (text, *beside)):  # no page may speak of them
        if not app.state.writing.written(batch):
            return _later(app, session)
        text = _read(files, path)
    token = app.state.door.token(session)
    return HTMLResponse(framed(text, batch, session.by, token, delivers=session.may("keeper")))


def _piece(vault: Vault, batch: str, files: ReportFiles, path: str) -> Response:
    """A part of a large wall's people; none that speaks of somebody who was forgotten since."""
    text = _read(files, path)
    if any(gone in text for gone in _gone(vault, batch)):
        raise HTTPException(410)
    return Response(text, media_type=TYPES[".js"])


def _later(app: FastAPI, session: Session) -> Response:
    """What is not there yet, and looks again by itself."""
    page = pages.fault(202, by=session.by, token=app.state.door.token(session))
    return HTMLResponse(page, 202, {"Refresh": str(AGAIN_S)})


def _still_here(vault: Vault, batch: str, employee_id: str, now: datetime, session: Session) -> None:
    """410 when this person is being forgotten or took their consent back, 404 when they never were in this batch, 403
    when they are of a department that this session has no role for."""
    with vault.reading() as records:
        seat, employee = records.get(Seat, (batch, employee_id)), records.get(Employee, employee_id)
    if seat is None:
        raise HTTPException(404)
    if employee is None or employee.state != "active":
        raise HTTPException(410)
    if not session.may("viewer", employee.department):
        raise HTTPException(403, headers={"X-Rollcall-Refused": "department"})
    if seat.state != "blocked" and not viewable(vault, employee_id, now):
        raise HTTPException(410)


def _gone(vault: Vault, batch: str) -> list[str]:
    with vault.reading() as records:
        seats = select(Seat.employee_id).where(col(Seat.batch_id) == batch)
        active = select(Employee.id).where(col(Employee.state) == "active")
        return list(records.exec(seats.where(col(Seat.employee_id).not_in(active))))


def _read(files: ReportFiles, name: str) -> str:
    content = files.read(name)
    if content is None:
        raise HTTPException(404)
    return content.decode()


def _picture(files: ReportFiles, name: str, *, forever: bool = False) -> Response:
    content = files.read(name)
    if content is None:
        raise HTTPException(404)
    cache = FOREVER if forever else "no-store"
    return Response(content, media_type=TYPES[Path(name).suffix], headers={"Cache-Control": cache})
