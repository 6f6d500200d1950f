"""Looks at everybody's photos, on all cores, and never opens a photo without leave.

`may_open` is asked once per person before the first byte of the first photo is read; who gets a no is not looked at.
Pixels live only while their photo is being looked at: what stays for judging the company is one vector each. Photos are
opened in the sandbox's processes and measured in threads here (networks let other threads work), a little ahead of
the person whose turn it is; people come out in their order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from tasks.roster.drop import Drop, DropFault
from tasks.sandbox import cores
from tasks.selfies.judge_set import SetVerdict, judge_set
from tasks.selfies.look import KeptPhoto, Look, look_at
from tasks.vision.faces import Eyes, QualityLimits

AHEAD = 3  # photos for each core that wait or are being looked at, beyond the person whose turn it is

_Seen = tuple[Look, KeptPhoto | None]


@dataclass(frozen=True)
class Examined:
    """One person's photos, measured and judged. `kept[i]` belongs to `looks[i]`; None where nothing can be kept of it,
    and everywhere in a check."""

    number: str
    paths: tuple[str, ...]
    looks: tuple[Look, ...]
    verdict: SetVerdict
    kept: tuple[KeptPhoto | None, ...]

    def without_pictures(self) -> Examined:
        """The same, for keeping in memory while the rest of the company is looked at."""
        return replace(self, kept=())


def examine(
    numbers: Sequence[str],
    photos: Mapping[str, Sequence[str]],
    drop: Drop,
    eyes: Eyes,
    may_open: Callable[[str], bool],
    on_photo: Callable[[int], None] | None = None,
    *,
    keep: bool = False,
    roots: bytes = b"",
    limits: Callable[[str], QualityLimits] | None = None,
) -> Iterator[Examined]:
    """Everybody in `numbers` who may be looked at, in that order; people without photos too, with a verdict on that.

    With `keep` each photo comes back as it is to be kept; `roots` are certificates trusted for photos' own signatures.
    `limits`: by number, where they are not everybody's.
    """
    pool = ThreadPoolExecutor(cores(), "photos")
    people = iter(numbers)
    ahead: deque[tuple[str, tuple[str, ...], list[Future[_Seen]]]] = deque()
    seen = 0
    try:
        while True:
            while _waiting(ahead) < AHEAD * cores() and (number := next(people, None)) is not None:
                if may_open(number):
                    paths = tuple(photos.get(number, ()))
                    how = (drop, eyes, keep, roots, bool(limits and limits(number).frames))
                    ahead.append((number, paths, [pool.submit(_look, path, *how) for path in paths]))
            if not ahead:
                return
            number, paths, looking = ahead.popleft()
            found = []
            for look in looking:
                found.append(look.result())
                seen += 1
                if on_photo:
                    on_photo(seen)
            looks = tuple(look for look, _ in found)
            verdict = judge_set(looks, limits(number) if limits else eyes.limits, eyes.thresholds)
            yield Examined(number, paths, looks, verdict, tuple(kept for _, kept in found))
    finally:
        pool.shutdown(cancel_futures=True)


def _waiting(ahead: deque[tuple[str, tuple[str, ...], list[Future[_Seen]]]]) -> int:
    """Photos that were handed out; a person without any takes a place too, so that nobody is asked about too early."""
    return sum(max(len(looking), 1) for _, _, looking in ahead)


def _look(path: str, drop: Drop, eyes: Eyes, keep: bool, roots: bytes, framed: bool) -> _Seen:
    try:
        data = drop.read(path)
    except DropFault as fault:
        code = "too_large" if fault.code == "too_large" else "not_a_picture"
        return Look(refused=(code, fault.fix.partition(";")[0], "50 MiB")), None
    return look_at(data, eyes, keep=keep, roots=roots, framed=framed)
