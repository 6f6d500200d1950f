"""Signing in at the desk by way of the company's provider: out to it, and back."""

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports import desk_pages
from reports.desk_door import Door
from reports.desk_login import set_session, way_back
from reports.oidc import ATTEMPT, Provider, SignInFailed

TRYING = "rollcall_signing_in"


def add_provider(app: FastAPI) -> None:
    """The way out and the way back; neither is there where a password is asked for. Raises BadProvider."""
    door: Door = app.state.door
    settings = app.state.settings
    provider = Provider(settings, app.state.vault.keys.secret("desk door")) if door.asks_provider else None

    def known() -> Provider:
        if provider is None:
            raise HTTPException(404)
        return provider

    def failed(wrong: SignInFailed) -> Response:
        return HTMLResponse(desk_pages.login("provider", error=str(wrong)), 401)

    @app.get("/login/start")
    async def out(request: Request) -> Response:
        back = way_back(request.query_params.get("to"))
        try:
            address, kept = await run_in_threadpool(known().begin, back, app.state.clock())
        except SignInFailed as wrong:
            return failed(wrong)
        response = RedirectResponse(address, 303)
        # "lax", since coming back from the provider is coming from another site.
        response.set_cookie(
            TRYING, kept, httponly=True, samesite="lax", secure=settings.public_url.startswith("https:"),
            path="/login", max_age=int(ATTEMPT.total_seconds()),
        )  # fmt: skip
        return response

    @app.get("/login/callback")
    async def back(request: Request) -> Response:
        now = app.state.clock()
        answer = dict(request.query_params)
        try:
            who, to = await run_in_threadpool(known().finish, request.cookies.get(TRYING), answer, now)
        except SignInFailed as wrong:
            return failed(wrong)
        # A page, not a redirect: a browser that comes from another site would not send the strict cookie along.
        response = HTMLResponse(desk_pages.entered(way_back(to), who.name))
        set_session(request, response, await run_in_threadpool(door.welcome, who, now))
        response.delete_cookie(TRYING, path="/login")
        return response
