"""A clock that is two days wrong, in either direction, deletes nothing early; the right time is found again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.retention.clock import ClockMemory, Sighting, believe, look_at_clocks, read_clock

START = datetime(2026, 11, 2, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)


class Machine:
    """A machine whose true time is known, whose clock may be wrong, and which can be rebooted."""

    def __init__(self) -> None:
        self.true = START
        self.error = timedelta(0)
        self.booted = START - timedelta(days=10)
        self.boots = 0
        self.memory: ClockMemory | None = None

    def sweep(self) -> datetime:
        seen = Sighting(self.true + self.error, (self.true - self.booted).total_seconds(), f"boot-{self.boots}")
        now, self.memory = believe(seen, self.memory)
        return now

    def reboot(self) -> None:
        self.booted, self.boots = self.true, self.boots + 1


@pytest.mark.parametrize("error", [timedelta(hours=48), timedelta(hours=-48), timedelta(hours=7), timedelta(hours=-7)])
def test_a_jump_within_one_boot_is_not_believed(error: timedelta) -> None:
    machine = Machine()
    machine.sweep()
    machine.true += DAY
    machine.error = error
    assert machine.sweep() == machine.true
    machine.true += DAY
    machine.error = timedelta(0)
    assert machine.sweep() == machine.true


def test_a_clock_that_jumps_between_two_looks_at_one_moment_is_not_believed() -> None:
    machine = Machine()
    machine.sweep()
    machine.error = timedelta(hours=60)
    assert machine.sweep() == machine.true


def test_an_ordinary_reboot_changes_nothing() -> None:
    machine = Machine()
    machine.sweep()
    machine.true += timedelta(hours=12)
    machine.reboot()
    machine.true += timedelta(hours=12)
    assert machine.sweep() == machine.true


def test_an_outage_is_caught_up_in_one_run_but_for_the_doubt() -> None:
    machine = Machine()
    machine.sweep()
    machine.true += 30 * DAY
    machine.reboot()
    assert machine.sweep() == machine.true - 2 * DAY
    machine.true += DAY
    assert machine.sweep() == machine.true


@pytest.mark.parametrize("hours", [48, 40])
def test_a_reboot_with_a_clock_ahead_is_never_early(hours: int) -> None:
    machine = Machine()
    machine.sweep()
    machine.true += DAY
    machine.reboot()
    machine.error = timedelta(hours=hours)
    assert machine.sweep() <= machine.true
    machine.true += timedelta(hours=1)
    machine.error = timedelta(0)  # the time service comes up
    machine.true += timedelta(hours=23)
    now = machine.sweep()
    assert machine.true - DAY <= now <= machine.true


def test_a_reboot_with_a_clock_behind_is_put_right() -> None:
    machine = Machine()
    machine.sweep()
    machine.true += DAY
    machine.reboot()
    machine.error = timedelta(hours=-48)
    assert machine.sweep() == START
    machine.true += DAY
    machine.error = timedelta(0)
    assert machine.sweep() == machine.true


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.1, 40), st.sampled_from([0, 0, 0, 48, -48, 12, -3]), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_time_never_runs_backwards(days: list[tuple[float, int, bool]]) -> None:
    machine = Machine()
    before = machine.sweep()
    for passed, error, reboot in days:
        machine.true += passed * DAY
        machine.error = timedelta(hours=error)
        if reboot:
            machine.reboot()
        now = machine.sweep()
        assert now >= before
        before = now


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 1.0), st.integers(-48, 48)), min_size=1, max_size=12))
def test_within_one_boot_belief_follows_true_time(days: list[tuple[float, int]]) -> None:
    machine = Machine()
    machine.sweep()
    for passed, error in days:
        machine.true += passed * DAY
        machine.error = timedelta(hours=error)
        assert abs(machine.sweep() - machine.true) <= timedelta(seconds=1)


def test_the_memory_survives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "audit" / "clock.json"
    first = read_clock(file, Sighting(START, 1000.0, "a"))
    second = read_clock(file, Sighting(START + 3 * DAY, 1000.0 + 3600, "a"))
    assert (first, second) == (START, START + timedelta(hours=1))
    assert abs(look_at_clocks().wall - datetime.now(UTC)) < timedelta(minutes=1)
