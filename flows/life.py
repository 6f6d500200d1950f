"""Which runs nobody works on any more: judged by their signs of life, never by Prefect calling them "Running".

A run's process notes itself in the home of its machine, so that a machine knows its own dead at once, also those that
died with it. Runs of other machines are judged by the control machine, by the time of their last sign: in the records
(`tasks.vault.life_signs`), which go on while Prefect's server is away, or with Prefect. While the control machine could
not listen nobody could be heard: that time is taken off everybody's silence, and nothing else is given to anybody.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from flows.children import StartFailed
from flows.environment import SILENCE
from flows.prefect_api import GPU, cancel, crash, heard_from, unfinished_runs
from tasks.vault.database import open_database, prepare
from tasks.vault.files import replace_file
from tasks.vault.lease import is_dead, living_here, this_process
from tasks.vault.life_signs import STALE, end_sign, give_sign, giving_signs, signs

# A run that was handed to a worker and has not begun: a process starts, and imports, before its first sign. Not so in
# the gpu pool: its workers give signs for a run from the moment at which they have claimed it.
BEGINNING = timedelta(minutes=5)
# Prefect's own watch ends a cancelled run in half of that; but it gives up for good when its server was away once.
CANCELLED_AFTER = timedelta(seconds=30)
EVERY_S = 10.0  # a death is noticed soon after it can be
PAUSE = timedelta(seconds=3 * EVERY_S)  # looks further apart than this did not listen; a lost one takes no sign away
# Under this name, and which home is its own, the control machine notes in the records when it listened last.
CONTROL = "control "
NO_SIGN = "No sign of life; the machine or the process died. Run it again: nothing finished is lost."
STOPPED = "The system was stopped while this ran. Run it again: nothing finished is lost."

logger = logging.getLogger(__name__)


@contextmanager
def noted(home: Path, run: str, records: sa.Engine) -> Iterator[None]:
    """Notes that this process works on this run, and says so in the records, for as long as the block lasts."""
    note = _notes(home) / run
    replace_file(note, this_process().encode())
    try:
        with giving_signs(records, run):
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


def end_cancelled(api: httpx.Client, home: Path, runs: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
    """Ends those of these runs that somebody cancelled a while ago, and a process of this machine still works on.

    They are marked first, and the process is not asked: it would call itself crashed over that mark, and a crash is
    followed. What it has begun is left as by any death, and harms nothing.
    """
    ended = []
    for run in runs:
        late = now - datetime.fromisoformat(run["state"]["timestamp"]) > CANCELLED_AFTER
        process = living_here(_process(_notes(home) / run["id"]))
        if run["state"]["type"] == "CANCELLING" and late and process is not None:
            cancel(api, run["id"])
            os.kill(process, signal.SIGKILL)
            ended.append(run["id"])
    return ended


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


def other_control(heard: Mapping[str, datetime], mine: str, now: datetime) -> datetime | None:
    """When another control machine of these records was last heard of; None where none has been lately. Pure."""
    others = [last for name, last in heard.items() if name.startswith(CONTROL) and name != CONTROL + mine]
    return max((last for last in others if now - last <= SILENCE), default=None)


def need_to_be_alone(records: sa.Engine, mine: str, now: datetime) -> None:
    """Takes the one place of a control machine. Raises StartFailed while another one has it: two would each hand out
    what the other has begun, and note other code and kits for everybody."""
    if last := other_control(signs(records, now), mine, now):
        raise StartFailed(
            f"Another control machine works with these records; it was heard of {(now - last).seconds} s ago. Stop "
            f"`rollcall up` there first. One that died is given up after {SILENCE.seconds} s."
        )
    give_sign(records, CONTROL + mine, now)


@contextmanager
def in_control(url: str, mine: str, now: datetime) -> Iterator[sa.Engine]:
    """The records of which this is the control machine for the block; another one may take its place when it is over.

    Raises StartFailed while another one is, and what the database says of records in another shape.
    """
    records = open_database(url)
    try:
        prepare(records)
        need_to_be_alone(records, mine, now)
        yield records
    finally:
        with suppress(sa.exc.SQLAlchemyError):
            end_sign(records, CONTROL + mine)
        records.dispose()


Pause = tuple[datetime, datetime]


def without_life(
    runs: Sequence[Mapping[str, Any]], heard: Mapping[str, datetime], now: datetime, pauses: Sequence[Pause]
) -> list[str]:
    """Which of these unfinished runs are dead at `now`. `heard`: when each gave its last sign. Pure.

    A run is given its time from its last sign, or from when it came into its state. `pauses`, in which nobody was
    listened to, do not count as silence; whatever else was started again meanwhile gives nobody anything anew.
    """
    dead = []
    for run in runs:
        since, patience = datetime.fromisoformat(run["state"]["timestamp"]), SILENCE
        if last := heard.get(run["id"]):
            since = max(since, last)
        elif run["state"]["type"] == "PENDING" and run.get("work_pool_name") != GPU:
            patience = BEGINNING
        deaf = sum((max(min(end, now) - max(begin, since), timedelta()) for begin, end in pauses), timedelta())
        if now - since - deaf > patience:
            dead.append(run["id"])
    return dead


def with_pause(pauses: Sequence[Pause], last: datetime | None, now: datetime) -> list[Pause]:
    """The pauses as a look at `now` finds them, after one at `last` (None: never before). Pure."""
    recent = [pause for pause in pauses if now - pause[1] < BEGINNING]
    if last is None:
        return [(datetime.min.replace(tzinfo=UTC), now)]
    return [*recent, (last, now)] if now - last > PAUSE else recent


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


def _listened(heard: Mapping[str, datetime]) -> datetime | None:
    return max((last for name, last in heard.items() if name.startswith(CONTROL)), default=None)


@dataclass
class LifeGuard:
    """Looks every ten seconds, from the control machine. Never waits for long, and never ends because of a server."""

    api: httpx.Client
    records: sa.Engine
    home: Path
    say: Callable[[str], None]
    name: str  # of the home (`flows.fitting.home_mark`)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    pauses: list[Pause] = field(default_factory=list)
    next_at: float = field(default_factory=time.monotonic)

    def tend(self, now: float) -> None:
        """Looks when it is time. While Prefect's server does not answer, signs are still given and listened for."""
        if now < self.next_at:
            return
        self.next_at = now + EVERY_S
        try:
            moment = self.clock()
            self._look(self._listen(moment), moment)
        except (httpx.HTTPError, sa.exc.SQLAlchemyError) as silent:
            logger.info("runs could not be looked at (%s)", type(silent).__name__)

    def _listen(self, now: datetime) -> dict[str, datetime]:
        """When each run was last heard of; notes that somebody listened, for whoever is started after us."""
        heard = signs(self.records, now)
        first = min((name for name in heard if name.startswith(CONTROL)), default=CONTROL + self.name)
        if first < CONTROL + self.name:  # of two that began in one moment, one goes on
            need_to_be_alone(self.records, self.name, now)
        self.pauses = with_pause(self.pauses, _listened(heard), now)
        give_sign(self.records, CONTROL + self.name, now)
        for run, last in heard.items():
            if now - last > STALE:
                end_sign(self.records, run)
        return heard

    def _look(self, heard: dict[str, datetime], now: datetime) -> None:
        crash_own_dead(self.api, self.home)
        runs = unfinished_runs(self.api)
        for run in end_cancelled(self.api, self.home, runs, now):
            self.say(f"Run {run} was cancelled, and has been ended.")
        quiet = without_life(runs, heard, now, self.pauses)
        beats = dict.fromkeys(heard_from(self.api, quiet, now - SILENCE), now)
        for run in without_life(runs, heard | beats, now, self.pauses):
            crash(self.api, run, NO_SIGN)
            self.say(f"Run {run} gave no sign of life and counts as crashed.")
