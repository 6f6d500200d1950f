"""Learned on a base, drawn by what was distilled from it: only such weights, and a sentence for all others."""

from pathlib import Path

import pytest

from tasks.vision.diffusion_card import UnknownBase, load_base_card
from tasks.vision.drawn_by import drawing_card

CARD = """title = "A base"
family = "z-image"
path = "there"
licence = "Apache-2.0"
commercial_use = true
resolution = 64
"""


@pytest.fixture
def bases(tmp_path: Path) -> Path:
    """A base that is drawn by its turbo, and turbos that do not fit it."""
    turbos = {
        "turbo": 'trained_from = "base"\n', "stranger": 'trained_from = "another"\n', "whole": "",
        "wide": 'trained_from = "base"\nlatent_channels = 16\n',
    }  # fmt: skip
    for name, words in turbos.items():
        (tmp_path / f"{name}.toml").write_text(words + CARD)
    (tmp_path / "base.toml").write_text(CARD + '[render]\ndrawn_by = "turbo"\n')
    return tmp_path


def test_who_draws_is_a_word_of_the_card(bases: Path) -> None:
    assert drawing_card(load_base_card("base", bases), bases).name == "turbo"
    assert drawing_card(load_base_card("turbo", bases), bases).name == "turbo"


@pytest.mark.parametrize(("name", "sentence"), [
    ("stranger", 'was made from another. Only weights distilled from base take its adapters'),
    ("whole", "names no base that it was made from"),
    ("wide", "its latent_channels is 16, not 4"),
    ("nowhere", "there is no base model 'nowhere'"),
])  # fmt: skip
def test_what_was_not_distilled_from_it_is_refused(bases: Path, name: str, sentence: str) -> None:
    (bases / "base.toml").write_text(CARD + f'[render]\ndrawn_by = "{name}"\n')
    with pytest.raises(UnknownBase, match=sentence):
        drawing_card(load_base_card("base", bases), bases)
