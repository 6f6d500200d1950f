"""Finds names whose letters were decoded wrongly: no name holds a currency sign, a raised figure, or a quote in a word.

A file saved under another code page is read without an error and looks right in most lines. What gives it away is a
sign that no name and no department holds, or an address that spells the same name otherwise.
"""

from __future__ import annotations

import re
import unicodedata

# UTF-8 read as cp1252 or cp1250: a capital with tilde, breve or ring before a sign; and the mark of a lost letter.
_TWICE = re.compile(
    r"[ÃÂÄÅÐÑÎÏØÙĂĹâãäåæçèé][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|[ĂĹĽ][«»©®¤§¨¬­°±˛ˇ˘ł]|√[^\W\d_]?|[├┬][^\s\w]?"
)
_LOST = re.compile("[\ufffd\u25a1\u25af]|(?<=[^\\W\\d_])\\?|\\?(?=[^\\W\\d_])")
# Signs that stand in no name: currencies, raised figures, fractions, section and copyright signs, boxes, controls.
_NO_NAME = re.compile(
    "[¤¥£¢€ƒ¹²³¼½¾±×÷¬¦§¶©®µ¿¡¨¸¯°†‡‰™\u2500-\u259f\u0080-\u009f\u0001-\u0008\u221a\u2206\u2211\u222b\u2248\u221e]"
)
# A quote, a bullet or a loose accent inside a word.
_INSIDE = re.compile(r"(?<=[^\W\d_])[“”„‚‹›«»…•ˆ˜\"^~¸¨´`|\\](?=[^\W\d_])|(?<=[a-zà-ÿ])[–—](?=[a-zà-ÿ])")
# What other programs make of a letter: &uuml; \u00fc =C3=BC %C3%BC.
_WRITTEN_OUT = re.compile(r"&#?\w{2,8};|\\u[0-9a-fA-F]{4}|=[0-9A-F]{2}=[0-9A-F]{2}|%[0-9A-F]{2}%[0-9A-F]{2}")
# Three accented letters in a row, but Icelandic þ and ð: Cyrillic, Greek or Chinese read as Western letters.
_RUN = re.compile(r"[À-ÏÑ-ÖØ-Ýß-ïñ-öø-ýÿ]{3}")
# A capital with an accent behind a small letter, or a low quote behind any: JosŽ, MŸller, Ren‚.
_CAPITAL = re.compile(r"(?<=[a-zà-ÿ])[À-ÞŠŒŽŸ]|Ÿ(?=[a-z])|(?<=[^\W\d_])[‚„ƒ†‡]")
# cp1250's ś, read as œ, before a letter that never follows œ at the start of a word.
_ODD_START = re.compile(r"(?<!\w)[Œœ](?=[^\W\d_aeiouunlfAEIOUNLF])")
_SUSPECTS = frozenset('?&%=\\"^~`|')  # the plain signs that one of the patterns looks for
_PATTERNS = (_TWICE, _LOST, _INSIDE, _WRITTEN_OUT, _RUN, _CAPITAL, _ODD_START)
_SPELT = {"ø": "o", "æ": "ae", "œ": "oe", "ß": "sz", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "ı": "i", "å": "a",
          "ö": "oe", "ü": "ue", "ä": "ae"}  # fmt: skip


def strange_letters(text: str) -> bool:
    """Whether the text holds what no name holds. A sign by itself, as in `R&D – 50 %`, is no letter."""
    if text.isascii() and text.isprintable() and _SUSPECTS.isdisjoint(text):
        return False
    return any(pattern.search(text) for pattern in _PATTERNS) or _beside_letters(text)


def _beside_letters(text: str) -> bool:
    """A sign of no name that touches a letter: `Ma³gorzata`, `£ucja`; `F&E (m²)` is a department."""
    for found in _NO_NAME.finditer(text):
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        if after.isalpha() or (before.isalpha() and found[0] not in "²³©®™§"):
            return True
    return False


def contradicts(name: str, email: str) -> bool:
    """Whether the address spells a word of the name otherwise where it has an accent: `Jiøí` and `jiri@`."""
    if name.isascii() or not email:
        return False
    tokens = re.split(r"[^a-z]+", email.partition("@")[0].casefold())
    return any(
        _differs(word, token)
        for word in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name).casefold())
        for token in tokens
        if len(word) == len(token) > 2 and not word.isascii()
    )


def _differs(word: str, token: str) -> bool:
    """Alike in every plain letter, and another letter under an accent."""
    pairs = list(zip(word, token, strict=True))
    plain = [letter == other for letter, other in pairs if letter.isascii()]
    accented = [other in _letters_of(letter) for letter, other in pairs if not letter.isascii()]
    return len(plain) >= 2 and all(plain) and not all(accented)


def _letters_of(letter: str) -> str:
    """The plain letters that an accented one is written as."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", letter) if c.isascii())
    return plain + _SPELT.get(letter, "")
