"""Prefect's server with SQLite transactions that wait for the lock instead of failing half-way.

By default Prefect begins SQLite transactions DEFERRED; with two requests at a time more than half are
answered 503 (measured), and a browser does not try again. On PostgreSQL nothing is changed.
Run as `python -m flows.server --host 127.0.0.1 --port 4200`; `rollcall up` does.
"""

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from prefect.server.database import configurations
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


@asynccontextmanager
async def begin_immediately(
    self: configurations.AioSqliteConfiguration, session: AsyncSession, with_for_update: bool = False
) -> AsyncGenerator[AsyncSessionTransaction, None]:
    """Begins a transaction that holds the write lock from the start, so that a later write cannot be refused."""
    token = configurations.SQLITE_BEGIN_MODE.set("IMMEDIATE")
    try:
        async with session.begin() as transaction:
            yield transaction
    finally:
        configurations.SQLITE_BEGIN_MODE.reset(token)


def wait_for_locks() -> None:
    """Makes every SQLite transaction of this process begin IMMEDIATE."""
    configurations.AioSqliteConfiguration.begin_transaction = begin_immediately  # type: ignore[method-assign]


def main() -> None:
    """Serves Prefect's API and pages until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    options = parser.parse_args()
    wait_for_locks()
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(), host=options.host, port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
