"""Finds people in text: by their id, and by words that are theirs alone. For one person or ten thousand at once.

One pattern of forty thousand alternatives would try each of them at every letter. So a text is cut into its words
first; only where the first word of somebody's name stands is the whole name looked for.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Mentioned:
    """How one person can be mentioned: by id, and by words that are theirs alone."""

    id: str
    words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # what each of the words is: e-mail | name | number


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

    def _pattern(self, first: str) -> re.Pattern[str]:
        if first not in self._patterns:
            self._patterns[first] = _whole(self._starting[first])
        return self._patterns[first]


def _whole(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(word) for word in sorted(words)) + r")(?!\w)")
