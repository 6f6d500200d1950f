"""Every sentence of the desk's pages stands in one file, and what pages ask for is there."""

import re
from pathlib import Path

import pytest

from reports.navigation import NAVIGATION
from reports.runs import DEPLOYMENTS
from reports.sentences import NoSentence, sentences, tell
from tasks.adapters.costs import QUALITIES
from tasks.retention.calendar import EVERYTHING, KINDS
from tasks.retention.holds import REASONS
from tasks.roster.by_hand import EVIDENCE

REPORTS = Path(__file__).parents[2] / "reports"


def asked() -> set[str]:
    """Every key that a template or module asks for by its name."""
    found = {f"nav.{place.key}" for place in NAVIGATION}
    for path in (*REPORTS.glob("templates/*.html"), *REPORTS.glob("*.py")):
        found |= set(re.findall(r"""\btell\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""", path.read_text(encoding="utf-8")))
    return found


def test_what_pages_ask_for_is_written() -> None:
    whole = {key for key in asked() if not key.endswith("_")}
    assert whole - set(sentences()) == set()
    for beginning in asked() - whole:  # the rest is a code
        assert any(key.startswith(beginning) for key in sentences()), beginning


def test_every_code_that_is_said_by_a_key_has_its_sentence() -> None:
    codes = {
        "hold.": REASONS, "people.evidence_": EVIDENCE, "people.consent_": ("given", "withdrawn", "none"),
        "goes.why_": ("withdrawn", "left", "requested"), "quality.": QUALITIES, "start.": QUALITIES,
        "goes.": (EVERYTHING, *KINDS.values()), "run.": DEPLOYMENTS,
    }  # fmt: skip
    for beginning, ends in codes.items():
        assert {beginning + end for end in ends} - set(sentences()) == set()


def test_one_and_many_are_told_apart_and_numbers_are_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {"home.people": {"one": "{n} person in {kit}", "many": "{n} people in {kit}"}}
    monkeypatch.setattr("reports.sentences.sentences", lambda: forms)
    assert tell("home.people", 1, kit="Northwind") == "1 person in Northwind"
    assert tell("home.people", 2000, kit="Northwind") == "2,000 people in Northwind"


def test_a_sentence_that_nobody_wrote_is_a_defect() -> None:
    with pytest.raises(NoSentence):
        tell("home.nothing_of_the_kind")
