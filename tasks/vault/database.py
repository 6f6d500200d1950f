"""Opens the records: SQLite with a write-ahead log by default, PostgreSQL by URL, in the shape of this code.

Empty records are made by whoever opens them first. Records that hold something change shape by `upgrade` alone, which
a person types when every other process is stopped: until then, and for processes of another shape, there is a sentence.

SQLite is set up so that nothing is silently lost or kept: transactions begin IMMEDIATE (a deferred one that turns
into a write fails at once when somebody else has written), commits are synced, deleted cells are overwritten
(`secure_delete`), and `forget_deleted_pages` empties the log, where deleted names otherwise live on. What was being
written stands in no exception (`hide_parameters`): those are read by others.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import ConnectionPoolEntry

from tasks.vault.failures import VaultError

if TYPE_CHECKING:
    from alembic.config import Config

CLOCKS = timedelta(seconds=30)  # further apart, and who decided last, or whose lease ran out, would be told wrongly
NEWEST = "0009"  # the revision in migrations/versions this code was written for
_BUSY = 60_000  # milliseconds a writer waits for another one
_SILENT = 5_000  # milliseconds of that in which nothing is said
# A server whose machine or network went away without a word: noticed within a minute, not after the system's two hours.
_GONE = {
    "connect_timeout": 10, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}  # fmt: skip
_READ_ONLY = "rollcall_reads_only"
_MIGRATION_LOCK = 0x526F6C6C  # PostgreSQL advisory lock: two workers starting at once migrate once


class DatabaseTooNew(VaultError):
    """The database was written by a newer Rollcall; using it could lose what this one does not know."""

    def __init__(self) -> None:
        super().__init__("The records were written by a newer Rollcall. Update this one, or start it again.")


def open_database(url: str) -> Engine:
    """An engine for this URL with the house's transaction rules; creates the SQLite file's folder."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        noticed = {name: value for name, value in _GONE.items() if name not in parsed.query}
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=4, hide_parameters=True,
            connect_args=noticed,
        )  # fmt: skip
    raise VaultError(f"records cannot be kept in {parsed.get_backend_name()!r}: use sqlite or postgresql")


def _open_sqlite(url: sa.URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = sa.create_engine(
        url, connect_args={"timeout": _BUSY / 1000, "check_same_thread": False}, hide_parameters=True
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: object, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we begin transactions ourselves
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",
            f"busy_timeout={_BUSY}",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_READ_ONLY, False):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_to_write(connection)

    return engine


def _begin_to_write(connection: Connection) -> None:
    """Take the one writer's place. Who waits longer than a moment is told that they do, and for what."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={_SILENT}")
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            logging.getLogger(__name__).warning("waiting for another program that writes to the records")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY - _SILENT}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # again, by the way that errors of the database are raised here
    finally:
        cursor.execute(f"PRAGMA busy_timeout={_BUSY}")
        cursor.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads: it neither waits for writers nor holds them up."""
    with engine.connect().execution_options(**{_READ_ONLY: True}) as connection:
        yield connection


def ahead_of(engine: Engine, now: datetime) -> timedelta | None:
    """By how much the clock that says `now` is ahead of the database's; None where that has no clock (SQLite)."""
    if engine.dialect.name != "postgresql":
        return None
    with reading(engine) as connection:
        theirs: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return now - theirs


class DatabaseTooOld(VaultError):
    """The records are of an older Rollcall and hold something: only a person may change their shape."""

    def __init__(self) -> None:
        super().__init__(
            "The records were written by an older Rollcall. Stop everything that uses them, make a backup, and run "
            "`rollcall upgrade`; nothing was changed."
        )


def prepare(engine: Engine) -> None:
    """Make the tables where there are none (or none with anything in them); safe when several processes try.

    Raises DatabaseTooOld or DatabaseTooNew for records in another shape than this code's.
    """
    found = shape_of(engine)
    if found == NEWEST:
        return
    if found is not None and found not in _known_revisions():
        raise DatabaseTooNew()
    if found is not None and holds_something(engine):
        raise DatabaseTooOld()
    upgrade(engine)


def check_shape(connection: Connection) -> None:
    """Refuse to go on where the records have changed shape under a running process; one small read."""
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if found != NEWEST:
        raise DatabaseTooNew()


def holds_something(engine: Engine) -> bool:
    """Whether anybody or anything is in the records, beyond what every installation notes of itself."""
    with reading(engine) as connection:
        tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version", "installation", "lifesign"}
        quote = connection.dialect.identifier_preparer.quote
        return any(connection.execute(sa.text(f"SELECT 1 FROM {quote(name)} LIMIT 1")).first() for name in tables)


def upgrade(engine: Engine) -> tuple[str, str]:
    """Bring the tables to the newest shape, in one transaction; (shape before, shape now). Twice does nothing."""
    # Alembic is imported only when there is something to do: it would double the start time of every command.
    from alembic import command
    from alembic.util.exc import CommandError

    before = shape_of(engine) or "empty"
    config = _alembic()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseTooNew() from error
    return before, NEWEST


def _alembic() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}


def shape_of(engine: Engine) -> str | None:
    """The revision that the tables are in; None where there are none."""
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return found


def forget_deleted_pages(engine: Engine, patience: float = 2.0) -> bool:
    """Take deleted rows out of the files as far as the database lets us; True when that fully succeeded.

    On SQLite the write-ahead log is emptied: deleted rows are then in no file. A reader that still looks at an old
    snapshot holds the log open: the caller tries again later and may not claim that the bytes are gone. `patience` is
    how long (seconds) readers are waited for.
    """
    if engine.dialect.name == "postgresql":
        return _vacuum(engine, patience)
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={round(1000 * patience)}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()  # (busy, pages in the log, pages moved)
        cursor.execute(f"PRAGMA busy_timeout={_BUSY}")
        cursor.close()
    finally:
        raw.close()
    return row is not None and row[0] == 0


_NEVER_DELETED_FROM = ("auditentry", "alembic_version")  # the log only grows, and soon is the largest table of all
# Whoever may still look at rows from before this moment: open transactions, prepared ones, lagging replicas.
_OLD_SNAPSHOTS = """
    SELECT count(*) FROM (
        SELECT unnest(ARRAY[backend_xmin, backend_xid]) AS seen FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
        UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
        UNION ALL SELECT xmin FROM pg_replication_slots
    ) AS others
    WHERE seen IS NOT NULL AND age(seen) > txid_snapshot_xmax(txid_current_snapshot()) - :moment
"""


def _vacuum(engine: Engine, patience: float) -> bool:
    """PostgreSQL keeps deleted rows until VACUUM, and VACUUM keeps those that an older transaction may still read.

    What it removes is gone from tables and indexes; its own log, replicas and the free space of its pages are outside
    our reach, and receipts say so.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        moment = connection.execute(sa.text("SELECT txid_snapshot_xmax(txid_current_snapshot())")).scalar_one()
        deadline = time.monotonic() + patience
        while held := connection.execute(sa.text(_OLD_SNAPSHOTS), {"moment": moment}).scalar_one():
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        tables = sorted(set(sa.inspect(connection).get_table_names()) - set(_NEVER_DELETED_FROM))
        # Without INDEX_CLEANUP a few dead rows are left standing in the indexes, and an index holds numbers.
        quoted = ", ".join(connection.dialect.identifier_preparer.quote(table) for table in tables)
        connection.exec_driver_sql(f"VACUUM (INDEX_CLEANUP ON) {quoted}")
    return not held
