"""The tokenizer of the embedded base: one token per word of the caption grammar.

Promise: the files are read by the stock CLIPTokenizer; every word of the grammar and of ordinary portrait prompts is
one token; any other text falls back to letters and bytes, so nothing is unknown; the rare tokens that stand for an
employee (`sks`, `ohwx`...) are never used in training.
"""

import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path

from transformers import CLIPTokenizer

from synthetic.painter.caption import vocabulary as grammar_words
from synthetic.training.networks import TOKENS

RARE = ("sks", "ohwx", "zwx", "vsk", "qjx", "hjk")
START, END = "<|startoftext|>", "<|endoftext|>"
PROMPT_WORDS = (
    "portrait professional corporate business company brand photo photograph picture headshot camera looking at "
    "wearing neutral expression soft even light lighting studio background plain backdrop gradient blurred blurry "
    "noise noisy low quality deformed extra face faces text watermark young older middle aged smiling smile serious "
    "friendly calm short long wavy curly straight hair eyes skin glasses jacket shirt blouse knit sweater polo dress "
    "top crew neck open collar tie without the with no on from for by to key fill rim warm cool natural charcoal "
    "black white grey gray red green blue yellow orange pink purple brown beige navy teal burgundy mustard"
)


def byte_letters() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in byte order."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters, spare = {b: chr(b) for b in kept}, 256
    for byte in range(256):
        if byte not in letters:
            letters[byte], spare = chr(spare), spare + 1
    return [letters[b] for b in range(256)]


def apply_merges(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """Byte-pair encoding of one word, lowest rank first."""
    pieces = [*word[:-1], word[-1] + "</w>"]
    while len(pieces) > 1:
        pairs = list(itertools.pairwise(pieces))
        best = min(pairs, key=lambda p: ranks.get(p, 1 << 30))
        if best not in ranks:
            break
        i = pairs.index(best)
        pieces[i : i + 2] = ["".join(best)]
    return pieces


def build_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Merges that make each word one token.

    A word's missing merges are appended after all earlier ones. BPE always applies the earliest merge it can, so
    later merges never change how an earlier word is built.
    """
    ranks: dict[tuple[str, str], int] = {}
    for word in words:
        pieces = apply_merges(word, ranks)
        while len(pieces) > 1:
            ranks[(pieces[0], pieces[1])] = len(ranks)
            pieces = apply_merges(word, ranks)
    return list(ranks)


def all_words() -> list[str]:
    """Grammar first, then rare tokens, then words of ordinary prompts; each once."""
    text = " ".join([*grammar_words(), PROMPT_WORDS]).lower()
    return list(dict.fromkeys([*re.findall(r"[a-z]+", " ".join(grammar_words()).lower()), *RARE,
                               *re.findall(r"[a-z]+", text)]))  # fmt: skip


def write_tokenizer(folder: Path) -> CLIPTokenizer:
    """Writes vocab.json, merges.txt and the settings beside them, and reads them back."""
    folder.mkdir(parents=True, exist_ok=True)
    merges = build_merges(all_words())
    letters = byte_letters()
    tokens = [*letters, *(c + "</w>" for c in letters), *("".join(m) for m in merges), START, END]
    vocabulary = {t: i for i, t in enumerate(dict.fromkeys(tokens))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(m) for m in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=TOKENS,
        bos_token=START, eos_token=END, unk_token=END, pad_token=END,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    return tokenizer
