"""Signing in with the company's own provider: OpenID Connect, authorization code with PKCE, any conforming provider.

What is trusted is what the configured issuer signed, for us, for this very attempt, just now: signature by its keys
and a public-key algorithm, issuer, audience, times, nonce. The attempt waits in the browser, sealed, for ten minutes.
We keep nothing of a token but who it speaks of; the browser keeps it, sealed, for signing out at the provider. The only
door to authlib and joserfc. Time is an argument.
"""

import base64
import ipaddress
import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from reports.reviewer_names import plain_name
from tasks.failures import RollcallError
from tasks.sentences import tell
from tasks.vault.settings import Settings
from tasks.vault.sign_ins import STAY, Newcomer

ATTEMPT = timedelta(minutes=10)  # from leaving for the provider to coming back
KEPT = timedelta(hours=1)  # what the provider says about itself
KEYS_AGAIN = timedelta(seconds=30)  # between two looks for a key that is not known
CLOCKS_DIFFER = 60  # seconds
COOKIE_SIZE = 3500  # what a browser surely keeps under one name
WAIT = 10.0  # seconds for each answer of the provider
# Signed by the provider's private key. Never "none", and never a secret that both sides have.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class SignInFailed(RollcallError):
    """Nobody comes in by this attempt; the sentence is for whoever tried."""


class BadProvider(RollcallError):
    """The settings cannot be used; the sentence says which one and why."""


@dataclass(frozen=True)
class Attempt:
    """One try: what the provider has to send back, what the code is redeemed with, and where to go on."""

    state: str
    nonce: str
    verifier: str
    back: str


class Provider:
    """The company's provider. Safe to use from several threads; asks the network, so never in an event loop."""

    def __init__(self, settings: Settings, secret: bytes) -> None:
        """`secret` seals attempts. Raises BadProvider."""
        self.issuer, self.client = settings.oidc_issuer or "", settings.oidc_client_id
        self._password, self._groups = settings.oidc_client_secret, settings.oidc_groups
        self.callback = settings.public_url.rstrip("/") + "/login/callback"
        self.left = settings.public_url.rstrip("/") + "/login/out"
        if not _is_private(self.issuer):
            raise BadProvider("ROLLCALL_OIDC_ISSUER has to begin with https://, as the provider writes it.")
        if not self.client:
            raise BadProvider("ROLLCALL_OIDC_CLIENT_ID is missing: register the desk at the provider first.")
        self._seal = Fernet(base64.urlsafe_b64encode(sha256(b"oidc" + secret).digest()))
        self._lock = threading.Lock()
        self._about: dict[str, Any] = {}
        self._about_at = self._keys_at = datetime.min
        self._keys: list[Mapping[str, Any]] = []

    def begin(self, back: str, now: datetime) -> tuple[str, str]:
        """Where to send the browser, and what it keeps meanwhile. Raises SignInFailed."""
        attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(64), back)
        with self._http() as client:
            address, _ = client.create_authorization_url(
                self._endpoint(client, "authorization_endpoint", now),
                state=attempt.state, code_verifier=attempt.verifier, nonce=attempt.nonce,
            )  # fmt: skip
        sealed = self._seal.encrypt_at_time(json.dumps(vars(attempt)).encode(), int(now.timestamp()))
        return str(address), sealed.decode()

    def finish(self, kept: str | None, answer: Mapping[str, str], now: datetime) -> tuple[Newcomer, str, str]:
        """Who came back, where they go on, and what signing out will need: the token, sealed, for their browser to
        keep; empty where it is too large for that. Raises SignInFailed."""
        attempt = self._attempt(kept, now)
        if not secrets.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInFailed(tell("login.other_attempt"))
        if answer.get("iss", self.issuer) != self.issuer:
            raise SignInFailed(tell("login.other_provider"))
        if "error" in answer or "code" not in answer:
            raise SignInFailed(tell("login.not_let_in"))
        try:
            with self._http() as client:
                address = self._endpoint(client, "token_endpoint", now)
                client.token_endpoint_auth_method = self._way()
                token = client.fetch_token(address, code=answer["code"], code_verifier=attempt.verifier)
                said = str(token.get("id_token") or "")
                claims = self._claims(client, said, attempt.nonce, now)
                sealed = self._seal.encrypt_at_time(said.encode(), int(now.timestamp())).decode()
                return self._newcomer(client, claims, now), attempt.back, sealed if len(sealed) < COOKIE_SIZE else ""
        except (AuthlibBaseError, httpx2.HTTPError, JoseError, ValueError, KeyError) as wrong:
            raise SignInFailed(tell("login.unusable", fault=type(wrong).__name__)) from wrong

    def farewell(self, sealed: str | None, now: datetime) -> tuple[str, str] | None:
        """Where the browser signs out at the provider, and the state with which it comes back; None where the provider
        has no such place, or does not answer. `sealed`: what `finish` gave."""
        state = secrets.token_urlsafe(32)
        try:
            with self._http() as client:
                address = self._endpoint(client, "end_session_endpoint", now)
        except SignInFailed:
            return None
        said = {"client_id": self.client, "post_logout_redirect_uri": self.left, "state": state}
        if hint := self._opened(sealed, now):
            said["id_token_hint"] = hint
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(said)}", state

    def _opened(self, sealed: str | None, now: datetime) -> str:
        try:
            kept = (sealed or "").encode()
            return self._seal.decrypt_at_time(kept, int(STAY.total_seconds()), int(now.timestamp())).decode()
        except InvalidToken:
            return ""

    def _attempt(self, kept: str | None, now: datetime) -> Attempt:
        try:
            opened = self._seal.decrypt_at_time(
                (kept or "").encode(), int(ATTEMPT.total_seconds()), int(now.timestamp())
            )
            return Attempt(**json.loads(opened))
        except (InvalidToken, ValueError, TypeError):
            raise SignInFailed(tell("login.too_long")) from None

    def _http(self) -> OAuth2Client:
        ways = self._about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = next((one for one in ("client_secret_basic", "client_secret_post") if one in ways), "client_secret_basic")
        return OAuth2Client(
            self.client, self._password, token_endpoint_auth_method=way if self._password else "none",
            scope="openid profile email", redirect_uri=self.callback, code_challenge_method="S256",
            timeout=WAIT, trust_env=False,
        )  # fmt: skip

    def _way(self) -> str:
        """How we prove to the provider who we are, of the ways that it takes."""
        takes = self._about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        ours = [way for way in ("client_secret_basic", "client_secret_post") if way in takes]
        return (ours or ["client_secret_basic"])[0] if self._password else "none"

    def _endpoint(self, client: OAuth2Client, name: str, now: datetime) -> str:
        """An address of the provider's, from what it says about itself."""
        with self._lock:
            if now.replace(tzinfo=None) - self._about_at > KEPT:
                about = self._get(client, self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if about.get("issuer") != self.issuer:
                    raise SignInFailed(tell("login.issuer", issuer=plain_name(str(about.get("issuer")))))
                self._about, self._about_at = about, now.replace(tzinfo=None)
            address = str(self._about.get(name) or "")
        if not _is_private(address):
            raise SignInFailed(tell("login.no_endpoint", name=name))
        return address

    def _get(self, client: OAuth2Client, address: str) -> dict[str, Any]:
        try:
            answer = client.request("GET", address, withhold_token=True)
            content = answer.json() if answer.status_code == 200 else None
        except (httpx2.HTTPError, ValueError) as wrong:
            raise SignInFailed(tell("login.silent")) from wrong
        if not isinstance(content, dict):
            raise SignInFailed(tell("login.odd"))
        return content

    def _claims(self, client: OAuth2Client, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """What the token says, once everything about it has been checked."""
        header = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "==") or b"{}")
        claims = dict(jwt.decode(token, self._fitting(client, header, now), algorithms=list(ALGORITHMS)).claims)
        must: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.client},
            "nonce": {"essential": True, "value": nonce}, "sub": {"essential": True},
            "exp": {"essential": True}, "iat": {"essential": True},
        }  # fmt: skip
        jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=CLOCKS_DIFFER, **must).validate(claims)
        if claims.get("azp", self.client) != self.client:
            raise ValueError("azp")
        return claims

    def _fitting(self, client: OAuth2Client, header: Mapping[str, Any], now: datetime) -> KeySet:
        """The provider's key of this name, asked for anew when it is not known: providers change their keys."""
        address = self._endpoint(client, "jwks_uri", now)
        with self._lock:
            moment = now.replace(tzinfo=None)
            kid = header.get("kid")
            if not [key for key in self._keys if key.get("kid") == kid] and moment - self._keys_at > KEYS_AGAIN:
                self._keys, self._keys_at = list(self._get(client, address).get("keys") or []), moment
            fitting = [
                key for key in self._keys
                if key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"
                and (kid is None or key.get("kid") == kid)
            ]  # fmt: skip
        return KeySet.import_key_set({"keys": fitting})  # type: ignore[typeddict-item]

    def _newcomer(self, client: OAuth2Client, claims: dict[str, Any], now: datetime) -> Newcomer:
        if not (claims.get("name") and claims.get("email") and _at(claims, self._groups)):
            claims = {**self._more(client, claims, now), **claims}
        email = str(claims.get("email") or "") if claims.get("email_verified") is not False else ""
        called = next((str(claims[key]) for key in ("name", "preferred_username", "email") if claims.get(key)), "")
        groups = _at(claims, self._groups)
        named: Sequence[Any] = groups if isinstance(groups, list) else [groups] if groups else []
        return Newcomer(
            f"{self.issuer}\0{claims['sub']}", plain_name(called) or f"reviewer {claims['sub']}"[:80], "provider",
            plain_name(email), tuple(str(group) for group in named),
        )  # fmt: skip

    def _more(self, client: OAuth2Client, claims: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """What only the provider's second answer says: of the same person, or not at all."""
        if not self._about.get("userinfo_endpoint"):
            return {}
        answer = client.get(self._endpoint(client, "userinfo_endpoint", now))
        said = answer.json() if answer.status_code == 200 else {}
        return said if isinstance(said, dict) and said.get("sub") == claims["sub"] else {}


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path such as `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _is_private(address: str) -> bool:
    """Whether nobody can listen: https, or this machine itself."""
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"
