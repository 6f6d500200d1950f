"""What is said of a fault: our sentences, and of everybody else's exceptions the class, the code and the place."""

import errno
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.vault.database import open_database
from tasks.vault.failures import Fenced, VaultError
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, key_owner, open_vault
from tasks.vault.task import in_our_words
from tasks.vault.telling import DatabaseLost, DiskFull, Fault, code_of, kind_of, told

SECRET = "Zyxquark Vellichor"
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def caught(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as fault:
        return fault
    pytest.fail("nothing was raised")


def add(vault: Vault, number: str = "n1", identity: str = "p1") -> None:
    with vault.session() as session:
        session.add(Employee(id=identity, number=number, name=SECRET, updated_at=NOW))


def test_our_own_sentence_stands_and_what_it_was_made_from_does_not() -> None:
    def act() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise Fenced("erasing", "p1") from error

    fault = told(caught(act))
    assert (type(fault), str(fault)) == (Fenced, "erasing p1")
    assert fault.__cause__ is None
    assert fault.__context__ is None


def test_a_foreign_exception_is_its_class_and_its_place() -> None:
    fault = told(caught(lambda: key_owner({SECRET: 1})))  # type: ignore[arg-type]
    assert isinstance(fault, Fault)
    assert str(fault).startswith("AttributeError (no code) at tasks/vault/store.py:")


def test_a_missing_file_is_not_named(tmp_path: Path) -> None:
    fault = told(caught(lambda: (tmp_path / SECRET).read_bytes()))
    assert str(fault) == "FileNotFoundError (ENOENT) at no place of ours"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_as_such(number: int) -> None:
    fault = told(OSError(number, "No space left on device", f"/srv/{SECRET}"))
    assert isinstance(fault, DiskFull)
    assert SECRET not in str(fault)


def test_what_it_was_is_still_known_when_it_was_told() -> None:
    assert kind_of(told(caught(lambda: int(SECRET)))) == "ValueError"
    assert kind_of(Fenced("erasing", "p1")) == "Fenced"


def test_a_row_that_is_there_already_is_not_quoted(vault: Vault) -> None:
    add(vault, SECRET)
    fault = caught(lambda: add(vault, SECRET, "p2"))
    assert SECRET not in str(fault), "parameters are hidden where the database speaks itself, too"
    assert isinstance(told(fault), Fault)
    assert "SQLITE_CONSTRAINT" in str(told(fault))


@pytest.mark.postgres
def test_nor_is_it_by_postgresql_which_quotes_the_key(postgres_url: str, tmp_path: Path) -> None:
    with open_vault(Settings(home=tmp_path, database_url=postgres_url)) as vault:
        add(vault, SECRET)
        fault = caught(lambda: add(vault, SECRET, "p2"))
    assert SECRET in str(fault), "what the guard is for"
    assert "23505" in str(told(fault))
    assert SECRET not in str(told(fault))


def test_a_locked_database_is_lost_for_a_while(settings: Settings) -> None:
    with open_vault(settings) as vault, sqlite3.connect(settings.home / "rollcall.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        quick = sa.create_engine(vault.engine.url, connect_args={"timeout": 0.01}, hide_parameters=True)
        with quick.connect() as connection:
            insert = sa.insert(Employee).values(id="p1", number="n1", name=SECRET, updated_at=NOW)
            fault = caught(lambda: connection.execute(insert))
        quick.dispose()
        other.execute("ROLLBACK")
    other.close()
    assert code_of(fault) == "SQLITE_BUSY"
    assert isinstance(told(fault), DatabaseLost)


@pytest.mark.postgres
def test_a_terminated_backend_is_lost_for_a_while(postgres_url: str) -> None:
    engine, other = open_database(postgres_url), open_database(postgres_url)
    with engine.connect() as connection:
        own = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with other.connect() as killer:
            killer.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
        insert = sa.insert(Employee).values(id="p1", number="n1", name=SECRET, updated_at=NOW)
        fault = caught(lambda: connection.execute(insert))
        connection.invalidate()
    engine.dispose()
    other.dispose()
    assert isinstance(told(fault), DatabaseLost)
    assert SECRET not in str(fault)


def test_a_fault_of_ours_in_the_statement_is_not_taken_for_a_lost_database(vault: Vault) -> None:
    with vault.engine.connect() as connection:
        fault = caught(lambda: connection.exec_driver_sql("SELECT nothing FROM nowhere"))
    assert isinstance(told(fault), Fault)


def test_a_guarded_function_raises_the_words_alone() -> None:
    def fail() -> None:
        raise RuntimeError(SECRET)

    fault = caught(in_our_words(fail))
    assert isinstance(fault, VaultError)
    assert (fault.__cause__, fault.__context__) == (None, None)
    assert SECRET not in str(fault)
    assert in_our_words(lambda: 5)() == 5
