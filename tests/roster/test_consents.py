"""Consent registers: who agreed to what, when, and who took it back. What cannot be read as a consent is none."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.roster.consents import ConsentCell, ConsentRegister, consent_problem, read_consents
from tasks.roster.read import Roster, UnreadableTable, read_roster
from tasks.roster.whose_consent import settle_consents

NOW = datetime(2026, 11, 23, tzinfo=UTC)
REGISTER = b"""Employee ID,Purpose,Text version,Given at,Withdrawn at
1,headshot,v1,2026-10-01,
2,headshot,v1,2026-10-01,2026-11-01
3,newsletter,v1,2026-10-01,
5,headshot,v1,03/04/2026,
6,AI headshot,v1,31.03.2026,
7,headshot,v1,2027-03-01,
8,headshot,v1,2026-01-01,2026-02-01
8,headshot,v2,2026-03-01,
"""
ROSTER = b"Employee ID,Name\n1,A\n2,B\n3,C\n4,D\n5,E\n6,F\n7,G\n8,H\n"


def codes(roster: Roster, register: ConsentRegister | None) -> dict[str, str | None]:
    """Why no photo may be opened, by number."""
    consents = settle_consents(roster, register)
    return {row.number: consents.code(row, NOW) for row in roster.rows}


def test_a_register_says_for_everybody_whether_they_may_be_processed() -> None:
    register = read_consents(REGISTER, "consents.csv")
    assert codes(read_roster(ROSTER, "roster.csv"), register) == {
        "1": None,
        "2": "consent_withdrawn",
        "3": "consent_other_purpose",
        "4": "no_consent",
        "5": "no_consent",  # a date that may be two days is no date
        "6": None,
        "7": "no_consent",  # dated in the future
        "8": None,  # taken back and given again
    }
    assert [(p.code, p.row) for p in register.problems] == [("bad_date", 5)]


def test_consent_columns_in_the_roster_count_where_there_is_no_register() -> None:
    text = (
        b"Employee ID,Name,Consent,Consent date\n1,A,yes,2026-10-01\n2,B,no,\n3,C,withdrawn,\n4,D,2026-10-01,\n5,E,,\n"
        b"6,F,perhaps,\n"
    )
    roster = read_roster(text, "roster.csv")
    assert list(codes(roster, None).values()) == [
        None,
        "no_consent",
        "consent_withdrawn",
        None,
        "no_consent",
        "no_consent",
    ]
    register = read_consents(b"Employee ID,Consent\n1,withdrawn\n", "c.csv")
    assert codes(roster, register)["1"] == "consent_withdrawn"


def test_a_register_by_address() -> None:
    register = read_consents("E-Mail;Einwilligung;Erteilt am\nA@x.example;ja;01.10.2026\n".encode("cp1252"), "c.csv")
    roster = read_roster(b"Employee ID,Name,Work Email\n1,A,a@x.example\n2,B,b@x.example\n", "r.csv")
    assert codes(roster, register) == {"1": None, "2": "no_consent"}


def test_a_withdrawal_counts_even_without_a_date_and_whatever_its_date() -> None:
    given = NOW - timedelta(days=9)
    undated = ConsentCell(True, given_at=given, withdrawn=True)
    later = ConsentCell(True, given_at=given, withdrawn=True, withdrawn_at=NOW + timedelta(days=9))
    assert {consent_problem([cell], NOW) for cell in (undated, later)} == {"consent_withdrawn"}


def test_a_register_without_people_is_refused() -> None:
    with pytest.raises(UnreadableTable, match="no_header"):
        read_consents(b"Colour,Size\nred,5\n", "c.csv")
