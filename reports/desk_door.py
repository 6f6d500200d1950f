"""The desk's door: who may come in, and how long they may stay.

The password is compared through scrypt; sessions are signed values that live in the browser and nowhere else, and end
with the process, with their time, or by signing out. A form token is bound to its session, so another site cannot act
in a reviewer's name. Time is an argument everywhere.
"""

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import scrypt, sha256

from reports.desk_tries import Tries
from reports.reviewer_names import plain_name

COOKIE = "rollcall_desk"
STAY = timedelta(hours=10)  # a working day
IDLE = timedelta(hours=2)
KNOWN = "rollcall_known"  # a browser that came in before, whose tries are its own
KNOWN_FOR = timedelta(days=90)
_COST = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20}  # about 50 ms and 16 MiB a try


@dataclass(frozen=True)
class Session:
    """Somebody who has come in. `by` is the name they gave; it goes into the records with their decisions."""

    by: str
    id: str
    began: datetime
    seen: datetime


@dataclass
class Door:
    """One per desk. Without a password only this machine may come in, which the desk checks by address."""

    password: str | None
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _left: set[str] = field(default_factory=set)
    tries: Tries = field(default_factory=Tries)
    _hash: bytes | None = None

    def __post_init__(self) -> None:
        self._hash = self._hashed(self.password) if self.password else None
        self.password = None  # only its hash stays in memory

    @property
    def asks_password(self) -> bool:
        return self._hash is not None

    def opens(self, password: str) -> bool:
        """Whether this password opens the door. Takes a tenth of a second: never in an event loop."""
        return self._hash is None or hmac.compare_digest(self._hashed(password), self._hash)

    def acquainted(self, known: str | None) -> str:
        """A value for the browser that came in, so that it is known again; until this process ends."""
        identity = known or secrets.token_urlsafe(12)
        return f"{identity}.{self._sign('known', identity)}"

    def known(self, cookie: str | None) -> str | None:
        """Which known browser this is; None for strangers."""
        identity, _, signature = (cookie or "").partition(".")
        return identity if hmac.compare_digest(signature.encode(), self._sign("known", identity).encode()) else None

    def _hashed(self, password: str) -> bytes:
        return scrypt(password.encode()[:1024], salt=self.secret, **_COST)

    def let_in(self, by: str, now: datetime) -> str:
        """A new session, as the cookie's value."""
        return self._write(Session(plain_name(by) or "reviewer", secrets.token_urlsafe(12), now, now))

    def renewed(self, session: Session, now: datetime) -> str:
        """The same session, seen now."""
        return self._write(Session(session.by, session.id, session.began, now))

    def _write(self, session: Session) -> str:
        times = [int(session.began.timestamp()), int(session.seen.timestamp())]
        body = base64.urlsafe_b64encode(json.dumps([session.by, session.id, *times]).encode()).decode()
        return f"{body}.{self._sign('session', body)}"

    def session(self, cookie: str | None, now: datetime) -> Session | None:
        """Whose cookie this is; None when it is not ours, too old, or signed out."""
        body, _, signature = (cookie or "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", body).encode()):
            return None
        try:
            by, identity, began, seen = json.loads(base64.urlsafe_b64decode(body))
        except (ValueError, binascii.Error):
            return None
        first, last = (datetime.fromtimestamp(moment, now.tzinfo) for moment in (began, seen))
        found = Session(by, identity, first, last)
        stale = now - found.began > STAY or now - found.seen > IDLE
        return None if stale or found.id in self._left else found

    def leave(self, session: Session) -> None:
        """Sign out: the cookie is worth nothing from now on, wherever a copy of it lies."""
        self._left.add(session.id)

    def token(self, session: Session) -> str:
        """What a form of this session must carry."""
        return self._sign("form", session.id)

    def accepts(self, session: Session, token: str | None) -> bool:
        return hmac.compare_digest((token or "").encode(), self.token(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self.secret, f"{purpose}\0{text}".encode(), sha256).hexdigest()
