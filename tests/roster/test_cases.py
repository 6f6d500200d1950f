"""Small rosters and registers of the kinds that HR really sends, each with what a user should get (cases/).

They came of public bug reports. Everybody in them is invented. The run has to say what the check says,
the first time and the second.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.roster.conftest import Standing, check, of_check

CASES = Path(__file__).parent / "cases"
READY = None  # nothing blocks; else the code of the first finding that does
NO, BACK, LEFT, LEAVE = "no_consent", "consent_withdrawn", "left_company", "on_leave"

# case → number as it is shown → why blocked, or None
EVERYBODY: dict[str, dict[str, str | None]] = {
    "consent-other-words": {"301": NO, "302": NO, "303": NO, "304": NO, "305": READY, "306": READY, "307": NO},
    "consent-form-export": {"1": NO, "2": READY, "3": READY, "4": NO},
    "consent-unreadable-date": {"T-01": NO, "T-02": NO, "T-03": BACK, "T-04": READY},
    "stay-consent-words": {
        "601": READY, "602": READY, "603": READY, "604": READY, "605": READY, "606": READY, "607": READY, "608": BACK,
        "609": NO, "610": NO, "611": READY, "612": NO,
    },
    "people-same-row-twice": {"81": READY, "82": READY},
    "roster-last-days": {
        "1001": LEFT, "1002": LEFT, "1003": LEFT, "1004": LEFT, "1005": LEFT, "1006": LEFT, "1007": "unknown_last_day",
        "1008": LEFT, "1009": READY, "1010": READY,
    },
    "roster-status-words": {
        "2001": READY, "2002": LEFT, "2003": LEFT, "2004": LEAVE, "2005": LEAVE, "2006": LEFT, "2007": LEAVE,
        "2008": READY, "2009": LEFT, "2010": "unknown_status",
    },
    "roster-hidden-sheet": {"411": READY, "412": READY},
    "roster-two-sites": {"421": READY, "422": READY, "431": READY, "432": READY},
    "roster-filtered-rows": {"441": READY, "442": "hidden_row", "443": "hidden_row", "444": READY},
    "roster-number-formats": {"HR-00057": READY, "000 058": READY, "P0059": READY, "00060": READY, "00061": READY},
    "roster-internal-id": {"E-0107": READY, "E-0108": READY},
    "roster-last-first": {"3101": READY, "3102": READY},
    "roster-emails": {"3201": READY, "3202": READY, "3203": READY, "3204": READY},
    "roster-footers": {"3301": READY, "3302": READY, "3303": READY},
    "roster-zeros-as-formula": {"000417": READY, "000418": READY},
    "roster-wrong-letters": {"3501": READY, "3502": READY, "3503": READY},
    "roster-letters-encoded-twice": {"3601": READY, "3602": READY, "3603": READY},
}  # fmt: skip
ALL = sorted([*EVERYBODY, "people-one-number", "roster-mangled-numbers"])


def files(case: str) -> tuple[Path, Path | None]:
    roster = next((CASES / case).glob("roster.*"))
    return roster, next((CASES / case).glob("consents.*"), None)


@pytest.mark.parametrize("case", sorted(EVERYBODY))
def test_everybody_stands_as_they_should(case: str) -> None:
    report = check(*files(case))
    assert {person.number: person.reason for person in report.people} == EVERYBODY[case]


@pytest.mark.parametrize("case", ALL)
def test_the_run_says_what_the_check_says_and_says_it_again(case: str, run: Callable[..., Standing]) -> None:
    promised = of_check(check(*files(case)))
    assert run(*files(case)) == promised
    assert run(*files(case)) == promised


def test_every_case_of_the_folder_is_here() -> None:
    assert sorted(path.name for path in CASES.iterdir()) == ALL
    shared = Path(__file__).parents[2].parent / "shared" / "cases"
    if not shared.is_dir():
        pytest.skip("the shared folder of cases is not beside the checkout")
    kinds = ("consent-", "roster-", "people-", "stay-consent")
    assert {path.name for path in shared.iterdir() if path.name.startswith(kinds)} <= set(ALL)


def said(case: str, of: str = "file") -> list[str]:
    """The findings of the files, or of everybody, as they are shown."""
    report = check(*files(case))
    found = report.file_findings if of == "file" else [f for person in report.people for f in person.findings]
    return [finding.sentence for finding in found]


def test_what_is_no_known_answer_is_quoted_with_its_row_and_what_to_write() -> None:
    found = said("consent-other-words")
    assert len(found) == 2
    assert found[0].startswith("Consent register row 5, column Consentement, “seulement pour le badge”: ")
    assert found[1].startswith("Consent register row 8, column Consentement, “lieber nicht, danke”: ")
    assert all("Write yes or no" in sentence for sentence in found)


def test_an_answer_by_nobody_on_the_roster_is_listed_and_the_count_of_answers_is_not_used() -> None:
    report = check(*files("consent-form-export"))
    assert any("row 5" in line and "Rune Solberg" in line for line in said("consent-form-export"))
    assert any("ID" in line and "Not used" in line for line in report.lines())


def test_dates_that_cannot_be_read_are_named() -> None:
    found = said("consent-unreadable-date")
    assert [sentence.split("“")[1].split("”")[0] for sentence in found] == ["06/07/2026", "Juni 2026", "KW 24"]


def test_nobody_gets_the_consent_or_the_photos_of_a_shared_number() -> None:
    report = check(*files("people-one-number"))
    assert [(p.number, p.name, p.reason) for p in report.people] == [
        ("77", "Ivana Horvat", "duplicate_id"),
        ("77", "Igor Horvat", "duplicate_id"),
        ("78", "Stipe Babić", None),
    ]
    assert [report.roster.filed_number(row) for row in report.roster.rows] == ["77 (row 2)", "77 (row 3)", "78"]


def test_the_same_person_twice_is_one_with_one_remark() -> None:
    report = check(*files("people-same-row-twice"))
    assert [len(person.findings) for person in report.people] == [1, 0]
    assert "row 2; row 4" in report.people[0].findings[0].sentence


def test_the_finding_names_the_column_as_hr_called_it_and_the_cell_as_seen() -> None:
    assert said("roster-last-days", "people")[0].startswith("Roster row 2, column Austrittsdatum, “31. Mai 2026”: ")
    assert next(s for s in said("roster-status-words", "people") if "Sonderfall" in s).startswith(
        "Roster row 11, column Status, “Sonderfall”: "
    )


def test_hidden_things_are_said() -> None:
    assert check(*files("roster-hidden-sheet")).roster.understood.not_read == (
        "Modèle (ne pas modifier) (a hidden sheet)",
    )
    assert check(*files("roster-two-sites")).roster.understood.not_read == ("Notes (no header of people)",)
    assert "This row is hidden in the workbook" in said("roster-filtered-rows", "people")[0]


def test_one_roster_of_two_sheets_says_the_sheet() -> None:
    rows = check(*files("roster-two-sites")).roster.rows
    assert [row.where for row in rows][::3] == ["sheet Lyon, row 2", "sheet Lille, row 3"]
    assert len({row.row for row in rows}) == 4


def test_names_in_the_order_of_their_header_and_no_remark() -> None:
    report = check(*files("roster-last-first"))
    assert [person.name for person in report.people] == ["Adaeze Okonkwo", "Jip van den Heuvel"]
    assert not said("roster-last-first", "people")


def test_addresses_as_mail_programs_write_them() -> None:
    rows = check(*files("roster-emails")).roster.rows
    assert [row.email.partition("@")[0] for row in rows] == ["marco.d'angelo", "noor.haddad", "s.o'dowd+photos", ""]
    assert [f.code for p in check(*files("roster-emails")).people for f in p.findings] == ["bad_email"]


def test_shortened_numbers_say_why_and_a_decimal_nought_is_no_part_of_one() -> None:
    report = check(*files("roster-mangled-numbers"))
    assert [(p.number, p.reason) for p in report.people] == [
        ("2.02600E+09", "spoiled_number"),
        ("2.02600E+09", "spoiled_number"),
        ("1034", None),
        ("7.1E+05", "spoiled_number"),
    ]
    assert all("as text" in s for s in said("roster-mangled-numbers", "people"))


def test_lines_that_are_no_people_are_named_and_counted_nowhere() -> None:
    found = said("roster-footers")
    assert [sentence.split(",")[0] for sentence in found] == [f"Roster row {row}" for row in (2, 5, 7, 8)]
    assert all("Not a person?" in sentence for sentence in found)


def test_wrong_letters_are_found_line_by_line() -> None:
    def rows(case: str) -> list[tuple[int, str]]:
        return [(p.row, f.code) for p in check(*files(case)).people for f in p.findings]

    assert rows("roster-wrong-letters") == [(2, "wrong_letters"), (3, "wrong_letters")]
    assert rows("roster-letters-encoded-twice") == [(2, "wrong_letters"), (4, "wrong_letters")]
