"""Base model cards: what is in the house can be read, and mistakes are named by file, key and value."""

import json
from pathlib import Path

import pytest

from tasks.vision.diffusion_card import UnknownBase, list_bases, load_base_card
from tasks.vision.families.known import FAMILIES

BASES = Path(__file__).parents[2] / "base_models"
GOOD = """
title = "A base"
family = "sd"
path = "somewhere"
licence = "Apache-2.0"
commercial_use = true
resolution = 512
"""


@pytest.mark.parametrize("name", list_bases(BASES))
def test_every_card_in_the_house_can_be_read(name: str) -> None:
    card = load_base_card(name, BASES)
    assert card.targets
    assert card.licence
    steps = [card.training.steps[quality] for quality in ("draft", "standard", "best")]
    assert steps == sorted(steps)


def test_there_is_a_base_of_every_family_and_one_to_use_freely() -> None:
    cards = [load_base_card(name, BASES) for name in list_bases(BASES)]
    assert {card.family for card in cards} == set(FAMILIES)
    assert any(card.licence == "Apache-2.0" and card.repository for card in cards)


def test_a_short_card_is_enough(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    card = load_base_card("mine", tmp_path)
    assert card.folder == tmp_path / "somewhere"
    assert card.targets == ("to_q", "to_k", "to_v", "to_out.0")
    assert card.alpha == card.lora.rank
    assert list_bases(tmp_path) == ["mine"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("resolution = 513", "no multiple of `latent_factor`"),
        ('family = "sd9"', "family"),
        ("surprise = 1", "surprise"),
        ('repository = "a/b"', "either `path`"),
        ('vae = "../other"', "vae"),
        ("[training]\nlearning_rate = 2", r"training.learning_rate: .* \(is 2\)"),
        ("[training.steps]\nultra = 5", "training.steps.ultra"),
        ("not toml", "not TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, line: str, says: str) -> None:
    key = line.split(" ")[0]
    kept = "\n".join(good for good in GOOD.splitlines() if not good.startswith(key + " "))
    (tmp_path / "mine.toml").write_text(f"{kept}\n{line}\n")
    with pytest.raises(UnknownBase, match=says) as wrong:
        load_base_card("mine", tmp_path)
    assert "mine.toml" in str(wrong.value)


def test_only_sd_bases_choose_among_autoencoders(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.replace('"sd"', '"sdxl"') + '\nvae = "vae-128"\n')
    with pytest.raises(UnknownBase, match="family sd only"):
        load_base_card("mine", tmp_path)


def test_sizes_follow_the_chosen_autoencoder_unless_the_card_says_them(tmp_path: Path) -> None:
    for name, side, levels in (("vae", 256, 5), ("vae-128", 128, 4)):
        folder = tmp_path / "somewhere" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({"sample_size": side, "block_out_channels": [16] * levels}))
    silent = GOOD.replace("resolution = 512", "")
    for line, sizes in (
        ("", (256, 16)), ('vae = "vae-128"', (128, 8)), ("resolution = 512", (512, 8)),
        ("resolution = 512\nlatent_factor = 16", (512, 16)),
    ):  # fmt: skip
        (tmp_path / "mine.toml").write_text(f"{silent}\n{line}\n")
        card = load_base_card("mine", tmp_path)
        assert (card.resolution, card.latent_factor) == sizes
    (tmp_path / "mine.toml").write_text(f'{silent}\nvae = "vae-64"\n')
    with pytest.raises(UnknownBase, match=r"resolution: is missing, and there is no autoencoder in .*somewhere that"):
        load_base_card("mine", tmp_path)


def test_what_a_card_leaves_out_is_named_without_the_rest_of_it(tmp_path: Path) -> None:
    """The error of a missing key once ended with the whole card."""
    (tmp_path / "mine.toml").write_text(GOOD.replace("licence = ", "# licence = "))
    with pytest.raises(UnknownBase, match=r"licence: is missing$"):
        load_base_card("mine", tmp_path)


def test_a_moving_revision_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace('path = "somewhere"', 'repository = "a/b"\nrevision = "main"')
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UnknownBase, match="revision"):
        load_base_card("mine", tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    with pytest.raises(UnknownBase, match="known: mine"):
        load_base_card("yours", tmp_path)
