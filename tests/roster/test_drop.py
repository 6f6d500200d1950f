"""A drop is somebody else's folder: links, pipes, climbing paths and huge files are refused, never followed."""

import os
from pathlib import Path

import pytest

from tasks.roster.drop import Contents, DropFault, sort_contents
from tasks.roster.folder_drop import FolderDrop
from tasks.roster.open_drop import find_drop, newest_drop
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    (folder / "selfies" / "1").mkdir(parents=True)
    (folder / "roster.csv").write_text("Employee ID\n1\n")
    (folder / "consents.csv").write_text("Employee ID,Consent\n1,yes\n")
    (folder / "selfies" / "1" / "a.jpg").write_bytes(b"photo")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return folder


def test_only_plain_files_below_the_folder_are_seen(drop: Path, tmp_path: Path) -> None:
    (drop / "selfies" / "1" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (drop / "selfies" / "2").symlink_to(tmp_path)
    os.mkfifo(drop / "selfies" / "1" / "pipe.jpg")
    (drop / ".hidden").write_bytes(b"")
    (drop / "Thumbs.db").write_bytes(b"")
    (drop / "__MACOSX").mkdir()
    (drop / "__MACOSX" / "a.jpg").write_bytes(b"")
    assert FolderDrop(str(drop)).files() == ["consents.csv", "roster.csv", "selfies/1/a.jpg"]


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/passwd", "selfies/../../secret.jpg", "selfies//1/a.jpg", ""])
def test_no_path_leads_out(drop: Path, path: str) -> None:
    with pytest.raises(DropFault, match="not_a_file"):
        FolderDrop(str(drop)).read(path)


def test_a_name_that_became_a_link_after_listing_is_refused(drop: Path, tmp_path: Path) -> None:
    photo = drop / "selfies" / "1" / "a.jpg"
    photo.unlink()
    photo.symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(DropFault, match="not_a_file"):
        FolderDrop(str(drop)).read("selfies/1/a.jpg")
    (drop / "selfies" / "3").symlink_to(tmp_path)
    with pytest.raises(DropFault, match="not_a_file"):
        FolderDrop(str(drop)).read("selfies/3/secret.jpg")
    os.mkfifo(drop / "pipe")
    with pytest.raises(DropFault, match="not_a_file"):  # and returns, instead of waiting for a writer
        FolderDrop(str(drop)).read("pipe")


def test_a_huge_file_is_refused_unread(drop: Path) -> None:
    with open(drop / "big.jpg", "wb") as file:
        file.truncate(60 * 2**20)  # sparse: nothing is written
    with pytest.raises(DropFault, match="too_large"):
        FolderDrop(str(drop)).read("big.jpg")


def test_refusals_name_no_file(drop: Path) -> None:
    with pytest.raises(DropFault) as refused:
        FolderDrop(str(drop)).read("selfies/1/jane-doe.jpg")
    assert "jane" not in str(refused.value)


def test_what_lies_where() -> None:
    files = ["Mitarbeiter.xlsx", "consents.csv", "selfies/1/a.jpg", "selfies/manifest.csv", "logo.png"]
    found = sort_contents(files)
    assert found == Contents("Mitarbeiter.xlsx", "consents.csv", "selfies/manifest.csv", ("selfies/1/a.jpg",))
    assert sort_contents(["export.csv", "1.jpg"]) == Contents("export.csv", None, None, ("1.jpg",))


@pytest.mark.parametrize("files", [["a.jpg"], ["one.csv", "two.csv"]])
def test_a_drop_without_a_roster_says_what_to_do(files: list[str]) -> None:
    with pytest.raises(DropFault, match=r"no_roster: .*roster\.csv"):
        sort_contents(files)


def test_the_newest_upload_is_found(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(DropFault, match="no_drop"):
        newest_drop(settings)
    for i, name in enumerate(("b", "a")):
        (tmp_path / "drops" / name).mkdir(parents=True)
        os.utime(tmp_path / "drops" / name, (i, i))
    assert newest_drop(settings) == str(tmp_path / "drops" / "a")
    with open_vault(settings) as vault, pytest.raises(DropFault, match="no_drop"):
        find_drop(str(tmp_path / "nowhere"), vault)
