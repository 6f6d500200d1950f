"""One drop's tables, checked and run: what is promised before has to be what happens."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.roster.consents import read_consents
from tasks.roster.intake import admit, note_roster, seat_everybody
from tasks.roster.read import read_roster
from tasks.selfies.check import CheckReport, check_drop
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
Standing = dict[int, tuple[str, str | None]]  # roster row → state, reason


def check(roster: Path, consents: Path | None = None, selfies: Path | None = None) -> CheckReport:
    return check_drop(roster, selfies, consents, now=NOW)


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with its tables made: making them takes longer than everything that is asked of them here."""
    home = tmp_path_factory.mktemp("vault") / "home"
    open_vault(Settings(home=home)).close()
    return home


@pytest.fixture
def run(tmp_path: Path, empty_home: Path) -> Callable[..., Standing]:
    """The run's own word about everybody, by roster row: the steps of `take_roster`, on records of its own."""

    def taken(roster: Path, consents: Path | None = None) -> Standing:
        if not (tmp_path / "home").exists():
            shutil.copytree(empty_home, tmp_path / "home")
        read = read_roster(roster.read_bytes(), roster.name, today=NOW.date())
        register = read_consents(consents.read_bytes(), consents.name) if consents else None
        with open_vault(Settings(home=tmp_path / "home")) as vault:
            batch = open_batch(vault, Order("/drop", "harbour", "draft", "embedded"), NOW)
            seat_everybody(vault, batch, admit(vault, read, register, NOW), read)
            note_roster(vault, batch, read, register)
            return {seat.row: (seat.state, seat.reason) for seat in seats_of(vault, batch)}

    return taken


def of_check(report: CheckReport) -> Standing:
    return {person.row: (person.state, person.reason) for person in report.people}
