"""That keys are destroyed is said only when their bytes are in no file of the key store, nor anywhere else here."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from tasks.retention.erase import forget, look_again, open_cases, surroundings_of
from tasks.retention.sweep import run_retention
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@contextmanager
def reading(store: Path) -> Iterator[None]:
    """Another program that has the key store open and looks at how it is now: a backup, a database browser."""
    ready, stop = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(store)
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM wrapped_key").fetchone()
        ready.set()
        stop.wait(60)
        connection.rollback()
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _still_there(vault: Vault, wrapped: list[bytes]) -> int:
    files = [path.read_bytes() for path in (vault.settings.home / "keys").glob("wrapped.db*")]
    return sum(any(key in data for data in files) for key in wrapped)


def test_while_somebody_reads_the_keys_nothing_is_final(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        wrapped = vault.keys.wrapped_bytes(["p1"])["p1"]
        with reading(settings.home / "keys" / "wrapped.db"):
            receipt = forget(vault, "p1", "requested", kit.NOW)
            assert (receipt.state, receipt.held_by_log) == ("provisional", True)
            later = kit.NOW + 7 * HOUR
            (again,) = look_again(vault, open_cases(vault, later)[1], later, surroundings_of(vault))
            assert (again.state, again.held_by_log) == ("provisional", True)
            assert _still_there(vault, wrapped) == len(wrapped)
        (done,) = look_again(vault, open_cases(vault, later)[1], later, surroundings_of(vault))
        assert (done.state, done.held_by_log) == ("final", False)
        assert _still_there(vault, wrapped) == 0


def test_at_expiry_too(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
    with reading(settings.home / "keys" / "wrapped.db"):
        (receipt,) = run_retention(settings, kit.NOW + 31 * DAY)
        assert receipt.held_by_log
    assert [one.state for one in run_retention(settings, kit.NOW + 32 * DAY)][:1] == ["final"]


def test_a_copy_of_the_key_store_in_the_home_is_found_by_the_keys_themselves(
    settings: Settings, kit: ModuleType
) -> None:
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        copy = settings.home / "keys" / "wrapped.db.before-the-upgrade"
        copy.write_bytes((settings.home / "keys" / "wrapped.db").read_bytes())
        wal = settings.home / "keys" / "wrapped.db-wal"
        copy.with_suffix(".wal-copy").write_bytes(wal.read_bytes() if wal.exists() else b"")
        receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.state == "blocked"
    assert receipt.search["for"][-1] == "wrapped keys"
