"""Finds names whose letters were decoded wrongly: no name holds a currency sign, a raised figure, or a quote in a word.

A file saved under another code page is read without an error and looks right in most lines. What gives it away is a
sign that no name and no department holds, inside a word.
"""

from __future__ import annotations

import re

# UTF-8 read as cp1252: Ã or Â or Å before a sign of its upper half; or the mark of a lost letter.
_TWICE = re.compile(r"[ÃÂÄÅÐÑÎÏØÙâãäåæçèé][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ¡-¿]")
_LOST = re.compile("[\ufffd\u25a1\u25af]|(?<=\\w)\\?+(?=\\w)")
# Signs that stand in no name: currencies, raised figures, fractions, section and copyright signs, boxes.
_NO_NAME = re.compile(
    "[¤¥£¢€ƒ¹²³¼½¾±×÷¬¦§¶©®µ¿¡¨¸¯†‡‰™\u2500-\u259f\u0080-\u009f\u221a\u03c0\u2206\u2211\u222b\u2248\u221e\u2264\u2265]"
)
# What cp1250, cp1251 and Mac Roman make of their letters when cp1252 is taken: a quote or sign inside a word.
_INSIDE = re.compile(r"(?<=[^\W\d_])[“”„‚‹›«»…•ˆ˜\"^~¸¨´`](?=[^\W\d_])")
# cp1250's ś, read as œ, before a letter that never follows œ at the start of a word.
_ODD_START = re.compile(r"(?<!\w)[Œœ](?=[^\W\d_aeiouunlfAEIOUNLF])")


def strange_letters(text: str) -> bool:
    """Whether the text holds what no name holds. A sign by itself, as in `R&D – 50 %`, is no letter."""
    return any(pattern.search(text) for pattern in (_TWICE, _LOST, _INSIDE, _ODD_START)) or _beside_letters(text)


def _beside_letters(text: str) -> bool:
    """A sign of no name that touches a letter: `Ma³gorzata`, `£ucja`; `F&E (m²)` is a department."""
    for found in _NO_NAME.finditer(text):
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        if after.isalpha() or (before.isalpha() and found[0] not in "²³©®™§"):
            return True
    return False
