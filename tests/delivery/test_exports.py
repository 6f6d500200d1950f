"""Where deliveries may be written: HR is asked for no path, and none that means something else elsewhere is taken."""

from pathlib import Path

import pytest

from tasks.delivery.exports import PROGRAM, place_for_hr, place_for_shell
from tasks.vault.failures import NotLikeThis
from tasks.vault.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", export_folder=tmp_path / "exports")


def test_with_nothing_said_a_batch_has_its_own_folder(settings: Settings, tmp_path: Path) -> None:
    assert place_for_hr("", settings, "b1") == str(tmp_path / "exports" / "b1")
    assert place_for_hr(str(tmp_path / "exports" / "teams"), settings, "b1") == str(tmp_path / "exports" / "teams")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Desktop", "not a whole path"),
        ("../exports/x", "not a whole path"),
        ("~/pictures", "not a whole path"),
        (r"\\fileserver\hr", "of Windows or of a file server"),
        (r"C:\Users\hannah", "of Windows or of a file server"),
        ("C:/Users/hannah", "of Windows or of a file server"),
        ("//fileserver/hr", "of Windows or of a file server"),
        ("/etc", "go below the export folder"),
        ("{exports}/../home", "go below the export folder"),
        ("{exports}", "go below the export folder"),
        ("{exports}/link/x", "go below the export folder"),
        ("s3://", "A bucket is written"),
        ("s3:///x", "A bucket is written"),
    ],
)
def test_what_would_land_somewhere_else_is_refused_in_a_sentence(
    settings: Settings, tmp_path: Path, typed: str, said: str
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "link").symlink_to(tmp_path)
    with pytest.raises(NotLikeThis, match=said) as refused:
        place_for_hr(typed.replace("{exports}", str(exports)), settings, "b1")
    assert "hannah" not in str(refused.value)  # Prefect keeps the sentence


def test_without_an_export_folder_nothing_is_written_for_a_form(tmp_path: Path) -> None:
    bare = Settings(home=tmp_path / "home")
    for typed in ("", "/tmp/x"):
        with pytest.raises(NotLikeThis, match="download the files at the desk"):
            place_for_hr(typed, bare, "b1")
    assert place_for_hr("s3://bucket/a?endpoint=http://x", bare, "b1") == "s3://bucket/a?endpoint=http://x"


def test_an_export_folder_inside_the_home_is_refused(tmp_path: Path) -> None:
    inside = Settings(home=tmp_path / "home", export_folder=tmp_path / "home" / "exports")
    with pytest.raises(NotLikeThis, match="inside Rollcall's own home"):
        place_for_hr(str(tmp_path / "home" / "exports" / "a"), inside, "b1")
    with pytest.raises(NotLikeThis, match="inside Rollcall's own home"):
        place_for_hr("", inside, "b1")


def test_at_a_shell_a_folder_means_the_one_beside_and_never_the_program_s(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_for_shell("pack", settings) == str(tmp_path / "pack")
    for typed, said in (
        (str(settings.home / "x"), "Rollcall's own home"),
        (str(PROGRAM / "tasks" / "x"), "inside the program"),
        (r"\\server\hr", "of Windows"),
        (" ", "Say where"),
    ):
        with pytest.raises(NotLikeThis, match=said):
            place_for_shell(typed, settings)
