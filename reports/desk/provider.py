"""Signing in at the desk by way of the company's provider: out to it, and back."""

from hmac import compare_digest

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports.desk import pages
from reports.desk.login import set_session, way_back
from reports.door.door import Door
from reports.door.oidc import ATTEMPT, Provider, SignInFailed
from tasks.vault.sign_ins import STAY

TRYING = "rollcall_signing_in"
HINT = "rollcall_sign_out"  # the provider's token, sealed; sent to us with one request only
LEAVING = "rollcall_leaving"


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
        return HTMLResponse(pages.login("provider", error=str(wrong)), 401)

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
            who, to, hint = await run_in_threadpool(known().finish, request.cookies.get(TRYING), answer, now)
        except SignInFailed as wrong:
            return failed(wrong)
        # A page, not a redirect: a browser that comes from another site would not send the strict cookie along.
        response = HTMLResponse(pages.entered(way_back(to), who.name))
        set_session(request, response, await run_in_threadpool(door.welcome, who, now))
        response.delete_cookie(TRYING, path="/login")
        if hint:
            response.set_cookie(
                HINT, hint, httponly=True, samesite="strict", secure=settings.public_url.startswith("https:"),
                path="/logout", max_age=int(STAY.total_seconds()),
            )  # fmt: skip
        return response

    @app.get("/login/out")
    def out_there(request: Request) -> Response:
        known()
        state, kept = request.query_params.get("state", ""), request.cookies.get(LEAVING, "")
        both = bool(kept) and compare_digest(state.encode(), kept.encode())
        response = HTMLResponse(pages.left(both))
        response.delete_cookie(LEAVING, path="/login")
        return response

    app.state.farewell = lambda request: farewell(request, provider)


def farewell(request: Request, provider: Provider | None) -> Response:
    """What signing out leads to: the provider's own, where there is one that can be asked; else the door."""
    if provider is None:
        return RedirectResponse("/login", 303)
    out = provider.farewell(request.cookies.get(HINT), request.app.state.clock())
    # A page, not a redirect: our forms may lead to our own pages only, and browsers hold a redirect to that as well.
    response: Response = HTMLResponse(pages.leaving(out[0])) if out else RedirectResponse("/login/out", 303)
    response.delete_cookie(HINT, path="/logout")
    if out:
        secure = request.app.state.settings.public_url.startswith("https:")
        response.set_cookie(LEAVING, out[1], httponly=True, samesite="lax", secure=secure, path="/login", max_age=600)
    return response
