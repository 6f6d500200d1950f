"""The same face under two names: who waits until HR has said whose photos those are.

Two kinds of evidence. The very same picture lies in two folders: its bytes, or its shape and its face, are the same. Or
two folders show faces that are nearer to each other than chance makes any two people of this company, or each other's
nearest by a gap that chance does not make: both limits come from the company's own pairs, so that a whole company has
.2 expected false alarms, however many people it has.
A fixed limit for each pair blocks a quarter of seven hundred, since pairs grow with the square of people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from tasks.selfies.findings import Finding, finding
from tasks.vision.faces import Thresholds, Vector

FALSE_ALARMS = 0.1  # expected in a whole company by each of two ways of looking: .2 in all
TWINS = 0.95  # two folders are one person when photos across are this much as alike as those within
SAME_PICTURE = 0.96  # cosine of two faces that are one photo, saved again
FEW_PAIRS = 300  # below this many pairs (25 people) the company's own distribution says too little
BLOCK = 1024  # people compared with as many others at a time
BINS = 4000  # of TOP: each is .00175 wide
TOP = 7.0  # of the histogram; arctanh of a cosine of .9999983

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ComparedPhoto:
    """One accepted photo, as far as comparing people needs it: no pixels."""

    vector: Vector
    digest: str
    hash: int
    mirrored: int


@dataclass(frozen=True)
class Alike:
    """Two numbers that show one face. `picture`: the very same photo lies in both folders. `near` and `limit`: how near
    the faces are, as a cosine, and the limit of this company."""

    first: str
    second: str
    picture: bool
    near: float
    limit: float
    settled: bool = False  # HR has said that they are two people


@dataclass
class _Tail:
    """All pairs of a company as a histogram of arctanh(cosine), which has a nearly exponential tail."""

    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, nearness: Floats) -> None:
        at = np.clip((nearness / TOP * BINS).astype(np.int64), 0, BINS - 1)
        self.counts += np.bincount(at.ravel(), minlength=BINS)

    def limit(self) -> float | None:
        """Beyond this, FALSE_ALARMS pairs of the company are expected by chance. None for too few pairs. The few pairs
        at the very top may be what is looked for, so the tail's slope is read below them."""
        pairs = int(self.counts.sum())
        if pairs < FEW_PAIRS:
            return None
        beyond = np.cumsum(self.counts[::-1])[::-1]  # pairs in this bin and above
        far = max(20, min(pairs // 100, 500))  # far more than a company has twins
        inner, outer = (self._place(beyond, count) for count in (10 * far, far))
        slope = max((outer - inner) / np.log(10), 1e-3)
        return float(outer + slope * np.log(far / FALSE_ALARMS))

    @staticmethod
    def _place(beyond: npt.NDArray[np.int64], count: int) -> float:
        """The nearness that `count` pairs reach."""
        return float(np.flatnonzero(beyond >= count)[-1]) * TOP / BINS


def same_faces(people: Mapping[str, Sequence[ComparedPhoto]], thresholds: Thresholds, bits: int) -> list[Alike]:
    """Pairs of numbers that show one face, each once. `bits`: hashes nearer than this are one picture."""
    numbers = [number for number, photos in people.items() if photos]
    if len(numbers) < 2:
        return []
    found = {pair: 1.0 for pair in _shared_pictures(numbers, people, bits)}
    limit, near = _near_faces(numbers, people, thresholds)
    alike = [Alike(*pair, True, cosine, limit) for pair, cosine in found.items()]
    return alike + [Alike(*pair, False, cosine, limit) for pair, cosine in near.items() if pair not in found]


def settled_by(alike: Sequence[Alike], two_people: frozenset[tuple[str, str]]) -> list[Alike]:
    """The same pairs, with HR's word on them (`two_people`: the smaller number first)."""
    return [
        replace(one, settled=(min(one.first, one.second), max(one.first, one.second)) in two_people) for one in alike
    ]


def findings_of(alike: Sequence[Alike]) -> dict[str, tuple[Finding, ...]]:
    """Number → findings. Both wait, for nothing here says whose photos they are; pairs that HR has settled do not."""
    found: defaultdict[str, tuple[Finding, ...]] = defaultdict(tuple)
    for pair in alike:
        if pair.settled:
            continue
        code = "same_face_two_names/picture" if pair.picture else "same_face_two_names"
        for number in (pair.first, pair.second):
            found[number] = found[number] or (finding(code, pair.near, pair.limit),)
    return dict(found)


def _near_faces(
    numbers: Sequence[str], people: Mapping[str, Sequence[ComparedPhoto]], thresholds: Thresholds
) -> tuple[float, dict[tuple[str, str], float]]:
    """The company's limit; and the pairs beyond it, with those that stand out as each other's nearest."""
    means = np.stack([np.mean([shown.vector for shown in people[number]], axis=0) for number in numbers])
    if thresholds.twin_pairs is None:
        means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    # Else the product of two means is left as it is: the mean over every pair of their photos. What chance makes of it
    # does not grow with the number of photos, so one limit, and a lower one, serves folders of one photo and of eight.
    means = means.astype(np.float32)
    tail, nearest = _Tail(), _Nearest.of(len(numbers))
    floor = float(np.arctanh(min(thresholds.twin_pairs or thresholds.twin_folder, 0.9999)))
    pairs: dict[tuple[int, int], float] = {}
    for top, left, nearness in _tiles(means):
        tail.add(nearness[np.triu_indices(len(nearness), 1)] if top == left else nearness)
        nearest.add(top, left, nearness)
        for row, column in np.argwhere(nearness > floor):
            if top + row < left + column:
                pairs[top + int(row), left + int(column)] = float(nearness[row, column])
    limit = max(floor, tail.limit() or floor)
    standing_out = nearest.standing_out() if tail.limit() is not None else set()
    found = {}
    for (a, b), near in pairs.items():
        if (near > limit or (a, b) in standing_out) and _as_one(people[numbers[a]], people[numbers[b]]):
            found[numbers[a], numbers[b]] = float(np.tanh(near))
    return float(np.tanh(limit)), found


@dataclass
class _Nearest:
    """Everybody's nearest other and the next after that, as nearness; `who` is the nearest."""

    first: Floats
    second: Floats
    who: npt.NDArray[np.int64]

    @staticmethod
    def of(people: int) -> _Nearest:
        low = np.full(people, -9.0, np.float32)
        return _Nearest(low, low.copy(), np.full(people, -1, np.int64))

    def add(self, top: int, left: int, nearness: Floats) -> None:
        tile = nearness.copy()
        if top == left:
            np.fill_diagonal(tile, -9.0)
        else:
            self._take(left, top, tile.T)
        self._take(top, left, tile)

    def _take(self, top: int, left: int, tile: Floats) -> None:
        rows = slice(top, top + len(tile))
        best = tile.argmax(axis=1)
        value = tile[np.arange(len(tile)), best]
        others = tile.copy()
        others[np.arange(len(tile)), best] = -9.0
        nearer = value > self.first[rows]
        next_best = np.maximum(np.where(nearer, self.first[rows], value), others.max(axis=1, initial=-9.0))
        self.second[rows] = np.maximum(self.second[rows], next_best)
        self.who[rows] = np.where(nearer, best + left, self.who[rows])
        self.first[rows] = np.maximum(self.first[rows], value)

    def standing_out(self) -> set[tuple[int, int]]:
        """Pairs that are each other's nearest by a gap to the next neighbour of either that chance makes in
        FALSE_ALARMS companies like this one. Gaps at the end of such a tail are exponential: their middle tells all."""
        mutual = [a for a, b in enumerate(self.who) if a < b and self.who[b] == a]
        gaps = np.array([self.first[a] - max(self.second[a], self.second[self.who[a]]) for a in mutual])
        if not len(gaps):
            return set()
        limit = float(np.median(gaps)) / np.log(2) * np.log(max(len(gaps) / FALSE_ALARMS, 2.0))
        return {(a, int(self.who[a])) for a, gap in zip(mutual, gaps, strict=True) if gap > limit}


def _tiles(means: Floats) -> Iterator[tuple[int, int, Floats]]:
    """(first row, first column, arctanh of the cosines), for everybody against everybody who comes later."""
    for top in range(0, len(means), BLOCK):
        for left in range(top, len(means), BLOCK):
            cosines = means[top : top + BLOCK] @ means[left : left + BLOCK].T
            yield top, left, np.arctanh(np.clip(cosines, -0.9999, 0.999998))


def _as_one(first: Sequence[ComparedPhoto], second: Sequence[ComparedPhoto]) -> bool:
    """Whether photos across are as alike as photos within: look-alikes are each nearer to themselves."""
    a, b = (np.stack([shown.vector for shown in one]) for one in (first, second))
    within = [_within(one) for one in (a, b) if len(one) > 1]
    usual = float(np.prod(np.maximum(within, 0.01)) ** (1 / len(within))) if within else 1.0
    return float(np.mean(a @ b.T)) >= TWINS * usual or len(a) == len(b) == 1


def _within(vectors: Floats) -> float:
    cosines, count = vectors @ vectors.T, len(vectors)
    return float((cosines.sum() - np.trace(cosines)) / (count * (count - 1)))


def _shared_pictures(
    numbers: Sequence[str], people: Mapping[str, Sequence[ComparedPhoto]], bits: int
) -> list[tuple[str, str]]:
    """Pairs of numbers in whose folders one photo lies: the same bytes, or the same shape with the same face."""
    owner = [i for i, number in enumerate(numbers) for _ in people[number]]
    photos = [shown for number in numbers for shown in people[number]]
    by_digest: defaultdict[str, list[int]] = defaultdict(list)
    for place, shown in enumerate(photos):
        by_digest[shown.digest].append(place)
    pairs = set()
    for places in by_digest.values():
        pairs |= set(combinations(sorted({owner[place] for place in places}), 2))
    hashes = np.array([shown.hash for shown in photos], np.uint64)
    mirrored = np.array([shown.mirrored for shown in photos], np.uint64)
    for a, b in _near_hashes(hashes, mirrored, bits):
        if owner[a] != owner[b] and float(photos[a].vector @ photos[b].vector) >= SAME_PICTURE:
            pairs.add((min(owner[a], owner[b]), max(owner[a], owner[b])))
    return [(numbers[a], numbers[b]) for a, b in sorted(pairs)]


def _near_hashes(
    hashes: npt.NDArray[np.uint64], mirrored: npt.NDArray[np.uint64], bits: int
) -> Iterator[tuple[int, int]]:
    """Places whose hashes differ in at most `bits` of 64, mirrored or not. Two such agree wholly in one of `bits` + 1
    pieces, so only those that share a piece are compared."""
    pieces = bits + 1
    both = np.concatenate([hashes, mirrored])
    edges = [round(64 * piece / pieces) for piece in range(pieces + 1)]
    for low, high in pairwise(edges):
        key = (both >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(key, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
            plain = group[group < len(hashes)]
            for start in range(0, len(plain), BLOCK):
                few = plain[start : start + BLOCK]
                near = np.bitwise_count(both[few][:, None] ^ both[group][None, :]) <= bits
                for x, y in zip(*np.nonzero(near), strict=True):
                    a, b = int(few[x]), int(group[y]) % len(hashes)
                    if a != b:
                        yield a, b
