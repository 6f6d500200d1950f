"""Finds people in text: by their id, and by words that are theirs alone. For one person or ten thousand at once.

One pattern of forty thousand alternatives would try each of them at every letter. So a text is cut into its words
first; only where the first word of somebody's name stands is the whole name looked for.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Mentioned:
    """How one person can be mentioned: by id, and by words that are theirs alone."""

    id: str
    words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # what each of the words is: e-mail | name | number
    shared: tuple[str, ...] = ()  # kinds of words that are somebody else's too, or a part of theirs, so not looked for
    number: str = ""  # the employee number, however short
    secrets: tuple[bytes, ...] = ()  # wrapped keys, which must be in no file once they are destroyed


class Finder(Protocol):
    """Whatever can say if a text mentions somebody: `Mentions`, or a compiled pattern."""

    def search(self, string: str, /) -> object:
        """Something true when it does."""


class Mentions:
    """Everybody who is looked for. Matches whole words, letter case aside."""

    def __init__(self, people: Iterable[Mentioned]) -> None:
        starting: dict[str, list[str]] = {}
        for word in {word.casefold() for person in people for word in (person.id, *person.words)}:
            first = _WORD.search(word)
            starting.setdefault(first[0] if first else "", []).append(word)
        self._wordless = _whole(starting.pop("")) if "" in starting else None  # made of signs alone
        self._starting = starting
        self._first = starting.keys()
        self._patterns: dict[str, re.Pattern[str]] = {}

    def search(self, string: str, /) -> bool:
        """Whether somebody is mentioned in this text as it stands."""
        text = string.casefold()
        if self._wordless is not None and self._wordless.search(text):
            return True
        present = self._first & set(_WORD.findall(text))
        return any(self._pattern(first).search(text) for first in present)

    def words_in(self, string: str) -> set[str]:
        """Which of the words stand in this text, in lower case."""
        text = string.casefold()
        present = self._first & set(_WORD.findall(text))
        likely = [word for first in present if self._pattern(first).search(text) for word in self._starting[first]]
        found = {word for word in likely if _whole([word]).search(text)}
        return found | (set(self._wordless.findall(text)) if self._wordless is not None else set())

    def _pattern(self, first: str) -> re.Pattern[str]:
        if first not in self._patterns:
            self._patterns[first] = _whole(self._starting[first])
        return self._patterns[first]


def _whole(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words, the longest first; `_` is no letter: `EMP-10_1.jpg` speaks of EMP-10."""
    longest = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![^\W_])(?:" + "|".join(re.escape(word) for word in longest) + r")(?![^\W_])")
