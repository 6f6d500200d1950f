"""The written-down forms of a name and of a number: how people spell somebody whom they name a folder after.

Everything is compared folded (case, accents, signs nobody sees) and squeezed (without spaces, hyphens, apostrophes),
so that `O'Connor`, `oconnor` and `O Connor` are one, and 佐藤花子 is 佐藤 花子. What is not made here is no form of a
name: a first name by itself, initials, and anything that is merely near.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.roster.folding import without_accents

# German and Scandinavian letters people spell out; tried beside the plain accent-less form.
_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d",
     "ı": "i", "ð": "d", "þ": "th"}
)  # fmt: skip
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "å": "a", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "þ": "th"}
)
TITLES = frozenset(
    {"dr", "prof", "mr", "mrs", "ms", "miss", "mx", "frau", "herr", "mme", "mlle", "sr", "sra", "srta",
     "dott", "ing", "dipl", "mag", "phd", "msc", "bsc", "mba"}
)  # fmt: skip
# A name does not end in one of these: `Jip van` is nobody.
_PARTICLES = frozenset(
    {"van", "von", "de", "del", "della", "den", "der", "des", "di", "da", "do", "dos", "das", "du", "la",
     "le", "el", "al", "bin", "ibn", "ter", "ten", "zu", "zur", "y", "e"}
)  # fmt: skip
_APOSTROPHES = "'’‘ʼ`´ʹ′＇"
_WORD = re.compile(r"[^\W_]+")
_SHORT = 2  # signs: a squeezed form of fewer says nothing
_LONGEST = 8  # words of a name that are turned over; of longer ones only the whole counts


@dataclass(frozen=True)
class Word:
    """One word of a file's or folder's name, where it stands, and what stands before it."""

    text: str  # as seen: folded case, accents kept
    plain: str
    spelt: str
    raw: str  # with its capitals
    start: int
    end: int
    gap: str  # what separates it from the word before; "" when a figure follows a letter at once

    @property
    def is_figures(self) -> bool:
        return self.text.isdecimal()


def seen(text: str) -> str:
    """What the eye sees of a text: composed, without direction marks, soft hyphens and odd spaces; figures of full
    width are figures."""
    if text.isascii() and text.isprintable():  # most are, and a company has a hundred thousand of them
        return " ".join(text.split())
    composed = unicodedata.normalize("NFKC", text)
    kept = "".join(c for c in composed if unicodedata.category(c) not in ("Cf", "Cc", "Cn", "Co"))
    return " ".join(kept.split())


def number_key(number: str) -> str:
    """Two numbers that look alike are alike."""
    return seen(number).casefold()


def plain_form(text: str) -> str:
    """Lower case, no accents."""
    if text.isascii():
        return text.lower()
    return without_accents(unicodedata.normalize("NFC", text).casefold().translate(_PLAIN))


def spelt_form(text: str) -> str:
    """Lower case, ü as ue."""
    if text.isascii():
        return text.lower()
    return without_accents(unicodedata.normalize("NFC", text).casefold().translate(_SPELT))


def squeezed(text: str) -> str:
    """Without everything that is no letter and no figure."""
    if text.isalnum():
        return text
    return "".join(c for c in text if c.isalnum() or unicodedata.category(c).startswith("M"))


def words_of(text: str) -> list[Word]:
    """The words of a name as `seen`. A figure after a letter begins a word: `Anna2` is Anna and 2."""
    found: list[Word] = []
    last = 0
    for start, end in _runs(text):
        raw = text[start:end]
        bare = "".join(c for c in raw if c not in _APOSTROPHES)
        gap = text[last:start]
        found.append(Word(bare.casefold(), plain_form(bare), spelt_form(bare), bare, start, end, gap))
        last = end
    return found


def _runs(text: str) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for at, sign in enumerate(text):
        inside = sign.isalnum() or unicodedata.category(sign).startswith("M")
        joins = sign in _APOSTROPHES and start is not None and text[at + 1 : at + 2].isalpha()
        if start is not None and inside and sign.isdecimal() != text[at - 1].isdecimal():
            yield start, at
            start = at
        elif inside and start is None:
            start = at
        elif not inside and not joins and start is not None:
            yield start, at
            start = None
    if start is not None:
        yield start, len(text)


def name_words(name: str, *, spell: bool = False) -> list[str]:
    """A name in folded words, without titles; hyphens part words, apostrophes do not."""
    words = [(word.spelt if spell else word.plain) for word in words_of(seen(name))]
    kept = [word for word in words if word not in TITLES]
    return kept or words


def name_forms(name: str) -> frozenset[str]:
    """Every squeezed form under which a file may bear this name: as it is, last name first, without a middle name or a
    second surname. A name of one word has one form."""
    forms: set[str] = set()
    if not any(c.isalpha() for c in name):
        return frozenset()
    for spell in (False, True):
        words = name_words(name, spell=spell)
        forms.add(squeezed("".join(words)))
        if 1 < len(words) <= _LONGEST:
            for chosen in _shortened(words):
                forms |= {"".join(chosen[i:] + chosen[:i]) for i in range(len(chosen))}
    return frozenset(form for form in forms if len(form) >= _SHORT)


def _shortened(words: list[str]) -> Iterator[list[str]]:
    """Anna Maria Keller is also Anna Keller, Anna M Keller and Anna Maria; José Núñez Gil is also José Núñez."""
    yield words
    if len(words) < 3:
        return
    first, middle, last = words[0], words[1:-1], words[-1]
    yield [first, *(word[0] for word in middle), last]
    shorter = [words[:i] + words[i + 1 :] for i in range(1, len(words))]
    shorter += [[first, word] for word in words[1:]]
    for form in shorter:
        if form[-1] not in _PARTICLES and len(form[-1]) > 1:
            yield form
