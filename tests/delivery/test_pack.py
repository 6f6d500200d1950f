"""Packs are data: each of the house can be used and says where its limits stand; a broken one breaks only itself."""

from datetime import date
from pathlib import Path

import pytest

from tasks.delivery.pack import KIT, Pack, choose_packs, kit_pack, sort_packs
from tasks.headshots.kit import BrandKit
from tasks.vault.failures import NotLikeThis

SOUND = 'title = "Intranet"\n[[files]]\nname = "small"\nwidth = 200\nheight = 200\n'


@pytest.fixture(scope="module")
def house() -> dict[str, Pack]:
    sound, broken = sort_packs(None)
    assert broken == {}
    return sound


def test_every_directory_has_its_pack(house: dict[str, Pack]) -> None:
    assert set(house) == {
        "active-directory", "badge", "bamboohr", "entra", "google-workspace", "linkedin", "personio", "signature",
        "slack", "website", "workday",
    }  # fmt: skip
    for pack in house.values():
        assert pack.source.startswith("https://")
        assert pack.looked_up is not None
        assert pack.looked_up >= date(2026, 11, 1)
        assert pack.purpose
        assert pack.steps


def test_the_limits_are_those_of_the_directories(house: dict[str, Pack]) -> None:
    """Each from the page that the pack names."""
    limits = {name: (one.files[0].width, one.files[0].height, one.files[0].max_bytes) for name, one in house.items()}
    assert limits["entra"] == (648, 648, 4_000_000)
    assert limits["active-directory"] == (96, 96, 102_400)
    assert 512 <= limits["slack"][0] == limits["slack"][1] <= 1024
    assert limits["bamboohr"][0] == limits["bamboohr"][1]
    assert (limits["bamboohr"][2] or 0) <= 20 * 2**20
    assert limits["linkedin"][0] >= 400
    assert (limits["linkedin"][2] or 0) <= 8 * 2**20
    assert [round(side / 300 * 25.4) for side in limits["badge"][:2]] == [25, 32]  # mm
    assert house["badge"].files[0].dpi == 300
    website = [(one.format, one.width) for one in house["website"].files]
    assert website == [("webp", 400), ("webp", 800), ("avif", 400), ("avif", 800)]


def test_pictures_that_are_shown_in_a_circle_are_cut_for_one(house: dict[str, Pack]) -> None:
    circles = {name for name, pack in house.items() if pack.files[0].crop == "circle"}
    assert {"entra", "slack", "google-workspace", "linkedin", "workday"} <= circles
    assert house["badge"].files[0].crop == "cover"


def test_a_company_s_own_pack_is_one_more_and_takes_the_place_of_the_house_s(tmp_path: Path, kit: BrandKit) -> None:
    (tmp_path / "intranet.toml").write_text(SOUND)
    (tmp_path / "badge.toml").write_text(SOUND.replace("Intranet", "Our cards"))
    sound, broken = sort_packs(tmp_path)
    assert broken == {}
    assert (sound["intranet"].title, sound["badge"].title) == ("Intranet", "Our cards")
    assert [pack.name for pack in choose_packs(kit, tmp_path, ["intranet", "slack"])] == ["intranet", "slack"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("title = ", "not readable as TOML"),
        (SOUND.replace("width = 200", "width = 20000"), r"files\[1\]\.width: 20000 will not do"),
        (SOUND + "quallity = 90\n", r"files\[1\]\.quallity: no such key"),
        (SOUND.replace("title", "titel"), "title: missing"),
        (SOUND.replace("[[files]]", 'names = "{name}"\n[[files]]'), "two people can have one name"),
        (SOUND + '[snippet]\npicture = "large"\n', "must be one of its files: small"),
        (SOUND + '[snippet]\npicture = "small"\naddress = "http://pictures/{file}"\n', r"snippet\.address"),
        ('name = "x"\n' + SOUND, "remove this line"),
        (SOUND + SOUND.split("\n", 1)[1], "two files have the same name"),
    ],
)
def test_a_broken_pack_says_where_and_breaks_itself_only(tmp_path: Path, kit: BrandKit, text: str, where: str) -> None:
    (tmp_path / "ours.toml").write_text(text)
    sound, broken = sort_packs(tmp_path)
    assert list(broken) == ["ours"]
    assert broken["ours"].startswith(str(tmp_path / "ours.toml"))
    assert "entra" in sound
    with pytest.raises(NotLikeThis, match=where):
        choose_packs(kit, tmp_path, ["ours"])
    assert choose_packs(kit, tmp_path, ["entra"])


def test_a_pack_that_cannot_be_read_or_has_the_kit_s_name_is_broken(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text(SOUND)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"title = \xff")
    assert set(sort_packs(tmp_path)[1]) == {"kit", "folder", "bytes"}


def test_without_a_name_the_kit_s_own_sizes_are_meant(kit: BrandKit) -> None:
    (only,) = choose_packs(kit, None, [])
    assert only == kit_pack(kit)
    assert [size.folder for size in only.sizes()] == [output.name for output in kit.outputs]


def test_unknown_names_and_packs_that_share_a_folder_are_refused(kit: BrandKit) -> None:
    with pytest.raises(NotLikeThis, match=r"no such pack; there are kit, active-directory, .*workday"):
        choose_packs(kit, None, ["teams"])
    taken = kit.model_copy(update={"outputs": (kit.outputs[0].model_copy(update={"name": "slack"}),)})
    with pytest.raises(NotLikeThis, match="both write into the folder slack"):
        choose_packs(taken, None, [KIT, "slack"])


def test_files_of_one_pack_lie_in_folders_of_their_own(house: dict[str, Pack]) -> None:
    assert [size.folder for size in house["entra"].sizes()] == ["entra"]
    assert [size.folder for size in house["website"].sizes()] == [
        "website/webp-400", "website/webp-800", "website/avif-400", "website/avif-800",
    ]  # fmt: skip
