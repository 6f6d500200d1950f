"""`rollcall up`: server, pools, workers, deployments and the review desk as one thing that starts and stops cleanly.

A worker that is stopped leaves its runs "Running" for ever and they keep their places in the pool, so leftovers
are marked as crashed at the start and at the stop, and one heartbeat automation does it in between.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx

from flows.environment import LOOPBACK, prefect_environment

ROOT = Path(__file__).resolve().parents[1]
UNFINISHED = ["RUNNING", "PENDING", "CANCELLING"]
HEARTBEAT_AUTOMATION = "rollcall: runs without a heartbeat"
# Workers and flows beat every 30 s; three missed beats and a little are death.
HEARTBEAT_WINDOW_S = 95


class StartFailed(Exception):
    """A part of the service did not come up; the message says which one and where its log is."""


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


@dataclass
class Service:
    """The children of one `rollcall up`, stopped in the reverse of their order."""

    home: Path
    addresses: Addresses
    environment: dict[str, str]
    children: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    def start(self, name: str, command: list[str]) -> None:
        """Starts a child in a session of its own, so that Ctrl-C reaches us only and we stop it in order."""
        logs = self.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment, cwd=ROOT, start_new_session=True
            )
        self.children.append((name, child))

    def fallen(self) -> str | None:
        """The name of a child that has ended by itself, if any has."""
        return next((name for name, child in self.children if child.poll() is not None), None)

    def stop(self, patience_s: float = 10.0) -> None:
        """Asks each child to end, workers before the server; kills what does not within `patience_s`."""
        for _name, child in reversed(self.children):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
                try:
                    child.wait(patience_s)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        self.children.clear()


def client(addresses: Addresses, login: str | None) -> httpx.Client:
    """Prefect's API over plain HTTP: each `prefect` command would cost two seconds of imports."""
    auth = tuple(login.split(":", 1)) if login else None
    return httpx.Client(base_url=addresses.api, auth=auth, timeout=30, trust_env=False)  # type: ignore[arg-type]


def wait_for(url: str, service: Service, what: str, patience_s: float = 180.0) -> None:
    """Waits until `url` answers; raises StartFailed when a child fell over or patience ran out."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        fallen = service.fallen()
        if fallen:
            raise StartFailed(f"{fallen} stopped while starting; see {service.home}/logs/{fallen}.log")
        try:
            # Our own child on this machine: its certificate names what colleagues type, not 127.0.0.1.
            if httpx.get(url, timeout=5, trust_env=False, verify=False).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise StartFailed(f"{what} did not answer within {patience_s:.0f} s; see {service.home}/logs")


def crash_leftovers(api: httpx.Client, why: str) -> int:
    """Marks runs that nobody works on any more as crashed, so that they free their places. Returns how many."""
    found = api.post("/flow_runs/filter", json={"flow_runs": {"state": {"type": {"any_": UNFINISHED}}}})
    found.raise_for_status()
    for run in found.json():
        state = {"state": {"type": "CRASHED", "name": "Crashed", "message": why}, "force": True}
        api.post(f"/flow_runs/{run['id']}/set_state", json=state).raise_for_status()
    return len(found.json())


def ensure_pools(api: httpx.Client, limits: dict[str, int]) -> None:
    """Creates the work pools or sets their limits."""
    for name, limit in limits.items():
        answer = api.patch(f"/work_pools/{name}", json={"concurrency_limit": limit})
        if answer.status_code == 404:
            pool = {"name": name, "type": "process", "concurrency_limit": limit}
            answer = api.post("/work_pools/", json=pool)
        answer.raise_for_status()


def ensure_heartbeat_automation(api: httpx.Client) -> None:
    """One automation that crashes runs without a sign of life; never two, so its name is looked up first."""
    named = {"automations": {"name": {"any_": [HEARTBEAT_AUTOMATION]}}}
    found = api.post("/automations/filter", json=named)
    found.raise_for_status()
    if found.json():
        return
    trigger = {
        "type": "event",
        "posture": "Proactive",
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "after": ["prefect.flow-run.heartbeat"],
        "expect": ["prefect.flow-run.*"],
        "for_each": ["prefect.resource.id"],
        "threshold": 1,
        "within": HEARTBEAT_WINDOW_S,
    }
    crash = {
        "type": "change-flow-run-state",
        "state": "CRASHED",
        "message": "No sign of life; the machine or the process died. Run it again: nothing finished is lost.",
    }
    body = {"name": HEARTBEAT_AUTOMATION, "trigger": trigger, "actions": [crash], "enabled": True}
    api.post("/automations/", json=body).raise_for_status()


def graphics_cards() -> int:
    """How many GPUs this machine has, without importing torch."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        return 0
    return listed.stdout.count("GPU ")


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Turns SIGINT and SIGTERM into a flag. Set before any child starts: a worker whose parent ignores
    SIGINT would ignore its first SIGTERM too."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_workers(service: Service) -> None:
    """One desk worker, and one GPU worker per card (one without a card: the CPU trains too)."""
    prefect = str(Path(sys.executable).with_name("prefect"))
    work = [prefect, "worker", "start", "--type", "process"]
    service.start("worker-desk", [*work, "--pool", "desk", "--name", "desk", "--limit", "2"])
    cards = graphics_cards()
    for card in range(max(cards, 1)):
        if cards:
            service.environment = {**service.environment, "CUDA_VISIBLE_DEVICES": str(card)}
        service.start(f"worker-gpu-{card}", [*work, "--pool", "gpu", "--name", f"gpu-{card}", "--limit", "1"])


def deploy_all(service: Service) -> None:
    """Registers prefect.yaml; each start does, so that the forms' drop-downs know today's kits."""
    prefect = str(Path(sys.executable).with_name("prefect"))
    done = subprocess.run(
        [prefect, "--no-prompt", "deploy", "--all"],
        cwd=ROOT, env=service.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (service.home / "logs" / "deploy.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise StartFailed(f"The flows could not be registered; see {service.home}/logs/deploy.log")


def service_environment(
    home: Path, addresses: Addresses, password: str | None, database_url: str | None
) -> dict[str, str]:
    """What every child gets: Prefect's switches, our home, and the desk's address and password."""
    login = f"hr:{password}" if password and addresses.host not in LOOPBACK else None
    ours = prefect_environment(
        home, api_url=addresses.api, login=login, public_ui_api=f"{addresses.ui}/api", database_url=database_url
    )
    ours |= {
        "ROLLCALL_HOME": str(home),
        # Behind a proxy with TLS only the company knows the address at which its people reach the desk.
        "ROLLCALL_PUBLIC_URL": os.environ.get("ROLLCALL_PUBLIC_URL") or addresses.desk,
        "ROLLCALL_PREFECT_UI_URL": addresses.ui,
        "ROLLCALL_UNDER_SUPERVISOR": "1",
    }
    if password:
        ours["ROLLCALL_DESK_PASSWORD"] = password
    return {**os.environ, **ours}


def up(
    home: Path,
    addresses: Addresses,
    *,
    password: str | None,
    database_url: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Runs everything until a signal comes; stops everything before it returns.

    Raises StartFailed when a part does not come up, after stopping the others.
    """
    home = home.resolve()
    password = password or secrets.token_urlsafe(9)
    environment = service_environment(home, addresses, password, database_url)
    login = environment.get("PREFECT_API_AUTH_STRING")
    service = Service(home, addresses, environment)
    with signals_noted() as asked, client(addresses, login) as api:
        try:
            say("Starting Prefect ...")
            bind = ["--host", addresses.host, "--port", str(addresses.prefect_port)]
            service.start("prefect", [sys.executable, "-m", "flows.server", *bind])
            wait_for(f"{addresses.api}/health", service, "Prefect")
            crash_leftovers(api, "The system was stopped while this ran. Run it again: nothing finished is lost.")
            ensure_pools(api, {"desk": 2, "gpu": max(graphics_cards(), 1)})
            ensure_heartbeat_automation(api)
            say("Starting workers, flows and the review desk ...")
            start_workers(service)
            desk = [sys.executable, "-m", "flows.cli", "desk", "--host", addresses.host]
            service.start("desk", [*desk, "--port", str(addresses.desk_port)])
            deploy_all(service)
            wait_for(addresses.desk.replace(addresses.public, "127.0.0.1"), service, "The review desk")
            say(f"\n  Run batches   {addresses.ui}\n  Review        {addresses.desk}   (password: {password})\n")
            say("Ctrl-C stops everything.")
            watch(service, asked, say)
        finally:
            say("Stopping ...")
            stop(service, api)


def watch(service: Service, asked: Callable[[], bool], say: Callable[[str], None]) -> None:
    """Waits for a signal; a child that falls over ends the service rather than leaving half of it up."""
    while not asked():
        fallen = service.fallen()
        if fallen:
            say(f"{fallen} stopped by itself; see {service.home}/logs/{fallen}.log")
            return
        time.sleep(0.3)


def stop(service: Service, api: httpx.Client) -> None:
    """Ends workers and desk, marks what they left behind, then ends the server."""
    server = service.children[:1]
    service.children = service.children[1:]
    service.stop()
    service.children = server
    if server and server[0][1].poll() is None:
        try:
            crash_leftovers(api, "The system was stopped while this ran. Run it again: nothing finished is lost.")
        except httpx.HTTPError as failed:
            print(f"Runs could not be marked as stopped ({type(failed).__name__}); the next start does it.")
    service.stop()
