"""A batch is its order and its roster: the same again is the same batch, and everybody keeps their seat."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.vault.batches import (
    Order,
    batch_id,
    load_batch,
    move_seat,
    note_facts,
    note_work,
    open_batch,
    seat_cohorts,
    seats_of,
)
from tasks.vault.records import Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ORDER = Order(drop="/drops/acme", kit="harbour", quality="standard", base="embedded")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path)) as opened:
        yield opened


def seated(vault: Vault, states: list[str]) -> str:
    """A batch with one seat per state, in that order."""
    batch = open_batch(vault, ORDER, "r1", NOW)
    with vault.session() as session:
        for place, state in enumerate(states):
            session.add(Seat(batch_id=batch, employee_id=f"p{place:02}", state=state, position=place))
    return batch


def test_the_same_order_on_the_same_roster_is_the_same_batch(vault: Vault) -> None:
    assert open_batch(vault, ORDER, "r1", NOW) == open_batch(vault, ORDER, "r1", NOW)


@given(st.sampled_from(["drop", "kit", "quality", "base", "people"]), st.text(min_size=1, max_size=8))
def test_anything_else_is_another_batch(field: str, value: str) -> None:
    other = Order(**{**ORDER.__dict__, field: value})
    assert (batch_id(other, "r1") == batch_id(ORDER, "r1")) == (other == ORDER)
    assert batch_id(ORDER, "r1") != batch_id(ORDER, "r2")


def test_a_run_counts_its_own_work_and_the_next_one_starts_at_nought(vault: Vault) -> None:
    batch = open_batch(vault, ORDER, "r1", NOW)
    note_work(vault, batch, trained=2)
    note_work(vault, batch, trained=1, rendered=4)
    note_facts(vault, batch, state="done", kit_digest="k")
    assert load_batch(vault, batch).facts["work"] == {"trained": 3, "rendered": 4}
    open_batch(vault, ORDER, "r1", NOW)
    again = load_batch(vault, batch)
    assert (again.facts["work"], again.facts["kit_digest"], again.state) == ({}, "k", "done")


def test_blocked_people_get_no_cohort_and_the_rest_sit_in_roster_order(vault: Vault) -> None:
    batch = seated(vault, ["ready", "blocked", "ready", "ready"])
    assert seat_cohorts(vault, batch, size=2, limit=None) == [0, 1]
    assert [seat.cohort for seat in seats_of(vault, batch)] == [0, None, 0, 1]


def test_who_is_beyond_the_limit_waits_with_a_reason_and_loses_it_when_it_is_their_turn(vault: Vault) -> None:
    batch = seated(vault, ["ready", "ready", "ready"])
    seat_cohorts(vault, batch, size=2, limit=1)
    assert [seat.reason for seat in seats_of(vault, batch)] == [None, "not_selected", "not_selected"]
    seat_cohorts(vault, batch, size=2, limit=None)
    assert [seat.reason for seat in seats_of(vault, batch)] == [None, None, None]


def test_a_seat_moves_and_keeps_what_was_found(vault: Vault) -> None:
    batch = seated(vault, ["ready"])
    move_seat(vault, batch, "p00", "trained", adapter="a1")
    move_seat(vault, batch, "p00", "rendered")
    [seat] = seats_of(vault, batch, states=("rendered",))
    assert seat.detail == {"findings": [], "adapter": "a1"}


def test_what_does_not_exist_is_said(vault: Vault) -> None:
    with pytest.raises(KeyError, match="b000"):
        load_batch(vault, "b000")
    with pytest.raises(KeyError, match="p99"):
        move_seat(vault, seated(vault, []), "p99", "done")
