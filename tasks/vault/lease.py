"""One run at a time makes a batch. Who comes second is told which run does, and nothing is lost.

A lease is held by a run, renewed while its process lives, and let go at the end. A process of this machine that is dead
is told at once; on PostgreSQL so is another machine's, whose lock has gone with it. Else the lease runs out.
A run that did not come to its end leaves its name behind, so that the batch can be carried on (`abandoned`).
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.advisory import Advisory
from tasks.vault.database import reading
from tasks.vault.failures import NoSuchBatch, VaultError
from tasks.vault.halts import is_stopped
from tasks.vault.records import Batch
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vault.turns import TakenOver, batch_is_ours, checked

LIFE = timedelta(minutes=2)  # longest that a run is believed alive without a word
RENEWED_EVERY = 20.0  # seconds
# Without a lock, and so long without a word: a living run takes its lock again with each word, after a restart too.
SILENT = timedelta(seconds=45)

logger = logging.getLogger(__name__)


class AlreadyBeingMade(VaultError):
    """Another run is making this batch at this moment."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"already_being_made: this run makes the batch at this moment: {holder}. Nothing was started twice: look at"
            " that run, and if something is still missing when it has ended, run this again."
        )
        self.holder = holder


def take_lease(vault: Vault, batch: str, holder: str, now: datetime, *, locked: bool = False) -> None:
    """This run makes the batch from now on. Raises AlreadyBeingMade while another one does, NoSuchBatch.

    `locked`: we hold the batch's lock on PostgreSQL, so nobody else does.
    """
    with vault.session() as session:
        row = session.exec(select(Batch).where(col(Batch.id) == batch).with_for_update()).first()
        if row is None:
            raise NoSuchBatch
        until = row.lease_until
        held = row.lease_holder not in ("", holder) and until is not None and until > now
        silent = locked and until is not None and until - LIFE + SILENT < now
        if held and not silent and not is_dead(row.lease_process):
            raise AlreadyBeingMade(row.lease_holder)
        row.lease_holder, row.lease_process, row.lease_until = holder, this_process(), now + LIFE


def renew_lease(vault: Vault, batch: str, holder: str, now: datetime) -> bool:
    """Says that this run is alive; False when another one has taken its place."""
    with vault.session() as session:
        row = session.exec(select(Batch).where(col(Batch.id) == batch).with_for_update()).first()
        if row is None or row.lease_holder != holder:
            return False
        row.lease_until = now + LIFE
        return True


def end_lease(vault: Vault, batch: str, holder: str, *, finished: bool = True) -> None:
    """This run makes the batch no longer; its name stays where it did not come to its end."""
    with vault.session() as session:
        row = session.get(Batch, batch)
        if row is not None and row.lease_holder == holder:
            row.lease_holder, row.lease_process, row.lease_until = "" if finished else holder, "", None


@dataclass(frozen=True)
class Abandoned:
    """A batch that a run did not bring to its end; `run` is that one, `drop` what it was made of."""

    batch: str
    run: str
    drop: str


def abandoned(engine: sa.Engine, now: datetime) -> list[Abandoned]:
    """Batches whose run is no more, but for those that somebody has stopped."""
    with reading(engine) as connection, Session(connection) as session:
        rows = session.exec(select(Batch).where(Batch.lease_holder != "")).all()
    return [
        Abandoned(row.id, row.lease_holder, row.drop)
        for row in rows
        if (row.lease_until is None or row.lease_until <= now or is_dead(row.lease_process)) and not is_stopped(row)
    ]


@contextmanager
def being_made(settings: Settings, batch: str, holder: str, every: float = RENEWED_EVERY) -> Iterator[None]:
    """Holds the batch's lease for the block, and says every so many seconds that the run is alive."""
    with open_vault(settings) as vault, Advisory(vault.engine, f"batch {batch}") as lock:
        take_lease(vault, batch, holder, datetime.now(UTC), locked=_locks(vault, lock))
        ended = threading.Event()

        def stay_alive() -> None:
            while not ended.wait(every):
                try:
                    lock.take()
                    if not renew_lease(vault, batch, holder, datetime.now(UTC)):
                        raise TakenOver
                except TakenOver:  # the run itself hears of it when it next wants to write
                    logger.error("another run has taken batch %s over", batch)
                    return
                except Exception as fault:  # a moment without the database is no end of the run
                    logger.warning("the lease of %s could not be renewed (%s)", batch, type(fault).__name__)

        thread = threading.Thread(target=stay_alive, name=f"lease-{batch}", daemon=True)
        thread.start()
        finished = False
        try:
            with checked(batch_is_ours(batch, holder)):
                yield
            finished = True
        finally:
            ended.set()
            thread.join()
            end_lease(vault, batch, holder, finished=finished)


def _locks(vault: Vault, lock: Advisory) -> bool:
    """Whether the lock says something: on SQLite everybody gets it."""
    return lock.take() and vault.engine.dialect.name == "postgresql"


def this_process() -> str:
    """This machine, this process, and when it began: its number may be given to another process later."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}"


def is_dead(process: str) -> bool:
    """Whether this was a process of this machine that is no more."""
    host, _, rest = process.partition(" ")
    pid, _, began = rest.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and _began(int(pid)) != began


def living_here(process: str) -> int | None:
    """Its number, where this is a process of this machine that lives; else None."""
    host, _, rest = process.partition(" ")
    pid, _, began = rest.partition(" ")
    lives = host == socket.gethostname() and pid.isdigit() and began and _began(int(pid)) == began
    return int(pid) if lives else None


def _began(pid: int) -> str:
    """When a process of this machine began, as the system counts; empty when there is none."""
    try:
        # Behind the name in brackets, which may hold anything; the start is the 22nd field of all.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        try:
            os.kill(pid, 0)
        except OSError:
            return ""
        return "alive"  # a system without /proc
