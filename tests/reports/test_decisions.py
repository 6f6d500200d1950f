"""Decisions end in the same records however they arrive: late, twice, undone, from the desk or from a file."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import col, select

from reports.decisions import BadDecisions, apply_decisions, events_of, overrules, refusal_of
from tasks.headshots.redo import wants_redo
from tasks.vault.records import AuditEntry, Decision, Employee, Headshot
from tasks.vault.review import DecisionEvent, Picture, review_of
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, digest

BATCH = "b20261123a"
ADA = f"p{1:015x}"
FIRST, SECOND = digest("headshot", 1, 0), digest("headshot", 1, 1)


def row(verdict: str, headshot: str | None = FIRST, minutes: int = 0, employee: str = ADA) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"employee": employee, "headshot": headshot, "verdict": verdict, "note": "", "at": at}


def decide(vault: Vault, *rows: Any, by: str | None = "Ada") -> Any:
    return apply_decisions(vault, {"batch": BATCH, "decisions": list(rows)}, by=by, now=NOON + timedelta(hours=2))


def states(vault: Vault) -> dict[str, str]:
    with vault.reading() as session:
        rows = session.exec(select(Headshot).where(col(Headshot.employee_id) == ADA)).all()
    return {shot.digest: shot.state for shot in rows}


def test_decisions_are_recorded_with_who_and_when_and_move_the_pictures(vault: Vault) -> None:
    applied = decide(vault, row("approve"), row("approve", SECOND, 1))
    assert (applied.recorded, applied.repeated, applied.refused) == (2, 0, ())
    assert states(vault) == {FIRST: "candidate", SECOND: "approved"}, "one approved picture per person"
    with vault.reading() as session:
        rows = session.exec(select(Decision).where(col(Decision.employee_id) == ADA)).all()
        entries = session.exec(select(AuditEntry).where(col(AuditEntry.action) == "decide")).all()
    assert {(one.by, one.verdict) for one in rows} == {("Ada", "approve")}
    assert min(one.at for one in rows) == NOON
    assert len(entries) == 2
    assert all("Ada" not in str(entry.result) + entry.actor for entry in entries), "the log holds no names"


def test_the_same_file_twice_changes_nothing(vault: Vault) -> None:
    decide(vault, row("approve"), row("reject", SECOND, 1))
    again = decide(vault, row("approve"), row("reject", SECOND, 1))
    assert (again.recorded, again.repeated) == (0, 2)
    assert str(again) == "0 (2 known already)"
    assert states(vault) == {FIRST: "approved", SECOND: "rejected"}


def test_undo_takes_back_the_last_one_and_nothing_is_deleted(vault: Vault) -> None:
    decide(vault, row("approve"), row("redo", FIRST, 1), row("undo", FIRST, 2))
    assert states(vault)[FIRST] == "approved"
    assert len(events_of(vault, BATCH)) >= 3


def test_an_offline_decision_that_comes_late_takes_its_place_in_time(vault: Vault) -> None:
    decide(vault, row("approve", SECOND, 10))
    decide(vault, row("approve", FIRST, 5))  # made before, arrives after
    assert states(vault) == {FIRST: "candidate", SECOND: "approved"}


def test_opting_out_stops_generation_and_can_be_undone(vault: Vault) -> None:
    decide(vault, row("approve"), row("opt_out", None, 1))
    assert set(states(vault).values()) == {"rejected"}
    with vault.reading() as session:
        assert not session.get(Employee, ADA).generation  # type: ignore[union-attr]
    decide(vault, row("undo", None, 2))
    assert states(vault)[FIRST] == "approved"
    with vault.reading() as session:
        assert session.get(Employee, ADA).generation  # type: ignore[union-attr]


def test_redo_is_wanted_until_newer_pictures_exist(vault: Vault) -> None:
    decide(vault, row("redo"))
    assert list(wants_redo(vault, BATCH)) == [ADA]
    with vault.session() as session:
        shot = session.get(Headshot, SECOND)
        assert shot is not None
        shot.created_at = NOON + timedelta(minutes=30)
        session.add(shot)
    assert wants_redo(vault, BATCH) == {}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("text", "malformed"),
        (row("praise"), "unknown_verdict"),
        (row("approve", employee="p" + "f" * 15), "not_in_batch"),
        (row("approve", digest("headshot", 2, 0)), "unknown_headshot"),  # somebody else's picture
        (row("approve", None), "unknown_headshot"),
        ({**row("approve"), "at": "yesterday"}, "bad_time"),
        ({**row("approve"), "at": "2026-11-23T12:00:00"}, "bad_time"),  # in which time zone?
        ({**row("approve"), "at": "2031-01-01T00:00:00Z"}, "bad_time"),
        ({**row("approve"), "at": "0001-01-01T00:00:00+14:00"}, "bad_time"),  # before the calendar begins
        ({**row("approve"), "at": "9999-12-31T23:59:59-14:00"}, "bad_time"),
        ({**row("approve"), "at": {"day": 1}}, "bad_time"),
        ({**row("approve"), "employee": [ADA]}, "malformed"),
        ({**row("approve"), "headshot": {"a": 1}}, "malformed"),
        ({**row("approve"), "note": ["x"]}, "malformed"),
        ({**row("approve"), "verdict": ["approve"]}, "unknown_verdict"),
    ],
)
def test_what_cannot_be_recorded_is_refused_by_place_and_code(vault: Vault, wrong: Any, code: str) -> None:
    applied = decide(vault, row("reject", SECOND), wrong)
    assert applied.recorded == 1
    assert [(one.place, one.code) for one in applied.refused] == [(1, code)]


def test_a_refusal_never_repeats_what_was_sent(vault: Vault) -> None:
    assert "Muster" not in repr(decide(vault, {"employee": "Eva Muster", "verdict": "approve"}))


@pytest.mark.parametrize(
    "payload", [{}, {"batch": BATCH}, {"batch": 1, "decisions": []}, {"batch": "bnone", "decisions": []}]
)
def test_what_is_no_decisions_file_is_refused_whole(vault: Vault, payload: dict[str, Any]) -> None:
    with pytest.raises(BadDecisions):
        apply_decisions(vault, payload, now=NOON)


def test_the_files_own_name_counts_when_nobody_else_is_given(vault: Vault) -> None:
    apply_decisions(vault, {"batch": BATCH, "by": "Grace", "decisions": [row("approve")]}, now=NOON)
    with vault.reading() as session:
        assert session.exec(select(Decision).where(col(Decision.employee_id) == ADA)).one().by == "Grace"


def test_names_and_notes_are_kept_without_signs_that_deceive(vault: Vault) -> None:
    said = {**row("approve"), "note": "turn\u202e \x1b[31mround\nagain\ud800"}
    apply_decisions(vault, {"batch": BATCH, "by": "Eve\u202e\x1b[31m\nZoë", "decisions": [said]}, now=NOON)
    with vault.reading() as session:
        kept = session.exec(select(Decision).where(col(Decision.employee_id) == ADA)).one()
    assert (kept.by, kept.note) == ("Eve [31m Zoë", "turn [31mround\nagain")


VERDICT = st.sampled_from(["approve", "reject", "redo", "opt_out", "undo"])
EVENTS = st.lists(st.tuples(VERDICT, st.sampled_from(["x", "y", "z"])), max_size=8)


@hypothesis_settings(max_examples=25, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_order_of_arrival_never_matters_and_at_most_one_is_approved(
    events: list[tuple[str, str]], chance: random.Random
) -> None:
    rows = [
        DecisionEvent(f"d{i}", verdict, NOON + timedelta(seconds=i), "b", picture=shot)
        for i, (verdict, shot) in enumerate(events)
    ]
    pictures = [Picture(digest, NOON - timedelta(hours=1)) for digest in "xyz"]
    mixed = list(rows)
    chance.shuffle(mixed)
    result = dict(review_of(mixed, pictures).pictures)
    assert result == review_of(rows, pictures).pictures
    assert list(result.values()).count("approved") <= 1


OVERRULING = json.loads(Path(__file__).with_name("overruling_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", OVERRULING, ids=lambda one: f"{one['verdict']}-over-{one['standing']}")
def test_what_overrules_a_colleague(case: dict[str, Any]) -> None:
    assert overrules(case["verdict"], case["picture"], case["standing"], case["its"]) == case["overrules"]


def test_a_colleague_is_overruled_only_by_who_has_seen_what_they_decided(vault: Vault) -> None:
    """Both pages said "Saved", the last one won, and nobody saw the other."""
    decide(vault, {**row("approve", SECOND), "sees": ""})
    unaware = decide(vault, {**row("redo", FIRST, 1), "sees": ""}, by="Otto")
    assert (unaware.recorded, [one.code for one in unaware.refused]) == (0, ["overrules"])
    said = refusal_of(unaware.refused[0])["standing"]
    assert (said["by"], said["verdict"], said["headshot"]) == ("Ada", "approve", SECOND)
    assert states(vault)[SECOND] == "approved"
    # Who decides otherwise after having been asked says which decision they saw.
    aware = decide(vault, {**row("redo", FIRST, 1), "sees": said["id"]}, by="Otto")
    assert (aware.recorded, states(vault)[SECOND]) == (1, "candidate")


def test_ones_own_decisions_a_colleagues_agreement_and_files_are_not_asked_about(vault: Vault) -> None:
    decide(vault, {**row("approve"), "sees": ""})
    assert decide(vault, {**row("approve", SECOND, 1), "sees": ""}).recorded == 1  # she changes her own mind
    assert decide(vault, {**row("approve", SECOND, 2), "sees": ""}, by="Otto").recorded == 1  # he agrees
    assert decide(vault, row("reject", SECOND, 3), by="Otto").recorded == 1  # a file was made without a desk
    both = decide(vault, {**row("approve", FIRST, 4), "sees": "?"}, {**row("redo", FIRST, 5), "sees": "?"}, by="Otto")
    assert both.recorded == 2


def test_what_is_sent_twice_is_known_and_not_asked_about(vault: Vault) -> None:
    mine = {**row("approve"), "sees": ""}
    decide(vault, mine)
    decide(vault, row("reject", FIRST, 1), by="Otto")
    again = decide(vault, mine)
    assert (again.recorded, again.repeated, again.refused) == (0, 1, ())


def test_a_redo_carries_its_reasons_and_unknown_ones_are_refused(vault: Vault) -> None:
    applied = decide(vault, {**row("redo"), "reasons": ["clothes", "smile", "clothes"]})
    assert applied.recorded == 1
    (redo,) = [one for one in events_of(vault, BATCH) if one["verdict"] == "redo"]
    assert (redo["reasons"], redo["by"]) == (["clothes", "smile"], "Ada")
    for wrong in (["prettier"], "clothes", [["clothes"]], {"clothes": 1}):
        refused = decide(vault, {**row("redo", FIRST, 1), "reasons": wrong}).refused
        assert [one.code for one in refused] == ["unknown_reason"]


def test_an_approval_that_does_not_count_is_told_so_to_the_pages(vault: Vault) -> None:
    decide(vault, row("approve"))

    def counts() -> bool:
        return next(bool(one["counts"]) for one in events_of(vault, BATCH) if one["employee"] == ADA)

    assert counts()
    with vault.session() as session:
        session.get_one(Employee, ADA).identity = 1  # another name since
    assert not counts()
    with vault.session() as session:
        session.get_one(Employee, ADA).identity = 0
        session.delete(session.get_one(Headshot, FIRST))
    assert not counts()
