"""File names by template: harmless whatever the roster says, and never two alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.delivery.names import BadTemplate, apart, check_template, file_stem, safe


def stem(template: str, number: str = "007", email: str = "jo@x.example", name: str = "José Núñez") -> str:
    return file_stem(template, number=number, email=email, name=name, id="p1")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{number}", "007"),
        ("{email}", "jo@x.example"),
        ("{number}_{name}", "007_Jose_Nunez"),
        ("team-{id}", "team-p1"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert stem(check_template(template)) == expected


@pytest.mark.parametrize(
    "template", ["", "{name}", "{password}", "{number", "{number!r:>9}", "{0}", "{number.__class__}"]
)
def test_templates_that_say_nothing_or_too_much_are_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        check_template(template)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("CON", "_CON"),
        ("com1.x", "_com1.x"),
        (".hidden", "hidden"),
        ("Jörg Weiß", "Joerg_Weiss"),
        ("=1+1", "1_1"),
    ],
)
def test_what_could_do_harm_is_taken_out(text: str, expected: str) -> None:
    assert safe(text) == expected


def test_a_missing_address_falls_back_to_the_number() -> None:
    assert stem("{email}", email="") == "007"
    assert stem("{number}", number="李") == "p1"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=6), max_size=8))
def test_names_are_plain_and_all_different(names: list[str]) -> None:
    found = apart((f"p{i}", safe(name) or f"p{i}") for i, name in enumerate(names))
    assert len({value.casefold() for value in found.values()}) == len(names)
    assert all("/" not in value and not value.startswith(".") for value in found.values())
