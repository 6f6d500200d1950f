"""The sample company on disk is what its truth says it is."""

import csv
import io
import tomllib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from synthetic import company
from synthetic.company import PHOTO_PROBLEMS, STAFF, cast, consents_text, roster_text, selfie
from synthetic.dataset import SEEDS
from synthetic.staff import STRANGER_FOLDER

pillow_heif.register_heif_opener()
NORTHWIND = Path(__file__).parents[2] / "samples" / "northwind"
SELFIES = NORTHWIND / "selfies"
PICTURES = {".jpg", ".heic"}


@pytest.fixture(scope="module")
def truth() -> dict[str, list[dict[str, object]]]:
    return tomllib.loads((NORTHWIND / "problems.toml").read_text(encoding="utf-8"))


def folder_of(number: str) -> Path:
    return SELFIES / next((e.folder or e.number for e in STAFF if e.number == number), number)


def test_tables_are_what_the_staff_says() -> None:
    assert (NORTHWIND / "roster.csv").read_text(encoding="utf-8") == roster_text()
    assert (NORTHWIND / "consents.csv").read_text(encoding="utf-8") == consents_text()
    rows = list(csv.DictReader(io.StringIO(roster_text())))
    assert len({row["Employee ID"] for row in rows}) >= 24
    assert len(rows) == len({row["Employee ID"] for row in rows}) + 1  # one number stands twice


def test_every_problem_of_the_design_is_planted(truth: dict[str, list[dict[str, object]]]) -> None:
    assert {str(p["code"]) for p in truth["problem"]} >= {
        "no_consent", "consent_withdrawn", "consent_other_purpose", "several_faces", "other_person",
        "same_face_two_names",
        "too_few_photos", "no_photos", "blurred", "dark", "overexposed", "sunglasses", "near_duplicate", "truncated",
        "not_a_picture", "small_face", "turned_away", "not_on_roster", "left_company", "on_leave", "opted_out",
        "duplicate_id", "bad_email", "formula_cell",
    }  # fmt: skip
    assert {str(p["employee"]) for p in truth["person"]} == {e.number for e in STAFF}
    assert any("<b>" in e.legal for e in STAFF)


def test_problem_files_exist_and_lie_with_their_employee(truth: dict[str, list[dict[str, object]]]) -> None:
    for problem in truth["problem"]:
        files = problem["files"]
        assert isinstance(files, list)
        assert bool(files) == (problem["code"] in PHOTO_PROBLEMS | {"not_on_roster"})
        for name in files:
            assert (SELFIES / name).parent == folder_of(str(problem["employee"]))
            assert (SELFIES / name).is_file()


def test_everybody_has_the_photos_that_the_outcome_needs(truth: dict[str, list[dict[str, object]]]) -> None:
    """Who has only bad pictures among good ones still has enough good ones."""
    bad = {str(f) for p in truth["problem"] for f in p["files"]}  # type: ignore[attr-defined]
    for employee in STAFF:
        folder = folder_of(employee.number)
        good = [f for f in folder.iterdir() if f.suffix in PICTURES and f"{folder.name}/{f.name}" not in bad]
        if employee.outcome == "ready":
            assert len(good) >= 6, employee.number
        if "too_few_photos" in dict(employee.planted):
            assert len(good) == 3
        if employee.reason == "no_photos":
            assert not good


def test_pictures_open_upright_and_are_large_enough(truth: dict[str, list[dict[str, object]]]) -> None:
    broken = {str(f) for p in truth["problem"] if p["code"] in ("truncated", "not_a_picture") for f in p["files"]}  # type: ignore[attr-defined]
    turned = located = 0
    for path in sorted(SELFIES.rglob("*")):
        if path.suffix not in PICTURES or path.relative_to(SELFIES).as_posix() in broken:
            continue
        with Image.open(path) as image:
            exif = image.getexif()
            turned += exif.get(company.EXIF_ORIENTATION, 1) != 1
            located += bool(exif.get_ifd(company.EXIF_GPS))
            assert min(image.size) >= 512
    assert turned >= 3
    assert located == 2
    assert len(list(SELFIES.rglob("*.heic"))) >= 5


def test_samples_stay_small() -> None:
    assert sum(p.stat().st_size for p in NORTHWIND.rglob("*") if p.is_file()) < 20_000_000


def test_nobody_was_in_a_training_set() -> None:
    people = cast(STAFF)
    assert all(person.seed >= SEEDS["company"] for person in people.values())
    twins = [e.number for e in STAFF if any(code == "same_face_two_names" for code, _ in e.planted)]
    assert len({people[n].seed for n in twins}) == 1
    assert len({p.seed for p in people.values()}) == len(people) - 1
    assert STRANGER_FOLDER in people


def test_the_command_makes_these_very_pictures() -> None:
    """One photo again, compared with the one on disk: equal up to JPEG and another machine's arithmetic."""
    place, employee = next((i, e) for i, e in enumerate(STAFF) if e.photos > 4)
    assert place == 0
    again = selfie(cast(STAFF[:1])[employee.number], 0)
    with Image.open(sorted(folder_of(employee.number).glob("*.jpg"))[0]) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"), np.int16)
    assert np.abs(upright - again).mean() < 5
