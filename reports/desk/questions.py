"""The desk's page of questions that only HR can answer: who is this, who has left, and whom do these photos show."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports.desk import pages
from reports.desk.login import signed_in
from reports.door.door import Door
from tasks.roster.new_numbers import answer_new_numbers, fingerprint, new_numbers
from tasks.roster.questions import BadAnswer, answer_question, answers_to_undo, open_questions
from tasks.sentences import tell
from tasks.vault.store import Vault

FORM_SIZE = 8192  # bytes
NEW_NUMBERS = "new-numbers"  # instead of a question's id: all that a merger asked, in one answer


def add_questions(app: FastAPI) -> None:
    """The list of what is open, and the form under each."""
    vault: Vault = app.state.vault
    door: Door = app.state.door

    def page(request: Request, error: str = "", status: int = 200) -> HTMLResponse:
        session = signed_in(request)
        asked, plain = open_questions(vault), new_numbers(vault)
        lines, undo = [one.words for one in plain], answers_to_undo(vault)
        shown = pages.questions(session, door.token(session), asked, error, lines, fingerprint(plain), undo)
        return HTMLResponse(shown, status)

    def answer_all(shown: str, by: str) -> None:
        plain = new_numbers(vault)
        if fingerprint(plain) != shown:
            raise BadAnswer(tell("questions.others_by_now"))
        answer_new_numbers(vault, plain, by, app.state.clock())

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
            shown = str(form.get("shown") or "")
        try:
            if question == NEW_NUMBERS:
                await run_in_threadpool(answer_all, shown, session.by)
            else:
                await run_in_threadpool(answer_question, vault, question, chosen, session.by, app.state.clock())
        except BadAnswer as fault:
            return await run_in_threadpool(page, request, str(fault), 409)
        return RedirectResponse("/questions", 303)
