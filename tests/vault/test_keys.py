"""Keys are made once, open only with their master, and are in no file once destroyed."""

import stat
from contextlib import closing
from pathlib import Path

import pytest

from tasks.vault.failures import Fenced, Unreadable, VaultError
from tasks.vault.installation import WrongKeys
from tasks.vault.keys import Keyring
from tasks.vault.master import MasterKeyMissing


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return f"sqlite:///{tmp_path / 'wrapped.db'}", str(tmp_path / "master.key")


def test_a_key_is_made_once_and_differs_by_person_and_kind(files: tuple[str, str]) -> None:
    ring = Keyring(*files)
    keys = [ring.data_key(*pair) for pair in (("p1", "selfies"), ("p1", "adapter"), ("p2", "selfies"))]
    assert len(set(keys)) == 3
    assert Keyring(*files).data_key("p1", "selfies") == keys[0]
    assert ring.holders() == {"p1": {"selfies", "adapter"}, "p2": {"selfies"}}


def test_a_destroyed_key_is_in_no_file_and_never_made_again(files: tuple[str, str], tmp_path: Path) -> None:
    ring = Keyring(*files)
    ring.data_key("p1", "selfies")
    ring.data_key("p2", "selfies")
    with ring.engine.connect() as connection:
        wrapped = connection.exec_driver_sql("SELECT wrapped FROM wrapped_key WHERE employee_id = 'p1'").scalar_one()
    assert any(wrapped in path.read_bytes() for path in tmp_path.iterdir())
    ring.destroy(["p1"])
    assert not any(wrapped in path.read_bytes() for path in tmp_path.iterdir())
    assert ring.existing_key("p1", "selfies") is None
    with pytest.raises(Fenced):
        ring.data_key("p1", "selfies")
    assert ring.existing_key("p2", "selfies")


def test_one_kind_can_be_shredded_alone(files: tuple[str, str]) -> None:
    ring = Keyring(*files)
    old = ring.data_key("p1", "selfies")
    kept = ring.data_key("p1", "headshots")
    ring.destroy_kinds([("p1", "selfies")])
    assert ring.holders()["p1"] == {"headshots"}
    assert ring.count_keys(["p1", "p404"]) == {"p1": 1}
    assert ring.data_key("p1", "headshots") == kept
    assert ring.data_key("p1", "selfies") != old


def test_wrapped_keys_are_bound_to_their_owner(files: tuple[str, str]) -> None:
    ring = Keyring(*files)
    ring.data_key("p1", "selfies")
    ring.data_key("p2", "selfies")
    with ring.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE wrapped_key SET wrapped = (SELECT wrapped FROM wrapped_key WHERE employee_id = 'p1')"
        )
    with pytest.raises(Unreadable):
        ring.existing_key("p2", "selfies")


def test_the_master_key_is_private_and_never_replaced(files: tuple[str, str]) -> None:
    ring = Keyring(*files)
    file = Path(files[1])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ring.data_key("p1", "selfies")
    file.rename(file.with_suffix(".away"))
    with pytest.raises(MasterKeyMissing):
        Keyring(*files)
    for wrong in ("c2hvcnQ=", "not base64!"):
        file.write_text(wrong)
        with pytest.raises(VaultError, match="32 bytes"):
            Keyring(*files)


def test_rotation_keeps_survivors_and_kills_old_backups(files: tuple[str, str], tmp_path: Path) -> None:
    ring = Keyring(*files)
    key = ring.data_key("p1", "selfies")
    backup = Path(files[0].removeprefix("sqlite:///"))
    ring.close()
    old_store = backup.read_bytes()
    ring = Keyring(*files)
    assert ring.rotate(str(tmp_path / "new.key")) == 1
    assert ring.existing_key("p1", "selfies") == key
    assert Keyring(files[0], str(tmp_path / "new.key")).existing_key("p1", "selfies") == key
    restored = tmp_path / "restored.db"
    restored.write_bytes(old_store)
    with pytest.raises(WrongKeys):  # last month's backup, with this month's master
        Keyring(f"sqlite:///{restored}", str(tmp_path / "new.key"))


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_keys_that_were_ever_made_are_counted_upwards(
    store: str, files: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    """An older copy of the store is known by this number, in every process that opens it: one that went down, as
    PostgreSQL's driver counts, told whoever came at the wrong moment that the keys were lost."""
    url = files[0] if store == "sqlite" else str(request.getfixturevalue("postgres_url"))
    with closing(Keyring(url, files[1])) as ring, closing(Keyring(url, files[1])) as other:
        for kind in ("selfies", "adapter", "selfies"):
            ring.data_key("p1", kind)
        assert ring.made == 2
        other.data_key("p2", "selfies")
        assert other.made == 3
        ring.destroy(["p2"])
    with closing(Keyring(url, files[1])) as again:
        assert again.made == 3


def test_a_count_that_went_below_nought_locks_nobody_out(files: tuple[str, str]) -> None:
    ring = Keyring(*files)
    with ring.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation_secret SET secret = X'2D36' WHERE name = 'store.keys_made'")
    again = Keyring(*files)
    assert again.made == 0
    again.data_key("p1", "selfies")
    assert again.made == 1
