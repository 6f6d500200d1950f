"""Which runs nobody works on any more: judged by their signs of life, never by Prefect calling them "Running".

A run's process notes itself in the home of its machine, so that a machine knows its own dead at once, also those that
died with it. Runs of other machines are judged by their heartbeats: by the control machine, which alone knows how long
it has been listening. After a pause of the server nobody is dead who has not been given the time to say so.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from flows.environment import SILENCE
from flows.prefect_api import crash, heard_from, unfinished_runs
from tasks.vault.files import replace_file
from tasks.vault.lease import is_dead, this_process

# A run that was handed to a worker and has not begun: a process starts, and imports, before its first beat.
BEGINNING = timedelta(minutes=5)
EVERY_S = 10.0  # a third of a beat: a death is noticed soon after it can be
NO_SIGN = "No sign of life; the machine or the process died. Run it again: nothing finished is lost."
STOPPED = "The system was stopped while this ran. Run it again: nothing finished is lost."

logger = logging.getLogger(__name__)


@contextmanager
def noted(home: Path, run: str) -> Iterator[None]:
    """Notes that this process works on this run, for as long as the block lasts."""
    note = _notes(home) / run
    replace_file(note, this_process().encode())
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def forget_note(home: Path, run: str) -> None:
    """This process no longer works on this run; for one that ends without leaving `noted`."""
    (_notes(home) / run).unlink(missing_ok=True)


def at_work(home: Path) -> bool:
    """Whether a process of this machine works on a run at this moment."""
    return any(not is_dead(_process(note)) for note in _found(home))


def crash_own_dead(api: httpx.Client, home: Path) -> int:
    """Marks runs as crashed whose process of this machine is no more; how many. Those that ended well stay so."""
    dead = [note for note in _found(home) if is_dead(_process(note))]
    if not dead:
        return 0
    unfinished = {run["id"] for run in unfinished_runs(api)}
    for note in dead:
        if note.name in unfinished:
            crash(api, note.name, STOPPED)
        note.unlink(missing_ok=True)
    return sum(note.name in unfinished for note in dead)


def _notes(home: Path) -> Path:
    return home / "running"


def _process(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8")
    except FileNotFoundError:  # it has just ended
        return ""


def _found(home: Path) -> list[Path]:
    folder = _notes(home)
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def without_life(
    runs: Sequence[Mapping[str, Any]], heard: Collection[str], now: datetime, listening_since: datetime
) -> list[str]:
    """Which of these unfinished runs are dead at `now`. `heard`: those that beat within `SILENCE`. Pure.

    A run is given its time from the moment at which it came into its state, or we began to listen.
    """
    dead = []
    for run in runs:
        patience = BEGINNING if run["state"]["type"] == "PENDING" else SILENCE
        since = max(datetime.fromisoformat(run["state"]["timestamp"]), listening_since)
        if run["id"] not in heard and now - since > patience:
            dead.append(run["id"])
    return dead


@dataclass
class OwnDeadGuard:
    """Looks every ten seconds, on a machine that only works, whether one of its processes died under a run."""

    api: httpx.Client
    home: Path
    next_at: float = field(default_factory=time.monotonic)

    def tend(self, now: float) -> None:
        """Marks them when it is time; while the server does not answer, the next look does it."""
        if now < self.next_at:
            return
        self.next_at = now + EVERY_S
        try:
            crash_own_dead(self.api, self.home)
        except httpx.HTTPError as silent:
            logger.info("runs could not be marked (%s)", type(silent).__name__)


@dataclass
class LifeGuard:
    """Looks every ten seconds, from the control machine. Never waits for long, and never ends because of the server."""

    api: httpx.Client
    home: Path
    say: Callable[[str], None]
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    listening_since: datetime | None = None
    next_at: float = field(default_factory=time.monotonic)

    def tend(self, now: float) -> None:
        """Looks when it is time; while the server does not answer, nobody is listening."""
        if now < self.next_at:
            return
        self.next_at = now + EVERY_S
        try:
            self._look(self.clock())
        except httpx.HTTPError as silent:
            logger.info("runs could not be looked at (%s)", type(silent).__name__)
            self.listening_since = None

    def _look(self, now: datetime) -> None:
        crash_own_dead(self.api, self.home)
        runs = unfinished_runs(self.api)
        self.listening_since = self.listening_since or now
        quiet = without_life(runs, (), now, self.listening_since)
        heard = heard_from(self.api, quiet, now - SILENCE)
        for run in without_life(runs, heard, now, self.listening_since):
            crash(self.api, run, NO_SIGN)
            self.say(f"Run {run} gave no sign of life and counts as crashed.")
