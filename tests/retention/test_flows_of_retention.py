"""The flows are thin: without Prefect they are plain functions, and with it nothing but ids and counts is recorded."""

import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from flows import retention as flow
from tasks.failures import RollcallError
from tasks.vault.failures import NotErased
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kit: ModuleType) -> Path:
    """An installation with two people whose photos were taken long ago."""
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path / "home"))
    then = kit.NOW - timedelta(days=500)
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        for one in ("p1", "p2"):
            kit.photograph(vault, kit.enrol(vault, one, then), then)
    return tmp_path / "home"


def test_plain_functions_work_without_prefect(home: Path) -> None:
    assert flow.retention.fn(dry_run=True) == {"would_stop": 0, "items_due": 9, "people_due": 0, "held": 0}
    identity = flow.forget_person.fn("p1")
    assert (home / "receipts" / f"{identity}.html").exists()
    counts = flow.retention.fn()
    assert counts["people_with_expired_items"] == 1
    assert counts["blocked"] == 0
    with pytest.raises(RollcallError, match="opaque id"):
        flow.forget_person.fn("Ada Lovelace")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_run_leaves_ids_only_in_prefect(home: Path, tmp_path: Path, kit: ModuleType) -> None:
    """Both flows under a real (temporary) Prefect server; its database is then read byte by byte."""
    prefect = tmp_path / "prefect"
    code = "from flows.retention import forget_person, retention; forget_person('p1'); retention()"
    environment = {
        "PATH": "/usr/bin:/bin", "ROLLCALL_HOME": str(home), "PREFECT_HOME": str(prefect), "HOME": str(tmp_path),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert kit.hits([home, prefect], kit.canary("p1")) == []
    assert kit.hits([prefect], kit.canary("p2")) == []
    with sqlite3.connect(prefect / "prefect.db") as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM flow_run")]
    connection.close()
    assert sorted(names) == ["forget", "retention"]  # p1 is no id that records give, so the name does not quote it
    with open_vault(Settings(home=home)) as vault, vault.reading() as session:
        assert session.get_one(Employee, "p1").state == "erased"


def test_a_trace_that_was_removed_by_hand_is_looked_for_again(
    home: Path, kit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the command line: blocked by a note that somebody left, then cleared with words that only HR still knows."""
    from typer.testing import CliRunner

    from flows import cli_keeping

    note = home / "note.txt"
    note.write_text(f"call {kit.canary('p1').email}")
    with pytest.raises(NotErased, match="NOT erased: of 1 person"):
        flow.forget_person.fn("p1")
    [identity] = [path.stem for path in (home / "receipts").glob("*.json")]
    with pytest.raises(NotErased, match="search-again"):
        flow.retention.fn()
    ask = CliRunner()

    def look(receipt: str, words: str) -> tuple[int, str]:
        result = ask.invoke(cli_keeping.retention, ["search-again", receipt], input=words)
        return result.exit_code, " ".join(result.output.split())

    assert "NOT erased" in look(identity, f"\n{kit.canary('p1').email}\n")[1]
    note.unlink()
    assert look(identity, "\n\n") == (1, "Name: E-mail: There is nothing to look for, or no such receipt waits.")
    code, said = look(identity, f"{kit.canary('p1').name}\n{kit.canary('p1').email}\n")
    assert code == 0
    assert "one more look is due" in said
    assert "Quagga" not in said, "what is typed is not shown"
    assert kit.hits([home], kit.canary("p1")) == []
