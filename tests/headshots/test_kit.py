"""Kits as files: what ships is complete and differs, what is wrong is said so that a designer can mend it."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from tasks.headshots import kit_sections
from tasks.headshots.kit import BrandKit, KitError, kit_digest, list_kits, load_kit, new_kit
from tasks.shipped import SHIPPED

KITS = SHIPPED / "brand_kits"
# Changing a kit, or how digests are made, renders every headshot under it again: only on purpose.
GOLDEN = "07dbaf789615cd9042387be8c1701e9360b9f506b4a3f83fe83225a8afbceb46"


def test_at_least_four_kits_ship_and_all_load(kits: dict[str, BrandKit]) -> None:
    assert len(kits) >= 4
    assert list(kits) == list_kits(KITS) == sorted(kits)


def test_the_kits_differ_in_everything_a_kit_can_say(kits: dict[str, BrandKit]) -> None:
    names = list(kits)
    for section in ("backdrop", "lighting", "framing", "wardrobe", "tone", "outputs"):
        said = [getattr(kits[name], section) for name in names]
        assert all(said[i] != said[j] for i in range(len(said)) for j in range(i)), section
    assert {kit.backdrop.kind for kit in kits.values()} == {"colour", "gradient", "picture"}
    assert len({kit.framing.aspect for kit in kits.values()}) >= 3
    assert len({kit.lighting.key_side for kit in kits.values()}) == 3


def test_whatever_a_kit_can_say_is_heard_where_pictures_are_made() -> None:
    """But for what is for people alone, as the kit that explains every key says of it."""
    sections = [
        one for _, one in inspect.getmembers(kit_sections, inspect.isclass) if issubclass(one, kit_sections.Section)
    ]
    said = {field for section in (*sections, BrandKit) for field in section.model_fields}
    heard = {
        node.attr
        for path in (SHIPPED / "tasks").rglob("*.py")
        if path.name != "kit_card.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    unheard = said - heard
    assert unheard == {"palette", "dress_code"}
    text = (KITS / "northwind" / "kit.toml").read_text(encoding="utf-8")
    for field in unheard:
        line = next(line for line in text.splitlines() if line.startswith(f"{field} ="))
        assert "for the kit card only" in line, field


def test_one_kit_explains_every_key() -> None:
    text = (KITS / "northwind" / "kit.toml").read_text(encoding="utf-8")
    sections = [
        kit_sections.Backdrop, kit_sections.Lighting, kit_sections.Framing, kit_sections.Wardrobe, kit_sections.Tone,
        kit_sections.Candidates, kit_sections.Floors, kit_sections.Output, kit_sections.PromptWords,
        kit_sections.Garment,
    ]  # fmt: skip
    keys = {key for section in sections for key in section.model_fields} | set(BrandKit.model_fields) - {"name"}
    missing = {key for key in keys if not re.search(rf"\b{key}\b", text)}
    assert missing == set()


def test_the_wardrobe_knows_no_gender(kits: dict[str, BrandKit]) -> None:
    gendered = re.compile(r"\b(wo)?m[ae]n('s)?\b|\bfemale\b|\bmale\b|\blad(y|ies)\b|\bgentlem", re.IGNORECASE)
    for kit in kits.values():
        for garment in kit.wardrobe.choices:
            assert not gendered.search(f"{garment.key} {garment.label} {garment.words}")


def test_outputs_cover_the_directories(kits: dict[str, BrandKit]) -> None:
    sizes = {output.name: output for output in kits["northwind"].outputs}
    assert (sizes["slack"].width, sizes["linkedin"].width, sizes["m365"].width) == (1024, 800, 648)
    assert sizes["active-directory"].width == 96
    assert sizes["active-directory"].max_bytes is not None
    assert sizes["active-directory"].max_bytes <= 100_000
    assert sizes["badge"].dpi == 300


def test_the_digest_is_pinned(kits: dict[str, BrandKit]) -> None:
    assert kit_digest(kits["northwind"]) == GOLDEN


def test_the_digest_moves_with_pixels_only(kits: dict[str, BrandKit]) -> None:
    kit = kits["daylight"]
    told_otherwise = kit.model_copy(update={"title": "Another", "palette": (), "outputs": kit.outputs[:1]})
    assert kit_digest(told_otherwise) == kit_digest(kit)
    lower = kit.model_copy(update={"framing": kit.framing.model_copy(update={"eye_line": 0.5})})
    assert kit_digest(lower) != kit_digest(kit)


def test_the_digest_moves_with_the_backdrop_picture(tmp_path: Path) -> None:
    new_kit("mine", tmp_path)
    path = tmp_path / "mine" / "kit.toml"
    text = path.read_text().replace('kind = "colour" ', 'kind = "picture"\npicture = "wall.png" ')
    path.write_text(text)
    (tmp_path / "mine" / "wall.png").write_bytes(b"one")
    first = kit_digest(load_kit("mine", tmp_path))
    (tmp_path / "mine" / "wall.png").write_bytes(b"two")
    assert kit_digest(load_kit("mine", tmp_path)) != first


def test_a_new_kit_works_at_once_and_is_never_overwritten(tmp_path: Path) -> None:
    path = new_kit("acme-2", tmp_path)
    kit = load_kit("acme-2", tmp_path)
    assert kit.title == "Acme 2"
    assert tomllib.loads(path.read_text())["title"] == "Acme 2"
    with pytest.raises(KitError, match="is there already"):
        new_kit("acme-2", tmp_path)
    with pytest.raises(KitError, match="lower-case"):
        new_kit("Acme Inc", tmp_path)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('colour = "#c9ced6"', 'colour = "grey"', r"backdrop\.colour: 'grey' will not do; write the colour as #"),
        ("eye_line = 0.44", "eye_line = 44", r"framing\.eye_line: 44 will not do; .*less than or equal to 0\.7"),
        ("vignette = 0.1", "vingette = 0.1", r"backdrop\.vingette: no such key; check the spelling"),
        ("width = 1024\nheight", "height", r"outputs\[1\]\.width: missing; add it"),
        ('aspect = "1:1"', 'aspect = "2:1"', r"framing\.aspect: '2:1' will not do; .*'4:5'"),
        ('kind = "colour"', 'kind = "gradient"', r"backdrop: a gradient needs its other end: add to ="),
        ('key = "navy-suit"', 'key = "keep"', r"wardrobe: \"keep\" means one's own clothes"),
        ('title = "', 'name = "x"\ntitle = "', r"name: a kit is called what its folder is called"),
        ("[backdrop]", "[backdrop", r"not readable as TOML"),
    ],
)  # fmt: skip
def test_errors_name_file_key_value_and_what_would_do(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    path = new_kit("mine", tmp_path)
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))
    with pytest.raises(KitError) as caught:
        load_kit("mine", tmp_path)
    assert str(path) in str(caught.value)
    assert re.search(said, str(caught.value)), str(caught.value)


def test_a_missing_kit_names_those_there_are() -> None:
    with pytest.raises(KitError, match=r"no brand kit called 'nowhere'.*northwind"):
        load_kit("nowhere", KITS)


def test_a_picture_must_lie_beside_its_kit(tmp_path: Path) -> None:
    path = new_kit("mine", tmp_path)
    text = path.read_text()
    path.write_text(text.replace('kind = "colour" ', 'kind = "picture"\npicture = "wall.jpg" '))
    with pytest.raises(KitError, match=r"backdrop\.picture: 'wall\.jpg' is not in"):
        load_kit("mine", tmp_path)
    path.write_text(text.replace('kind = "colour" ', 'kind = "picture"\npicture = "../wall.jpg" '))
    with pytest.raises(KitError, match="without folders"):
        load_kit("mine", tmp_path)


def test_a_prompt_must_speak_of_the_person(tmp_path: Path) -> None:
    path = new_kit("mine", tmp_path)
    text = path.read_text()
    path.write_text(text + '\n[prompts.sdxl]\npositive = "a portrait, {light}"\n')
    with pytest.raises(KitError, match=r"must contain \{who\}"):
        load_kit("mine", tmp_path)
    path.write_text(text + '\n[prompts.sdxl]\npositive = "{who} in {colour}"\n')
    with pytest.raises(KitError, match=r"\{colour\} is not one of"):
        load_kit("mine", tmp_path)
