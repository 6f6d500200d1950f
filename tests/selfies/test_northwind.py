"""The sample company: every planted problem is found under its right name, and nobody else is troubled."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.selfies.check import CheckReport, check_drop
from tasks.selfies.people import PersonCheck
from tasks.vision.open_eyes import open_eyes

pytestmark = pytest.mark.slow  # a quarter of a thousand photos
NORTHWIND = Path(__file__).resolve().parents[2] / "samples" / "northwind"
TRUTH: dict[str, list[dict[str, Any]]] = tomllib.loads((NORTHWIND / "problems.toml").read_text("utf-8"))
PROBLEMS, PEOPLE = TRUTH["problem"], TRUTH["person"]


@pytest.fixture(scope="session")
def report() -> CheckReport:
    """One pass over all photos, shared by the tests below."""
    return check_drop(
        NORTHWIND / "roster.csv",
        NORTHWIND / "selfies",
        NORTHWIND / "consents.csv",
        open_eyes("embedded"),
        now=datetime(2026, 11, 23, tzinfo=UTC),
    )


def person(report: CheckReport, number: str) -> PersonCheck:
    return next(one for one in report.people if one.number == number)


def rejected(report: CheckReport) -> dict[str, set[str]]:
    """File → codes that it was turned down for."""
    found: dict[str, set[str]] = {}
    for one in report.people:
        paths = report.matching.by_number.get(one.number, ())
        for finding in one.findings:
            if finding.photo and finding.severity == "reject":
                found.setdefault(paths[finding.photo - 1], set()).add(finding.code)
    return found


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: f"{p['employee']}-{p['code']}")
def test_each_planted_problem_is_found_under_its_name(report: CheckReport, problem: dict[str, Any]) -> None:
    code, files = problem["code"], set(problem["files"])
    if code == "not_on_roster":
        assert set(report.matching.unmatched) == files
        assert [f.code for f in report.drop_findings] == ["not_on_roster", "ambiguous_photo"]
    elif files:
        found = rejected(report)
        assert [file for file in files if code in found.get(file, ())]
    else:
        codes = {f.code for one in report.people if one.number == problem["employee"] for f in one.findings}
        assert code in codes


@pytest.mark.parametrize("truth", PEOPLE, ids=lambda t: str(t["employee"]))
def test_everybody_stands_as_they_should(report: CheckReport, truth: dict[str, Any]) -> None:
    one = person(report, truth["employee"])
    if truth["outcome"] == "blocked":
        assert (one.state, one.reason) == ("blocked", truth["reason"])
    else:
        assert one.state == "ready"
        assert one.few is (truth["outcome"] == "few")


def test_nobody_is_lost_and_nobody_else_is_blocked(report: CheckReport) -> None:
    lines = (NORTHWIND / "roster.csv").read_text("utf-8").splitlines()
    assert len(report.people) == len(lines) - 1
    should = {t["employee"] for t in PEOPLE if t["outcome"] == "blocked"}
    twice = {p["employee"] for p in PROBLEMS if p["code"] == "duplicate_id"}  # two people under one number
    assert {one.number for one in report.blocked} == should
    assert twice <= should
    assert sum(one.reason == "duplicate_id" for one in report.blocked) == 2 * len(twice)
    folders = {stray.folder: stray.between for stray in report.matching.strays}
    assert folders == {"NW-2044": False, **dict.fromkeys(twice, True)}


def test_no_good_photo_is_turned_down(report: CheckReport) -> None:
    planted = {file for problem in PROBLEMS for file in problem["files"]}
    assert {file: codes for file, codes in rejected(report).items() if file not in planted} == {}
