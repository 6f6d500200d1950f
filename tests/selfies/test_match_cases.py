"""Drops that people really sent, by their paths: who gets which photo, and what is said of the rest.

No photo is needed: matching opens none. The rosters are as they came.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tasks.roster.read import read_roster
from tasks.selfies.check import check_drop
from tasks.selfies.match import Matching, match_photos
from tasks.vision.faces import Eyes


@dataclass(frozen=True)
class Case:
    """A roster (number, name), the files beside it, whose they are, and the lines about the others."""

    name: str
    people: Mapping[str, str]
    files: tuple[str, ...]
    mine: Mapping[str, int]
    lines: tuple[str, ...] = ()


CASES = [
    Case(
        "a camera's counters in a misspelt folder, and a file named by its day",
        {"2025": "Petra Novotná", "4711": "Marek Dvořák", "4802": "Kateryna Bondarenko"},
        ("2025-07-19 16.04.55.jpg", "Katerina Bondarenko/4710.jpg", "Katerina Bondarenko/4711.jpg"),
        {},
        (
            "file 2025-07-19 16.04.55.jpg: nobody's; perhaps 2025 Petra Novotná?",
            "folder Katerina Bondarenko, 2 files: nobody's; perhaps 4802 Kateryna Bondarenko?",
        ),
    ),
    Case(
        "names at the end, as upload questions write them",
        {"H-21": "Jonas Huber", "H-22": "Nadia Benali"},
        ("PXL_20260214_101502 - Jonas Huber.jpg", "Selfie_Nadia Benali.jpg"),
        {"H-21": 1, "H-22": 1},
    ),
    Case(
        "names of one word",
        {"51": "박서연", "52": "佐藤 花子", "53": "Wulandari"},
        ("박서연/IMG_0412.jpg", "佐藤花子/IMG_0093.jpg", "Wulandari/IMG_2210.jpg"),
        {"51": 1, "52": 1, "53": 1},
    ),
    Case(
        "a folder with more words than the name",
        {"61": "Maria Santos", "62": "Piotr Wrona"},
        ("Maria Santos Oliveira/IMG_0007.jpg", "Piotr Wrona (2)/IMG_0031.jpg"),
        {"62": 1},
        ("folder Maria Santos Oliveira, 1 file: nobody's; perhaps 61 Maria Santos?",),
    ),
    Case(
        "two of one name",
        {"71": "Jan Kowalski", "72": "Jan Kowalski", "73": "Ebba Lund"},
        ("Jan Kowalski/IMG_5001.jpg", "73/IMG_0001.jpg"),
        {"73": 1},
        ("folder Jan Kowalski, 1 file: could be 71 Jan Kowalski or 72 Jan Kowalski",),
    ),
    Case(
        "folders as people write them",
        {
            "701": "José Núñez Gil", "702": "Anna Maria Keller", "703": "Jürgen Weiß", "704": "Mira Oberhauser",
            "705": "Nils Bergström", "0706": "Ayla Demir",
        },
        (
            "704 - Copy/2025-11-08 18.05.33.jpg", "705_selfie.jpg", "706/IMG_0001.jpg", "José Núñez/IMG_0001.jpg",
            "Juergen Weiss (2)/IMG_0001.jpg", "Keller Anna/IMG_0001.jpg",
        ),
        {"701": 1, "702": 1, "703": 1, "704": 1, "705": 1},
        ("folder 706, 1 file: nobody's; perhaps 0706 Ayla Demir?",),
    ),
    Case(
        "the same person in two lines",
        {"81": "Renata Kovács", "82": "Olu Bankole", "81 ": "Renata Kovács"},
        ("82/IMG_0200.jpg", "Renata Kovács/IMG_0101.jpg", "Renata Kovács/IMG_0102.jpg"),
        {"81": 2, "82": 1},
    ),
    Case(
        "a synchronised drive",
        {"94": "Gordana Ilić", "95": "Bram Verhoeven"},
        (
            "OneDrive_2026-03-14/HR/Projekte/2026/Headshots/Standort Graz/Team Nord/Selfies/94/IMG_0001.jpg",
            "OneDrive_2026-03-14/HR/95/IMG_0002.jpg",
        ),
        {"94": 1, "95": 1},
    ),
]  # fmt: skip


def matched(case: Case) -> tuple[Matching, dict[str, str]]:
    lines = [f"{number.strip()},{name},p{number.strip()}@acme.example" for number, name in case.people.items()]
    roster = read_roster("\n".join(["Employee ID,Name,Work Email", *lines]).encode(), "roster.csv")
    rows = {roster.filed_number(row): row for row in roster.rows}
    filed = [replace(row, number=number) for number, row in rows.items()]
    return match_photos(case.files, filed), {number: row.name for number, row in rows.items()}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_who_gets_which_photo(case: Case) -> None:
    matching, names = matched(case)
    assert {number: len(paths) for number, paths in matching.by_number.items()} == dict(case.mine)
    assert tuple(stray.line(names) for stray in matching.strays) == case.lines


def test_a_check_names_them_and_tells_those_who_may_be_meant(
    tmp_path: Path, card: Callable[..., bytes], eyes: Eyes
) -> None:
    rows = ["Employee ID,Name,Work Email,Consent,Consent date"]
    rows += [f"{n},Jan Kowalski,jan{n}@acme.example,yes,2026-03-02" for n in (71, 72)]
    (tmp_path / "roster.csv").write_text("\n".join(rows))
    (tmp_path / "selfies" / "Jan Kowalski").mkdir(parents=True)
    (tmp_path / "selfies" / "Jan Kowalski" / "IMG_5001.jpg").write_bytes(card("red", 1))
    report = check_drop(tmp_path / "roster.csv", tmp_path / "selfies", None, eyes)
    assert report.stray_lines() == ["folder Jan Kowalski, 1 file: could be 71 Jan Kowalski or 72 Jan Kowalski"]
    for person in report.people:
        assert (person.state, person.reason) == ("blocked", "no_photos")
        assert "may be theirs or a colleague's" in person.findings[-1].sentence
    (tmp_path / ".answers.json").write_text('{"picks": {"Jan Kowalski/": "72"}, "two_people": []}')
    first, second = check_drop(tmp_path / "roster.csv", tmp_path / "selfies", None, eyes).people
    assert (first.reason, second.state, second.photos) == ("no_photos", "ready", 1)
