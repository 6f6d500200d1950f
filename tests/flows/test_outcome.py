"""A run of which everybody failed is failed: said after the report, with how many, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import flows.cohort as cohorts
import flows.dispatch as dispatch
import flows.headshots as story
from flows.carrying_on import TAG
from flows.outcome import EverybodyFailed, fail_if_nobody_is_done, why_failed
from reports.gather import gather
from reports.pages import PersonPictures, person_page
from tasks.adapters.task import begin_cohort, end_cohort, give_up, note_breakdown
from tasks.vault.batches import Order, move_seat, open_batch, seats_of
from tasks.vault.records import Employee, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def seat(state: str, reason: str | None = None, cause: str | None = None, cohort: int | None = 0) -> Seat:
    return Seat(batch_id="b", employee_id="p", state=state, reason=reason, cause=cause, cohort=cohort)  # type: ignore[arg-type]


def test_everybody_failed_is_said_with_numbers_causes_and_what_to_do() -> None:
    seats = [seat("failed", "broke_down", "PermissionError")] * 2 + [seat("failed", "interrupted")]
    said = why_failed(seats)
    assert said.startswith("All 3 people of this run failed: PermissionError (2), interrupted (1).")
    assert "What to do:" in said
    assert "The one person of this run failed" in why_failed(seats[:1])


@pytest.mark.parametrize(
    "seats",
    [
        [],
        [seat("failed"), seat("done")],
        [seat("failed"), seat("flagged")],
        [seat("blocked", "no_photos", cohort=None)],  # that is the drop's, and nothing broke
        [seat("failed", cohort=None)],  # of an earlier run; this one did not try them
    ],
)
def test_else_a_run_is_what_it_was(seats: list[Seat]) -> None:
    assert why_failed(seats) == ""


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A home in which tasks run as plain functions."""
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ROLLCALL_UNDER_SUPERVISOR", raising=False)
    monkeypatch.setattr(dispatch, "cohort", cohorts.cohort.fn)
    monkeypatch.setattr(dispatch, "give_up", give_up.fn)
    monkeypatch.setattr(cohorts, "begin_cohort", begin_cohort.fn)
    monkeypatch.setattr(cohorts, "end_cohort", end_cohort.fn)
    monkeypatch.setattr(cohorts, "note_breakdown", note_breakdown.fn)
    for module in (cohorts, story):
        monkeypatch.setattr(module, "bar", lambda key, phases: nullcontext())
    monkeypatch.setattr(cohorts, "take_pictures", lambda batch, number: None)
    monkeypatch.setattr(cohorts, "judge_people", lambda batch, number: None)
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def batch(vault: Vault) -> str:
    """Four people in two cohorts."""
    identity = open_batch(vault, Order("/drop", "northwind", "draft", "embedded"), NOW)
    with vault.session() as session:
        for number in range(4):
            session.add(Employee(id=f"p{number}", number=str(number), name="Ada Lovelace", updated_at=NOW))
            session.add(
                Seat(batch_id=identity, employee_id=f"p{number}", state="ready", cohort=number // 2, position=number)
            )
    return identity


def breaks(*numbers: int) -> Any:
    def learn(batch: str, number: int) -> None:
        if number in numbers:
            raise PermissionError("a permit for p1 does not open Ada Lovelace's blob")

    return learn


def stands(vault: Vault, batch: str) -> list[tuple[str, str | None, str | None]]:
    return [(one.state, one.reason, one.cause) for one in seats_of(vault, batch)]


def test_each_person_keeps_the_class_of_the_cause_and_the_others_go_on(
    vault: Vault, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was "the machine died twice", whatever it was; and on one machine the other groups were lost with it."""
    monkeypatch.setattr(cohorts, "learn_faces", breaks(0))
    dispatch.run_cohorts(batch, [0, 1])
    broken, fine = ("failed", "broke_down", "PermissionError"), ("ready", None, None)
    assert stands(vault, batch) == [broken, broken, fine, fine]
    assert why_failed(seats_of(vault, batch)) == ""
    page = person_page(gather(vault, batch, now=NOW), 0, PersonPictures({}, {}, {}))
    assert page.facts[0] == ("What broke", "PermissionError")
    assert page.reason is not None
    assert page.reason.words.name == "Something broke on our side"


def test_a_machine_that_died_left_no_cause_and_an_older_one_is_not_given(
    vault: Vault, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_breakdown.fn(batch, 0, "OutOfMemoryError")

    def killed(batch: str, number: int) -> None:
        raise KeyboardInterrupt  # stands for the power going off: nobody writes anything down

    monkeypatch.setattr(cohorts, "learn_faces", killed)
    with pytest.raises(KeyboardInterrupt):
        dispatch.run_cohorts(batch, [0])
    give_up.fn(batch, 0)
    assert stands(vault, batch)[:2] == [("failed", "interrupted", None)] * 2


def test_the_report_is_written_before_the_run_is_called_failed(
    vault: Vault, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(cohorts, "learn_faces", breaks(0, 1))
    for name in ("take_selfies", "announce_forecast", "build_report", "sum_up"):
        monkeypatch.setattr(story, name, lambda *_, name=name: done.append(name))
    monkeypatch.setattr(story, "begin_batch", lambda _order: batch)
    by_a_person = []
    monkeypatch.setattr(story, "take_roster", lambda _batch, ordered: by_a_person.append(ordered))
    monkeypatch.setattr(story, "seat_people", lambda _batch: [0, 1])
    monkeypatch.setattr(story, "announce", lambda _batch, text: None)
    monkeypatch.setattr(story, "point_to_desk", lambda _batch: None)
    monkeypatch.setattr(story, "let_withdrawn_photos_go", lambda: 0)
    monkeypatch.setattr(story, "hold_costly", lambda _batch: None)
    monkeypatch.setattr(story, "take_and_judge", dispatch.run_cohorts)
    with pytest.raises(EverybodyFailed, match=r"All 4 people of this run failed: PermissionError \(4\)") as failed:
        story.make_headshots.fn(drop="/drop")
    assert done[-2:] == ["build_report", "sum_up"]
    assert "Ada" not in str(failed.value)

    monkeypatch.setattr(story, "flow_run", SimpleNamespace(tags=[f"{TAG}1", "done-5"]))  # after a machine that died
    with pytest.raises(EverybodyFailed):
        story.make_headshots.fn(drop="/drop")
    assert by_a_person == [True, False]

    move_seat(vault, batch, "p0", "ready")
    move_seat(vault, batch, "p0", "done")
    fail_if_nobody_is_done(batch)  # one person with pictures is a run that came to something
