"""How long a prompt is to a base, by its own tokenizer: what is beyond its length is cut without a word."""

from collections.abc import Sequence

import transformers

from tasks.vision.diffusion_card import BaseCard, UnknownBase
from tasks.vision.pulled import why_not_here


def count_tokens(card: BaseCard, prompts: Sequence[str]) -> tuple[int, int]:
    """(tokens of the longest prompt, tokens that the base reads). UnknownBase when its files are not here."""
    if wrong := why_not_here(card):
        raise UnknownBase(wrong)
    tokenizer = transformers.AutoTokenizer.from_pretrained(card.folder / "tokenizer", local_files_only=True)
    longest = max(len(tokenizer(prompt).input_ids) for prompt in prompts)
    return longest, card.text_length or int(tokenizer.model_max_length)
