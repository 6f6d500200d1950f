"""A run says in the records that it lives, every ten seconds; the control machine judges by that.

Prefect's server may be away for longer than a dead machine may stay unnoticed, and it keeps its signs of life itself.
The records are what a run cannot work without. Times are the database's own, so that no machine's clock matters.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlmodel import col

from tasks.vault.database import reading
from tasks.vault.records import LifeSign

EVERY_S = 10.0  # between two signs
STALE = timedelta(days=1)  # what a machine left behind that is no more; nobody asks for it by then

logger = logging.getLogger(__name__)


def give_sign(engine: Engine, run: str, now: datetime) -> None:
    """Says that this run lives. `now` counts where the records have no clock of their own (SQLite: one machine)."""
    on_server = engine.dialect.name == "postgresql"
    at = sa.func.clock_timestamp() if on_server else now
    insert = postgresql.insert if on_server else sqlite.insert
    said = insert(LifeSign).values(run=run, at=at).on_conflict_do_update(index_elements=["run"], set_={"at": at})
    with engine.begin() as connection:
        connection.execute(said)


def signs(engine: Engine, now: datetime) -> dict[str, datetime]:
    """When each run was last heard of, by the clock that says `now`, whatever the database's says."""
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            aged = sa.select(col(LifeSign.run), sa.type_coerce(sa.func.clock_timestamp() - LifeSign.at, sa.Interval))
            return {run: now - age for run, age in connection.execute(aged)}
        return {run: at for run, at in connection.execute(sa.select(col(LifeSign.run), col(LifeSign.at)))}


def end_sign(engine: Engine, run: str) -> None:
    """This run has come to its end, and needs to be heard of no more."""
    with engine.begin() as connection:
        connection.execute(sa.delete(LifeSign).where(col(LifeSign.run) == run))


@contextmanager
def giving_signs(engine: Engine, run: str, every: float = EVERY_S) -> Iterator[None]:
    """Gives signs of life for the block, from a thread of its own; records that are away are tried again."""
    ended = threading.Event()

    def tell() -> None:
        try:
            give_sign(engine, run, datetime.now(UTC))
        except sa.exc.SQLAlchemyError as away:
            logger.info("the records could not be told that run %s lives (%s)", run, type(away).__name__)

    def live() -> None:
        while not ended.wait(every):
            tell()

    tell()
    thread = threading.Thread(target=live, name="life-signs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(every)
        try:
            end_sign(engine, run)
        except sa.exc.SQLAlchemyError as away:  # the run has ended all the same, and whoever asks Prefect is told so
            logger.info("the last sign of run %s stays (%s)", run, type(away).__name__)
