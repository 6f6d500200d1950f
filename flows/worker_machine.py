"""`rollcall worker`: this machine's cards, at work for an installation whose control machine is another.

It checks that the machine fits (`flows.fitting`) before it takes anything, and again whenever the control machine notes
something new; it keeps its workers running, and ends by itself when there has been nothing to do for as long as asked.
"""

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import sqlalchemy as sa

from flows.cards import card_workers
from flows.children import Service, StartFailed
from flows.environment import client_environment, prefect_environment, settled
from flows.fitting import DoesNotFit, House, NotYet, check_fit, read_house
from flows.life import OwnDeadGuard, at_work, crash_own_dead
from flows.logins import FILE, load_logins
from flows.prefect_api import installation_named
from flows.supervisor import SECRETS, Guard, signals_noted, watch
from reports.prefect_client import client
from tasks.vault.database import open_database
from tasks.vault.settings import Settings

WAITS_S, ASKS_S = 300.0, 5.0  # for a server that starts: machines are switched on together, in any order
LOOK_AGAIN_S = 60.0  # between two looks at what the control machine has noted
Say = Callable[[str], None]


def api_of(server: str) -> str:
    """Prefect's API below the address that people type."""
    parts = urlsplit(server if "://" in server else f"http://{server}")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/api')}/api"


def machine_login(settings: Settings) -> str:
    """The machines' login, as it was given or as this home has it; never one made here. Raises DoesNotFit."""
    if settings.machine_login is None and not (settings.home / FILE).is_file():
        raise DoesNotFit(
            f"The server lets in whoever has the machines' login: set ROLLCALL_MACHINE_LOGIN (or "
            f"ROLLCALL_MACHINE_LOGIN_FILE) to what stands in {FILE} of the control machine's home."
        )
    return settings.machine_login or load_logins(settings).machines


def check_server(settings: Settings, api: httpx.Client, pool: str) -> House:
    """Asks the server who it is, and whether this machine fits it. Raises DoesNotFit and what the vault says."""
    try:
        alive = api.get("/health")
        alive.raise_for_status()
        now = datetime.now(UTC)
        installation = installation_named(api)
    except httpx.HTTPStatusError as refused:
        said = "it does not know the machines' login" if refused.response.status_code in {401, 403} else "it refused"
        code = refused.response.status_code
        raise DoesNotFit(
            f"{api.base_url} answered {code}: {said}. Check --server and ROLLCALL_MACHINE_LOGIN."
        ) from None
    except httpx.TransportError as silent:
        raise NotYet(f"{api.base_url} does not answer ({type(silent).__name__}): check --server.") from None
    if installation is None:
        raise NotYet(f"{api.base_url} is no server of Rollcall's, or of an older one: start `rollcall up` there.")
    time_there = parsedate_to_datetime(alive.headers["Date"])
    return check_fit(settings, installation, now, time_there, forgets=pool == "keep")


def arrive(
    settings: Settings, api: httpx.Client, pool: str, asked: Callable[[], bool], say: Say,
    *, patience: float = WAITS_S, pause: float = ASKS_S,
) -> House:  # fmt: skip
    """What `check_server` says, once the server is up. Raises as that does, and NotYet when patience is over."""
    until, told = time.monotonic() + patience, ""
    while True:
        try:
            return check_server(settings, api, pool)
        except NotYet as early:
            if asked() or time.monotonic() >= until:
                raise
            if str(early) != told:
                told = str(early)
                say(f"{told} It may be starting: asked again for {patience / 60:.0f} minutes. Ctrl-C stops.")
        time.sleep(pause)


@dataclass
class FitGuard:
    """Looks whether the control machine has noted something new, and whether this machine still fits then."""

    settings: Settings
    api: httpx.Client
    pool: str
    records: sa.Engine
    house: House
    next_at: float

    def tend(self, now: float) -> None:
        """Raises DoesNotFit. A database that is away for a while ends nothing."""
        if now < self.next_at:
            return
        self.next_at = now + LOOK_AGAIN_S
        with suppress(sa.exc.SQLAlchemyError):
            if read_house(self.records) != self.house:
                self.house = check_server(self.settings, self.api, self.pool)


@dataclass
class IdleGuard:
    """Notes when this machine worked last."""

    home: Path
    worked_at: float

    def tend(self, now: float) -> None:
        """Whoever works on a run has noted it in this home; a worker that keeps a base open has not."""
        if at_work(self.home):
            self.worked_at = now


def work(
    settings: Settings, server: str, *, pool: str, workers: int | None, until_idle: float | None, say: Say
) -> None:
    """Works until a signal comes, or nothing was to be done for `until_idle` seconds.

    Raises DoesNotFit (and what the vault says) before anything is started, StartFailed when workers keep falling over.
    """
    service, login = Service(settings.home.resolve()), machine_login(settings)
    with signals_noted() as asked, client(api_of(server), login) as api:
        house = arrive(settings, api, pool, asked, say)
        records = open_database(settings.records_url)
        fit = FitGuard(settings, api, pool, records, house, time.monotonic() + LOOK_AGAIN_S)
        idle, names = IdleGuard(service.home, time.monotonic()), []

        def over() -> bool:
            return asked() or (until_idle is not None and time.monotonic() - idle.worked_at > until_idle)

        try:
            crash_own_dead(api, service.home)
            names = _start(service, _environment(settings, api_of(server), login), house, pool, workers)
            say(f"{len(names)} at work for {server} (pool {pool}): {', '.join(names)}. Ctrl-C stops.")
            guards: list[Guard] = [fit, idle, OwnDeadGuard(api, service.home)]
            watch(service, guards, over, say)
        finally:
            service.stop()
            records.dispose()
            _say_farewell(api, service, pool, names)


def _environment(settings: Settings, api: str, login: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name not in SECRETS},
        **prefect_environment(settings.home),
        **client_environment(api, login),
        **settled(settings),
        "ROLLCALL_UNDER_SUPERVISOR": "1",
    }


def _start(service: Service, environment: dict[str, str], house: House, pool: str, workers: int | None) -> list[str]:
    """Starts the workers; their names say which machine, process and code, for whoever looks at the pool."""
    wanted = card_workers(workers) if pool == "gpu" else [(f"{pool}-{n}", {}) for n in range(workers or 1)]
    names = []
    for place, more in wanted:
        name = f"{socket.gethostname()}-{os.getpid()}-{place}-{house.code}"
        words = ["--pool", pool, "--name", name, "--limit", "1"]
        service.start(f"worker-{place}", [sys.executable, "-m", "flows.worker", *words], {**environment, **more})
        names.append(name)
    if not names:
        raise StartFailed("There is nothing to start: --workers 0.")
    return names


def _say_farewell(api: httpx.Client, service: Service, pool: str, names: list[str]) -> None:
    """Takes this machine's workers off the pool's list, and marks what they left; the server may be gone as well."""
    with suppress(httpx.HTTPError):
        crash_own_dead(api, service.home)
        for name in names:
            api.delete(f"/work_pools/{pool}/workers/{quote(name)}")
