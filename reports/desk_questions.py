"""The desk's page of questions that only HR can answer: who is this, and who has left or was left out."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports import desk_pages
from reports.desk_door import Door
from reports.desk_login import signed_in
from tasks.roster.questions import BadAnswer, answer_plain, answer_question, open_questions, plain_answers
from tasks.vault.store import Vault

FORM_SIZE = 8192  # bytes
PLAIN = "plain"  # instead of a question's id: all that a merger asked, in one answer


def add_questions(app: FastAPI) -> None:
    """The list of what is open, and the form under each."""
    vault: Vault = app.state.vault
    door: Door = app.state.door

    def page(request: Request, error: str = "", status: int = 200) -> HTMLResponse:
        session = signed_in(request)
        asked, plain = open_questions(vault), len(plain_answers(vault))
        return HTMLResponse(desk_pages.questions(session, door.token(session), asked, error, plain), status)

    @app.get("/questions")
    def ask(request: Request) -> Response:
        return page(request)

    @app.post("/questions/{question}")
    async def answer(question: str, request: Request) -> Response:
        session = signed_in(request)
        if int(request.headers["content-length"]) > FORM_SIZE:
            raise HTTPException(413)
        async with request.form(max_files=0, max_fields=4) as form:
            if not door.accepts(session, str(form.get("token"))):
                raise HTTPException(403)
            chosen = str(form.get("answer") or "")
            expected = str(form.get("plain") or "")
        try:
            if question == PLAIN and expected.isdigit():
                await run_in_threadpool(answer_plain, vault, int(expected), session.by, app.state.clock())
            else:
                await run_in_threadpool(answer_question, vault, question, chosen, session.by, app.state.clock())
        except BadAnswer as fault:
            return await run_in_threadpool(page, request, str(fault), 409)
        return RedirectResponse("/questions", 303)
