"""Two pages for machines: `/ready`, for whoever sends people here, and `/metrics`, for whoever watches.

`/health` says that the process lives, and is answered by `login`. Both are asked by strangers and often, so parts
are looked at once in five seconds at most, and strangers are told names of parts and nothing else.
"""

import hmac
import threading
from datetime import datetime, timedelta

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from reports.desk.login import address_of
from reports.desk.metrics import scraped
from reports.door.address import is_here
from reports.readiness import Part, is_ready, readiness

FRESH = timedelta(seconds=5)  # load balancers ask every few seconds, several at once
METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Looked:
    """The newest answers; asked again when they are no longer fresh, by one at a time."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self._lock = app, threading.Lock()
        self._at: datetime | None = None
        self._parts: list[Part] = []

    def parts(self) -> list[Part]:
        with self._lock:
            now = self._app.state.clock()
            if self._at is None or not timedelta(0) <= now - self._at < FRESH:
                self._parts = readiness(self._app.state.vault, now)
                self._at = now
            return self._parts


def add_readiness(app: FastAPI) -> None:
    """The pages; who may ask for the second: this machine, and whoever has the token (ROLLCALL_METRICS_TOKEN)."""
    looked = app.state.looked = Looked(app)

    @app.get("/ready")
    def ready() -> Response:
        parts = looked.parts()
        told = {"ready": is_ready(parts), "parts": {part.name: part.well for part in parts}}
        return JSONResponse(told, 200 if is_ready(parts) else 503)

    @app.get("/metrics")
    def metrics(request: Request) -> Response:
        if not _may_look(request):
            raise HTTPException(403)
        vault, now = request.app.state.vault, request.app.state.clock()
        return Response(scraped(vault, looked.parts(), now), media_type=METRICS)


def _may_look(request: Request) -> bool:
    token = request.app.state.settings.metrics_token
    if token is None:
        return is_here(address_of(request))
    return hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode())
