"""Whether the forgetting is late: how long ago the last finished sweep was, by the audit log, whoever ran it.

Deliberately apart from schedules and orchestrators: those are what may have failed.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from tasks.sentences import tell
from tasks.vault.database import reading
from tasks.vault.records import AuditEntry

MOST = timedelta(hours=26)  # a day, and two hours for the sweep itself and for a change of the clocks


def lateness(engine: sa.Engine, now: datetime) -> timedelta | None:
    """How long ago the last sweep ended, when that is more than `MOST`; None when all is well.

    A home in which none ever ended is counted from its first entry; one in which nothing was done yet owes nothing.
    """
    seq, at = col(AuditEntry.seq), col(AuditEntry.at)
    swept = sa.select(sa.func.max(seq)).where(col(AuditEntry.action) == "sweep").scalar_subquery()
    first = sa.select(sa.func.min(seq)).scalar_subquery()
    with reading(engine) as connection:
        since = connection.execute(sa.select(at).where(seq == sa.func.coalesce(swept, first))).scalar()
    passed = now - since if since is not None else timedelta(0)
    return passed if passed > MOST else None


def sentence(late: timedelta) -> str:
    """For whoever has to know."""
    ago, most = (int(span.total_seconds() // 3600) for span in (late, MOST))
    return tell("goes.overdue", ago, most=most)
