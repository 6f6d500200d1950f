"""The desk's door: who may come in, who is inside, and how long they may stay.

People come in by their company's provider, or, for a trial on one machine, by one shared password and a name they type.
The password is compared through scrypt. Sessions lie in the records (`tasks/vault/sign_ins.py`), so a restart signs
nobody out; a form token is bound to its session, so another site cannot act in a reviewer's name. Time is an argument.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import scrypt, sha256

from reports.door.tries import Tries
from reports.reviewer_names import plain_name
from reports.roles import EVERYTHING, Grant, Role, Roles, departments_of, folded
from tasks.vault.settings import Settings
from tasks.vault.sign_ins import IDLE, STAY, DeskSession, Newcomer, find_sign_in, sign_in, sign_out, was_seen
from tasks.vault.store import Vault

__all__ = ["COOKIE", "IDLE", "KNOWN", "KNOWN_FOR", "STAY", "Door", "Session"]

COOKIE = "rollcall_desk"
KNOWN = "rollcall_known"  # a browser that came in before, whose tries are its own
KNOWN_FOR = timedelta(days=90)  # longer than holidays; it opens nothing, it only counts the tries of this browser apart
_COST = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20}  # about 50 ms and 16 MiB a try


@dataclass(frozen=True)
class Session:
    """Somebody who has come in. `by` is their name, which goes into the records with their decisions, and `author` the
    opaque id that goes into the log. What they may do is asked anew at each request."""

    by: str
    id: str
    began: datetime
    seen: datetime
    author: str = ""
    grants: tuple[Grant, ...] = EVERYTHING

    def may(self, role: Role, department: str | None = None) -> bool:
        """Whether they may do what takes this role: for the whole company, or for one department."""
        of = departments_of(self.grants, role)
        return of is None or (department is not None and folded(department) in of)

    @property
    def role(self) -> str:
        """Their highest role in a word; empty for who has none."""
        for role in ("admin", "keeper", "reviewer", "viewer"):
            if any(grant.role == role for grant in self.grants):
                return role
        return ""


@dataclass
class Door:
    """One per desk. Without password and provider only this machine may come in, which the desk checks by address."""

    settings: Settings
    vault: Vault
    roles: Roles | None = None
    tries: Tries = field(default_factory=Tries)

    def __post_init__(self) -> None:
        """Raises BadRoles when the company's file of roles cannot be used."""
        secret = self.vault.keys.secret("desk door")
        self._secret, self._salt = secret, secrets.token_bytes(16)
        password = self.settings.desk_password
        self._hash = self._hashed(password) if password and not self.asks_provider else None
        way = f"{self.settings.oidc_issuer} {self.settings.oidc_client_id}" if self.asks_provider else password
        self._mark = self._sign("way in", way)[:32] if way else "here"
        self.settings = self.settings.model_copy(update={"desk_password": None})  # only its hash stays here
        if self.settings.roles is not None:
            self.roles = Roles(self.settings.roles)

    @property
    def asks_provider(self) -> bool:
        return self.settings.oidc_issuer is not None

    @property
    def asks_password(self) -> bool:
        return self._hash is not None

    @property
    def asks_anything(self) -> bool:
        return self.asks_provider or self.asks_password

    def opens(self, password: str) -> bool:
        """Whether this password opens the door. Takes a tenth of a second: never in an event loop."""
        return self._hash is None or hmac.compare_digest(self._hashed(password), self._hash)

    def acquainted(self, known: str | None) -> str:
        """A value for the browser that came in, so that it is known again."""
        identity = known or secrets.token_urlsafe(12)
        return f"{identity}.{self._sign('known', identity)}"

    def known(self, cookie: str | None) -> str | None:
        """Which known browser this is; None for strangers."""
        identity, _, signature = (cookie or "").partition(".")
        return identity if hmac.compare_digest(signature.encode(), self._sign("known", identity).encode()) else None

    def let_in(self, by: str, now: datetime) -> str:
        """A new session of somebody who typed their name, as the cookie's value."""
        name = plain_name(by) or "reviewer"
        proof = "password" if self.asks_password else "here"
        return self.welcome(Newcomer(f"{proof} {name}", name, proof), now)  # type: ignore[arg-type]

    def welcome(self, who: Newcomer, now: datetime) -> str:
        """A new session of this person, as the cookie's value."""
        return sign_in(self.vault, self._mark, who, now)

    def session(self, cookie: str | None, now: datetime) -> Session | None:
        """Whose cookie this is; None when it is not ours, too old, or signed out."""
        found = find_sign_in(self.vault, self._mark, cookie, now)
        if found is None:
            return None
        return Session(found.name, found.token, found.began, found.seen, found.reviewer, self._grants(found))

    def _grants(self, found: DeskSession) -> tuple[Grant, ...]:
        if not self.asks_provider:
            return EVERYTHING  # one shared password is one role
        return self.roles.grants(found.groups, found.email) if self.roles is not None else ()

    def renew(self, session: Session, now: datetime) -> None:
        """The same session, seen now."""
        was_seen(self.vault, session.id, now)

    def leave(self, session: Session) -> None:
        """Sign out: the cookie is worth nothing from now on, wherever a copy of it lies."""
        sign_out(self.vault, session.id)

    def token(self, session: Session) -> str:
        """What a form of this session must carry."""
        return self._sign("form", session.id)

    def accepts(self, session: Session, token: str | None) -> bool:
        return hmac.compare_digest((token or "").encode(), self.token(session).encode())

    def _hashed(self, password: str) -> bytes:
        return scrypt(password.encode()[:1024], salt=self._salt, **_COST)

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._secret, f"{purpose}\0{text}".encode(), sha256).hexdigest()
