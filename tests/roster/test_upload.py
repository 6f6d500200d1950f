"""What HR uploaded: sealed while it lies here, and read as well where an older version left it in clear."""

import os
from pathlib import Path

import pytest

from tasks.roster.drop import DropFault
from tasks.roster.upload import ARRIVING, Upload

KEY = b"k" * 32


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    (tmp_path / "drop" / "selfies" / "1").mkdir(parents=True)
    return Upload(str(tmp_path / "drop"), KEY)


def test_sealed_and_clear_files_are_one_drop_and_what_is_beside_it_is_no_part(upload: Upload) -> None:
    upload.write("roster.csv", b"Employee ID\n1\n")
    upload.write(".answers.json", b"{}")
    (upload.folder / "selfies" / "1" / "a.jpg").write_bytes(b"photo")
    assert upload.files() == ["roster.csv", "selfies/1/a.jpg"]
    assert upload.sealed_files() == [".answers.json", "roster.csv"]
    assert upload.read("roster.csv") == b"Employee ID\n1\n"
    assert upload.read("selfies/1/a.jpg") == upload.content("selfies/1/a.jpg") == b"photo"
    assert [upload.size(name) for name in upload.files()] == [14, 5]
    assert [upload.holds(name) for name in ("roster.csv", "selfies/1/a.jpg", "b.jpg")] == [True, True, False]
    assert upload.stamp("roster.csv") != upload.stamp("selfies/1/a.jpg")


def test_nothing_of_a_file_can_be_read_in_the_folder_and_another_key_opens_nothing(upload: Upload) -> None:
    upload.write("selfies/1/anna.jpg", b"photo of anna")
    [lying] = [path for path in upload.folder.rglob("*") if path.is_file()]
    assert b"photo" not in lying.read_bytes()
    assert "anna" not in lying.name
    other = Upload(upload.location, b"l" * 32)
    assert other.sealed_files() == []
    with pytest.raises(DropFault, match="altered, or its key is gone"):
        other.files()


def test_what_lay_in_clear_is_sealed_with_its_age_and_its_folder_goes(upload: Upload) -> None:
    clear = upload.folder / "selfies" / "1" / "a.jpg"
    clear.write_bytes(b"photo")
    os.utime(clear, ns=(5, 7))
    (upload.folder / ".left-out.json").write_text("[]")
    assert upload.seal_clear() == 2
    assert not (upload.folder / "selfies").exists()
    assert upload.sealed_files() == [".left-out.json", "selfies/1/a.jpg"]
    assert upload.sealed.place("selfies/1/a.jpg").stat().st_mtime_ns == 7
    assert upload.seal_clear() == 0
    assert upload.read("selfies/1/a.jpg") == b"photo"


def test_the_newer_file_stands_in_the_place_of_the_one_in_clear(upload: Upload) -> None:
    clear = upload.folder / "selfies" / "1" / "a.jpg"
    clear.write_bytes(b"older")
    upload.write("selfies/1/a.jpg", b"newer")
    assert not clear.exists()
    assert upload.read("selfies/1/a.jpg") == b"newer"
    clear.parent.mkdir(parents=True)
    clear.write_bytes(b"older")  # killed between sealing it and taking it away
    assert upload.read("selfies/1/a.jpg") == b"newer"
    assert upload.files() == ["selfies/1/a.jpg"]
    upload.seal_clear()
    assert upload.read("selfies/1/a.jpg") == b"newer"
    assert upload.remove("selfies/1/a.jpg") is True
    assert upload.remove("selfies/1/a.jpg") is False
    assert upload.files() == []


def test_a_file_in_clear_is_removed_too_and_only_its_empty_folders_go(upload: Upload) -> None:
    for name in ("a.jpg", "b.jpg"):
        (upload.folder / "selfies" / "1" / name).write_bytes(b"photo")
    assert upload.remove("selfies/1/a.jpg") is True
    assert upload.files() == ["selfies/1/b.jpg"]
    assert upload.remove("selfies/1/b.jpg") is True
    assert list(upload.folder.iterdir()) == []


def test_parts_of_files_that_never_arrived_are_dropped_and_counted(upload: Upload) -> None:
    arriving = upload.folder / ARRIVING
    (arriving / "one").mkdir(parents=True)
    (arriving / "one" / "0").write_bytes(b"x")
    (arriving / "of before").write_bytes(b"x")
    (arriving / "kept.json").write_text("{}")
    assert upload.drop_halves() == 2
    assert [path.name for path in arriving.iterdir()] == ["kept.json"]
    assert upload.drop_halves() == 0
