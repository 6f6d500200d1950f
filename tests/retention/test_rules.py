"""Rules are read as people write them, and refused with the key's name when they cannot be meant."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.retention.rules import BadRules, load_rules, parse_duration, say_duration


@pytest.mark.parametrize(
    ("text", "hours"),
    [("36 hours", 36), ("7 days", 168), ("1 day", 24), ("2 weeks", 336), ("6 months", 4320), ("1 year", 8760)],
)
def test_durations_as_people_write_them(text: str, hours: int) -> None:
    assert parse_duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["7", "", "seven days", "-1 days", "1.5 days", "7 d", 7, None, "7 days ago", "٧ dayz"])
def test_anything_else_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match='"7 days"'):
        parse_duration(text)


@given(st.integers(1, 90_000))
def test_a_duration_said_is_the_duration_read(hours: int) -> None:
    assert parse_duration(say_duration(timedelta(hours=hours))) == timedelta(hours=hours)


def test_the_built_in_rules() -> None:
    keep = load_rules().keep
    assert keep.selfies_after_approval == timedelta(days=7)
    assert keep.selfies_at_latest == timedelta(days=30)
    assert keep.rejected_pictures == timedelta(days=7)


def _rules(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "retention.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_company_changes_only_what_it_names(tmp_path: Path) -> None:
    rules = load_rules(_rules(tmp_path, '[keep]\nselfies_at_latest = "2 weeks"\n[company]\nname = "Northwind"\n'))
    assert rules.keep.selfies_at_latest == timedelta(days=14)
    assert rules.keep.rejected_pictures == timedelta(days=7)
    assert rules.company.name == "Northwind"
    assert rules.digest != load_rules().digest


def test_holds_do_not_change_the_digest(tmp_path: Path) -> None:
    rules = load_rules(_rules(tmp_path, '[[hold]]\nperson = "p1"\nreason = "labour court"\nuntil = 2028-01-31\n'))
    assert rules.hold[0].person == "p1"
    assert rules.digest == load_rules().digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keep]\nselfies_at_latest = "40 years"', "keep.selfies_at_latest: .*outside 1 day to 1 year"),
        ('[keep]\nselfies_at_latest = "0 days"', "keep.selfies_at_latest"),
        ('[keep]\nselfies = "7 days"', "keep.selfies: Extra inputs"),
        ('[keep]\nselfies_after_approval = "60 days"', "never apply"),
        ("[limits]\npeople_share = 7", "limits.people_share"),
        ('[[hold]]\nperson = "Ada Lovelace"\nreason = "court"', "hold.0.person"),
        ("[keep", "retention.toml"),
        ('keep = "for ever"', "keep"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadRules, match=said):
        load_rules(_rules(tmp_path, text))


def test_a_missing_file_is_not_the_defaults(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match=r"gone\.toml"):
        load_rules(tmp_path / "gone.toml")
