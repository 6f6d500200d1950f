"""Where in a name of a file or folder something of a person stands, and which of two such places counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.selfies.spelling import Word

Kind = Literal["number", "figures", "address", "name"]
DASH = re.compile(r"\s[-–—]+\s")


@dataclass(frozen=True)
class NameHit:
    """Words of the name that together are somebody's number, address or name."""

    first: int
    last: int  # both included
    kind: Kind
    who: frozenset[str]


def largest(hits: Sequence[NameHit]) -> list[NameHit]:
    """Without those that lie inside a longer one: `sam.lee2@...` is no Sam Lee."""

    def inside(hit: NameHit) -> bool:
        return any(
            o.first <= hit.first and hit.last <= o.last and (o.first, o.last) != (hit.first, hit.last) for o in hits
        )

    return [hit for hit in hits if not inside(hit)]


def group_of_figures(hit: NameHit, words: Sequence[Word]) -> tuple[int, int]:
    """First and last of the groups of figures that stand together with this one. The dash of an upload form parts them:
    in `IMG_0042 - 1007` the first is a camera's."""
    low, high = hit.first, hit.last
    while low and words[low - 1].is_figures:
        if DASH.search(words[low].gap) and any(not word.is_figures for word in words[:low]):
            break
        low -= 1
    while high + 1 < len(words) and words[high + 1].is_figures:
        high += 1
    return low, high


def stands_apart(hit: NameHit, words: Sequence[Word]) -> bool:
    """Whether a name is what an upload form put at the end: behind ` - ` (Google), or behind `_` while its own words
    are parted otherwise (Microsoft). Behind it only a copy's number."""
    if any(not word.is_figures for word in words[hit.last + 1 :]) or hit.first == 0:
        return False
    before = words[hit.first].gap
    inner = {word.gap for word in words[hit.first + 1 : hit.last + 1]}
    return bool(DASH.search(before)) or ("_" in before and bool(inner) and not any("_" in gap for gap in inner))
