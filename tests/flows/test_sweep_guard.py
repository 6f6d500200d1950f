"""The supervisor's look at the forgetting: late is said and done, without Prefect; all well is silence."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.sweep_guard import AFTER_A_FAILURE_S, EVERY_S, SweepGuard
from tasks.retention.overdue import lateness
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault


@pytest.fixture
def guard(tmp_path: Path) -> tuple[SweepGuard, list[str]]:
    said: list[str] = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
    environment = {**clean, "ROLLCALL_HOME": str(tmp_path / "home")}
    return SweepGuard(environment, tmp_path / "sweep.log", said.append, lambda: said.append("swept")), said


def ask(guard: SweepGuard, now: float) -> None:
    """One question and its answer, at this moment of the supervisor's clock."""
    guard.tend(now)
    process = guard.process
    assert process is not None
    process.wait()
    guard.tend(now)
    assert guard.process is None


def test_a_late_sweep_is_said_and_done_and_then_there_is_silence(
    guard: tuple[SweepGuard, list[str]], tmp_path: Path
) -> None:
    asks, said = guard
    home = Settings(home=tmp_path / "home")
    with open_vault(home) as vault:
        vault.audit("consent_given", "p1", actor="test", now=datetime.now(UTC) - timedelta(hours=30))
    ask(asks, 0.0)
    assert said[0].startswith("The last finished forgetting sweep was 30 hours ago; 26 are the most. It is done now.")
    assert said[1:] == ["swept"], "what was switched off at the pages is switched on again"
    with open_vault(home) as vault:
        assert lateness(vault.engine, datetime.now(UTC)) is None
    asks.tend(EVERY_S - 1)
    assert asks.process is None, "not before a quarter of an hour has passed"
    ask(asks, EVERY_S)
    assert len(said) == 2


def test_one_that_fails_is_said_and_tried_again_in_an_hour(guard: tuple[SweepGuard, list[str]], tmp_path: Path) -> None:
    asks, said = guard
    (tmp_path / "home").write_text("no folder")
    ask(asks, 0.0)
    assert said == [f"A late sweep did not come to its end (exit 1); in an hour again. See {asks.log}"]
    asks.tend(AFTER_A_FAILURE_S - 1)
    assert asks.process is None


def test_it_is_stopped_with_the_service(guard: tuple[SweepGuard, list[str]]) -> None:
    asks, _ = guard
    began = time.monotonic()
    asks.tend(0.0)
    assert asks.process is not None
    asks.stop()
    assert asks.process.poll() is not None
    assert time.monotonic() - began < 30
    nothing: Callable[[], None] = SweepGuard({}, asks.log, print, print).stop
    nothing()
