"""A small OpenID provider on this machine, over real HTTP: discovery, keys, authorization code with PKCE, userinfo.

It does what the standard says, and on demand what a bad one, or somebody between, would do.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "rollcall-desk", "between-us"


@dataclass
class TestProvider:
    """`claims`: what it says of whoever signs in; `spoil`: claims that replace them; `userinfo`: its second answer."""

    __test__ = False

    now: datetime
    address: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "name": "Ada Brandt"})
    spoil: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    issuer: str | None = None  # what it calls itself, where that is not its address
    algorithm: str = "RS256"
    kid: str | None = "one"
    key: RSAKey | ECKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    signs_with: Any = None  # another key than the published one
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    way: str = "client_secret_basic"
    down: bool = False
    ends_sessions: bool = True
    ended: list[dict[str, str]] = field(default_factory=list)

    def token(self, nonce: str) -> str:
        at = int(self.now.timestamp())
        said = {"iss": self.issuer or self.address, "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": nonce}
        said = {k: v for k, v in {**said, **self.claims, **self.spoil}.items() if v is not None}
        header = {"alg": self.algorithm, **({"kid": self.kid} if self.kid else {})}
        if self.algorithm == "none":
            parts = (base64.urlsafe_b64encode(json_bytes(part)).rstrip(b"=").decode() for part in (header, said))
            return ".".join(parts) + "."
        signing = self.signs_with or (OctKey.import_key(SECRET * 4) if self.algorithm == "HS256" else self.key)
        return jwt.encode(header, said, signing, algorithms=[self.algorithm])


def json_bytes(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


def application(provider: TestProvider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def about() -> Response:
        if provider.down:
            return Response(status_code=503)
        here = provider.address
        return JSONResponse({
            "issuer": provider.issuer or here, "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token", "jwks_uri": f"{here}/keys", "userinfo_endpoint": f"{here}/userinfo",
            "token_endpoint_auth_methods_supported": [provider.way], "response_types_supported": ["code"],
            **({"end_session_endpoint": f"{here}/end?tenant=corp"} if provider.ends_sessions else {}),
        })  # fmt: skip

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [provider.key.as_dict(private=False)]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        given = dict(request.query_params)
        provider.asked.append(given)
        right = given["response_type"] == "code" and given["client_id"] == CLIENT and "openid" in given["scope"].split()
        if not right or given.get("code_challenge_method") != "S256":
            return HTMLResponse("not a request of ours", 400)
        code = token_urlsafe(12)
        provider.codes[code] = given
        address = f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}"
        if "text/html" in request.headers.get("accept", ""):  # a browser: somebody presses the provider's own button
            return HTMLResponse(f'<!doctype html><title>Corp sign-in</title><a id="in" href="{address}">I am Ada</a>')
        return RedirectResponse(address, 303)

    @app.get("/end")
    def end(request: Request) -> Response:
        """RP-initiated logout: whose session, by a token that we signed for that client, and back with the state."""
        given = dict(request.query_params)
        provider.ended.append(given)
        said = jwt.decode(given["id_token_hint"], provider.key, algorithms=[provider.algorithm]).claims
        if said["aud"] != given["client_id"] or given["tenant"] != "corp":
            return HTMLResponse("not a session of ours", 400)
        return RedirectResponse(f"{given['post_logout_redirect_uri']}?{urlencode({'state': given['state']})}", 303)

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        proven = (
            request.headers.get("authorization") == f"Basic {basic}"
            if provider.way == "client_secret_basic"
            else (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        )
        asked = provider.codes.pop(form.get("code", ""), None)
        if not proven or asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({
            "access_token": "look-me-up", "token_type": "Bearer", "expires_in": 300,
            "id_token": provider.token(asked["nonce"]),
        })  # fmt: skip

    @app.get("/userinfo")
    def userinfo(request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer look-me-up":
            return Response(status_code=401)
        return JSONResponse({"sub": provider.claims["sub"], **provider.userinfo})

    return app


@contextmanager
def provided(now: datetime) -> Iterator[TestProvider]:
    """The provider, listening."""
    provider = TestProvider(now)
    server = uvicorn.Server(
        uvicorn.Config(application(provider), host="127.0.0.1", port=0, log_level="error", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    provider.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield provider
    server.should_exit = True
    thread.join()
