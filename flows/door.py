"""The door before Prefect: which names it answers to, and which of two logins is asking.

Prefect knows one secret, the machines'. A request with the people's is held against `flows.door_rules` and goes on
under the machines' if it may; without either it is Prefect that refuses. Websockets take the machines' only.
"""

import base64
import hmac
import ipaddress
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from hashlib import sha256
from typing import Any

from flows.door_rules import MAY, NotAllowed, allowed_body, is_look
from flows.enter_page import ENTER, ENTER_POLICY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Prefect's own help pages load scripts from elsewhere, and tell strangers what there is to call.
CLOSED = re.compile(r"(/api)?/(docs|redoc|openapi\.json)(/.*)?")
MOST_BODY = 600_000  # bytes; a form's parameters are a few hundred
WRONG, WINDOW_S = 10, 60.0  # different wrong logins that one address may try in a minute
ADDRESSES = 1000  # remembered; the oldest go
HEADERS = {
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}


class WrongLogins:
    """Counts different wrong logins per address: a page left open with yesterday's is one, however often it asks."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._tried: OrderedDict[str, dict[bytes, float]] = OrderedDict()

    def too_many(self, address: str) -> bool:
        tried = self._tried.get(address, {})
        return sum(self.clock() - at < WINDOW_S for at in tried.values()) >= WRONG

    def note(self, address: str, login: bytes) -> None:
        tried = self._tried.setdefault(address, {})
        self._tried.move_to_end(address)
        tried[sha256(login).digest()] = self.clock()
        for old in [key for key, at in tried.items() if self.clock() - at >= WINDOW_S]:
            del tried[old]
        while len(self._tried) > ADDRESSES:
            self._tried.popitem(last=False)


class PrefectDoor:
    """An ASGI application around Prefect's."""

    def __init__(
        self,
        app: Application,
        *,
        machines: str,
        people: str | None,
        names: Collection[str],
        numbers: bool,
        schedule: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        """`people` None: nobody but machines. `names` it answers to; with `numbers` to any bare IP address as well,
        which no other site's name can be made to point to. `schedule`: the sweep's cron and time zone."""
        self.app = app
        self.machines, self.people = _basic(machines), _basic(people) if people else None
        self.names, self.numbers, self.schedule = {name.lower() for name in names}, numbers, schedule
        self.wrong = WrongLogins(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        heads = dict(scope["headers"])
        send = _with_headers(send)
        if not self._answers_to(heads.get(b"host", b"").decode("latin-1")):
            await _refuse(scope, send, 400, "This server does not answer to that name.")
        elif CLOSED.fullmatch(scope["path"]):
            await _refuse(scope, send, 404, "Not here.")
        elif scope["type"] == "http" and scope["path"] == "/enter":
            await _answer(send, 200, ENTER, {b"content-type": b"text/html; charset=utf-8", **ENTER_POLICY})
        else:
            await self._by_login(scope, receive, send, heads)

    async def _by_login(self, scope: Scope, receive: Receive, send: Send, heads: dict[bytes, bytes]) -> None:
        given = heads.get(b"authorization")
        if given is None or hmac.compare_digest(given, self.machines):
            await self.app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        if self.wrong.too_many(address):
            await _refuse(scope, send, 429, "Too many different logins were tried. Wait a minute.")
        elif self.people is None or not hmac.compare_digest(given, self.people):
            self.wrong.note(address, given)
            await _refuse(scope, send, 401, "That is not the login.")
        elif scope["type"] == "http" and scope["path"].startswith("/api/"):
            await self._as_people(scope, receive, send, heads)
        else:
            await self.app(scope, receive, send)

    async def _as_people(self, scope: Scope, receive: Receive, send: Send, heads: dict[bytes, bytes]) -> None:
        call, hear = f"{scope['method']} {scope['path'].removeprefix('/api')}", receive
        if not is_look(call):
            try:
                body = allowed_body(call, json.loads(await _whole(receive)), self.schedule)
            except NotAllowed as refused:
                # 405 and not 403: Prefect's pages show an advertisement for 403, and our sentence for 405.
                await _refuse(scope, send, 405, str(refused))
                return
            except (ValueError, AttributeError, TypeError, RecursionError):
                await _refuse(scope, send, 405, MAY)
                return
            raw = json.dumps(body).encode()
            heads.pop(b"transfer-encoding", None)
            heads |= {b"content-length": str(len(raw)).encode(), b"content-type": b"application/json"}
            hear = _once(raw, receive)
        heads[b"authorization"] = self.machines
        await self.app({**scope, "headers": list(heads.items())}, hear, send)

    def _answers_to(self, host: str) -> bool:
        name = re.sub(r":\d*$", "", host).lower()
        if name in self.names:
            return True
        try:
            return self.numbers and bool(ipaddress.ip_address(name.strip("[]")))
        except ValueError:
            return False


def _basic(login: str) -> bytes:
    return b"Basic " + base64.b64encode(login.encode())


async def _whole(receive: Receive) -> bytes:
    raw = b""
    while True:
        message = await receive()
        raw += bytes(message.get("body", b""))
        if len(raw) > MOST_BODY:
            raise NotAllowed("That is too much for a form.")
        if not message.get("more_body"):
            return raw


def _once(raw: bytes, receive: Receive) -> Receive:
    """The body that was written anew, and then whatever really comes: a browser that has gone, for example."""
    waiting: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]

    async def hear() -> Message:
        return waiting.pop() if waiting else await receive()

    return hear


def _with_headers(send: Send) -> Send:
    async def say(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {name.lower() for name, _ in message.get("headers", ())}
            ours = [(name, value) for name, value in HEADERS.items() if name not in have]
            message = {**message, "headers": [*message.get("headers", ()), *ours]}
        await send(message)

    return say


async def _refuse(scope: Scope, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, status, json.dumps({"detail": words}).encode(), {b"content-type": b"application/json"})


async def _answer(send: Send, status: int, body: bytes, headers: Mapping[bytes, bytes]) -> None:
    heads = [*headers.items(), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": heads})
    await send({"type": "http.response.body", "body": body})
