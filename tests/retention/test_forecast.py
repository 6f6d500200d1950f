"""One forecast for everybody who asks, at the time the sweep believes, with the stop before anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from flows import cli_keeping
from flows import retention as flow
from tasks.retention.clock import look_at_clocks
from tasks.retention.forecast import forecast, say_forecast
from tasks.retention.sweep import MassDeletion, run_retention
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.retention.test_sweep import _approve

DAY = timedelta(days=1)


def leavers(vault: Vault, kit: ModuleType, number: int) -> None:
    """So many people whom the roster suddenly calls gone."""
    with vault.session() as session:
        for one in range(number):
            session.add(Employee(id=f"q{one}", number=str(one), status="left", updated_at=kit.NOW))


def shell(*words: str) -> list[str]:
    result = CliRunner().invoke(cli_keeping.retention, list(words))
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.fixture
def doubted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A machine that came back after a month, and whose clock is believed up to two days ago only: that time."""
    monkeypatch.setenv("ROLLCALL_HOME", str(settings.home))
    seen = look_at_clocks()
    believed = (seen.wall - timedelta(days=30)).isoformat()
    settings.audit.mkdir(parents=True, exist_ok=True)
    (settings.audit / "clock.json").write_text(
        json.dumps(
            {"believed": believed, "ticks": seen.ticks, "boot": "another", "doubted_since": None, "behind": False}
        )
    )
    return datetime.now(UTC) - timedelta(hours=48)


def test_the_shell_and_the_flow_say_the_same_at_the_time_that_is_believed(
    vault: Vault, kit: ModuleType, doubted: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`plan` went by the wall clock: it told of things that the sweep would not touch for two days."""
    kit.photograph(vault, kit.enrol(vault, "p1"), kit.NOW)
    shown: list[str] = []
    monkeypatch.setattr(flow, "show", lambda key, text: shown.append(text))
    planned, dry = shell("plan"), shell("run", "--dry-run")
    flow.retention.fn(dry_run=True)
    assert planned == dry
    assert [line.strip() for line in shown[0].splitlines()] == [line.strip() for line in planned]
    assert planned[0].startswith("As of ")
    told = datetime.strptime(planned[0], "As of %Y-%m-%d %H:%M UTC.").replace(tzinfo=UTC)
    assert abs(told - doubted) < timedelta(minutes=2)


@pytest.mark.parametrize(("people", "stops"), [(25, False), (26, True)])
def test_the_stop_is_said_first_and_is_what_happens(
    settings: Settings, vault: Vault, kit: ModuleType, people: int, stops: bool
) -> None:
    """The limit is 25 people here: one more is too many, and one fewer is not."""
    leavers(vault, kit, people)
    run_retention(settings, kit.NOW)
    late = kit.NOW + 15 * DAY
    first = next(say_forecast(forecast(vault, late)))
    assert first.startswith("THE SWEEP WILL STOP, AND DELETE NOTHING: 26 people would be forgotten") == stops
    if stops:
        with pytest.raises(MassDeletion):
            run_retention(settings, late)
    else:
        assert len(run_retention(settings, late)) == people


def test_photos_of_a_whole_company_that_come_due_on_one_day_are_no_reason_to_stop(
    vault: Vault, kit: ModuleType
) -> None:
    for number in range(27):
        kit.photograph(vault, kit.enrol(vault, f"p{number}"), kit.NOW)
        _approve(vault, f"p{number}", kit.NOW + DAY)
    seen = forecast(vault, kit.NOW + 8 * DAY)
    assert len({verdict.item.person for verdict in seen.plan.delete if verdict.item.clock == "biometric"}) == 27
    assert seen.stops_because == ""


def test_lost_records_stop_the_sweep_before_anybody_goes(
    settings: Settings, vault: Vault, kit: ModuleType, company: dict[str, Any]
) -> None:
    """It was found out after everybody who was due had been forgotten, and said that nothing was deleted."""
    kit.withdraw(vault, "p1", kit.NOW - 3 * DAY)
    for number in range(40):
        folder = settings.home / "blobs" / "people" / f"q{number}" / "selfies"
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(b"x")
    assert "were the records restored" in next(say_forecast(forecast(vault, kit.NOW)))
    with pytest.raises(MassDeletion, match="were the records restored"):
        run_retention(settings, kit.NOW)
    with vault.reading() as session:
        assert session.get_one(Employee, "p1").state == "active"
    run_retention(settings, kit.NOW, mass_deletion=40)
    with vault.reading() as session:
        assert session.get_one(Employee, "p1").state == "erased"


def test_a_forecast_tells_everything_that_goes_and_stays(
    vault: Vault, kit: ModuleType, company: dict[str, Any], tmp_path: Path
) -> None:
    kit.withdraw(vault, "p1")
    seen = forecast(vault, kit.NOW + 40 * DAY)
    said = list(say_forecast(seen))
    assert f"Goes now: {len(seen.plan.delete)} items, and all of 1 people." in said
    assert any(line.strip().startswith("p1: withdrawn") for line in said)
    assert f"Stays: {len(seen.plan.keep)} items." in said
    assert sum(int(line.split()[0]) for line in said if line.startswith("  ") and line.split()[0].isdigit()) == len(
        seen.plan.delete
    ) + len(seen.plan.keep) + sum(seen.orphans.values())
