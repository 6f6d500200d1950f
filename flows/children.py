"""The processes of one `rollcall up`: started with their logs, started again when they fall over, stopped in order."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from flows.restarts import MOST, WITHIN_S, next_start
from tasks.failures import RollcallError
from tasks.vault.process import for_children


class StartFailed(RollcallError):
    """A part of the service did not come up, or cannot be kept up; the message says which and where its log is."""


@dataclass
class Child:
    """One part of the service. `process` is None while it waits to be started again."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    start_at: float = 0.0

    def start(self) -> None:
        """In a session of its own, so that Ctrl-C reaches us only and we stop it in order; it ends when we do."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=for_children(self.environment),
                start_new_session=True,
            )  # fmt: skip

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)

    def end(self, patience_s: float) -> None:
        """Waits until it has; kills it, and whatever it started, when that takes too long."""
        if self.process is None:
            return
        try:
            self.process.wait(max(patience_s, 0.0))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Service:
    """The children of one `rollcall up`, the server first."""

    home: Path
    children: list[Child] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> Child:
        """Starts a child; its log is `<home>/logs/<name>.log`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        child = Child(name, command, environment, self.logs / f"{name}.log")
        child.start()
        self.children.append(child)
        return child

    def fallen(self) -> Child | None:
        """A child that has ended by itself, if any has."""
        running = [child for child in self.children if child.process is not None]
        return next((child for child in running if child.process and child.process.poll() is not None), None)

    def tend(self, now: float, say: Callable[[str], None]) -> None:
        """Notes who fell over and starts again whose time has come; raises StartFailed when that is no use."""
        while (child := self.fallen()) is not None:
            assert child.process is not None
            code, child.process = child.process.returncode, None
            child.deaths.append(now)
            again = next_start(child.deaths, now)
            if again is None:
                raise StartFailed(
                    f"{child.name} fell over {MOST} times within {WITHIN_S / 60:.0f} minutes; see {child.log}"
                )
            child.start_at = again
            say(f"{child.name} fell over (exit {code}); starting it again in {again - now:.0f} s. See {child.log}")
        for child in self.children:
            if child.process is None and now >= child.start_at:
                child.start()

    def stop(self, children: list[Child] | None = None, patience_s: float = 10.0) -> None:
        """Asks these children (all when left out) to end, together, and kills what has not within `patience_s`."""
        wanted, until = self.children if children is None else children, time.monotonic() + patience_s
        for child in wanted:
            child.ask_to_end()
        for child in wanted:
            child.end(until - time.monotonic())


def wait_for(url: str, service: Service, what: str, asked: Callable[[], bool], patience_s: float = 180.0) -> None:
    """Waits until `url` answers, or somebody asked to stop; StartFailed when a child fell over or patience ran out."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until and not asked():
        fallen = service.fallen()
        if fallen:
            raise StartFailed(f"{fallen.name} stopped while starting; see {fallen.log}")
        try:
            # Our own child on this machine: its certificate names what colleagues type, not 127.0.0.1.
            if httpx.get(url, timeout=5, trust_env=False, verify=False).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    if not asked():
        raise StartFailed(f"{what} did not answer within {patience_s:.0f} s; see {service.logs}")
