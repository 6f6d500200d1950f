"""The audit log: what was done to whom, when, by which actor; each entry chained to the one before by its hash.

Entries hold ids, codes and counts, never names, so the log outlives the people in it. A chain alone cannot show that
its end was cut off or that somebody with the database rewrote all of it; the signed checkpoints can (`checkpoint`),
when a copy of them is kept somewhere else. `verify_audit.py` beside this file checks both without importing Rollcall.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.records import AuditEntry
from tasks.vault.verify_audit import GENESIS, entry_hash

_APPEND_LOCK = 0x41756469  # PostgreSQL advisory lock: the chain has one end


@dataclass(frozen=True)
class Event:
    """One thing that was done."""

    action: str
    subject: str
    object: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    actor: str = "rollcall"


def append(session: Session, events: Iterable[Event], *, now: datetime) -> None:
    """Chain these events to the log, within the caller's transaction: they are recorded if and only if it commits."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_APPEND_LOCK)))
    last = session.exec(select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    rows = []
    for event in events:
        seq += 1
        entry = {
            "seq": seq,
            "at": written_time(now),
            "actor": event.actor,
            "action": event.action,
            "subject": event.subject,
            "object": event.object,
            "result": event.result,
        }
        digest = entry_hash(previous, entry)
        rows.append({**entry, "at": now, "previous": previous, "hash": digest})
        previous = digest
    if rows:
        session.execute(sa.insert(AuditEntry), rows)


def written_time(moment: datetime) -> str:
    """The one way a time is written into the chain: UTC, microseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
