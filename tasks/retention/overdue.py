"""Whether the forgetting is late: how long ago the last finished sweep was, by the audit log, whoever ran it.

Deliberately apart from schedules and orchestrators: those are what may have failed.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import SQLModel

from tasks.vault.database import reading

MOST = timedelta(hours=26)  # a day, and two hours for the sweep itself and for a change of the clocks

_log = SQLModel.metadata.tables["auditentry"]


def lateness(engine: sa.Engine, now: datetime) -> timedelta | None:
    """How long ago the last sweep ended, when that is more than `MOST`; None when all is well.

    A home in which none ever ended is counted from its first entry; one in which nothing was done yet owes nothing.
    """
    swept = sa.select(sa.func.max(_log.c.seq)).where(_log.c.action == "sweep")
    first = sa.select(sa.func.min(_log.c.seq))
    with reading(engine) as connection:
        since = connection.execute(
            sa.select(_log.c.at).where(_log.c.seq == sa.func.coalesce(swept.scalar_subquery(), first.scalar_subquery()))
        ).scalar()
    passed = now - since if since is not None else timedelta(0)
    return passed if passed > MOST else None


def sentence(late: timedelta) -> str:
    """For whoever has to know."""
    ago, most = (int(span.total_seconds() // 3600) for span in (late, MOST))
    return f"The last finished forgetting sweep was {ago} hours ago; {most} are the most."
