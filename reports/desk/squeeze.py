"""Compresses report pages on their way: the wall of ten thousand people is four megabytes of the same few words.

Only where nothing of the request comes back in the page: a page that repeats what a stranger typed beside a secret
would give the secret away by its compressed length.
"""

import re

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = re.compile(r"/batches/[a-z0-9]+/(|(index|blocked|run|print)\.html|people/[a-z0-9]+\.html|(assets|wall)/.+)")
LEAST = 2048  # bytes


class Squeezed:
    """An ASGI application around the desk's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._squeezing = app, GZipMiddleware(app, minimum_size=LEAST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fits = scope["type"] == "http" and not scope["query_string"] and PAGES.fullmatch(scope["path"])
        await (self._squeezing if fits else self._app)(scope, receive, send)
