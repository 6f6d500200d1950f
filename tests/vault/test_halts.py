"""A person's word that a batch waits: stopped until carried on, or held until a second person says yes."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from tasks.vault.batches import Order, load_batch, move_seat, open_batch, seat_cohorts, seats_of
from tasks.vault.failures import NoSuchBatch, NotLikeThis
from tasks.vault.halts import approve_cost, carry_on, free_state, hold_for_approval, is_held, is_stopped, stop_batch
from tasks.vault.records import AuditEntry, Seat
from tasks.vault.seats import STATES
from tasks.vault.store import Vault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def batch(vault: Vault) -> str:
    """One person in each state, named by it, in one cohort."""
    made = open_batch(vault, Order("/d", "harbour", "draft", "embedded"), NOW)
    with vault.session() as session:
        for place, state in enumerate(STATES):
            session.add(Seat(batch_id=made, employee_id=state, state=state, position=place, cohort=0))
    return made


def states(vault: Vault, batch: str) -> dict[str, str]:
    return {seat.employee_id: seat.state for seat in seats_of(vault, batch)}


def test_who_is_not_done_is_stopped_and_nothing_moves_them_on_but_a_person(vault: Vault, batch: str) -> None:
    assert stop_batch(vault, batch, "Ada", NOW) == 5
    stopped = {who for who, state in states(vault, batch).items() if state == "stopped"}
    assert stopped == {"ready", "trained", "rendered", "failed", "awaiting_approval", "stopped"}
    assert states(vault, batch)["done"] == "done"
    move_seat(vault, batch, "trained", "rendered")  # by a step that was at work
    seat_cohorts(vault, batch, 16, None)
    assert states(vault, batch)["trained"] == "stopped"
    assert stop_batch(vault, batch, "Ada", NOW) == 0, "twice is once"
    assert is_stopped(load_batch(vault, batch))
    assert free_state(load_batch(vault, batch)) == "stopped", "newcomers of a stopped batch wait as well"
    assert carry_on(vault, batch, "Lin", NOW) == 6
    assert not is_stopped(load_batch(vault, batch))
    assert free_state(load_batch(vault, batch)) == "ready"
    assert {states(vault, batch)[who] for who in stopped} == {"ready"}
    assert {seat.cohort for seat in seats_of(vault, batch)} == {0}, "everybody goes on in their own group"


def test_who_was_found_to_be_blocked_meanwhile_is_not_carried_on(vault: Vault, batch: str) -> None:
    stop_batch(vault, batch, "Ada", NOW)
    with vault.session() as session:
        session.get_one(Seat, (batch, "ready")).findings = [{"code": "no_photos", "severity": "block"}]
        session.get_one(Seat, (batch, "trained")).findings = [{"code": "dark", "severity": "warn"}]
        session.get_one(Seat, (batch, "rendered")).lane = "faithful"
    assert carry_on(vault, batch, "Ada", NOW) == 5
    found = {seat.employee_id: (seat.state, seat.reason) for seat in seats_of(vault, batch)}
    assert found["ready"] == ("blocked", "no_photos")
    assert found["trained"] == ("ready", None)
    assert found["rendered"] == ("ready", "opted_out")


def test_a_dear_run_waits_for_somebody_else(vault: Vault, batch: str) -> None:
    assert hold_for_approval(vault, batch, "Ada", NOW) == 3
    held = {seat.employee_id: seat.reason for seat in seats_of(vault, batch, states=("awaiting_approval",))}
    assert held == {"ready": "cost", "failed": "cost", "awaiting_approval": None}, "who was begun goes on"
    assert is_held(load_batch(vault, batch))
    with pytest.raises(NotLikeThis, match="Somebody else"):
        approve_cost(vault, batch, "Ada", NOW)
    assert approve_cost(vault, batch, "Lin", NOW) == 3
    assert states(vault, batch)["failed"] == "ready"
    assert not is_held(load_batch(vault, batch))
    with pytest.raises(NotLikeThis, match="Nothing"):
        approve_cost(vault, batch, "Lin", NOW)


def test_a_yes_counts_for_those_of_whom_it_was_said(vault: Vault, batch: str) -> None:
    hold_for_approval(vault, batch, "Ada", NOW)
    approve_cost(vault, batch, "Lin", NOW)
    assert hold_for_approval(vault, batch, "Ada", NOW) == 0
    assert not is_held(load_batch(vault, batch))
    with vault.session() as session:
        session.add(Seat(batch_id=batch, employee_id="new", state="ready", cohort=0))
        session.add(Seat(batch_id=batch, employee_id="not in this run", state="ready"))
    assert hold_for_approval(vault, batch, "Ada", NOW) == 1
    assert states(vault, batch)["new"] == "awaiting_approval"
    assert states(vault, batch)["ready"] == "ready"


def test_a_run_that_waits_may_be_stopped_and_waits_again(vault: Vault, batch: str) -> None:
    hold_for_approval(vault, batch, "Ada", NOW)
    stop_batch(vault, batch, "Ada", NOW)
    carry_on(vault, batch, "Ada", NOW)
    assert states(vault, batch)["ready"] == "awaiting_approval", "stopping is no way round a second yes"
    assert approve_cost(vault, batch, "Lin", NOW) > 0


def test_each_word_is_in_the_log_and_names_nobody(vault: Vault, batch: str) -> None:
    hold_for_approval(vault, batch, "Ada Lovelace", NOW)
    approve_cost(vault, batch, "Lin Carter", NOW)
    stop_batch(vault, batch, "Ada Lovelace", NOW)
    carry_on(vault, batch, "Ada Lovelace", NOW)
    with vault.reading() as session:
        rows = session.exec(select(AuditEntry).where(AuditEntry.subject == batch)).all()
    assert [row.action for row in rows] == ["approval_asked", "approval_given", "batch_stopped", "batch_carried_on"]
    assert all("Ada" not in f"{row.actor}{row.result}" for row in rows)
    for say in (stop_batch, carry_on, hold_for_approval, approve_cost):
        with pytest.raises(NoSuchBatch):
            say(vault, "b0", "Ada", NOW)
