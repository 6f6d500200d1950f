"""What every page of the desk does: it is shown to somebody who has signed in, and takes their session's forms only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse

from reports import when
from reports.desk.login import signed_in
from reports.site import render

FORM_SIZE = 16384  # bytes


def show(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page as this reviewer sees it."""
    return HTMLResponse(fragment(request, template, **context), status)


def fragment(request: Request, template: str, **context: Any) -> str:
    """The same as text: also for a part of a page that renews itself."""
    session = signed_in(request)
    now: datetime = request.app.state.clock()
    zone: str = request.app.state.settings.timezone
    return render(
        template,
        root="/",
        by=session.by,
        token=request.app.state.door.token(session),
        now=now,
        say_day=lambda moment: when.day(moment, zone, now),
        say_at=lambda moment: when.at(moment, zone, now),
        say_span=when.span,
        may=session.may,
        **context,
    )


async def form_of(request: Request, fields: int = 12) -> Mapping[str, str]:
    """What was filled in. Raises HTTPException for a form that is too large, or not of this session."""
    session = signed_in(request)
    if int(request.headers["content-length"]) > FORM_SIZE:
        raise HTTPException(413)
    async with request.form(max_files=0, max_fields=fields) as form:
        if not request.app.state.door.accepts(session, str(form.get("token"))):
            raise HTTPException(403)
        return {name: value for name, value in form.items() if isinstance(value, str)}
