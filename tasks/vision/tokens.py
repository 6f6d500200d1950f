"""How long a prompt is to a base, by its own tokenizer: what is beyond its length is cut without a word."""

from collections.abc import Sequence
from typing import Any

import transformers

from tasks.vision.diffusion_card import BaseCard, UnknownBase
from tasks.vision.pulled import why_not_here


def count_tokens(card: BaseCard, prompts: Sequence[str]) -> tuple[int, int]:
    """(tokens of the longest prompt, tokens that the base reads). UnknownBase when its files are not here."""
    if wrong := why_not_here(card):
        raise UnknownBase(wrong)
    tokenizer = transformers.AutoTokenizer.from_pretrained(card.folder / "tokenizer", local_files_only=True)
    told = [_told(tokenizer, prompt) for prompt in prompts]
    longest = max(len(tokenizer(text).input_ids) for text in told)
    return longest, card.text_length or int(tokenizer.model_max_length)


def _told(tokenizer: Any, prompt: str) -> str:
    """What a language model is given for a prompt: its chat template's words count as well."""
    if not tokenizer.chat_template:
        return prompt
    asked = [{"role": "user", "content": prompt}]
    return str(tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True, enable_thinking=False))
