"""The desk's page that says what a picture from anywhere says about how it was made. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from reports.desk import pages
from reports.desk.corrections import sent
from reports.desk.login import signed_in
from reports.door.door import Door
from tasks.disclosure.installation import mark_key
from tasks.disclosure.trust import own_root
from tasks.disclosure.verify import examine
from tasks.sentences import tell
from tasks.vault.store import Vault
from tasks.vision.glance import Refused
from tasks.vision.images import MAX_BYTES


def add_verify(app: FastAPI) -> None:
    """The form, and the answer under it."""
    vault: Vault = app.state.vault
    door: Door = app.state.door

    def page(
        request: Request, said: Sequence[str] = (), verdict: str = "", error: str = "", status: int = 200
    ) -> Response:
        session = signed_in(request)
        return HTMLResponse(pages.verify(session, door.token(session), said, verdict, error), 422 if error else 200)

    @app.get("/verify")
    def ask(request: Request) -> Response:
        return page(request)

    @app.post("/verify")
    async def answer(request: Request) -> Response:
        session = signed_in(request)
        if int(request.headers["content-length"]) > MAX_BYTES:
            raise HTTPException(413)
        async with request.form(max_files=1, max_fields=1) as form:
            if not door.accepts(session, str(form.get("token"))):
                raise HTTPException(403)
            chosen = sent(form.get("picture"))
            data = await run_in_threadpool(chosen.content.read) if chosen else b""
        if not data:
            return page(request, error=tell("verify.no_file"))
        try:
            found = await run_in_threadpool(examine, data, [mark_key(vault.keys)], own_root(vault.settings))
        except Refused:
            return page(request, error=tell("verify.no_picture"))
        return page(request, found.sentences(), found.verdict.name.lower())
