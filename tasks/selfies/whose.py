"""Reads one name, of a folder or of a file: which people on the roster it names, and how surely.

A number, an address or a name has to stand in it in a form that people write (`spelling`), and what else stands there
has to be explained: a camera's words, copies, the person's own other names, their department. `Maria Santos Oliveira`
is not Maria Santos. In the name of a file the end may be a name by itself, behind the dash or stroke of an upload form.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tasks.roster.rows import RosterRow
from tasks.selfies.hits import DASH, Kind, NameHit, group_of_figures, largest, stands_apart
from tasks.selfies.path_words import (
    BOX_WORDS,
    CAMERA,
    IN_SMALL_LETTERS,
    LABELS,
    OWN,
    is_day_or_counter,
    is_noise,
    looks_like_a_year,
)
from tasks.selfies.resembling import Resembling
from tasks.selfies.spelling import (
    TITLES,
    Word,
    name_forms,
    name_words,
    number_key,
    plain_form,
    seen,
    squeezed,
    words_of,
)

_ROW = re.compile(r" \(row \d+\)$")  # how two people under one number are filed (Roster.filed_number)
MOST_WORDS = 24  # of one name; more is no name
SHORT_NUMBER = 4  # signs: letters and figures this few stand in many a name by chance
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Claim:
    """`who` a name stands for: nobody, somebody, or several who cannot be told apart by it. `near`: whom it may have
    meant, for HR to pick from. `surely`: by more than bare figures, which a camera may have counted. `at_odds`: it
    names two people in two ways, so that nothing but HR's word settles it."""

    who: frozenset[str] = NOBODY
    near: frozenset[str] = NOBODY
    surely: bool = True
    at_odds: bool = False


class People:
    """Everybody who can be meant, by every form in which they may be written down."""

    def __init__(self, rows: Iterable[RosterRow], earlier: Iterable[RosterRow] = ()) -> None:
        self.rows = _once(rows)
        self._numbers: defaultdict[str, set[str]] = defaultdict(set)
        self._addresses: defaultdict[str, set[str]] = defaultdict(set)
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._accounts: defaultdict[str, set[str]] = defaultdict(set)
        self._words: dict[str, frozenset[str]] = {}
        for number, row in self.rows.items():
            self._add(number, row)
        for row in earlier:
            self._addresses[row.email.casefold()].add(row.number)
            for form in name_forms(row.name):
                self._names[form].add(row.number)
            self._words[row.number] = self._words.get(row.number, frozenset()) | frozenset(name_words(row.name))
        for found in (self._numbers, self._addresses, self._names, self._accounts):
            found.pop("", None)

    def _add(self, number: str, row: RosterRow) -> None:
        key = number_key(_ROW.sub("", number))
        self._numbers[key].add(number)
        self._numbers[squeezed(key)].add(number)
        if row.email:
            self._addresses[row.email.casefold()].add(number)
            # One word of an address (`jose@`) is many people's first name: good for a whole name and no part of one.
            account = plain_form(row.email.partition("@")[0])
            if any(not is_noise(word) for word in words_of(account)):
                self._accounts[squeezed(account)].add(number)
        if row.name != row.number:
            for form in name_forms(row.name):
                self._names[form].add(number)
            self._words[number] = frozenset(name_words(row.name)) | frozenset(name_words(row.name, spell=True))

    @cached_property
    def places(self) -> frozenset[str]:
        """Words of departments, locations and the company's own domain, as far as they are nobody's name."""
        words = {
            w.plain for row in self.rows.values() for text in (row.department, row.location) for w in words_of(text)
        }
        domains: defaultdict[str, int] = defaultdict(int)
        for row in self.rows.values():
            domains[row.email.partition("@")[2].casefold()] += 1
        for domain, people in domains.items():
            if people > 1:  # a private address names its person
                words |= {word.plain for word in words_of(domain)}
        names = {word for own in self._words.values() for word in own}
        return frozenset(word for word in words if len(word) > 1 and not word.isdecimal()) - names

    @cached_property
    def resembling(self) -> Resembling:
        """Built when the first stranger is met."""
        return Resembling({number: (_ROW.sub("", number), row.name) for number, row in self.rows.items()})

    def named_exactly(self, text: str) -> frozenset[str]:
        """For manifests and picks: a number, an address or a name and nothing beside it."""
        for words in (self._numbers.get(number_key(text)), self._addresses.get(seen(text).casefold())):
            if words:
                return frozenset(words)
        forms = {squeezed("".join(name_words(text, spell=spell))) for spell in (False, True)}
        return frozenset().union(*(self._names.get(form, NOBODY) for form in forms))

    def claim(self, text: str, *, is_file: bool) -> Claim:
        """Whom a folder's name, or a file's without its suffix, stands for."""
        shown = seen(text)
        whole = self._numbers.get(number_key(shown))
        words = words_of(shown)
        if whole and not (is_file and len(words) == 1 and words[0].is_figures and is_day_or_counter([shown], 0)):
            return Claim(frozenset(whole), surely=not shown.isdecimal())
        if not words or len(words) > MOST_WORDS:
            return Claim()
        hits = largest(self._hits(shown, words))
        names = [hit for hit in hits if hit.kind != "figures"]
        if names and (account := self._accounts.get(squeezed(plain_form(shown)))):  # `sam.lee2/` is no Sam Lee, nr. 2
            return Claim(frozenset(account | self._names.get(squeezed(plain_form(shown)), set())))
        standing = names + [hit for hit in hits if hit.kind == "figures" and self._figures_stand(hit, words, names)]
        doubted = frozenset().union(*(hit.who for hit in hits if hit not in standing))
        if not standing:
            return self._by_account(words, doubted)
        return self._weigh(standing, words, doubted, is_file)

    def _hits(self, shown: str, words: Sequence[Word]) -> list[NameHit]:
        lower, found = shown.casefold(), []
        same_length = len(lower) == len(shown)
        for i, first in enumerate(words):
            text = plain = spelt = ""
            for j in range(i, len(words)):
                last = words[j]
                text, plain, spelt = text + last.text, plain + last.plain, spelt + last.spelt
                raw = lower[first.start : last.end] if same_length else ""
                glued = (first.gap == "" and i > 0) or (j + 1 < len(words) and words[j + 1].gap == "")
                by_number = None if glued else self._numbers.get(number_key(raw)) or self._numbers.get(squeezed(text))
                if by_number:
                    kind: Kind = "figures" if text.isdecimal() else "name" if text.isalpha() else "number"
                    found.append(NameHit(i, j, kind, frozenset(by_number)))
                elif raw in self._addresses:
                    found.append(NameHit(i, j, "address", frozenset(self._addresses[raw])))
                elif by_name := self._names.get(plain, set()) | self._names.get(spelt, set()):
                    found.append(NameHit(i, j, "name", frozenset(by_name)))
        return found

    def _figures_stand(self, hit: NameHit, words: list[Word], names: Sequence[NameHit]) -> bool:
        """Whether bare figures are somebody's number here and no day, time or counter."""
        low, high = group_of_figures(hit, words)
        number = "".join(word.text for word in words[hit.first : hit.last + 1])
        groups = [word.text for word in words[low : hit.first]] + [number]
        groups += [word.text for word in words[hit.last + 1 : high + 1]]
        if is_day_or_counter(groups, hit.first - low, spaced="(" in words[high].gap or "[" in words[high].gap):
            return False
        if any(name.who & hit.who for name in names):
            return True
        others = [word for word in words[:low] + words[high + 1 :] if not word.is_figures]
        own = any(self._is_own(word, hit.who) for word in others if len(word.plain) > 1)
        small = len(number) < 3 or looks_like_a_year(number)
        if low == 0:
            return own or not small or all(is_noise(word) for word in others)
        before = words[low - 1]
        if before.plain in LABELS or "#" in words[low].gap:
            return True
        dashed = bool(DASH.search(words[low].gap))
        if high + 1 < len(words) or small or (before.plain in CAMERA and not dashed):
            return False
        return bool(names) or own or dashed or all(word.plain in OWN for word in others)

    def _weigh(self, hits: Sequence[NameHit], words: Sequence[Word], doubted: frozenset[str], is_file: bool) -> Claim:
        every = frozenset().union(*(hit.who for hit in hits))
        meant = every
        for hit in hits:
            meant &= hit.who
        surely = any(hit.kind != "figures" for hit in hits)
        overlap = any(later.first <= earlier.last for earlier, later in pairwise(sorted(hits, key=lambda h: h.first)))
        if overlap:  # `Anna Maria Keller`, with an Anna Maria and a Maria Keller: neither has all the words
            return Claim(near=every | doubted)
        if not meant:
            return Claim(every, surely=surely, at_odds=True)
        covered = {i for hit in hits for i in range(hit.first, hit.last + 1)}
        beside = [word for i, word in enumerate(words) if i not in covered]
        left = [word for word in beside if not self._is_explained(word, meant)]
        if all(hit.kind == "name" for hit in hits) and any(self._has_one_word(number) for number in meant):
            left += [word for word in beside if word.plain in IN_SMALL_LETTERS and word not in left]  # `holiday-ann`
        if not left:
            return Claim(meant, surely=surely)
        if any(hit.kind in ("number", "address", "figures") for hit in hits):
            length = max(len("".join(w.plain for w in words[h.first : h.last + 1])) for h in hits)
            if all(hit.kind == "number" for hit in hits) and length < SHORT_NUMBER and hits[0].first > 0:
                return Claim(near=meant | doubted)
            others = self.resembling.clearly([word.plain for word in left]) - meant
            return Claim(meant | others, surely=surely, at_odds=bool(others))
        by_form = is_file and any(stands_apart(hit, words) for hit in hits)
        return Claim(meant) if by_form else Claim(near=meant | doubted)

    def _by_account(self, words: Sequence[Word], doubted: frozenset[str]) -> Claim:
        """`zoe/` for zoe@: the whole name, and nobody else is called so."""
        telling = [word for word in words if not is_noise(word) or word.is_figures]
        for text in ("".join(w.plain for w in telling), "".join(w.plain for w in telling if not w.is_figures)):
            if len(text) >= 3 and (found := self._accounts.get(text)):
                called = {number for number, own in self._words.items() if text in own}
                return Claim(frozenset(found | called | self._initialled(text)))
        return Claim(near=doubted)

    def _initialled(self, text: str) -> set[str]:
        """`akeller@` is Anna's; Andreas Keller may be meant as well."""
        rows = self._initials.get(text)
        return set(rows) if rows else set()

    @cached_property
    def _initials(self) -> dict[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for number, row in self.rows.items():
            words = name_words(row.name)
            if len(words) > 1:
                found[words[0][0] + words[-1]].add(number)
        return found

    def _has_one_word(self, number: str) -> bool:
        return len(name_words(self.rows[number].name)) == 1

    def _is_own(self, word: Word, who: frozenset[str]) -> bool:
        return any({word.plain, word.spelt} & self._words.get(number, NOBODY) for number in who)

    def _is_explained(self, word: Word, meant: frozenset[str]) -> bool:
        beside = is_noise(word) or word.plain in TITLES or word.plain in LABELS or word.plain in BOX_WORDS
        return beside or word.plain in self.places or self._is_own(word, meant)


def _once(rows: Iterable[RosterRow]) -> dict[str, RosterRow]:
    """Rows by number. A line that repeats somebody (number, name and address) is that person, not their double."""
    found: dict[str, RosterRow] = {}
    known: set[tuple[str, str, str]] = set()
    for row in rows:
        alike = (number_key(_ROW.sub("", row.number)), plain_form(seen(row.name)), row.email.casefold())
        if row.number and alike not in known:
            known.add(alike)
            found[row.number] = row
    return found
