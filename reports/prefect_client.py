"""Prefect's API over plain HTTP, signed in as a machine: the supervisor's and the desk's door to it."""

from collections.abc import Generator
from uuid import uuid4

import httpx


class SignedIn(httpx.Auth):
    """A login, and before each write a token of our own: one per client name, so never another's."""

    requires_response_body = True

    def __init__(self, login: str) -> None:
        name, _, secret = login.partition(":")
        self._basic = httpx.BasicAuth(name, secret)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.method not in {"GET", "HEAD"}:
            client = str(uuid4())
            ask = httpx.Request("GET", request.url.copy_with(path="/api/csrf-token", query=f"client={client}".encode()))
            [_] = self._basic.auth_flow(ask)
            answer = yield ask
            if answer.status_code == 200:  # else the write itself is refused, and says why
                request.headers["Prefect-Csrf-Client"] = client
                request.headers["Prefect-Csrf-Token"] = answer.json()["token"]
        [_] = self._basic.auth_flow(request)
        yield request


def client(api: str, login: str, *, timeout: float = 30, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Prefect's API at this address (ending in /api), as a machine. `timeout`: seconds to wait for an answer."""
    return httpx.Client(base_url=api, auth=SignedIn(login), timeout=timeout, trust_env=False, transport=transport)
