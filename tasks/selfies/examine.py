"""Looks at everybody's photos, one person at a time, and never opens a photo without leave.

`may_open` is asked once per person before the first byte of the first photo is read; who gets a no is not looked at.
Pixels live only while their person is being looked at: what stays for judging the company is one vector each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.roster.drop import Drop, DropFault
from tasks.selfies.judge import SetVerdict, judge_set
from tasks.selfies.look import Look, look_at
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture


@dataclass(frozen=True)
class Examined:
    """One person's photos, measured and judged. `pictures[i]` belongs to `looks[i]`; None where it was refused."""

    number: str
    paths: tuple[str, ...]
    looks: tuple[Look, ...]
    verdict: SetVerdict
    pictures: tuple[Picture | None, ...]

    def without_pictures(self) -> Examined:
        """The same, for keeping in memory while the rest of the company is looked at."""
        return replace(self, pictures=())


def examine(
    numbers: Sequence[str],
    photos: Mapping[str, Sequence[str]],
    drop: Drop,
    eyes: Eyes,
    may_open: Callable[[str], bool],
    on_photo: Callable[[int], None] | None = None,
) -> Iterator[Examined]:
    """Everybody in `numbers` who may be looked at, in that order; people without photos too, with a verdict on that."""
    seen = 0
    for number in numbers:
        if not may_open(number):
            continue
        looks: list[Look] = []
        pictures: list[Picture | None] = []
        paths = tuple(photos.get(number, ()))
        for path in paths:
            look, picture = _look(path, drop, eyes)
            looks.append(look)
            pictures.append(picture)
            seen += 1
            if on_photo:
                on_photo(seen)
        verdict = judge_set(looks, eyes.limits, eyes.thresholds)
        yield Examined(number, paths, tuple(looks), verdict, tuple(pictures))


def _look(path: str, drop: Drop, eyes: Eyes) -> tuple[Look, Picture | None]:
    try:
        data = drop.read(path)
    except DropFault as fault:
        code = "too_large" if fault.code == "too_large" else "not_a_picture"
        return Look(refused=(code, fault.fix.partition(";")[0], "50 MiB")), None
    return look_at(data, eyes)
