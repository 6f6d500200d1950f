"""The records go away in the middle of an intake: the step is tried again, and nobody is in what Prefect wrote down."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.vault.database import open_database
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = [(f"ZQ-{number}", f"Zyxquark{number} Vellichor{number}", f"z{number}@quagga.example") for number in range(5)]
# As a worker runs it, with its log on the terminal; SQLite gives up a lock after half a second instead of a minute.
PROGRAM = """
import sys
from tasks.vault import database
database._BUSY = 500
from flows.temporary_server import use_prefect
from tasks.vault.settings import load_settings
use_prefect(load_settings())
from tasks.vault.batches import Order
from tasks.roster.task import begin_batch, take_roster
from flows.story import named, story

@story("intake", named("intake"))
def intake(drop: str) -> str:
    batch = begin_batch(Order(drop=drop, kit="harbour", quality="draft", base="embedded", people="all"))
    take_roster(batch)
    return batch

print("STARTED", flush=True)
print("BATCH", intake(sys.argv[1]))
"""


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    rows = ["Employee ID,Name,Work Email", *(",".join(person) for person in PEOPLE)]
    (folder / "roster.csv").write_text("\n".join(rows) + "\n")
    consents = ["Employee ID,Consent,Date", *(f"{number},yes,2026-11-01" for number, _, _ in PEOPLE)]
    (folder / "consents.csv").write_text("\n".join(consents) + "\n")
    return folder


@contextmanager
def running(home: Path, drop: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(drop)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**clean, "ROLLCALL_HOME": str(home), "PREFECT_LOGGING_LEVEL": "DEBUG", **more},
    )  # fmt: skip
    try:
        assert process.stdout
        for line in process.stdout:
            if "STARTED" in line:
                break
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def look_through(home: Path, said: str) -> None:
    """The intake came to its end at a second try, and nobody is in Prefect's tables, its logs or on the terminal."""
    assert "BATCH b" in said, said
    assert "database_lost" in said
    assert "Retry 1/3 will start 5 second(s) from now" in said
    with sqlite3.connect(home / "prefect" / "prefect.db") as database:
        states = {row[0] for row in database.execute("select name from task_run_state")}
        dump = "\n".join(database.iterdump())
    database.close()
    assert "AwaitingRetry" in states
    written = b"".join(path.read_bytes() for path in (home / "prefect").rglob("*") if path.is_file())
    logs = b"".join(path.read_bytes() for path in (home / "logs").rglob("*") if path.is_file())
    for everything in (dump, written.decode("latin-1"), logs.decode("latin-1"), said):
        assert len(everything) > 100 or everything == logs.decode("latin-1")
        assert [word for person in PEOPLE for word in (*person, *person[1].split()) if word in everything] == []


def wait_for(found: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail("the intake never met the lock: " + (process.stdout.read() if process.stdout else ""))


def tried_again(home: Path) -> bool:
    """Whether a step waits to be tried once more, by Prefect's own records."""
    with sqlite3.connect(f"file:{home}/prefect/prefect.db?mode=ro", uri=True) as database:
        found = database.execute("select 1 from task_run_state where name = 'AwaitingRetry'").fetchone()
    database.close()
    return found is not None


@pytest.mark.postgres
def test_a_backend_that_is_terminated(postgres_url: str, drop: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    open_vault(Settings(home=home, database_url=postgres_url)).close()
    engine = open_database(postgres_url)
    waiting = sa.text(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    kill = sa.text("SELECT pg_terminate_backend(:pid, 5000)")
    with engine.connect() as lock, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
        lock.execute(sa.text("LOCK TABLE employee IN EXCLUSIVE MODE"))
        with running(home, drop, ROLLCALL_DATABASE_URL=postgres_url) as process:
            wait_for(lambda: watch.execute(waiting).first(), process)
            watch.execute(kill, {"pid": watch.execute(waiting).scalar_one()})
            lock.rollback()
            said = process.communicate(timeout=240)[0]
    engine.dispose()
    look_through(home, said)


def test_a_database_that_is_locked(drop: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    open_vault(Settings(home=home)).close()
    with sqlite3.connect(home / "rollcall.db", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        with running(home, drop) as process:
            wait_for(lambda: tried_again(home), process)
            lock.execute("ROLLBACK")
            said = process.communicate(timeout=240)[0]
    lock.close()
    look_through(home, said)
