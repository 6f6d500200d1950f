"""Says whose photo each file is, from nothing but its path: no file is opened here.

Folder name, file name prefix or a manifest; by employee number, e-mail or name. Numbers are compared as text, so a
folder 7 is not employee 007. Whatever fits two people belongs to neither until somebody says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.roster.rows import RosterRow
from tasks.selfies.findings import Finding, finding

# German and Scandinavian letters people spell out; tried beside the plain accent-less form.
_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ł": "l"}
)
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "å": "a", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"})
# Top folders that only say “photos are here”.
_BOXES = {"selfies", "photos", "fotos", "pictures", "images", "upload", "uploads", "bilder"}


@dataclass(frozen=True)
class Matching:
    """Every file is in exactly one of the three: somebody's, nobody's, or claimed for more than one person."""

    by_number: Mapping[str, tuple[str, ...]]
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=())


class _People:
    """Who can be meant by a word: one dictionary per kind of word, each leading to a set of numbers."""

    def __init__(self, rows: Iterable[RosterRow]) -> None:
        self.numbers: set[str] = set()
        self.words: defaultdict[str, set[str]] = defaultdict(set)
        # One word of an address (`jose@`) is many people's first name: good for a whole folder, not for half of one.
        self.weak: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            if not row.number:
                continue
            self.numbers.add(row.number)
            self.words[row.number.casefold()].add(row.number)
            if row.email:
                self.words[row.email.casefold()].add(row.number)
                account = folded_name(row.email.partition("@")[0])
                (self.words if " " in account else self.weak)[account].add(row.number)
            for form in name_forms(row.name) if row.name != row.number else ():
                self.words[form].add(row.number)
        self.words.pop("", None)

    def meant_by(self, text: str, rest: str = "") -> set[str]:
        """Numbers this word may stand for; empty when none. An exact number wins over everything. `rest`: what was
        cut off behind it; letters there may be the other half of a name."""
        if text in self.numbers:
            return {text}
        found = self.words.get(text.casefold().strip())
        for form in (folded_name(text), folded_name(text, spell=True)):
            found = found or self.words.get(form)
            if len(form) >= 3 and not any(letter.isalpha() for letter in rest):
                found = found or self.weak.get(form)
        return found or set()


def match_photos(
    files: Sequence[str], rows: Iterable[RosterRow], manifest: Mapping[str, str] | None = None
) -> Matching:
    """`files` are relative paths with forward slashes. `manifest`: file path → number, e-mail or name."""
    people = _People(rows)
    named = {path.strip().lstrip("./").replace("\\", "/").casefold(): who for path, who in (manifest or {}).items()}
    mine: defaultdict[str, list[str]] = defaultdict(list)
    unmatched: list[str] = []
    ambiguous: list[str] = []
    for path in files:
        meant = _from_manifest(path, named, people) or _from_path(path, people)
        if len(meant) == 1:
            mine[next(iter(meant))].append(path)
        else:
            (ambiguous if meant else unmatched).append(path)
    findings = []
    if unmatched:
        findings.append(finding("not_on_roster", len(unmatched), 0))
    if ambiguous:
        findings.append(finding("ambiguous_photo", len(ambiguous), 0))
    by_number = {number: tuple(paths) for number, paths in mine.items()}
    return Matching(by_number, tuple(unmatched), tuple(ambiguous), tuple(findings))


def _from_manifest(path: str, named: Mapping[str, str], people: _People) -> set[str]:
    """The manifest may give whole paths or bare file names."""
    if not named:
        return set()
    folded = path.casefold()
    who = named.get(folded) or named.get(folded.partition("/")[2]) or named.get(folded.rsplit("/", 1)[-1])
    return people.meant_by(who) if who else set()


def _from_path(path: str, people: _People) -> set[str]:
    """The innermost folder that names anybody decides; else the beginning of the file's name, the longest that fits."""
    *folders, name = path.split("/")
    strange = False  # in a folder that ought to be somebody's
    for folder in reversed(folders):
        if folder.casefold() in _BOXES:
            continue
        meant = people.meant_by(folder) or _from_prefix(folder, people)
        if meant:
            return meant
        strange = True
    return _from_prefix(name.rsplit(".", 1)[0], people, least=4 if strange else 1)


def _from_prefix(stem: str, people: _People, least: int = 1) -> set[str]:
    """`1007_2`, `anna.keller-IMG_0042`, `1007 Anna Keller (2)`: words are cut off at the end until the rest fits.

    `least` keeps `Somebody Else/2.jpg` from being employee 2: there, only what is no mere count is believed.
    """
    cuts = [len(stem)] + [m.start() for m in reversed(list(re.finditer(r"[\s_\-.()#+]+", stem)))]
    for cut in cuts:
        word = stem[:cut].strip(" _-.")
        meant = people.meant_by(word, stem[cut:]) if len(word) >= least else set()
        if meant:
            return meant
    return set()


def name_forms(name: str) -> set[str]:
    """`José Núñez` may be written jose nunez, nunez jose, or by first and last of several names."""
    forms = set()
    for spell in (False, True):
        words = folded_name(name, spell=spell).split()
        forms |= {" ".join(words), " ".join(words[-1:] + words[:-1])}
        if len(words) > 2:
            # Anna Maria Keller, and José Núñez Gil: a middle name, or a second surname, is often left out.
            forms |= {f"{words[0]} {words[-1]}", f"{words[-1]} {words[0]}", " ".join(words[1:] + words[:1])}
            forms |= {f"{words[0]} {words[1]}", f"{words[1]} {words[0]}"}
    return {form for form in forms if " " in form}


def folded_name(text: str, *, spell: bool = False) -> str:
    """Lower case, no accents, words by single spaces. `spell`: ü becomes ue instead of u."""
    lower = unicodedata.normalize("NFC", text).casefold().translate(_SPELT if spell else _PLAIN)
    plain = "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]+|_", " ", plain).split())
