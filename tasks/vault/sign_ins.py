"""Who is signed in at the desk, kept in the records: a session survives a restart, and ends by signing out or by time.

The browser holds a random token; the records hold its hash, so that who reads them cannot sign in with it. A session
belongs to the door that let it in: where the password or the provider has changed, it is unknown. Time is an argument.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.records import Reviewer, SignIn, new_id
from tasks.vault.store import Vault

STAY = timedelta(hours=10)  # a working day
IDLE = timedelta(hours=2)  # a long meeting
Proof = Literal["provider", "password", "here"]


@dataclass(frozen=True)
class Newcomer:
    """Who is coming in. `key` is what they are known by, for ever: not their name, where there is anything better."""

    key: str
    name: str
    proof: Proof
    email: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeskSession:
    """Whose session this is. `name` tells them from everybody else who ever came in."""

    token: str  # its hash
    reviewer: str
    name: str
    email: str
    proof: Proof
    groups: tuple[str, ...]
    began: datetime
    seen: datetime


def sign_in(vault: Vault, door: str, who: Newcomer, now: datetime) -> str:
    """Begin a session; the token that the browser keeps. Whoever came in before is the same `Reviewer` again."""
    token = secrets.token_urlsafe(32)
    key = vault.keys.pseudonym(f"reviewer {who.key}")
    with vault.session() as records:
        clear_sign_ins(records, now)
        reviewer = records.exec(select(Reviewer).where(col(Reviewer.key) == key)).one_or_none()
        if reviewer is None:
            reviewer = Reviewer(id=new_id("r"), key=key, proof=who.proof, first_at=now, last_at=now)
        reviewer.name, reviewer.email, reviewer.last_at = _own_name(records, reviewer, who), who.email, now
        records.add(reviewer)
        row = SignIn(
            token=_hash(token), reviewer_id=reviewer.id, door=door, groups=list(who.groups), began=now, seen=now
        )
        records.add(row)
    return token


def _own_name(records: Session, reviewer: Reviewer, who: Newcomer) -> str:
    """Two people of one name are told apart by their addresses: a decision must not look like the other's."""
    same = select(Reviewer.id).where(col(Reviewer.name) == who.name, col(Reviewer.id) != reviewer.id)
    shared = who.proof == "provider" and records.exec(same.limit(1)).first() is not None
    return f"{who.name} ({who.email or reviewer.id[-4:]})" if shared else who.name


def find_sign_in(vault: Vault, door: str, token: str | None, now: datetime) -> DeskSession | None:
    """Whose token this is; None when it is nobody's, another door's, signed out, or too old."""
    if not token:
        return None
    query = select(SignIn, Reviewer).join(Reviewer, col(Reviewer.id) == col(SignIn.reviewer_id))
    with vault.reading() as records:
        found = records.exec(query.where(col(SignIn.token) == _hash(token))).one_or_none()
    if found is None:
        return None
    row, reviewer = found
    if row.door != door or now - row.began > STAY or now - row.seen > IDLE:
        return None
    groups = tuple(str(group) for group in row.groups)
    return DeskSession(
        row.token, reviewer.id, reviewer.name, reviewer.email, reviewer.proof, groups, row.began, row.seen  # type: ignore[arg-type]
    )  # fmt: skip


def was_seen(vault: Vault, token: str, now: datetime) -> None:
    """Somebody is still there. `token` is the hash."""
    with vault.session() as records:
        records.execute(sa.update(SignIn).where(col(SignIn.token) == token).values(seen=now))


def sign_out(vault: Vault, token: str) -> None:
    """The token is worth nothing from now on, wherever a copy of it lies. `token` is the hash."""
    with vault.session() as records:
        records.execute(sa.delete(SignIn).where(col(SignIn.token) == token))


def clear_sign_ins(records: Session, now: datetime) -> int:
    """Remove sessions that are over; how many."""
    over = (col(SignIn.began) < now - STAY) | (col(SignIn.seen) < now - IDLE)
    return int(records.execute(sa.delete(SignIn).where(over)).rowcount)  # type: ignore[attr-defined]


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
