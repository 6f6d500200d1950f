"""Who may have been meant by a name that is nobody's: people on the roster whose names are near it.

Only ever a question to HR, never an answer: nobody gets a photo by this.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from tasks.selfies.spelling import name_words, squeezed

MOST = 5  # candidates worth showing
RARE = 3  # people who share a word, at most, for that word alone to point at them
LONG = 7  # letters from which two slips of the pen are forgiven; one from four on, and in names written as one word


class Resembling:
    """`people`: number as filed → (number as written, name)."""

    def __init__(self, people: Mapping[str, tuple[str, str]]) -> None:
        self._by_word: defaultdict[str, set[str]] = defaultdict(set)
        self._by_slip: defaultdict[str, set[str]] = defaultdict(set)
        self._by_value: defaultdict[str, set[str]] = defaultdict(set)
        for number, (written, name) in people.items():
            self._by_value[_value(written)].add(number)
            for spell in (False, True):
                words = name_words(name, spell=spell)
                turned = ["".join(words), "".join(words[-1:] + words[:-1])]
                for word in {*words, *turned}:
                    self._by_word[word].add(number)
        for word in self._by_word:
            for slip in _slips(word):
                self._by_slip[slip].add(word)

    def to(self, words: Sequence[str]) -> tuple[str, ...]:
        """Numbers of those whom these folded words may mean, the nearest first; few or none."""
        texts = [word for word in words if any(c.isalpha() for c in word) and len(word) > 1]
        points: Counter[str] = Counter()
        for text in texts:
            exact = self._by_word.get(text, set())
            near = {number for word in self._near(text) for number in self._by_word[word]} - exact
            alone = len(texts) == 1
            for number in exact | near:
                rare = len(exact | near) <= RARE
                points[number] += (10 if number in exact else 8) + (5 if alone or rare else 0)
        for text in texts:  # in scripts without spaces a name stands inside a longer word
            if not text.isascii() and text not in self._by_word:
                points.update(
                    {n: 12 for word, who in self._by_word.items() if len(word) > 1 and word in text for n in who}
                )
        figures = [word for word in words if any(c.isdecimal() for c in word)]
        if len(figures) == 1:
            points.update({number: 12 for number in self._by_value.get(_value(figures[0]), ())})
        enough = [(number, score) for number, score in points.items() if score >= 12]
        best = max((score for _, score in enough), default=0)
        found = sorted((n for n, score in enough if score * 3 >= best * 2), key=lambda n: (-points[n], n))
        return tuple(found[:MOST])

    def clearly(self, words: Sequence[str]) -> frozenset[str]:
        """Those who are near by two words, or by the only one."""
        texts = [word for word in words if any(c.isalpha() for c in word) and len(word) > 1]
        counted: Counter[str] = Counter()
        for text in texts:
            counted.update({number for word in {text, *self._near(text)} for number in self._by_word.get(word, ())})
        return frozenset(number for number, count in counted.items() if count >= min(2, len(texts)))

    def _near(self, text: str) -> set[str]:
        """Words of names that one slip (or two, in long words) makes of this one."""
        return {word for slip in _slips(text) for word in self._by_slip.get(slip, ())} - {text}


def _slips(word: str) -> set[str]:
    """What is left of a word when one or two letters are lost: two words that share such a rest are near."""
    if len(word) < 4 or len(word) > 24:
        return set()
    lost = [1, 2] if LONG <= len(word) <= 11 else [1]
    return {word} | {
        "".join(c for i, c in enumerate(word) if i not in gone)
        for count in lost
        for gone in combinations(range(len(word)), count)
    }


def _value(number: str) -> str:
    """A number without its noughts in front, for `706` beside 0706."""
    return squeezed(number).casefold().lstrip("0")
