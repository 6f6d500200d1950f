"""A backup in two places; what comes back opens, and whoever was forgotten since does not come back with it."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from sqlmodel import col, select

from tasks.retention.backup import BadBackup, look_after_restore, make_backup, put_back
from tasks.retention.erase import forget, surroundings_of
from tasks.retention.log_checkpoint import accept_log, write_checkpoint
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def backed_up(settings: Settings, kit: ModuleType, tmp_path: Path) -> tuple[Path, Path]:
    """Two people; a backup; then one of them was forgotten."""
    place, keys = tmp_path / "records", tmp_path / "keys"
    with open_vault(settings) as vault:
        for one in ("p1", "p2"):
            kit.photograph(vault, kit.enrol(vault, one))
        write_checkpoint(vault, kit.NOW)
        make_backup(vault, place, keys, kit.NOW)
        forget(vault, "p1", "requested", kit.NOW)
        write_checkpoint(vault, kit.NOW)
    return place, keys


def _lost(settings: Settings, new: Path) -> Settings:
    """The machine is gone; its pictures and its newest receipts and checkpoint are not."""
    for name in ("blobs", "receipts"):
        shutil.copytree(settings.home / name, new / name)
    (new / "audit").mkdir()
    shutil.copyfile(settings.audit / "checkpoint.json", new / "audit" / "checkpoint.json")
    shutil.rmtree(settings.home)
    return Settings(home=new)


def test_who_was_forgotten_since_is_forgotten_again_before_anything_else(
    settings: Settings, backed_up: tuple[Path, Path], tmp_path: Path, kit: ModuleType
) -> None:
    new = _lost(settings, tmp_path / "new")
    put_back(new, *backed_up)
    with open_vault(new) as vault:
        found = look_after_restore(vault, kit.NOW, surroundings_of(vault))
        assert [(one.person, one.state, one.reason) for one in found.forgotten] == [("p1", "provisional", "restored")]
        assert found.opened == dict.fromkeys(("adapter", "headshots", "selfies", "thumbnails"), True)
        assert found.log, "the log is older than its checkpoint, and that is said"
        assert not found.well
        accept_log(vault, kit.NOW)
        assert look_after_restore(vault, kit.NOW, surroundings_of(vault)).well
        with vault.reading() as session:
            assert session.exec(select(Employee.id).where(col(Employee.state) == "active")).all() == ["p2"]
    assert kit.hits([new.home], kit.canary("p1")) == []


def test_a_blob_that_does_not_open_is_told_by_its_kind(
    settings: Settings, backed_up: tuple[Path, Path], tmp_path: Path, kit: ModuleType
) -> None:
    new = _lost(settings, tmp_path / "new")
    shutil.rmtree(new.home / "blobs" / "people" / "p2" / "selfies")
    put_back(new, *backed_up)
    with open_vault(new) as vault:
        found = look_after_restore(vault, kit.NOW, surroundings_of(vault))
    assert found.opened["selfies"] is False
    assert found.opened["adapter"] is True


def test_keys_never_lie_beside_the_records_and_nothing_is_mixed(
    settings: Settings, backed_up: tuple[Path, Path], tmp_path: Path, kit: ModuleType
) -> None:
    place, keys = backed_up
    assert not [path for path in place.rglob("*") if path.name in ("wrapped.db", "master.key", "signing.key")]
    assert sorted(path.name for path in keys.iterdir()) == ["backup.json", "master.key", "signing.key", "wrapped.db"]
    assert sorted(path.name for path in place.iterdir()) == ["audit", "backup.json", "records.db"]
    assert (place / "audit" / "checkpoint.json").is_file(), "proof is a part of the records"
    with open_vault(settings) as vault:
        with pytest.raises(BadBackup, match="another place"):
            make_backup(vault, tmp_path / "x", tmp_path / "x" / "keys", kit.NOW)
        with pytest.raises(BadBackup, match="not empty"):
            make_backup(vault, place, tmp_path / "y", kit.NOW)
    with pytest.raises(BadBackup, match="empty home"):
        put_back(settings, place, keys)


def test_a_backup_that_was_altered_is_not_put_back(
    settings: Settings, backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    place, keys = backed_up
    with open(place / "records.db", "ab") as file:
        file.write(b"x")
    with pytest.raises(BadBackup, match=r"altered or cut short \(records.db\)"):
        put_back(Settings(home=tmp_path / "new"), place, keys)
    assert not (tmp_path / "new").exists()


def test_the_commands(settings: Settings, kit: ModuleType, tmp_path: Path) -> None:
    def rollcall(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
    at = ("--home", str(settings.home))
    place, keys = str(tmp_path / "records"), str(tmp_path / "keys")
    done = rollcall("backup", place, "--keys", keys, *at)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Keep besides: the encrypted pictures" in done.stdout
    assert rollcall("restore", "--check", *at).returncode == 0
    shutil.copytree(settings.home / "blobs", tmp_path / "new" / "blobs")
    back = rollcall("restore", place, "--keys", keys, "--home", str(tmp_path / "new"))
    assert back.returncode == 0, back.stdout + back.stderr
    assert "4 of 4 kinds of blobs open" in back.stdout
