"""Says whose photo each file is, from nothing but its path: no file is opened here.

The folder decides, by number, address or name (`whose`); where folders only say that photos are here, the file's own
name does, and in a folder that fits nobody it never does. A manifest outranks names, and HR's word outranks all. What
fits two people belongs to neither, and is named with those it may be, so that HR can settle it with one pick.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.roster.rows import RosterRow
from tasks.selfies.findings import Finding, finding
from tasks.selfies.path_words import is_box, is_day_or_counter, is_form, is_noise, looks_like_a_year
from tasks.selfies.picks import BY_FILE, NOBODYS, folder_key, key_of
from tasks.selfies.resembling import MOST
from tasks.selfies.spelling import seen, words_of
from tasks.selfies.whose import NOBODY, Claim, People
from tasks.sentences import tell


@dataclass(frozen=True)
class Stray:
    """Files that are nobody's yet and stand or fall together: a folder, files of one name, or one file.

    `key` is what a pick is kept under: the folder's path with a stroke behind it, or the file's. `candidates`: numbers
    of those it may be, the likeliest first. `between`: it fits all of them alike; else it fits nobody, and they are
    merely near.
    """

    key: str
    folder: str
    files: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    between: bool = False
    picked: str = ""  # HR's word: a number, NOBODYS or BY_FILE; such a stray is settled

    def line(self, names: Mapping[str, str]) -> str:
        """`folder Jan Kowalski, 2 files: could be 71 Jan Kowalski or 72 Jan Kowalski`. `names`: number → name."""
        folder, count = self.key.endswith("/"), len(self.files)
        place = tell("stray.folder", count, folder=self.folder) if folder else tell("stray.file", file=self.files[0])
        people = tell("stray.or").join(f"{number} {names.get(number, '')}".strip() for number in self.candidates)
        key = "nobodys" if not people else "could_be" if self.between else "perhaps"
        return tell(f"stray.{key}", place=place, people=people)


@dataclass(frozen=True)
class Matching:
    """Every file is in exactly one of the four: somebody's, nobody's, claimed for several people, or set aside."""

    by_number: Mapping[str, tuple[str, ...]]
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=())
    strays: tuple[Stray, ...] = ()  # the settled ones too, so that HR can change their mind
    set_aside: tuple[str, ...] = ()  # HR said that they are nobody's

    def may_be(self, number: str) -> int:
        """How many files fit this person and others alike."""
        return sum(len(s.files) for s in self.strays if s.between and not s.picked and number in s.candidates)


@dataclass(frozen=True)
class _Place:
    """What was made of one path. `group`: the folder, or the file, by which it was decided."""

    who: frozenset[str] = NOBODY
    candidates: tuple[str, ...] = ()
    group: str = ""
    picked: str = ""


def match_photos(
    files: Sequence[str],
    rows: Iterable[RosterRow],
    manifest: Mapping[str, str] | None = None,
    picks: Mapping[str, str] | None = None,
    earlier: Iterable[RosterRow] = (),
) -> Matching:
    """`files` are relative paths with forward slashes. `manifest`: file path → number, e-mail or name. `picks`: what HR
    said, stray's key → number, NOBODYS or BY_FILE (`picks.py`). `earlier`: the same people under names they had before.
    """
    reader = _Reader(People(rows, earlier), manifest or {}, picks or {}, files)
    mine: defaultdict[str, list[str]] = defaultdict(list)
    unmatched: list[str] = []
    ambiguous: list[str] = []
    aside: list[str] = []
    groups: dict[str, list[str]] = {}
    places: dict[str, _Place] = {}
    for path in files:
        place = reader.place(path)
        if place.picked or len(place.who) != 1:
            groups.setdefault(place.group, []).append(path)
            places.setdefault(place.group, place)
        if len(place.who) == 1:
            mine[next(iter(place.who))].append(path)
        elif place.picked == NOBODYS:
            aside.append(path)
        else:
            (ambiguous if place.who else unmatched).append(path)
    findings = []
    if unmatched:
        findings.append(finding("not_on_roster", len(unmatched), 0))
    if ambiguous:
        findings.append(finding("ambiguous_photo", len(ambiguous), 0))
    by_number = {number: tuple(paths) for number, paths in mine.items()}
    strays = tuple(_stray(key, groups[key], places[key]) for key in groups)
    return Matching(by_number, tuple(unmatched), tuple(ambiguous), tuple(findings), strays, tuple(aside))


def _stray(key: str, files: Sequence[str], place: _Place) -> Stray:
    folder = key.rstrip("/") if key.endswith("/") else files[0].rpartition("/")[0]
    between = len(place.who) > 1
    candidates = tuple(sorted(place.who)) if between else place.candidates
    return Stray(key, folder, tuple(files), candidates, between, place.picked)


class _Reader:
    """Reads paths against one roster; what a folder's name means is worked out once."""

    def __init__(
        self, people: People, manifest: Mapping[str, str], picks: Mapping[str, str], files: Sequence[str]
    ) -> None:
        self.people, self.picks = people, picks
        self.named = {_manifest_key(path): who for path, who in manifest.items()}
        self._claims: dict[tuple[str, bool], Claim] = {}
        self._boxes: dict[str, bool] = {}
        self._counted = _counters(files, people)

    def place(self, path: str) -> _Place:
        """HR's word for this file, or for the folder that decides about it, before everything else."""
        place = self._by_name(path)
        for key in (key_of(path), place.group):
            said = self.picks.get(key, "")
            if said == NOBODYS:
                return _Place(group=key, picked=said)
            if said in self.people.rows:
                return _Place(frozenset([said]), place.candidates, key, said)
        return place

    def _by_name(self, path: str) -> _Place:
        if who := self._from_manifest(path):
            return _Place(who, tuple(sorted(who)), key_of(path))
        return self._from_path(path)

    def _from_manifest(self, path: str) -> frozenset[str]:
        """The manifest may give whole paths or bare file names."""
        folded = path.casefold()
        who = (
            self.named.get(folded)
            or self.named.get(folded.partition("/")[2])
            or self.named.get(folded.rsplit("/", 1)[-1])
        )
        return self.people.named_exactly(who) if who else NOBODY

    def _from_path(self, path: str) -> _Place:
        """The innermost folder that names anybody decides, unless a folder in it looks like somebody else's."""
        *folders, name = path.split("/")
        own = self._claim(name.rsplit(".", 1)[0] if "." in name[1:] else name, is_file=True)
        strange = 0  # how deep the innermost folder lies that ought to be somebody's and is nobody's
        for depth in range(len(folders), 0, -1):
            folder = "/".join(folders[:depth])
            claim = self._claim(folders[depth - 1], is_file=False)
            if claim.who:
                return self._in_folder(path, folders, depth, strange, claim, own)
            if not self._is_box(folder, folders[depth - 1]):
                strange = strange or depth
        if strange:
            return self._in_strange_folder(folders, strange, own)
        if not own.surely and "/".join(folders) in self._counted:
            return _Place(candidates=tuple(sorted(own.who)), group=key_of(path))
        who = own.who if own.at_odds else self._settled(own.who, [*folders, name])
        return _Place(who, () if who else self._candidates(own, name), key_of(path))

    def _in_folder(
        self, path: str, folders: Sequence[str], depth: int, strange: int, claim: Claim, own: Claim
    ) -> _Place:
        """A folder names somebody. What lies deeper may still say that it is somebody else's."""
        who = claim.who
        if strange:
            inner = folders[strange - 1]
            other = [n for n in self.people.resembling.to(_texts(inner)) if n not in who]
            if other or _looks_like_a_name(inner) or _may_be_a_year(folders[depth - 1]):
                return _Place(candidates=(*other, *sorted(who)), group=folder_key(folders[:strange]))
        if own.surely and own.who:
            if own.at_odds or not own.who & who:
                return _Place(who | own.who, group=key_of(path))
            who &= own.who
        if not claim.at_odds:
            who = self._settled(who, [*folders, path.rpartition("/")[2]])
        return _Place(who, group=folder_key(folders[:depth]))

    def _in_strange_folder(self, folders: Sequence[str], strange: int, own: Claim) -> _Place:
        """Never given by the file's own name; whom that names is among those HR may pick."""
        folder = folders[strange - 1]
        near = list(self.people.resembling.to(_texts(folder)))
        claim = self._claim(folder, is_file=False)
        near = list(dict.fromkeys([*sorted(claim.near), *near, *(sorted(own.who) if own.surely else ())]))
        return _Place(candidates=tuple(near[:MOST]), group=folder_key(folders[:strange]))

    def _candidates(self, own: Claim, name: str) -> tuple[str, ...]:
        texts = _texts(name.rsplit(".", 1)[0])
        near = self.people.resembling.to(texts) if texts else ()
        return tuple(dict.fromkeys([*sorted(own.near), *near]))[:MOST]

    def _settled(self, who: frozenset[str], names: Sequence[str]) -> frozenset[str]:
        """Of two of one name the one whose department or location stands in the path, if only one's does."""
        if len(who) < 2:
            return who
        text = " " + " ".join(" ".join(w.plain for w in words_of(seen(name))) for name in names) + " "
        fitting = set()
        for number in who:
            row = self.people.rows[number]
            places = (" ".join(w.plain for w in words_of(seen(p))) for p in (row.department, row.location))
            if any(place and f" {place} " in text for place in places):
                fitting.add(number)
        return frozenset(fitting) if len(fitting) == 1 else who

    def _claim(self, text: str, *, is_file: bool) -> Claim:
        known = self._claims.get((text, is_file))
        if known is None:
            known = self._claims[text, is_file] = self.people.claim(text, is_file=is_file)
        return known

    def _is_box(self, folder: str, name: str) -> bool:
        if self.picks.get(key_of(folder + "/")) == BY_FILE:
            return True
        if folder not in self._boxes:
            above = (seen(one) for one in folder.split("/")[:-1])
            self._boxes[folder] = is_box(seen(name), self.people.places) or any(is_form(one) for one in above)
        return self._boxes[folder]


def _manifest_key(path: str) -> str:
    return path.strip().lstrip("./").replace("\\", "/").casefold()


def _texts(name: str) -> list[str]:
    """The words of a name that may be somebody's."""
    words = [word for word in words_of(seen(name)) if not is_noise(word) or word.is_figures]
    letters = [word.plain for word in words if not word.is_figures]
    return [*letters, *([] if letters else [word.text for word in words])]


def _looks_like_a_name(folder: str) -> bool:
    """`Peter Smith` inside somebody's folder is another person; `day two` is not."""
    words = [word for word in words_of(seen(folder)) if not is_noise(word)]
    return len(words) > 1 and all(word.raw[0].isupper() or not word.raw[0].islower() for word in words)


def _may_be_a_year(folder: str) -> bool:
    """Whether a folder's bare figures may sort photos by year or month instead of naming somebody."""
    shown = seen(folder)
    return shown.isdecimal() and (len(shown) < 3 or looks_like_a_year(shown))


def _counters(files: Sequence[str], people: People) -> frozenset[str]:
    """Folders in which bare figures are a camera's counter: most of those that lie there are nobody's number."""
    known: Counter[str] = Counter()
    strange: Counter[str] = Counter()
    for path in files:
        folder, _, name = path.rpartition("/")
        stem = seen(name.rsplit(".", 1)[0])
        if stem.isdecimal() and not is_day_or_counter([stem], 0):
            (known if people.named_exactly(stem) else strange)[folder] += 1
    return frozenset(folder for folder, count in strange.items() if count > known[folder])
