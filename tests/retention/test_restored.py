"""A backup of the records that is put back brings nobody back, and the log's evidence outlives it."""

import json
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from sqlmodel import col, select

from tasks.retention.erase import forget
from tasks.retention.log_checkpoint import LogChanged, accept_log, verify_all, write_checkpoint
from tasks.retention.sweep import run_retention
from tasks.vault.failures import Fenced, NoConsent
from tasks.vault.records import Employee, Erasure
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

HOUR = timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def restored(settings: Settings, kit: ModuleType, tmp_path: Path) -> Settings:
    """Two people; one was forgotten; then the records of before are put back, and nothing else."""
    with open_vault(settings) as vault:
        for one in ("p1", "p2"):
            kit.photograph(vault, kit.enrol(vault, one))
        write_checkpoint(vault, kit.NOW)
    backup = tmp_path / "backup.db"
    shutil.copyfile(settings.home / "rollcall.db", backup)
    with open_vault(settings) as vault:
        assert forget(vault, "p1", "requested", kit.NOW).state == "provisional"
        write_checkpoint(vault, kit.NOW)
    for path in settings.home.glob("rollcall.db*"):
        path.unlink()
    shutil.copyfile(backup, settings.home / "rollcall.db")
    return settings


def _state(settings: Settings, who: str) -> str:
    with open_vault(settings) as vault, vault.reading() as session:
        return session.get_one(Employee, who).state


def test_at_the_next_opening_they_are_shut_out_and_nobody_else_is(restored: Settings, kit: ModuleType) -> None:
    with open_vault(restored) as vault:
        with pytest.raises(Fenced):
            vault.permit("p1", now=kit.NOW)
        vault.permit("p2", now=kit.NOW)


def test_the_next_sweep_forgets_them_again(restored: Settings, kit: ModuleType) -> None:
    with pytest.raises(LogChanged):  # the log is shorter than what was signed: said, after everything was done
        run_retention(restored, kit.NOW + HOUR)
    with open_vault(restored) as vault:
        with vault.reading() as session:
            case = session.exec(select(Erasure).where(col(Erasure.employee_id) == "p1")).one()
            assert (case.reason, case.state) == ("restored", "provisional")
            assert (session.get_one(Employee, "p1").state, session.get_one(Employee, "p1").name) == ("erased", "")
        with pytest.raises(NoConsent):
            vault.permit("p1", now=kit.NOW)
    assert kit.hits([restored.home], kit.canary("p1")) == []


def test_older_keys_put_back_as_well_are_told_by_the_receipts(
    settings: Settings, kit: ModuleType, tmp_path: Path
) -> None:
    with open_vault(settings) as vault:
        for one in ("p1", "p2"):
            kit.photograph(vault, kit.enrol(vault, one))
        write_checkpoint(vault, kit.NOW)
    whole, kept = tmp_path / "backup", tmp_path / "receipts"
    shutil.copytree(settings.home, whole)
    with open_vault(settings) as vault:
        forget(vault, "p1", "requested", kit.NOW)
    shutil.copytree(settings.receipts, kept)
    shutil.rmtree(settings.home)
    shutil.copytree(whole, settings.home)
    shutil.copytree(kept, settings.receipts, dirs_exist_ok=True)
    run_retention(settings, kit.NOW + HOUR)
    assert (_state(settings, "p1"), _state(settings, "p2")) == ("erased", "active")
    assert kit.hits([settings.home], kit.canary("p1")) == []


def test_a_checkpoint_is_never_signed_over_a_log_that_was_cut(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        for number in range(5):
            vault.audit("something", str(number), actor="test", now=kit.NOW)
        signed = write_checkpoint(vault, kit.NOW).read_bytes()
    with sqlite3.connect(settings.home / "rollcall.db") as connection:
        connection.execute("DELETE FROM auditentry WHERE seq > 3")
    connection.close()
    with pytest.raises(LogChanged, match="TAMPERED"):
        run_retention(settings, kit.NOW + HOUR)
    assert (settings.audit / "checkpoint.json").read_bytes() == signed
    assert len(list(settings.audit.glob("refused-checkpoint-*.json"))) == 1
    with open_vault(settings) as vault:
        assert not verify_all(vault).intact


def test_a_log_that_was_cut_and_grew_again_is_another_log(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        for number in range(5):
            vault.audit("something", str(number), actor="test", now=kit.NOW)
        write_checkpoint(vault, kit.NOW)
    with sqlite3.connect(settings.home / "rollcall.db") as connection:
        connection.execute("DELETE FROM auditentry WHERE seq > 3")
    connection.close()
    with open_vault(settings) as vault:
        for number in range(9):
            vault.audit("something else", str(number), actor="test", now=kit.NOW)
        with pytest.raises(LogChanged, match="is not the one the checkpoint signed"):
            write_checkpoint(vault, kit.NOW)


def test_the_second_place_remembers_what_was_signed_when_this_one_was_wiped(tmp_path: Path, kit: ModuleType) -> None:
    settings = Settings(home=tmp_path / "home", checkpoint_copies=tmp_path / "copies")
    with open_vault(settings) as vault:
        vault.audit("something", "1", actor="test", now=kit.NOW)
        vault.audit("something", "2", actor="test", now=kit.NOW)
        write_checkpoint(vault, kit.NOW).unlink()
    with sqlite3.connect(settings.home / "rollcall.db") as connection:
        connection.execute("DELETE FROM auditentry WHERE seq > 1")
    connection.close()
    with open_vault(settings) as vault, pytest.raises(LogChanged):
        write_checkpoint(vault, kit.NOW)


def test_a_restore_that_was_meant_is_accepted_and_stands_in_the_log(restored: Settings, kit: ModuleType) -> None:
    with open_vault(restored) as vault:
        assert "cut off" in accept_log(vault, kit.NOW)
        assert accept_log(vault, kit.NOW) == ""
        assert verify_all(vault).confirmed
        write_checkpoint(vault, kit.NOW + HOUR)
    assert len(list(restored.audit.glob("superseded-*.json"))) == 1


def test_a_receipt_that_was_altered_is_found(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        receipt = forget(vault, "p1", "requested", kit.NOW)
        write_checkpoint(vault, kit.NOW)
        assert verify_all(vault).confirmed
        path = settings.receipts / f"{receipt.id}.json"
        told = json.loads(path.read_text())
        told["signed"]["state"] = "final"
        path.write_text(json.dumps(told))
        assert f"receipt {receipt.id}.json: was altered" in verify_all(vault).faults


def test_the_checkpoint_that_is_named_is_the_one_that_counts(settings: Settings, kit: ModuleType) -> None:
    """Whoever kept an older one elsewhere asks about that, whatever this home holds."""
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        forget(vault, "p1", "requested", kit.NOW)
        write_checkpoint(vault, kit.NOW)
        elsewhere = settings.home / "elsewhere.json"
        signed = json.loads((settings.audit / "checkpoint.json").read_text())
        elsewhere.write_text(json.dumps({**signed, "head": "0" * 64}))
        assert verify_all(vault).confirmed
        assert verify_all(vault, elsewhere).faults
