"""Signing in and out at the desk.

A try is counted when its form has arrived and before the password is looked at, so that holding many forms back buys
nothing. Looking takes a tenth of a second of one core: two at a time, beside what the desk answers meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import cast
from urllib.parse import urlencode, urlsplit

import anyio
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports.desk import pages
from reports.door.door import COOKIE, KNOWN, KNOWN_FOR, Door, Session
from reports.door.tries import counted_as
from reports.reviewer_names import plain_name
from tasks.sentences import tell

AT_A_TIME = 2  # passwords that are looked at
FORM_SIZE = 8192  # bytes
FORM_TIME = 20.0  # seconds in which the form has to arrive


def signed_in(request: Request) -> Session:
    """The session of this request; the guard has seen to it that there is one."""
    session = request.state.session
    if not isinstance(session, Session):
        raise HTTPException(401)
    return session


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def door_to(request: Request) -> str:
    """The door's address, with the way back to what was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/login" if asked == "/" else f"/login?{urlencode({'to': asked})}"


def way_back(asked: object) -> str:
    """The page to go on with: one of ours, or the first one."""
    path = str(asked or "")
    ours = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/logout"))
    return path if ours and path.isprintable() and len(path) < 2000 else "/"


def set_session(request: Request, response: Response, value: str) -> None:
    """The session's cookie: closed to scripts and other sites, and sent over https alone where that is spoken."""
    response.set_cookie(COOKIE, value, httponly=True, samesite="strict", secure=_is_secure(request), path="/")


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https" or urlsplit(request.app.state.settings.public_url).scheme == "https"


def add_login(app: FastAPI) -> None:
    """The door's pages."""
    door: Door = app.state.door
    looking = anyio.CapacityLimiter(AT_A_TIME)

    def page(request: Request, status: int = 200, name: str = "", error: str = "", back: str = "/") -> HTMLResponse:
        return HTMLResponse(pages.login(way_in(door), name, error, back), status)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/login")
    def ask(request: Request) -> Response:
        back = way_back(request.query_params.get("to"))
        return page(request, back=back) if request.state.session is None else RedirectResponse(back, 303)

    @app.post("/login")
    async def come_in(request: Request) -> Response:
        now = app.state.clock
        if door.asks_provider:
            raise HTTPException(403)
        known = door.known(request.cookies.get(KNOWN))
        who = f"browser {known}" if known else counted_as(address_of(request))
        if door.tries.wait(who, now()):  # not worth reading the form
            return _later(page(request, 429, error=tell("login.too_many")), door.tries.wait(who, now()))
        by, password, back = await _form(request)
        if not by:
            return page(request, 400, error=tell("login.no_name"), back=back)
        if door.asks_password:
            wait = door.tries.take(who, now())
            if wait:
                return _later(page(request, 429, by, tell("login.too_many"), back), wait)
            await anyio.sleep(door.tries.delay(now()))
            if not await anyio.to_thread.run_sync(door.opens, password, limiter=looking):
                door.tries.was_wrong(now())
                return page(request, 401, by, tell("login.wrong"), back)
            door.tries.was_right(who)
        response = RedirectResponse(back, 303)
        set_session(request, response, await run_in_threadpool(door.let_in, by, now()))
        if door.asks_password:
            response.set_cookie(
                KNOWN, door.acquainted(known), httponly=True, samesite="strict", secure=_is_secure(request),
                path="/login", max_age=int(KNOWN_FOR.total_seconds()),
            )  # fmt: skip
        return response

    @app.post("/logout")
    async def leave(request: Request) -> Response:
        session = signed_in(request)
        async with request.form(max_files=0, max_fields=2) as form:
            if not door.accepts(session, str(form.get("token"))):
                raise HTTPException(403)
        await run_in_threadpool(door.leave, session)
        response: Response = await run_in_threadpool(app.state.farewell, request)
        response.delete_cookie(COOKIE, path="/")
        return response


def way_in(door: Door) -> str:
    """How people come in here: provider | password | here."""
    return "provider" if door.asks_provider else "password" if door.asks_password else "here"


async def _form(request: Request) -> tuple[str, str, str]:
    """Name, password, and where to go on."""
    if int(request.headers["content-length"]) > FORM_SIZE:
        raise HTTPException(413)
    try:
        async with asyncio.timeout(FORM_TIME), request.form(max_files=0, max_fields=4) as form:
            name, password = plain_name(str(form.get("name") or "")), str(form.get("password") or "")
            return name, password, way_back(form.get("to"))
    except TimeoutError:
        raise HTTPException(408) from None


def _later(response: HTMLResponse, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return cast(Response, response)
