"""`rollcall up`: server, pools, workers, deployments and the review desk as one thing that starts and stops cleanly.

A worker that is stopped leaves its runs "Running" for ever and they keep their places in the pool: this machine's are
marked as crashed at the start and at the stop, and whoever gives no sign of life in between (`flows.life`). Other
machines' runs go on while this one is stopped. Whatever ends without being asked to makes the whole end with an error,
so that what watches over us starts us again.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Protocol

import httpx

from flows.alert_guard import AlertGuard
from flows.cards import card_workers
from flows.carrying_on import CarryOnGuard
from flows.children import Service, StartFailed, wait_for
from flows.environment import client_environment, prefect_environment, server_environment, settled
from flows.fitting import home_mark, note_house
from flows.forms import FormsGuard, retire_old_forms
from flows.life import LifeGuard, crash_own_dead, in_control
from flows.logins import DESK, FILE, Logins
from flows.prefect_api import (
    ensure_pools,
    name_installation,
    remove_heartbeat_automation,
    resume_schedules,
)
from flows.running import need_free, only_one
from flows.sweep_guard import SweepGuard
from reports.prefect_client import client
from tasks.shipped import SHIPPED
from tasks.vault.settings import Settings, secret_from_environment

# A child gets the secrets that it needs and no other: those in our own environment are handed out one by one.
DATABASE = "PREFECT_API_DATABASE_CONNECTION_URL"
PROVIDER = "ROLLCALL_OIDC_CLIENT_SECRET"
SMTP, TOKEN = "ROLLCALL_SMTP_URL", "ROLLCALL_METRICS_TOKEN"
_OWN = (
    "ROLLCALL_PEOPLE_LOGIN", "ROLLCALL_MACHINE_LOGIN", "ROLLCALL_DESK_PASSWORD", PROVIDER, SMTP, TOKEN, DATABASE,
)  # fmt: skip
SECRETS = (*_OWN, *(f"{name}_FILE" for name in _OWN))

Say = Callable[[str], None]


@dataclass(frozen=True)
class Addresses:
    """Where everything listens: `host` is what we bind to, `public` what browsers use."""

    host: str
    public: str
    prefect_port: int
    desk_port: int
    tls: bool = False  # whether the desk speaks https itself

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.prefect_port}/api"

    @property
    def ui(self) -> str:
        return f"http://{self.public}:{self.prefect_port}"

    @property
    def desk(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.public}:{self.desk_port}"


@dataclass(frozen=True)
class Environments:
    """What each kind of child gets of the secrets: no more than it needs."""

    shared: dict[str, str]
    server: dict[str, str]
    desk: dict[str, str]
    alerts: dict[str, str]

    @classmethod
    def of(cls, settings: Settings, addresses: Addresses, logins: Logins, password: str) -> "Environments":
        shared = {
            **{name: value for name, value in os.environ.items() if name not in SECRETS},
            **prefect_environment(settings.home),
            **client_environment(addresses.api, logins.machines),
            **settled(settings),
            "ROLLCALL_TIMEZONE": settings.timezone,
            # Behind a proxy with TLS only the company knows the address at which its people reach the desk.
            "ROLLCALL_PUBLIC_URL": os.environ.get("ROLLCALL_PUBLIC_URL") or addresses.desk,
            "ROLLCALL_PREFECT_UI_URL": addresses.ui,
            "ROLLCALL_PREFECT_API_URL": addresses.api,
            "ROLLCALL_UNDER_SUPERVISOR": "1",
        }
        machine = {"ROLLCALL_MACHINE_LOGIN": logins.machines}
        provider, watched, mailed = (
            {name: value} if (value := secret_from_environment(name)) else {} for name in (PROVIDER, TOKEN, SMTP)
        )
        server = server_environment(logins.machines, addresses.ui, secret_from_environment(DATABASE))
        return cls(
            shared,
            {**shared, **server, "ROLLCALL_PEOPLE_LOGIN": logins.people},
            {**shared, **machine, **provider, **watched, "ROLLCALL_DESK_PASSWORD": password},
            {**shared, **machine, **mailed},
        )


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Turns SIGINT, SIGTERM and SIGHUP (a closed terminal) into a flag. Set before any child starts: a worker whose
    parent ignores SIGINT would ignore its first SIGTERM too."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup the terminal may go
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in wanted}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_workers(service: Service, environment: dict[str, str], cards: int | None) -> None:
    """One for HR's runs, one for forgetting, which is always free, and `cards` that learn and draw."""

    def start(name: str, pool: str, limit: int, **more: str) -> None:
        words = ["--pool", pool, "--name", name, "--limit", str(limit)]
        service.start(f"worker-{name}", [sys.executable, "-m", "flows.worker", *words], {**environment, **more})

    start("desk", "desk", 2)
    start("keep", "keep", 2)
    for name, more in card_workers(cards):
        start(name, "gpu", 1, **more)


def deploy_all(service: Service, environment: dict[str, str], asked: Callable[[], bool]) -> None:
    """Registers prefect.yaml; each start does, so that the forms are those of this release."""
    prefect = str(Path(sys.executable).with_name("prefect"))
    done = subprocess.run(
        [prefect, "--no-prompt", "deploy", "--all", "--prefect-file", str(SHIPPED / "prefect.yaml")],
        cwd=SHIPPED, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    (service.logs / "deploy.log").write_text(done.stdout + done.stderr)
    if done.returncode and not asked():
        raise StartFailed(f"The flows could not be registered; see {service.logs}/deploy.log")


def up(
    settings: Settings, addresses: Addresses, logins: Logins, *, password: str, say: Say = print, show: bool = True,
    cards: int | None = None,
) -> None:  # fmt: skip
    """Runs everything until a signal comes; stops everything before it returns.

    `cards`: how many workers learn and draw here; as many as there are graphics cards when left out.
    `show`: print the people's login, on a terminal; otherwise only where it is kept. Raises StartFailed when a part
    does not come up or cannot be kept up, after stopping the others.
    """
    home = settings.home.resolve()
    environments = Environments.of(settings, addresses, logins, password)
    service = Service(home)
    where = {"ui": addresses.ui, "desk": addresses.desk}
    with (
        signals_noted() as asked,
        only_one(home, where, datetime.now(UTC)),
        in_control(settings.records_url, home_mark(home), datetime.now(UTC)) as records,
        client(addresses.api, logins.machines) as api,
    ):
        need_free(addresses.host, {"Prefect": addresses.prefect_port, "the review desk": addresses.desk_port})
        sweeps = SweepGuard(environments.shared, home / "logs" / "sweep.log", say, lambda: resume_schedules(api))
        alerts = AlertGuard(environments.alerts, home / "logs" / "alerts.log")
        installation = note_house(settings)
        try:
            start_server(service, addresses, environments, asked, say)
            if not asked():
                crash_own_dead(api, home)
                make_ready(api, installation)
                start_others(service, addresses, environments, asked, say, cards)
            if not asked():
                say(welcome(settings, addresses, logins, password, show=show))
                retire_old_forms(api)
            guards: list[Guard] = [
                sweeps, alerts, LifeGuard(api, records, home, say, home_mark(home)), CarryOnGuard(api, records, say),
                FormsGuard(api, records, settings.kits, settings.timezone),
            ]  # fmt: skip
            watch(service, guards, asked, say)
        finally:
            say("Stopping ...")
            sweeps.stop()
            alerts.stop()
            stop(service, api, home)


def welcome(settings: Settings, addresses: Addresses, logins: Logins, password: str, *, show: bool) -> str:
    """Where to go. Secrets stand there on a terminal only; where people have roles, Prefect's login is IT's alone."""
    home = settings.home.resolve()
    if settings.oidc_issuer:
        lines = [f"  The desk      {addresses.desk}   (the company's own sign-in)"]
        lines += [f"  Prefect       {addresses.ui}   (for IT only; login: people's in {home / FILE})"]
    else:
        login = f"/enter#{logins.people}" if show else f"   (login: people's in {home / FILE})"
        kept = "as ROLLCALL_DESK_PASSWORD says" if settings.desk_password else f"in {home / DESK}"
        lines = [f"  The desk      {addresses.desk}   (password: {password if show else kept})"]
        lines += [f"  Prefect       {addresses.ui}{login}"]
        lines += [
            "",
            "  One password for everybody is for a trial: docs/roles.md says how people sign in as themselves.",
        ]
    return "\n".join(["", *lines, "", "Ctrl-C stops everything."])


def start_server(
    service: Service, addresses: Addresses, environments: Environments, asked: Callable[[], bool], say: Say
) -> None:
    """Brings up Prefect's server."""
    say("Starting Prefect ...")
    bind = ["--host", addresses.host, "--port", str(addresses.prefect_port), "--public", addresses.public]
    service.start("prefect", [sys.executable, "-m", "flows.server", *bind], environments.server)
    wait_for(f"{addresses.api}/health", service, "Prefect", asked)


def make_ready(api: httpx.Client, installation: str) -> None:
    """What has to be in the server before anybody works."""
    ensure_pools(api)
    remove_heartbeat_automation(api)
    name_installation(api, installation)


def start_others(
    service: Service, addresses: Addresses, environments: Environments, asked: Callable[[], bool], say: Say,
    cards: int | None,
) -> None:  # fmt: skip
    """Brings up workers and the desk, and registers the flows."""
    say("Starting workers, flows and the review desk ...")
    start_workers(service, environments.shared, cards)
    desk = [sys.executable, "-m", "flows.cli", "desk", "--host", addresses.host, "--port", str(addresses.desk_port)]
    service.start("desk", desk, environments.desk)
    deploy_all(service, environments.shared, asked)
    own = addresses.desk.replace(addresses.public, "127.0.0.1")
    wait_for(f"{own}/health", service, "The review desk", asked)


class Guard(Protocol):
    """What the supervisor asks again and again; it decides itself when it is time."""

    def tend(self, now: float) -> None: ...


def watch(service: Service, guards: Sequence[Guard], asked: Callable[[], bool], say: Say) -> None:
    """Waits for a signal, and meanwhile starts again what fell over and looks after what may be late or dead."""
    while not asked():
        service.tend(time.monotonic(), say)
        for guard in guards:
            guard.tend(time.monotonic())
        time.sleep(0.3)


def stop(service: Service, api: httpx.Client, home: Path) -> None:
    """Ends workers and desk, marks what they left behind, then ends the server."""
    server, others = service.children[:1], service.children[1:]
    service.stop(others)
    if server and server[0].process is not None and server[0].process.poll() is None:
        try:
            crash_own_dead(api, home)
        except httpx.HTTPError as failed:
            print(f"Runs could not be marked as stopped ({type(failed).__name__}); the next start does it.")
    service.stop(server)
