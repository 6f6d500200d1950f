"""Checking a drop: everybody once, photos closed without consent, every bad file a finding, nothing written."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from tasks.roster.folder_drop import FolderDrop
from tasks.selfies.check import CheckReport, check_drop, write_return_csv
from tasks.selfies.findings import SEVERITIES
from tasks.selfies.picks import FILE, LEFT_OUT
from tasks.sentences import sentences, tell
from tasks.vision.faces import Around, Eyes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROSTER = """Employee ID,Name,Work Email,Status,Headshot generation
1,Ann,a@x.example,Active,yes
2,Bob,b@x.example,Active,yes
3,Cy,c@x.example,Active,opt out
4,Dee,d@x.example,Active,yes
5,Eve,e@x.example,Terminated,yes
6,=cmd|' /C calc'!A0,f@x.example,Active,yes
7,<b>Gus</b>,g@x.example,Active,yes
"""
CONSENTS = "Employee ID,Purpose,Given at,Withdrawn at\n" + "".join(
    f"{n},headshot,2026-10-01,\n" for n in (1, 3, 4, 5, 6, 7)
)


def animated() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (40, 40), (i * 80, 0, 0)) for i in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.fixture
def drop(make_drop: Callable[..., Path], card: Callable[..., bytes]) -> Path:
    files = {f"selfies/1/{i}.jpg": card("red", i) for i in range(5)}
    files |= {f"selfies/2/{i}.jpg": card("blue", i) for i in range(2)}
    files |= {"selfies/3/a.jpg": card("green", 20)}
    files |= {
        "selfies/4/whole.jpg": card("blue", 30),
        "selfies/4/cut.jpg": card("blue", 31)[:900],
        "selfies/4/text.jpg": b"this is not a picture at all",
        "selfies/4/moving.gif": animated(),
        "selfies/4/empty.jpg": b"",
        "selfies/4/nobody.png": card(None, 32, format="PNG"),
        "selfies/4/two.jpg": card("blue", 33, other="red"),
        "selfies/6/a.jpg": card("pink", 40),
        "selfies/stranger/a.jpg": card("red", 50),
    }
    return make_drop(ROSTER, CONSENTS, files)


def check(drop: Path, eyes: Eyes | None) -> CheckReport:
    return check_drop(drop / "roster.csv", drop / "selfies", drop / "consents.csv", eyes, now=NOW)


def test_everybody_is_there_once_with_a_state_and_a_reason(drop: Path, eyes: Eyes) -> None:
    report = check(drop, eyes)
    assert {p.number: (p.state, p.reason, p.lane) for p in report.people} == {
        "1": ("ready", None, "generated"),
        "2": ("blocked", "no_consent", "generated"),
        "3": ("ready", "opted_out", "faithful"),
        "4": ("ready", None, "generated"),
        "5": ("blocked", "left_company", "generated"),
        "6": ("ready", None, "generated"),
        "7": ("blocked", "no_photos", "generated"),
    }
    assert len(report.ready) + len(report.warned) + len(report.blocked) == len(report.people) == 7
    assert [f.code for f in report.drop_findings] == ["not_on_roster"]


def test_every_bad_file_is_one_finding_and_the_good_one_counts(drop: Path, eyes: Eyes) -> None:
    dee = check(drop, eyes).people[3]
    order = sorted(["whole.jpg", "cut.jpg", "text.jpg", "moving.gif", "empty.jpg", "nobody.png", "two.jpg"])
    expected = {
        "cut.jpg": "truncated", "text.jpg": "not_a_picture", "moving.gif": "animated", "empty.jpg": "truncated",
        "nobody.png": "no_face", "two.jpg": "several_faces",
    }  # fmt: skip
    found = {order[f.photo - 1]: f.code for f in dee.findings if f.photo}
    assert found == expected
    assert (dee.photos, dee.accepted, dee.few) == (7, 1, True)
    assert all(f.sentence for f in dee.findings)


def test_no_photo_is_opened_without_consent(drop: Path, eyes: Eyes, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    read = FolderDrop.read
    monkeypatch.setattr(FolderDrop, "read", lambda self, path: opened.append(path) or read(self, path))
    check(drop, eyes)
    assert {path.split("/")[0] for path in opened if path not in (FILE, LEFT_OUT)} == {"1", "3", "4", "6"}
    opened.clear()
    check(drop, None)
    assert opened == [FILE, LEFT_OUT]


def test_the_same_face_under_two_names_stops_both(
    make_drop: Callable[..., Path], card: Callable[..., bytes], eyes: Eyes
) -> None:
    files = {f"selfies/{n}/{i}.jpg": card("red", 10 * n + i) for n in (1, 7) for i in range(4)}
    report = check(make_drop(ROSTER, CONSENTS, files), eyes)
    assert {p.number: p.reason for p in report.blocked}["1"] == "same_face_two_names"
    assert {p.number: p.reason for p in report.blocked}["7"] == "same_face_two_names"


def test_the_return_file_is_safe_to_open_and_says_what_to_do(drop: Path, eyes: Eyes, tmp_path: Path) -> None:
    write_return_csv(check(drop, eyes), tmp_path / "return.csv")
    data = (tmp_path / "return.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")  # or Excel reads é as Ã©
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert {row["Employee ID"] for row in rows} == {"", "1", "2", "3", "4", "5", "6", "7"}
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r")]
    assert next(row for row in rows if row["Employee ID"] == "6")["Name"] == "'=cmd|' /C calc'!A0"
    assert all(row["What to do"] for row in rows if row["Finding"])


def test_the_report_as_text(drop: Path, eyes: Eyes) -> None:
    lines = check(drop, eyes).lines()
    assert lines[-1] == "7 people: 4 ready, 3 blocked."
    assert "Blocked (3)" in lines
    truncated = next(line for line in lines if "truncated (" in line)
    assert "/" in truncated.partition("(")[2].partition(")")[0], "the file by its name, not its place in a list"


def test_pages_speak_to_hr_and_the_table_to_send_back_to_the_employee(drop: Path, eyes: Eyes, tmp_path: Path) -> None:
    report = check(drop, eyes)
    write_return_csv(report, tmp_path / "return.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "return.csv").read_text(encoding="utf-8-sig"))))
    asked = next(row for row in rows if row["Finding"] == "no_consent")
    assert (asked["For"], asked["What to do"]) == ("employee", tell("finding.no_consent.to_them"))
    bob = next(person for person in report.people if person.number == "2")
    assert "their photos" in bob.findings[0].sentence
    cut = next(row for row in rows if row["Finding"] == "truncated")
    assert cut["File"].endswith((".jpg", ".heic", ".png"))
    assert "Send it again" in cut["What to do"]


def test_no_sentence_holds_a_raw_measurement() -> None:
    """Counts are for everybody; cosines, shares and variances are details."""
    counts = {
        "no_photos",
        "no_photos/unusable",
        "no_photos/unclear",
        "photos_replaced",
        "photos_kept",
        "same_photo_other_name",
        *(f"too_few_photos/{which}" for which in ("1", "2", "3", "own")),
        "not_on_roster",
        "ambiguous_photo",
    }
    files = {"too_large", "unopenable", "no_room/some"}  # of a file, and names of kits
    for code in SEVERITIES:
        to_hr, to_employee = (str(sentences()[f"finding.{code.replace('/', '-')}.to_{to}"]) for to in ("hr", "them"))
        assert ("{" not in to_hr + to_employee) or code in counts | files, code
        assert not re.search(r"\byour?\b", to_hr), f"{code} speaks to HR of others"
        assert not re.search(r"\b(their|them)\b", to_employee.replace("those of them", "")), (
            f"{code} speaks to the employee"
        )


def test_of_two_people_under_one_number_neither_gets_its_photos(
    make_drop: Callable[..., Path], card: Callable[..., bytes], eyes: Eyes
) -> None:
    roster = "Employee ID,Name\n1,Chloe Lefevre\n1,Claude Lefebvre\n"
    files = {f"selfies/1/{i}.jpg": card("red", i) for i in range(4)}
    files |= {f"selfies/Claude Lefebvre/{i}.jpg": card("blue", i + 9) for i in range(2)}
    first, second = check(make_drop(roster, CONSENTS, files), eyes).people
    assert (first.state, first.photos, first.accepted) == ("blocked", 0, 0)
    assert (second.state, second.reason, second.photos, second.accepted) == ("blocked", "duplicate_id", 2, 0)


def test_progress_counts_the_photos_that_are_opened(drop: Path, eyes: Eyes) -> None:
    told: list[tuple[str, int, int]] = []
    check_drop(
        drop / "roster.csv", drop / "selfies", drop / "consents.csv", lambda: eyes, now=NOW,
        on_progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert told[0] == ("photos", 1, 14)
    assert told[-1] == ("photos", 14, 14)


def test_checking_loads_neither_torch_nor_prefect() -> None:
    heavy = ("torch", "prefect", "pandas", "openpyxl")
    code = f"import sys, tasks.selfies.check; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_who_keeps_their_photo_is_told_at_the_check_under_which_kit_it_ends_too_near(drop: Path, eyes: Eyes) -> None:
    """Cy's photo is cut on every side: it does for the badge, not for the kit that shows more."""
    near, far = Around(0.1, 0.1, 0.1, 0.1), Around(9, 9, 9, 9)

    def said(roster: str) -> list[str]:
        (drop / "roster.csv").write_text(roster)
        report = check_drop(
            drop / "roster.csv", drop / "selfies", drop / "consents.csv", eyes, now=NOW, kits=["badge", "wide"],
            frames=(("badge", near), ("wide", far)),
        )  # fmt: skip
        assert all(f.code != "no_room" for person in report.people if person.number != "3" for f in person.findings)
        cy = next(person for person in report.people if person.number == "3")
        return [found.sentence for found in cy.findings if found.code == "no_room"]

    (either,) = said(ROSTER)
    assert "these kits: wide." in either
    with_kit = ROSTER.replace("generation\n", "generation,Brand kit\n").replace("opt out", "opt out,{}")
    assert said(with_kit.format("badge")) == []
    (one,) = said(with_kit.format("wide"))
    assert "kits" not in one
