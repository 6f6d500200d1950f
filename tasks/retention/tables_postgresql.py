"""Looks for somebody in PostgreSQL: in every row of every table, read as they are to whoever asks for them.

Its files are its own server's and not ours to read, so what it keeps of deleted rows until it overwrites them is not
seen here: the receipt names it among what lies outside our reach.
"""

import json
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from tasks.retention.spelled import Spelled, Spellings, places, stands_alone
from tasks.retention.tables import which_row

_AT_ONCE = 1000  # rows fetched together: no table is ever in memory as a whole


def bytes_of_rows(engine: sa.Engine) -> int:
    """How much there is to read, about: what the tables take on the server's disk."""
    size = sa.text("SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND relnamespace = "
                   "current_schema()::regnamespace")  # fmt: skip
    with engine.connect() as connection:
        return int(connection.execute(size).scalar_one())


def search_rows(engine: sa.Engine, wanted: Spellings) -> Iterator[tuple[Spelled, str] | None]:
    """Every needle in this database's rows, as (which, table column and row); None once for each row that was read."""
    quiet = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with quiet.connect() as connection:
        for name in sorted(sa.inspect(connection).get_table_names()):
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            columns = [column.name for column in table.columns]
            streamed = connection.execution_options(stream_results=True, yield_per=_AT_ONCE)
            for number, row in enumerate(streamed.execute(sa.select(table)), start=1):
                yield None
                values = [_as_bytes(value) for value in row]
                yield from _in_row(name, columns, values, number, wanted)


def _in_row(
    table: str, columns: Sequence[str], values: Sequence[bytes | int | None], number: int, wanted: Spellings
) -> Iterator[tuple[Spelled, str]]:
    for column, value in zip(columns, values, strict=True):
        if not isinstance(value, bytes):
            continue
        for one in wanted:
            if one.written in value and (
                not one.word or any(stands_alone(value, at, one) for at in places(value, one.written))
            ):
                yield one, f"table {table}, column {column}, {which_row(columns, values, number)}"


def _as_bytes(value: object) -> bytes | int | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).encode()
    if value is None or isinstance(value, bool):
        return None
    return value if isinstance(value, int) else str(value).encode()
