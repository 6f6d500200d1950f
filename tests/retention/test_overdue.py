"""How late the forgetting is: told by the log of what was done, whatever schedules and orchestrators believe."""

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType

import pytest

from tasks.retention.overdue import MOST, lateness, sentence
from tasks.retention.sweep import MassDeletion, run_retention
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_a_home_in_which_nothing_was_done_owes_nothing(vault: Vault, kit: ModuleType) -> None:
    assert lateness(vault.engine, kit.NOW) is None


def test_it_is_late_after_twenty_six_hours_and_not_before(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    run_retention(settings, kit.NOW)
    assert lateness(vault.engine, kit.NOW + MOST) is None
    assert lateness(vault.engine, kit.NOW + MOST + MINUTE) == MOST + MINUTE
    run_retention(settings, kit.NOW + MOST + MINUTE)
    assert lateness(vault.engine, kit.NOW + MOST + HOUR) is None


def test_where_none_ever_ended_it_is_counted_from_the_first_that_was_done(vault: Vault, kit: ModuleType) -> None:
    vault.audit("consent_given", "p1", actor="test", now=kit.NOW)
    vault.audit("consent_given", "p2", actor="test", now=kit.NOW + 20 * HOUR)
    assert lateness(vault.engine, kit.NOW + 27 * HOUR) == 27 * HOUR


def test_a_sweep_that_stopped_is_none(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    run_retention(settings, kit.NOW)
    with vault.session() as session:
        for number in range(40):
            session.add(Employee(id=f"q{number}", number=str(number), status="left", updated_at=kit.NOW))
    run_retention(settings, kit.NOW + HOUR)
    with pytest.raises(MassDeletion):
        run_retention(settings, kit.NOW + 15 * 24 * HOUR)
    assert lateness(vault.engine, kit.NOW + 15 * 24 * HOUR) == 15 * 24 * HOUR - HOUR


def test_the_sentence_has_both_numbers() -> None:
    assert sentence(timedelta(hours=31, minutes=50)) == (
        "The last finished forgetting sweep was 31 hours ago; 26 are the most."
    )


def test_the_command_does_it_only_then_and_says_so(
    settings: Settings, kit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rollcall retention run --if-overdue`, which the supervisor starts every quarter of an hour."""
    from typer.testing import CliRunner

    from flows import cli_keeping
    from tasks.retention import clock

    monkeypatch.setenv("ROLLCALL_HOME", str(settings.home))
    at: Callable[..., object] = lambda hours: lambda *_: kit.NOW + hours * HOUR  # noqa: E731

    def ask(hours: int) -> str:
        monkeypatch.setattr(clock, "read_clock", at(hours))
        result = CliRunner().invoke(cli_keeping.retention, ["run", "--if-overdue"])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    run_retention(settings, kit.NOW)
    assert ask(25) == ""
    assert ask(27).startswith("The last finished forgetting sweep was 27 hours ago; 26 are the most. It is done now.")
    assert ask(28) == ""
