"""The audit log: what was done to whom, when, by which actor; each entry chained to the one before by its hash.

Entries hold ids, codes and counts, never names, so the log outlives the people in it. A chain alone cannot show that
its end was cut off or that somebody with the database rewrote all of it; the signed checkpoints can (`checkpoint`),
when a copy of them is kept somewhere else. `verify_audit.py` beside this file checks both without importing Rollcall.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from tasks.vault.database import reading
from tasks.vault.records import AuditEntry
from tasks.vault.signing import Signer
from tasks.vault.verify_audit import GENESIS, AuditVerdict, entry_hash, read_log, verify_entries

_APPEND_LOCK = 0x41756469  # PostgreSQL advisory lock: the chain has one end
_table = SQLModel.metadata.tables["auditentry"]  # read as plain rows: a long log should not become objects


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


def entries(engine: sa.Engine) -> Iterator[dict[str, Any]]:
    """Every entry in order, as the verifier reads it."""
    with reading(engine) as connection:
        for row in connection.execute(sa.select(_table).order_by(_table.c.seq)).mappings():
            yield {**row, "at": written_time(row["at"])}


def checkpoint(engine: sa.Engine, signer: Signer, *, now: datetime) -> dict[str, Any]:
    """A signed statement of how long the log is and how it ends. Keep copies where this machine cannot write."""
    newest = sa.select(_table.c.seq, _table.c.hash).order_by(_table.c.seq.desc()).limit(1)
    with reading(engine) as connection:
        last = connection.execute(newest).one_or_none()
    size, head = (last[0], last[1]) if last else (0, GENESIS)
    return signer.sign({"what": "rollcall audit checkpoint", "size": size, "head": head, "at": written_time(now)})


def verify(log: Path | sa.Engine, checkpoint: dict[str, Any] | None, public: bytes | None = None) -> AuditVerdict:
    """Check the whole chain, and against a checkpoint when there is one."""
    return verify_entries(read_log(log) if isinstance(log, Path) else entries(log), checkpoint, public)


def export(engine: sa.Engine, path: Path) -> int:
    """Write the log as one JSON entry per line, for keeping elsewhere; how many entries."""
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        for entry in entries(engine):
            file.write(json.dumps(entry, sort_keys=True) + "\n")
            count += 1
    return count
