"""What ships in an installed package is copied before it is written in; what is the company's own is not."""

from pathlib import Path

from flows.own_copy import to_write_in


def test_a_package_is_never_written_in_and_the_copy_is_made_once(tmp_path: Path) -> None:
    installed, home = tmp_path / "package", tmp_path / "home"
    kits = installed / "brand_kits"
    (kits / "harbour").mkdir(parents=True)
    home.mkdir()
    own = to_write_in(kits, home, installed)
    assert own == home / "brand_kits"
    assert (own / "harbour").is_dir()
    (own / "mine").mkdir()
    assert to_write_in(kits, home, installed) == own
    assert (own / "mine").is_dir(), "what was changed there stays"
    assert [path.name for path in home.iterdir()] == ["brand_kits"], "no half copy is left"


def test_a_folder_of_the_companys_own_is_itself(tmp_path: Path) -> None:
    kits = tmp_path / "kits"
    assert to_write_in(kits, tmp_path / "home", tmp_path / "package") == kits
