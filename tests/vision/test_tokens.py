"""How long a prompt is to a base: by its own tokenizer, with all that its text encoder is given."""

from pathlib import Path

import pytest

from benchmarks.random_bases import write_random_base
from tasks.vision.diffusion_card import UnknownBase, load_base_card
from tasks.vision.tokens import count_tokens


def test_the_longest_prompt_counts_against_what_the_base_reads(tmp_path: Path) -> None:
    """The tiny tokenizers spell: a letter is a token."""
    write_random_base(tmp_path, "tiny", "sd")
    card = load_base_card("tiny", tmp_path)
    assert count_tokens(card, ["a", "abc"]) == (3 + 2, 77)  # a first and a last token are always there
    (card.folder / "model_index.json").unlink()
    with pytest.raises(UnknownBase, match="tiny is not whole"):
        count_tokens(card, ["a"])


@pytest.mark.parametrize("family", ["flux2-klein", "z-image"])
def test_the_chat_template_counts_as_well(family: str, tmp_path: Path) -> None:
    write_random_base(tmp_path, "tiny", family)  # type: ignore[arg-type]
    card = load_base_card("tiny", tmp_path)
    told = "<s>user\nabc<e>\n<s>assistant\n"  # the marks are one token each
    assert count_tokens(card, ["abc"]) == (len(told.replace("<s>", "1").replace("<e>", "1")), 96)
