"""The records keep what they are given, on SQLite and on a real PostgreSQL alike."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, SQLModel, col, select

from tasks.vault import database
from tasks.vault.database import DatabaseTooNew, DatabaseTooOld, forget_deleted_pages, open_database, upgrade
from tasks.vault.failures import VaultError
from tasks.vault.records import Artifact, Batch, Consent, Employee, Headshot, Seat, new_id
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Vault]:
    if request.param == "postgres":
        settings = settings.model_copy(update={"database_url": request.getfixturevalue("postgres_url")})
    with open_vault(settings) as vault:
        yield vault


def test_rows_come_back_as_they_went_in(either: Vault, now: datetime) -> None:
    scores = {"likeness": 0.93, "nested": {"a": [1, None, "ü"]}}
    shot = Headshot(
        digest="d",
        employee_id="p1",
        kit="k",
        kit_digest="kd",
        shot=0,
        seed=2**62,
        scores=scores,
        flags=["copied"],
        created_at=now,
    )
    with either.session() as session:
        session.add(
            Batch(id="b1", order_key="b1", created_at=now, drop="/in", kit="k", quality="draft", base="embedded")
        )
        session.add(shot)
    with either.reading() as session:
        found = session.get_one(Headshot, "d")
        assert (found.seed, found.scores, found.flags, found.created_at) == (2**62, scores, ["copied"], now)
        assert session.get_one(Batch, "b1").facts == {}


def test_moments_keep_their_instant_and_need_a_zone(either: Vault) -> None:
    tokyo = datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=9)))
    with either.session() as session:
        session.add(Employee(id="p1", number="1", updated_at=tokyo))
    with either.reading() as session:
        assert session.get_one(Employee, "p1").updated_at == tokyo.astimezone(UTC)
    with pytest.raises(sa.exc.StatementError, match="time zone"), either.session() as session:
        session.add(Employee(id="p2", number="2", updated_at=datetime(2026, 3, 1)))


def test_a_transaction_that_raises_leaves_nothing(either: Vault, now: datetime) -> None:
    def fails() -> None:
        with either.session() as session:
            session.add(Employee(id="p1", number="1", updated_at=now))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with either.reading() as session:
        assert session.get(Employee, "p1") is None


def test_a_number_and_a_seat_exist_once(either: Vault, now: datetime) -> None:
    with either.session() as session:
        session.add(Employee(id="p1", number="007", updated_at=now))
        session.add(Seat(batch_id="b", employee_id="p1", state="ready"))
    with pytest.raises(IntegrityError), either.session() as session:
        session.add(Employee(id="p2", number="007", updated_at=now))
    with pytest.raises(IntegrityError), either.session() as session:
        session.add(Seat(batch_id="b", employee_id="p1", state="blocked"))


def test_writers_take_turns(either: Vault, now: datetime) -> None:
    """Read-then-write transactions from many threads: none fails, none is lost."""
    with either.session() as session:
        session.add(Batch(id="b", order_key="b", created_at=now, drop="", kit="", quality="", base="", facts={"n": 0}))
    errors: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(10):
                with either.session() as session:
                    row = session.exec(select(Batch).where(col(Batch.id) == "b").with_for_update()).one()
                    row.facts = {"n": row.facts["n"] + 1}
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with either.reading() as session:
        assert session.get_one(Batch, "b").facts == {"n": 40}


@pytest.mark.postgres
def test_a_fence_waits_while_an_intent_is_being_recorded(settings: Settings, postgres_url: str, now: datetime) -> None:
    """Otherwise a forgetting could list a person's files between the check of a permit and the file's own line."""
    met: list[type[Exception] | None] = []
    with open_vault(settings.model_copy(update={"database_url": postgres_url})) as vault:
        with vault.session() as session:
            session.add(Employee(id="p1", number="1", updated_at=now))
            session.add(Consent(id="c1", employee_id="p1", given_at=now))
        permit = vault.permit("p1", now=now)

        def fence(writing: Session) -> None:
            if not any(isinstance(row, Artifact) for row in writing.new):
                return
            try:
                with vault.engine.connect() as other:
                    other.execute(sa.select(Employee.id).with_for_update(nowait=True))  # type: ignore[call-overload]
                met.append(None)
            except OperationalError as refused:
                met.append(type(refused))

        sa.event.listen(Session, "before_commit", fence)
        try:
            vault.write(permit, "selfies", "1", b"x", now=now)
        finally:
            sa.event.remove(Session, "before_commit", fence)
    assert met == [OperationalError]


def test_migrations_make_exactly_the_tables_of_the_code(either: Vault) -> None:
    with either.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_empty_records_of_an_older_shape_are_made_new_by_whoever_opens_them(settings: Settings) -> None:
    engine = open_database(settings.records_url)
    _make_the_first_shape(engine)
    open_vault(settings).close()
    with engine.connect() as connection:
        assert "showing" in sa.inspect(connection).get_table_names()
    engine.dispose()


def test_records_that_hold_something_change_shape_by_a_persons_word_only(settings: Settings, now: datetime) -> None:
    engine = open_database(settings.records_url)
    _make_the_first_shape(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO employee VALUES ('p1', '7', 'Ada', '', '', '', 'active', NULL, 'keep', 1, 'active', 0, "
            "'2026-11-02 00:00:00')"
        )
    with pytest.raises(DatabaseTooOld, match="rollcall upgrade"):
        open_vault(settings)
    with engine.connect() as connection:
        assert "showing" not in sa.inspect(connection).get_table_names(), "nothing was changed"
    assert upgrade(engine) == ("0001", database.NEWEST)
    assert upgrade(engine) == (database.NEWEST, database.NEWEST)
    engine.dispose()
    with open_vault(settings) as vault, vault.reading() as session:
        assert session.get_one(Employee, "p1").name == "Ada"


def test_a_running_process_of_another_shape_writes_nothing_more(vault: Vault, now: datetime) -> None:
    with vault.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match="newer Rollcall"), vault.session() as session:
        session.add(Employee(id="p1", number="1", updated_at=now))
    with vault.reading() as session:
        assert session.get(Employee, "p1") is None


def _make_the_first_shape(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")


def test_many_openers_migrate_once(settings: Settings) -> None:
    failed: list[BaseException] = []

    def start() -> None:
        try:
            open_vault(settings).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_newer_database_is_refused(vault: Vault, settings: Settings) -> None:
    with vault.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew):
        open_vault(settings)


def test_other_databases_are_refused() -> None:
    with pytest.raises(VaultError, match="sqlite or postgresql"):
        open_database("mysql://somewhere/db")


def test_deleted_names_are_in_no_file(vault: Vault, settings: Settings, now: datetime) -> None:
    canary = "Zanzibar-Quokka-Canary"
    with vault.session() as session:
        session.add(Employee(id="p1", number="1", name=canary, updated_at=now))
    assert _files_with(settings.home, canary)
    with vault.session() as session:
        session.delete(session.get_one(Employee, "p1"))
    assert _files_with(settings.home, canary), "the log still holds the name: that is why it must be emptied"
    assert forget_deleted_pages(vault.engine)
    assert not _files_with(settings.home, canary)


def test_an_old_reader_keeps_the_log_and_we_say_so(vault: Vault, now: datetime) -> None:
    with vault.reading() as reader:
        reader.exec(select(Employee)).all()
        with vault.session() as session:
            session.add(Employee(id="p1", number="1", updated_at=now))
        assert not forget_deleted_pages(vault.engine, patience=0.05)
    assert forget_deleted_pages(vault.engine)


def test_ids_are_opaque_and_differ() -> None:
    ids = {new_id("p") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 16 and one[0] == "p" for one in ids)


def _files_with(folder: Path, needle: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and needle.encode() in path.read_bytes()]


def test_adding_people_is_easy_in_tests(vault: Vault, add_person: Callable[..., str], now: datetime) -> None:
    assert vault.permit(add_person(vault), now=now).employee_id == "p1"
