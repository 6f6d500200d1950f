"""Keys and records belong together: what does not fit refuses to start, says what to restore, and makes nothing."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select
from typer.testing import CliRunner

from flows.cli import app
from tasks.vault.failures import VaultError
from tasks.vault.installation import WrongKeys, adopt_keys
from tasks.vault.master import MasterKeyMissing
from tasks.vault.records import AuditEntry
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

Company = Callable[[Settings], str]


@pytest.fixture
def company(now: datetime, add_person: Callable[..., str]) -> Company:
    """A home with one person's photo in it; the photo's key."""

    def make(settings: Settings) -> str:
        with open_vault(settings) as vault:
            add_person(vault)
            return vault.write(vault.permit("p1", now=now), "selfies", "a.jpg", b"a face")

    return make


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_home_restored_without_its_keys_refuses_and_makes_none(settings: Settings, company: Company) -> None:
    company(settings)
    shutil.rmtree(settings.home / "keys")
    with pytest.raises(WrongKeys, match=r"restore the wrapped keys .* and the master key"):
        open_vault(settings)
    assert not (settings.home / "keys").exists()


def test_a_second_machine_that_was_not_told_where_the_keys_are_makes_none(
    settings: Settings, company: Company, tmp_path: Path, now: datetime
) -> None:
    key = company(settings)
    shared = {"database_url": settings.records_url, "blob_url": settings.blobs_location}
    second = Settings(home=tmp_path / "second", **shared)
    with pytest.raises(WrongKeys, match="set ROLLCALL_KEYS_URL"):
        open_vault(second)
    assert "wrapped.db" not in _files(tmp_path / "second")
    told = Settings(home=tmp_path / "second", keys_url=settings.wrapped_keys_url, **shared)
    with pytest.raises(MasterKeyMissing, match="ROLLCALL_MASTER_KEY"):
        open_vault(told)
    assert "master.key" not in _files(tmp_path / "second")
    fits = told.model_copy(update={"master_key": settings.master_key_location})
    with open_vault(fits) as vault:
        assert vault.read(vault.permit("p1", now=now), key) == b"a face"


def test_another_master_key_is_refused_by_its_fingerprint(settings: Settings, company: Company, tmp_path: Path) -> None:
    company(settings)
    other = Settings(home=tmp_path / "other")
    open_vault(other).close()
    wrong = settings.model_copy(update={"master_key": other.master_key_location})
    with pytest.raises(WrongKeys, match=r"wrapped by the master key [0-9a-f]{16}, and this one is [0-9a-f]{16}"):
        open_vault(wrong)


def test_the_keys_of_another_home_are_refused(settings: Settings, company: Company, tmp_path: Path) -> None:
    company(settings)
    other = Settings(home=tmp_path / "other")
    company(other)
    wrong = settings.model_copy(update={"keys_url": other.wrapped_keys_url, "master_key": other.master_key_location})
    with pytest.raises(WrongKeys, match="written with the key store"):
        open_vault(wrong)


def test_an_older_copy_of_the_keys_is_known_for_what_it_is(
    settings: Settings, company: Company, tmp_path: Path, now: datetime
) -> None:
    company(settings)
    store = settings.home / "keys" / "wrapped.db"
    older = store.read_bytes()
    with open_vault(settings) as vault:
        vault.write(vault.permit("p1", now=now), "adapter", "a", b"learnt")
    for path in store.parent.glob("wrapped.db*"):
        path.unlink()
    store.write_bytes(older)
    with pytest.raises(WrongKeys, match="2 keys had been made, and it knows of 1"):
        open_vault(settings)


def test_of_two_who_open_new_records_with_keys_of_their_own_the_first_decides(settings: Settings) -> None:
    with open_vault(settings) as vault:
        adopt_keys(vault.engine, vault.keys.name, vault.keys.master_fingerprint, vault.keys.made)
        with pytest.raises(WrongKeys):
            adopt_keys(vault.engine, "another", vault.keys.master_fingerprint, vault.keys.made)


def test_keys_that_were_destroyed_are_not_missed(settings: Settings, company: Company) -> None:
    company(settings)
    with open_vault(settings) as vault:
        vault.keys.destroy(["p1"])
    open_vault(settings).close()


def test_the_master_key_may_be_changed(settings: Settings, company: Company, tmp_path: Path, now: datetime) -> None:
    key = company(settings)
    with open_vault(settings) as vault:
        vault.keys.rotate(str(tmp_path / "new.key"))
    with pytest.raises(WrongKeys):
        open_vault(settings)
    with open_vault(settings.model_copy(update={"master_key": str(tmp_path / "new.key")})) as vault:
        assert vault.read(vault.permit("p1", now=now), key) == b"a face"


def test_rollcall_rotate_says_what_is_left_to_do_and_the_log_knows(
    settings: Settings, company: Company, tmp_path: Path, now: datetime
) -> None:
    key, new = company(settings), tmp_path / "new.key"

    def rotate(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["rotate", *words, "--home", str(settings.home)])
        return done.exit_code, " ".join(done.output.split())

    assert rotate(settings.master_key_location, "--yes")[0] == 1, "the key that is in use is no new one"
    code, said = rotate(str(new), "--yes")
    assert code == 0, said
    assert "Wrapped under the new master key: 1 keys." in said
    assert f"ROLLCALL_MASTER_KEY={new}" in said
    with open_vault(settings.model_copy(update={"master_key": str(new)})) as vault:
        assert vault.read(vault.permit("p1", now=now), key) == b"a face"
        with vault.reading() as session:
            assert session.exec(select(AuditEntry.action)).all()[-1] == "master_key_rotated"


def _as_in_0_1(settings: Settings) -> None:
    """A home of 0.1 knows nothing of its keys, and its keys nothing of themselves."""
    with open_vault(settings) as vault:
        for engine, sentence in (
            (vault.engine, "DELETE FROM installation"),
            (vault.keys.engine, "DELETE FROM installation_secret WHERE name <> 'tombstones'"),
        ):
            with engine.begin() as connection:
                connection.execute(sa.text(sentence))


def test_a_home_of_0_1_is_taken_over_with_its_keys_and_not_without(
    settings: Settings, company: Company, tmp_path: Path, now: datetime
) -> None:
    key = company(settings)
    _as_in_0_1(settings)
    without = Settings(home=tmp_path / "without")
    shutil.copytree(settings.home, without.home)
    shutil.rmtree(without.home / "keys")
    with pytest.raises(WrongKeys):
        open_vault(without)
    other = Settings(home=tmp_path / "other")
    open_vault(other).close()
    with pytest.raises(WrongKeys, match="wrapped by the master key another"):
        open_vault(settings.model_copy(update={"master_key": other.master_key_location}))
    with open_vault(settings) as vault:
        assert vault.read(vault.permit("p1", now=now), key) == b"a face"
    shutil.rmtree(settings.home / "keys")
    with pytest.raises(VaultError):
        open_vault(settings)
