"""Who is asking: the client's own address and scheme, also where a proxy stands in front of the desk.

A proxy says for whom it asks, and so can anybody who is not one. Only proxies that the settings name are believed, and
of what they say only what the last unknown machine before them cannot have made up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.failures import RollcallError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadProxies(RollcallError):
    """The setting is no list of addresses or networks."""


def proxies_of(setting: str) -> tuple[Network, ...]:
    """`10.0.0.7, 192.168.4.0/24` → networks. Raises BadProxies."""
    try:
        return tuple(ipaddress.ip_network(word.strip(), strict=False) for word in setting.split(",") if word.strip())
    except ValueError as wrong:
        raise BadProxies(f"ROLLCALL_PROXIES holds addresses or networks, separated by commas: {wrong}") from None


class Forwarded:
    """In front of the application: puts the client's address and scheme where they would be without a proxy."""

    def __init__(self, app: ASGIApp, proxies: Sequence[Network] = ()) -> None:
        self._app, self._proxies = app, tuple(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._trusts(scope["client"][0]):
            client = self._client(_said(scope, b"x-forwarded-for"))
            scheme = _said(scope, b"x-forwarded-proto").rsplit(",", 1)[-1].strip().lower()
            scope = dict(scope)
            if client:
                scope["client"] = (client, 0)
            if scheme in {"http", "https"}:
                scope["scheme"] = scheme
        await self._app(scope, receive, send)

    def _client(self, forwarded_for: str) -> str | None:
        """The nearest address that is no proxy of ours; what stands before it may be invented."""
        for word in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
            address = _address(word)
            if address is None:
                return None
            if not self._trusts(address):
                return address
        return None

    def _trusts(self, address: str) -> bool:
        parsed = _address(address)
        return parsed is not None and any(ipaddress.ip_address(parsed) in network for network in self._proxies)


def _said(scope: Scope, name: bytes) -> str:
    """A header, all its lines in their order."""
    return ",".join(value.decode("latin-1") for header, value in scope["headers"] if header == name)


def _address(text: str) -> str | None:
    """`192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443` → the address."""
    bare = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def is_here(address: str) -> bool:
    """Whether this machine asks itself."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
