"""Locks of the records' database, for what one machine may do at a time. PostgreSQL frees them with the connection.

However the holder ends, and on whichever machine, the lock is free within moments. SQLite is one machine's alone, where
a locked file does the same; here it grants everything.
"""

from hashlib import sha256
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine


class Advisory:
    """One lock, by name, held by a connection of its own."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Whether the lock is ours now; asked again, whether it still is: a connection that was lost is made anew.

        Raises what SQLAlchemy does when the database cannot be reached.
        """
        if self._engine.dialect.name != "postgresql":
            return True
        if self._connection is not None:
            try:
                self._connection.execute(sa.text("SELECT 1"))
                return True
            except sa.exc.DBAPIError:
                self.free()
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one():
            self._connection = connection
            return True
        connection.close()
        return False

    def free(self) -> None:
        """Lets go; doing it twice does nothing."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
            except sa.exc.SQLAlchemyError:
                connection.invalidate()  # the lock has gone with it
            connection.close()

    def __enter__(self) -> "Advisory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.free()
