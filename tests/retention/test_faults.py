"""A full disk, a clock cut short, rules from Notepad, a locked database: one sentence, and forgetting goes on."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tasks.retention import reserve
from tasks.retention.clock import Sighting, read_clock
from tasks.retention.rules import BadRules, load_rules, rules_or_built_in
from tasks.retention.sweep import run_retention
from tasks.vault.failures import StoreFault, StoreLost
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
NOTEPAD = 'company = { name = "M\u00fcller AG" }\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def rollcall(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *words, "--home", str(home)],
        capture_output=True, text=True, cwd=ROOT, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"believed": "yesterday"}', b"\xff\xfe"])
def test_a_damaged_clock_is_one_that_nobody_knows(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "clock.json"
    file.write_bytes(content)
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    far = Sighting(written + timedelta(days=400), 100.0, "a boot")
    assert read_clock(file, far) <= written + timedelta(days=399), "a wrong clock still deletes nothing early"
    assert read_clock(file, Sighting(far.wall, 200.0, "a boot")) > written, "and it is mended"


def test_rules_in_another_encoding_are_one_sentence_and_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(NOTEPAD.encode("cp1252"))
    with pytest.raises(BadRules, match="save it again as UTF-8"):
        load_rules(file)
    file.write_bytes(NOTEPAD.encode("utf-8-sig"))
    assert load_rules(file).company.name == "M\u00fcller AG"


def test_who_asked_to_be_forgotten_does_not_wait_for_mended_rules(
    settings: Settings, kit: ModuleType, tmp_path: Path
) -> None:
    bad = tmp_path / "rules.toml"
    bad.write_bytes(NOTEPAD.encode("cp1252"))
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
    done = rollcall(settings.home, "forget", kit.canary("p1").number, "--yes", ROLLCALL_RETENTION_RULES=str(bad))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "save it again as UTF-8" in done.stdout
    swept = rollcall(settings.home, "retention", "run", ROLLCALL_RETENTION_RULES=str(bad))
    assert swept.returncode == 1
    assert "save it again as UTF-8" in swept.stdout
    assert "Traceback" not in swept.stderr + swept.stdout
    assert rules_or_built_in(bad)[1] is not None


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_room_is_held_for_the_day_the_disk_is_full(
    settings: Settings, kit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
    held = settings.audit / "reserve"
    run_retention(settings, kit.NOW)
    assert held.stat().st_blocks * 512 >= reserve.SIZE, "really taken, and not only promised"
    reserve.give_way(settings.home)
    assert held.exists(), "there is room"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 4096))
    reserve.give_way(settings.home)
    assert not held.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB, where this machine lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_forgetting_works_on_a_disk_that_is_full_to_the_last_byte(small_disk: Path, kit: ModuleType) -> None:
    home = small_disk / "home"
    settings = Settings(home=home)
    with open_vault(settings) as vault:
        for one in ("p1", "p2"):
            kit.photograph(vault, kit.enrol(vault, one))
    reserve._PLENTY, before = 0, reserve._PLENTY
    try:
        reserve.keep_reserve(home)
    finally:
        reserve._PLENTY = before
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    filler.write(b"\1" * size)
            except OSError:
                continue
    done = rollcall(home, "forget", kit.canary("p1").number, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    with open_vault(settings) as vault:
        assert vault.blobs.remains("people/p1/") == []


def test_a_store_that_is_away_is_not_called_one_that_refuses() -> None:
    from flows.plain_faults import sentence_of

    away = str(sentence_of(StoreLost("EndpointConnectionError", "put")))
    assert away.startswith("store_lost: the store of the files could not be reached")
    assert "refused" not in away
    assert "The blob store refused (AccessDenied put)" in str(sentence_of(StoreFault("AccessDenied", "put")))


def test_somebody_else_holding_the_records_is_one_sentence(settings: Settings, kit: ModuleType) -> None:
    from sqlalchemy.exc import OperationalError

    from flows.plain_faults import sentence_of

    locked = OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
    assert "Another program has held the records" in str(sentence_of(locked))
    full = OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))
    assert "The disk is full" in str(sentence_of(full))
    for number in (28, 30, 13):
        assert sentence_of(OSError(number, "no", "/some/where"))
    assert sentence_of(ZeroDivisionError()) is None, "a defect keeps its traceback"


def test_a_forgetting_that_left_something_ends_with_1(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        who = kit.enrol(vault, "p1")
        kit.photograph(vault, who)
    (settings.home / "notes.txt").write_text(f"ask {who.email}")
    done = rollcall(settings.home, "forget", who.number, "--yes")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "left: notes.txt, written as plain" in done.stdout
    assert rollcall(settings.home, "retention", "run").returncode == 1


def test_the_log_is_verified_with_its_own_checkpoint_and_three_answers(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        vault.audit("something", "1", actor="test", now=kit.NOW)
    assert rollcall(settings.home, "audit", "verify").returncode == 2
    assert rollcall(settings.home, "retention", "run").returncode == 0
    assert rollcall(settings.home, "audit", "verify").returncode == 0
    with sqlite3.connect(settings.home / "rollcall.db") as connection:
        connection.execute("DELETE FROM auditentry WHERE seq = (SELECT max(seq) FROM auditentry)")
    connection.close()
    done = rollcall(settings.home, "audit", "verify")
    assert (done.returncode, "TAMPERED" in done.stdout) == (1, True)


def test_who_waits_for_another_writer_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kit: ModuleType
) -> None:
    monkeypatch.setattr("tasks.vault.database._SILENT", 50)
    with open_vault(settings) as vault:
        other = sqlite3.connect(settings.home / "rollcall.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
        done.start()
        vault.audit("something", "1", actor="test", now=kit.NOW)
        done.join()
        assert caplog.messages == ["waiting for another program that writes to the records"]
        vault.audit("something", "2", actor="test", now=kit.NOW)
        assert len(caplog.messages) == 1, "who need not wait is told nothing"
        other.close()
