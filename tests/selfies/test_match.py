"""Whose photo is it? By folder, prefix or manifest; by number, address or name; and nobody's when in doubt."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.roster.rows import RosterRow
from tasks.selfies.match import match_photos


def person(number: str, name: str, email: str = "") -> RosterRow:
    return RosterRow(number, name, email, "", "", "active", None, "keep", True, None, 0)


PEOPLE = [
    person("007", "José Núñez Gil", "jose@acme.example"),
    person("7", "Anna Müller", "anna.mueller@acme.example"),
    person("1001", "Zoë Lefèvre", "zoe@acme.example"),
    person("1002", "Sam Lee", "sam.lee@acme.example"),
    person("1003", "Sam Lee", "sam.lee2@acme.example"),
    person("E-12", "Jörg Weiß"),
]


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("selfies/007/IMG_0001.HEIC", "007"),
        ("7/a.jpg", "7"),
        ("selfies/1001_Zoe/a.jpg", "1001"),
        ("1001 (2).jpg", "1001"),
        ("photos/1001-IMG_9.jpeg", "1001"),
        ("zoe@acme.example/a.jpg", "1001"),
        ("sam.lee2@acme.example_1.jpg", "1003"),
        ("Jose Nunez/x.png", "007"),
        ("Núñez, José/x.png", "007"),
        ("Mueller Anna 3.jpg", "7"),
        ("anna muller.jpg", "7"),
        ("E-12.jpg", "E-12"),
        ("Joerg_Weiss_2.jpg", "E-12"),
        ("Sales/1001/day two/a.jpg", "1001"),
        ("sam.lee2/a.jpg", "1003"),
        ("zoe/a.jpg", "1001"),
        ("Sales/1001_a.jpg", "1001"),
        ("zoe_2.jpg", "1001"),
        ("nunez gil jose.jpg", "007"),
    ],
)
def test_a_photo_finds_its_person(path: str, number: str) -> None:
    assert dict(match_photos([path], PEOPLE).by_number) == {number: (path,)}


@pytest.mark.parametrize("path", ["Sam Lee/a.jpg", "lee_sam_2.jpg"])
def test_two_people_of_one_name_are_not_told_apart_by_it(path: str) -> None:
    matching = match_photos([path], PEOPLE)
    assert (dict(matching.by_number), matching.ambiguous) == ({}, (path,))
    assert [f.code for f in matching.findings] == ["ambiguous_photo"]


@pytest.mark.parametrize(
    "path",
    [
        "IMG_0001.jpg",
        "selfies/0007/a.jpg",
        "70/a.jpg",
        "10012.jpg",
        "unknown/a.jpg",
        "Sam/a.jpg",
        "Jose Garcia/a.jpg",
        "Somebody/7.jpg",
    ],
)
def test_nobody_is_guessed(path: str) -> None:
    matching = match_photos([path], PEOPLE)
    assert matching.unmatched == (path,)
    assert [(f.code, f.measured) for f in matching.findings] == [("not_on_roster", 1)]


def test_a_manifest_outranks_names() -> None:
    manifest = {"IMG_1.jpg": "007", "selfies/7/b.jpg": "zoe@acme.example", "c.jpg": "Sam Lee", "d.jpg": "nobody"}
    matching = match_photos(["selfies/IMG_1.jpg", "selfies/7/b.jpg", "selfies/c.jpg", "7/d.jpg"], PEOPLE, manifest)
    assert dict(matching.by_number) == {"007": ("selfies/IMG_1.jpg",), "1001": ("selfies/7/b.jpg",), "7": ("7/d.jpg",)}
    assert matching.ambiguous == ("selfies/c.jpg",)


@settings(max_examples=30, deadline=None)
@given(
    files=st.lists(
        st.tuples(st.sampled_from(["007", "7", "Sam Lee", "x", "1001_a"]), st.integers(0, 3)).map(
            lambda t: f"{t[0]}/{t[1]}.jpg"
        ),
        unique=True,
    )
)
def test_every_file_is_in_exactly_one_place(files: list[str]) -> None:
    matching = match_photos(files, PEOPLE)
    placed = [f for paths in matching.by_number.values() for f in paths]
    assert sorted([*placed, *matching.unmatched, *matching.ambiguous]) == sorted(files)
