"""One run at a time makes a batch; the second is told which, and a dead one holds nobody up."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.vault.advisory import Advisory
from tasks.vault.batches import Order, load_batch, open_batch
from tasks.vault.database import open_database
from tasks.vault.halts import carry_on, stop_batch
from tasks.vault.lease import (
    LIFE,
    SILENT,
    Abandoned,
    AlreadyBeingMade,
    abandoned,
    being_made,
    end_lease,
    renew_lease,
    take_lease,
)
from tasks.vault.records import Batch
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def vault(settings: Settings) -> Iterator[Vault]:
    with open_vault(settings) as opened:
        yield opened


@pytest.fixture
def batch(vault: Vault) -> str:
    return open_batch(vault, Order("/drop", "harbour", "draft", "embedded"), NOW)


def test_the_second_run_is_told_which_run_makes_the_batch(vault: Vault, batch: str) -> None:
    take_lease(vault, batch, "plum-lark", NOW)
    with pytest.raises(AlreadyBeingMade, match=r"already_being_made: .*: plum-lark"):
        take_lease(vault, batch, "red-fox", NOW)
    take_lease(vault, batch, "plum-lark", NOW)  # itself, tried again by whoever started it
    end_lease(vault, batch, "red-fox")  # which was never its
    with pytest.raises(AlreadyBeingMade):
        take_lease(vault, batch, "red-fox", NOW)
    end_lease(vault, batch, "plum-lark")
    take_lease(vault, batch, "red-fox", NOW)


def test_a_run_that_says_nothing_any_more_is_followed_by_the_next(vault: Vault, batch: str) -> None:
    take_lease(vault, batch, "plum-lark", NOW)
    assert renew_lease(vault, batch, "plum-lark", NOW + timedelta(minutes=1))
    with pytest.raises(AlreadyBeingMade):
        take_lease(vault, batch, "red-fox", NOW + LIFE)
    take_lease(vault, batch, "red-fox", NOW + timedelta(minutes=1) + LIFE)
    assert not renew_lease(vault, batch, "plum-lark", NOW + LIFE)


def test_a_killed_process_of_this_machine_holds_nobody_up(vault: Vault, settings: Settings, batch: str) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom tasks.vault.lease import being_made\n"
        "from tasks.vault.settings import Settings\n"
        "with being_made(Settings(home=Path(sys.argv[1])), sys.argv[2], 'plum-lark'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    run = [sys.executable, "-c", code, str(settings.home), batch]
    with subprocess.Popen(run, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(AlreadyBeingMade):
            take_lease(vault, batch, "red-fox", datetime.now(UTC))
        process.kill()
    take_lease(vault, batch, "red-fox", datetime.now(UTC))


def test_it_is_renewed_while_the_run_lives_and_let_go_when_it_fails(
    vault: Vault, settings: Settings, batch: str
) -> None:
    def fail_once_renewed() -> None:
        with being_made(settings, batch, "plum-lark", every=0.02):
            with vault.session() as session:
                session.get_one(Batch, batch).lease_until = NOW
            deadline = time.monotonic() + 20
            while load_batch(vault, batch).lease_until == NOW and time.monotonic() < deadline:
                time.sleep(0.02)
            assert load_batch(vault, batch).lease_until != NOW
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_once_renewed()
    assert load_batch(vault, batch).lease_until is None
    assert abandoned(vault.engine, NOW) == [Abandoned(batch, "plum-lark", "/drop")], "it did not come to its end"
    with being_made(settings, batch, "red-fox"):
        assert abandoned(vault.engine, datetime.now(UTC)) == []
    assert abandoned(vault.engine, NOW) == []


def test_what_somebody_stopped_is_not_abandoned(vault: Vault, batch: str) -> None:
    take_lease(vault, batch, "plum-lark", NOW)
    assert abandoned(vault.engine, NOW) == []
    assert [one.batch for one in abandoned(vault.engine, NOW + LIFE)] == [batch]
    stop_batch(vault, batch, "HR", NOW)
    assert abandoned(vault.engine, NOW + LIFE) == []
    carry_on(vault, batch, "HR", NOW)
    assert [one.batch for one in abandoned(vault.engine, NOW + LIFE)] == [batch]


def test_on_postgresql_a_run_that_died_anywhere_is_followed_at_once(postgres_url: str, tmp_path: Path) -> None:
    """Its lock went with its connection. One that lives, and has only lost its connection, keeps the batch."""
    settings = Settings(home=tmp_path, database_url=postgres_url)
    with open_vault(settings) as vault, Advisory(vault.engine, "batch x") as lock:
        batch = open_batch(vault, Order("/drop", "harbour", "draft", "embedded"), NOW)
        take_lease(vault, batch, "plum-lark", NOW)
        with vault.session() as session:
            session.get_one(Batch, batch).lease_process = "elsewhere 1 1"
        assert lock.take()
        with pytest.raises(AlreadyBeingMade):
            take_lease(vault, batch, "red-fox", NOW + SILENT, locked=True)
        take_lease(vault, batch, "red-fox", NOW + SILENT + timedelta(seconds=1), locked=True)


def test_a_lock_is_one_holders_and_free_when_its_connection_is_cut(postgres_url: str) -> None:
    engine, other = open_database(postgres_url), open_database(postgres_url)
    with Advisory(engine, "sweep") as mine, Advisory(other, "sweep") as theirs:
        assert mine.take()
        assert mine.take(), "asked again"
        assert not theirs.take()
        with other.connect() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
        deadline = time.monotonic() + 30  # the server ends it in its own time
        while not theirs.take() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not mine.take()
        theirs.free()
        assert mine.take(), "made anew"
    engine.dispose()
    other.dispose()
