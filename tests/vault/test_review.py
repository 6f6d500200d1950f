"""Which decision counts: one table of cases, for this rule and for the browser's (tests/reports/test_script.py)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.vault.review import DecisionEvent, Picture, review_of

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("review_cases.json").read_text(encoding="utf-8"))
NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_which_decision_counts(case: dict[str, Any]) -> None:
    events = [
        DecisionEvent(
            one["id"], one["verdict"], NOON + timedelta(minutes=one["at"]), one["batch"], one["kit"], one["picture"],
            counts=one.get("counts", True),
        )
        for one in case["events"]
    ]  # fmt: skip
    pictures = [
        Picture(one["digest"], NOON + timedelta(minutes=one["taken"]), one["lane"], one["retired"])
        for one in case["pictures"]
    ]
    found = review_of(events, pictures, "k")
    rejected = sorted(digest for digest, state in found.pictures.items() if state == "rejected")
    assert (found.state, found.approved, rejected) == (case["state"], case["approved"], case["rejected"])
    assert (found.decision is None) == (found.state == "undecided")
