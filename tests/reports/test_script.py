"""The browser's rule of which decision counts is the records' rule: the same table of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.site import write_site
from tests.reports.browsing import BROWSER, Open
from tests.reports.conftest import company

pytestmark = BROWSER
OVERRULING = json.loads(Path(__file__).with_name("overruling_cases.json").read_text(encoding="utf-8"))
CASES = json.loads((Path(__file__).parents[1] / "vault" / "review_cases.json").read_text(encoding="utf-8"))

ANSWER = """(cases) => cases.map((one) => {
  const at = (minute) => new Date(Date.UTC(2026, 8, 14, 12, minute)).toISOString();
  const events = one.events.map((event) => ({ ...event, at: at(event.at), headshot: event.picture }));
  const pictures = one.pictures.map((picture) => ({ ...picture, takenAt: at(picture.taken) }));
  const found = window.RollcallReview.reviewOf(events, pictures, "k");
  const rejected = Object.keys(found.pictures).filter((digest) => found.pictures[digest] === "rejected").sort();
  return { state: found.state, approved: found.approved, rejected, decided: Boolean(found.decision) };
})"""


def test_the_script_says_what_the_records_say(browse: Open, tmp_path: Path) -> None:
    page = browse(write_site(company(2), tmp_path / "site").as_uri(), bypass_csp=True)
    answers: list[dict[str, Any]] = page.evaluate(ANSWER, CASES)
    for case, answer in zip(CASES, answers, strict=True):
        wanted = {key: case[key] for key in ("state", "approved", "rejected")}
        assert answer == {**wanted, "decided": case["state"] != "undecided"}, case["name"]
    asked = """(cases) => cases.map((one) => window.RollcallReview.overrules(
      one.verdict, one.picture, { verdict: one.standing, headshot: one.its }))"""
    assert page.evaluate(asked, OVERRULING) == [case["overrules"] for case in OVERRULING]
