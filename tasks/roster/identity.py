"""Who a roster's row is, of those who are known already: somebody, nobody yet, or a question that only HR can answer.

A number alone names nobody: it is given away, swapped, and changed for everybody by a merger. A row is somebody known
when its number and its name, or its number and its e-mail, are theirs, now or at some time before. Whatever else fits
only in part (a known number under another name and e-mail, a known name or e-mail under another number) is asked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tasks.roster.folding import without_accents
from tasks.roster.rows import RosterRow

By = Literal["number", "name"]
_FILED = re.compile(r" ?\((row \d+|question q[0-9a-f]+)\)$")


@dataclass(frozen=True)
class Called:
    """A number with a name and an e-mail, as somebody has them or had them."""

    person: str  # id
    number: str
    name: str
    email: str

    @property
    def is_filed(self) -> bool:
        """A number that we made up for a row that could not be told apart: nobody is known by it."""
        return _FILED.search(self.number) is not None


@dataclass(frozen=True)
class PossiblePerson:
    """Somebody whom a row may mean, and by what."""

    person: str
    by: By


@dataclass(frozen=True)
class Whose:
    """Whom a row means. Neither a person nor candidates: somebody new."""

    person: str | None = None
    candidates: tuple[PossiblePerson, ...] = ()
    outdated: bool = False  # the row says what they were called before: an older roster, which renames nobody back


class KnownPeople:
    """Everybody in the records, by number, name and e-mail; what they are called now, and what they were before."""

    def __init__(self, now: Iterable[Called], before: Iterable[Called] = ()) -> None:
        self.now, self.before = list(now), list(before)
        self._by_number = {one.number: one for one in self.now}
        self._before: defaultdict[str, list[Called]] = defaultdict(list)
        for one in self.before:
            self._before[one.number].append(one)
        self._by_email: defaultdict[str, list[Called]] = defaultdict(list)
        self._by_name: defaultdict[str, list[Called]] = defaultdict(list)
        for one in self.now:
            if not one.is_filed:
                self._by_email[one.email.casefold()].append(one)
                self._by_name[name_key(one.name)].append(one)

    def whose(self, row: RosterRow, listed: Mapping[str, RosterRow]) -> Whose:
        """Whom this row means. `listed`: this roster's rows by number; who is listed as themselves is no candidate."""
        holder = self._by_number.get(row.number)
        if holder is not None and _fits(row, holder):
            return Whose(holder.person)
        was = next((one for one in self._before[row.number] if _fits(row, one, surely=True)), None)
        if was is not None:
            return Whose(was.person, outdated=True)
        found = [PossiblePerson(holder.person, "number")] if holder is not None else []
        alike = [*self._by_email[row.email.casefold()], *self._by_name[name_key(row.name)]]
        for one in alike:
            theirs = (
                row.email.casefold() == one.email.casefold() != "" or name_key(row.name) == name_key(one.name) != ""
            )
            elsewhere = one.number != row.number and one.number in listed and _fits(listed[one.number], one)
            if theirs and not elsewhere and all(one.person != other.person for other in found):
                found.append(PossiblePerson(one.person, "name"))
        return Whose(candidates=tuple(found))


def _fits(row: RosterRow, one: Called, *, surely: bool = False) -> bool:
    """Whether name or e-mail agree. Where one side says neither, the number is believed, unless `surely`."""
    if not (row.name or row.email) or not (one.name or one.email):
        return not surely
    return same_name(row.name, one.name) or row.email.casefold() == one.email.casefold() != ""


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name: accents, signs, order of the words, and a middle name more or less."""
    first, second = name_key(one).split(), name_key(other).split()
    if not first or not second:
        return False
    fewer, more = sorted((set(first), set(second)), key=len)
    return sorted(first) == sorted(second) or (len(fewer) > 1 and fewer <= more)


def name_key(name: str) -> str:
    """A name folded for comparing: small letters without accents and signs, words in the order of the alphabet."""
    joined = re.sub(r"['’ʼ`´-]", "", without_accents(name.casefold()))
    return " ".join(sorted(re.findall(r"\w+", joined)))


def is_last_roster(before: Collection[str], now: Collection[str]) -> bool:
    """Whether people of `before` who are not in `now` are missing: the two share at least half of the smaller one.

    A roster of another site, or of the joiners alone, is not the last one made shorter.
    """
    shared = len(set(before) & set(now))
    return shared > 0 and 2 * shared >= min(len(before), len(now))
