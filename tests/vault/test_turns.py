"""A run that was taken for dead notices that another one has its work, and writes nothing more."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.adapters.task import begin_cohort, end_cohort, give_up
from tasks.vault.batches import Order, move_seat, note_work, open_batch, seats_of
from tasks.vault.lease import LIFE, being_made, take_lease
from tasks.vault.records import Consent, Employee, GroupTurn, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vault.turns import TakenOver, checked, end_turn, group_is_ours, take_turn

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path))
    if request.param == "sqlite":
        return Settings(home=tmp_path)
    url = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("ROLLCALL_DATABASE_URL", url)
    return Settings(home=tmp_path, database_url=url)


@pytest.fixture
def vault(settings: Settings) -> Iterator[Vault]:
    with open_vault(settings) as opened:
        yield opened


@pytest.fixture
def batch(vault: Vault) -> str:
    """One person, ready, in the first group."""
    identity = open_batch(vault, Order("/drop", "northwind", "draft", "embedded"), NOW)
    with vault.session() as session:
        session.add(Employee(id="p0", number="0", name="Ada", updated_at=NOW))
        session.flush()
        session.add(Seat(batch_id=identity, employee_id="p0", state="ready", cohort=0, position=0))
        session.add(
            Consent(id="c0", employee_id="p0", purpose="headshot", text_version="1", given_at=NOW, source="form")
        )
    return identity


def test_whoever_began_last_works_and_the_other_writes_neither_record_nor_blob(vault: Vault, batch: str) -> None:
    permit = vault.permit("p0", now=NOW)
    with open_vault(vault.settings) as elsewhere, ExitStack() as work:
        begin_cohort.fn(batch, 0, "first", 1)
        work.enter_context(checked(group_is_ours(batch, 0, "first")))
        move_seat(vault, batch, "p0", "trained")
        vault.write(permit, "adapter", "mine.safetensors", b"learned")

        _as_another_process(lambda session: take_turn(session, batch, 0, "second", 2), elsewhere)

        for attempt in (
            lambda: move_seat(vault, batch, "p0", "rendered"),
            lambda: note_work(vault, batch, rendered=1),
            lambda: vault.write(permit, "headshots", "late.jpg", b"late"),
            lambda: vault.audit("x", "p0", actor="a", now=NOW),
        ):
            with pytest.raises(TakenOver, match="taken_over"):
                attempt()
    assert [seat.state for seat in seats_of(vault, batch)] == ["trained"]
    assert [key.rsplit("/", 1)[1] for key in vault.blobs.keys("people/")] == ["mine.safetensors"]


def test_an_earlier_attempt_that_begins_late_takes_nothing_from_a_later_one(vault: Vault, batch: str) -> None:
    begin_cohort.fn(batch, 0, "second", 2)
    with pytest.raises(TakenOver):
        begin_cohort.fn(batch, 0, "first", 1)
    begin_cohort.fn(batch, 1, "first", 1)  # another group is nobody's
    end_cohort.fn(batch, 0)
    begin_cohort.fn(batch, 0, "third", 1)  # a further round of pictures


def test_a_run_that_begins_again_has_its_own_turn_still(vault: Vault, batch: str) -> None:
    """Its machine took it for dead and began it anew: the attempt is the same, and so is the run."""
    begin_cohort.fn(batch, 0, "second", 2)
    begin_cohort.fn(batch, 0, "second", 2)
    with checked(group_is_ours(batch, 0, "second")):
        move_seat(vault, batch, "p0", "trained")


def test_another_making_of_the_batch_counts_its_attempts_anew(vault: Vault, batch: str) -> None:
    begin_cohort.fn(batch, 0, "second", 2)
    take_lease(vault, batch, "tomorrow's", NOW)
    begin_cohort.fn(batch, 0, "first of tomorrow", 1)


def test_a_group_that_was_given_up_is_nobodys(vault: Vault, batch: str) -> None:
    """Its people stand as interrupted in the report: whoever still learns their faces must not move them later."""
    begin_cohort.fn(batch, 0, "first", 1)
    give_up.fn(batch, 0)
    with checked(group_is_ours(batch, 0, "first")), pytest.raises(TakenOver):
        move_seat(vault, batch, "p0", "trained")
    assert [seat.state for seat in seats_of(vault, batch)] == ["failed"]


def test_a_run_whose_batch_another_one_makes_by_now_stops(vault: Vault, settings: Settings, batch: str) -> None:
    with open_vault(settings) as elsewhere, being_made(settings, batch, "first"):
        note_work(vault, batch, trained=1)
        later = datetime.now(UTC) + LIFE + timedelta(seconds=1)
        _as_another_process(lambda _: take_lease(elsewhere, batch, "second", later), elsewhere, open_session=False)
        with pytest.raises(TakenOver):
            note_work(vault, batch, trained=1)
    with vault.reading() as session:
        row = session.execute(sa.text("SELECT lease_holder FROM batch")).scalar_one()
    assert row == "second", "the end of the first takes nothing from the second"


def test_afterwards_everybody_may_write(vault: Vault, batch: str) -> None:
    begin_cohort.fn(batch, 0, "first", 1)
    with checked(group_is_ours(batch, 0, "first")):
        pass
    with vault.session() as session:
        end_turn(session, batch, 0)
        assert session.get(GroupTurn, (batch, 0)) is None
    move_seat(vault, batch, "p0", "trained")


def _as_another_process(does: Any, vault: Vault, *, open_session: bool = True) -> None:
    """What a process does that holds nothing of ours: the checks are this process's."""
    from tasks.vault import turns

    kept, turns._checks[:] = list(turns._checks), []
    try:
        if open_session:
            with vault.session() as session:
                does(session)
        else:
            does(None)
    finally:
        turns._checks[:] = kept
