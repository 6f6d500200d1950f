"""Who looked at whose page: an entry of the audit log for each time, by opaque ids, and counted when somebody asks."""

from collections import Counter
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from tasks.vault.audit_log import Event, append
from tasks.vault.records import AuditEntry, Reviewer
from tasks.vault.store import Vault

LOOK = "look"


def note_look(vault: Vault, reviewer: str, employee_id: str, batch: str, now: datetime) -> None:
    """Put into the log, before the page is shown, that it is."""
    with vault.session() as session:
        append(session, [Event(LOOK, employee_id, batch, {}, reviewer or "reviewer")], now=now)


def looks_at(vault: Vault, employee_id: str) -> list[tuple[str, int]]:
    """Who has looked at this person's pages and how often, most often first. For keepers, and for the person."""
    with vault.reading() as session:
        mine = select(AuditEntry.actor, sa.func.count()).where(
            col(AuditEntry.action) == LOOK, col(AuditEntry.subject) == employee_id
        )
        counts = Counter(dict(session.exec(mine.group_by(col(AuditEntry.actor))).all()))
        names = dict(session.exec(select(Reviewer.id, Reviewer.name).where(col(Reviewer.id).in_(list(counts)))).all())
    return [(names.get(actor) or actor, number) for actor, number in counts.most_common()]
