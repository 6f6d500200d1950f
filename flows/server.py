"""Prefect's server behind our door, with SQLite transactions that wait for the lock instead of failing half-way.

By default Prefect begins SQLite transactions DEFERRED; with two requests at a time more than half are
answered 503 (measured), and a browser does not try again. On PostgreSQL nothing is changed.
Run as `python -m flows.server --host 127.0.0.1 --port 4200`; `rollcall up` does, and `rollcall make` for its own time.
The machines' login comes by PREFECT_SERVER_API_AUTH_STRING, without which nothing starts; the people's by
ROLLCALL_PEOPLE_LOGIN, without which people stay out.
"""

import argparse
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from prefect.server.database import configurations
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

from flows.door import PrefectDoor
from flows.environment import LOOPBACK, SWEEP_CRON
from tasks.vault.json_log import logs
from tasks.vault.process import begin_process, end_with_parent


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


def names_of(host: str, public: list[str]) -> set[str]:
    """Which names this server answers to: loopback's, those it was told, and this machine's own beyond loopback."""
    names = {"127.0.0.1", "localhost", "[::1]", *public}
    return names if host in LOOPBACK else names | {socket.gethostname(), socket.getfqdn()}


def main() -> None:
    """Serves Prefect's API and pages until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    parser.add_argument("--public", action="append", default=[], help="a further name that this server answers to")
    parser.add_argument("--temporary", action="store_true", help="without pages, schedules and other services")
    options = parser.parse_args()
    begin_process()
    end_with_parent()
    machines = os.environ.get("PREFECT_SERVER_API_AUTH_STRING")
    if not machines:
        sys.exit("Nobody may serve Prefect without a login: set PREFECT_SERVER_API_AUTH_STRING.")
    wait_for_locks()
    from prefect.server.api.server import create_app

    door = PrefectDoor(
        create_app(ephemeral=options.temporary, final=True),
        machines=machines,
        people=os.environ.pop("ROLLCALL_PEOPLE_LOGIN", None),
        names=names_of(options.host, options.public),
        numbers=options.host not in LOOPBACK,
        schedule={"cron": SWEEP_CRON, "timezone": os.environ.get("ROLLCALL_TIMEZONE", "UTC")},
        clock=time.monotonic,
    )
    # Addresses are those of the connection: whoever counts wrong logins must not believe what a caller says of itself.
    uvicorn.run(
        door, host=options.host, port=options.port, log_level="warning", access_log=False, proxy_headers=False,
        server_header=False, timeout_graceful_shutdown=5, **logs(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
