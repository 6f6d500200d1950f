"""A batch is its order: the same again is the same batch, whatever was corrected, and everybody keeps their seat."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from tasks.vault.batches import (
    Order,
    begin_run,
    how_far,
    load_batch,
    move_seat,
    newcomers,
    note_facts,
    note_work,
    open_batch,
    order_key,
    seat_cohorts,
    seats_of,
    take_version,
)
from tasks.vault.failures import NoSuchBatch
from tasks.vault.records import Artifact, Batch, DropVersion, Headshot, Seat
from tasks.vault.seats import ForbiddenMove
from tasks.vault.store import Vault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ORDER = Order(drop="/drops/acme", kit="harbour", quality="standard", base="embedded")


def seated(vault: Vault, states: list[str]) -> str:
    """A batch with one seat per state, in that order."""
    batch = open_batch(vault, ORDER, NOW)
    with vault.session() as session:
        for place, state in enumerate(states):
            session.add(Seat(batch_id=batch, employee_id=f"p{place:02}", state=state, position=place))
    return batch


def test_the_same_order_is_the_same_batch_and_its_id_says_nothing(vault: Vault) -> None:
    batch = open_batch(vault, ORDER, NOW)
    assert open_batch(vault, ORDER, NOW + timedelta(days=30)) == batch
    assert batch not in order_key(ORDER)
    with vault.reading() as session:
        assert len(session.exec(select(Batch)).all()) == 1


@given(st.sampled_from(["drop", "kit", "quality", "base", "people", "who"]), st.text(min_size=1, max_size=8))
def test_anything_else_is_another_batch(field: str, value: str) -> None:
    other = Order(**{**ORDER.__dict__, field: value})
    assert (order_key(other) == order_key(ORDER)) == (other == ORDER)


def test_a_corrected_drop_is_another_version_of_the_same_batch(vault: Vault) -> None:
    batch = open_batch(vault, ORDER, NOW)
    assert [take_version(vault, batch, digest, 3, NOW) for digest in ("r1", "r1", "r2", "r1")] == [1, 1, 2, 3]
    with vault.reading() as session:
        found = session.exec(select(DropVersion).order_by(col(DropVersion.version))).all()
    assert [(one.version, one.digest) for one in found] == [(1, "r1"), (2, "r2"), (3, "r1")]


def test_how_far_it_is_changes_with_whatever_is_done_for_somebody_and_with_nothing_else(vault: Vault) -> None:
    batch = seated(vault, ["ready", "blocked"])
    begun = how_far(vault.engine, batch)
    with vault.session() as session:
        session.add(Artifact(key="people/p01/looks/a", employee_id="p01", kind="looks", epoch=0, created_at=NOW))
        session.add(Artifact(key="people/px/looks/a", employee_id="px", kind="looks", epoch=0, created_at=NOW))
    note_facts(vault, batch, anything=1)
    assert how_far(vault.engine, batch) == begun, "nobody's who is photographed"
    with vault.session() as session:
        session.add(Artifact(key="people/p00/looks/a", employee_id="p00", kind="looks", epoch=0, created_at=NOW))
    looked_at = how_far(vault.engine, batch)
    move_seat(vault, batch, "p00", "trained")
    assert len({begun, looked_at, how_far(vault.engine, batch)}) == 3


def test_two_runs_that_begin_at_once_find_one_batch(vault: Vault) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(open_batch(vault, ORDER, NOW))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (6, 1)


def test_a_run_counts_its_own_work_and_the_next_one_starts_at_nought(vault: Vault) -> None:
    batch = open_batch(vault, ORDER, NOW)
    note_work(vault, batch, trained=2)
    note_work(vault, batch, trained=1, rendered=4)
    note_facts(vault, batch, state="done", kit_digest="k")
    assert load_batch(vault, batch).facts["work"] == {"trained": 3, "rendered": 4}
    begin_run(vault, batch, NOW)
    again = load_batch(vault, batch)
    assert (again.facts["work"], again.facts["kit_digest"], again.state) == ({}, "k", "done")


def test_blocked_people_get_no_cohort_and_the_rest_sit_in_roster_order(vault: Vault) -> None:
    batch = seated(vault, ["ready", "blocked", "ready", "ready"])
    assert seat_cohorts(vault, batch, size=2, limit=None) == [0, 1]
    assert [seat.cohort for seat in seats_of(vault, batch)] == [0, None, 0, 1]


def test_a_batch_that_goes_on_begins_with_the_groups_that_still_have_somebody_waiting(vault: Vault) -> None:
    batch = seated(vault, ["done", "failed", "flagged", "ready", "done", "trained"])
    assert seat_cohorts(vault, batch, size=2, limit=None) == [1, 2, 0]
    move_seat(vault, batch, "p03", "failed", "broke_down")
    move_seat(vault, batch, "p05", "rendered")
    # Who failed for our own fault is tried again, after those who were not tried yet.
    assert seat_cohorts(vault, batch, size=2, limit=None) == [2, 0, 1]


def test_who_is_beyond_the_limit_waits_with_a_reason_and_loses_it_when_it_is_their_turn(vault: Vault) -> None:
    batch = seated(vault, ["ready", "ready", "ready"])
    seat_cohorts(vault, batch, size=2, limit=1)
    assert [seat.reason for seat in seats_of(vault, batch)] == [None, "not_selected", "not_selected"]
    seat_cohorts(vault, batch, size=2, limit=None)
    assert [seat.reason for seat in seats_of(vault, batch)] == [None, None, None]


def test_a_batch_of_those_who_are_new_leaves_the_others_as_they_are_and_can_be_run_again(vault: Vault) -> None:
    batch = seated(vault, ["ready", "ready", "blocked", "ready"])

    def photograph(person: str, kit: str = ORDER.kit) -> None:
        with vault.session() as session:
            session.add(
                Headshot(
                    digest=person + kit, employee_id=person, kit=kit, kit_digest="k", shot=0, seed=1, created_at=NOW
                )
            )

    photograph("p00")
    photograph("p01", "another kit")
    assert newcomers(vault, batch) == {"p01", "p02", "p03"}
    seat_cohorts(vault, batch, 8, None, newcomers(vault, batch))
    found = [(seat.cohort, seat.reason) for seat in seats_of(vault, batch)]
    assert found == [(None, "not_new"), (0, None), (None, None), (0, None)]
    photograph("p01")  # by this very batch
    seat_cohorts(vault, batch, 8, None, newcomers(vault, batch))
    assert [(seat.cohort, seat.reason) for seat in seats_of(vault, batch)] == found


def test_a_seat_moves_and_keeps_what_was_found(vault: Vault) -> None:
    batch = seated(vault, ["ready"])
    move_seat(vault, batch, "p00", "trained", adapter_digest="a1")
    move_seat(vault, batch, "p00", "rendered", "because")
    [seat] = seats_of(vault, batch, states=("rendered",))
    assert (seat.adapter_digest, seat.reason) == ("a1", "because")
    with pytest.raises(ForbiddenMove, match="from rendered to awaiting_approval"):
        move_seat(vault, batch, "p00", "awaiting_approval")
    assert seats_of(vault, batch)[0].state == "rendered"


def test_a_corrected_roster_leaves_cohorts_as_they_were_and_fills_the_gaps(vault: Vault) -> None:
    batch = seated(vault, ["ready", "ready", "ready"])
    seat_cohorts(vault, batch, size=2, limit=None)
    with vault.session() as session:
        session.get_one(Seat, (batch, "p00")).state = "blocked"  # who had left was corrected
        session.add(Seat(batch_id=batch, employee_id="pNew", state="ready", position=-1))
    assert seat_cohorts(vault, batch, size=2, limit=None) == [0, 1]
    found = {seat.employee_id: seat.cohort for seat in seats_of(vault, batch) if seat.state == "ready"}
    assert found == {"pNew": 0, "p01": 0, "p02": 1}


def test_what_does_not_exist_is_said(vault: Vault) -> None:
    with pytest.raises(NoSuchBatch, match="no such batch"):
        load_batch(vault, "b000")
    with pytest.raises(KeyError, match="p99"):
        move_seat(vault, seated(vault, []), "p99", "done")
