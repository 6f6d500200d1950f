"""What a consent register's columns are taken for: whom a line is about, what was agreed to, and what says nothing."""

import pytest

from tasks.roster.register_columns import language_of, map_register

HEADER = ["Employee ID", "Name", "First name", "Last name", "Work Email", "Purpose", "Text version", "Consent", "Badge"]


def test_who_and_what_are_told_and_the_rest_is_said_to_be_unused() -> None:
    found = map_register(HEADER, [["1", "Ann Lee", "Ann", "Lee", "ann@x.example", "headshot", "v1", "yes", "blue"]])
    assert found.mapping == {
        "number": "Employee ID", "name": "Name", "first": "First name", "last": "Last name", "email": "Work Email",
        "consent_purpose": "Purpose", "consent_version": "Text version", "consent": "Consent",
    }  # fmt: skip
    assert found.unused == ("Badge",)
    assert (found.answers, found.day, found.until) == ((7,), None, None)


def test_a_withdrawal_and_the_day_are_told_too() -> None:
    found = map_register(["Employee ID", "Consent", "Date", "Withdrawn at"], [["1", "yes", "2026-05-04", ""]])
    assert found.mapping["consent_withdrawn"] == "Withdrawn at"
    assert found.mapping["consent_date"] == "Date"
    assert found.unused == ()


@pytest.mark.parametrize(
    ("header", "language"),
    [("Consentement photo", "fr"), ("Réponse", "fr"), ("Consentimiento", "es"), ("Acepta", "es"), ("Consent", "")],
)
def test_a_letter_is_a_yes_in_the_language_of_its_header(header: str, language: str) -> None:
    assert language_of(header) == language
