"""Looks at the photos of everybody who may be looked at, and keeps them: as soon as a person has been judged.

Whoever was done when a run was killed is not looked at again (`looked_at`); whoever takes their leave back, or is being
forgotten, while others are looked at, has nothing kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tasks.disclosure.trust import photo_roots
from tasks.roster.drop import Drop
from tasks.roster.rows import RosterRow
from tasks.roster.whose_photos import ask_whose
from tasks.selfies.examine import Examined, examine
from tasks.selfies.findings import Finding, finding
from tasks.selfies.judge_set import judge_set
from tasks.selfies.keep import keep_photos
from tasks.selfies.looked_at import LookedAt
from tasks.selfies.match import Matching
from tasks.selfies.size import Frames, kit_frames, limits_for
from tasks.vault.batches import drop_since
from tasks.vault.consent import Permit
from tasks.vault.failures import NoConsent
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes, QualityLimits
from tasks.vision.worlds import BaseWorld

ASKED = "same_photo_other_name"  # the finding of photos that HR is asked about


@dataclass(frozen=True)
class Seated:
    """Somebody with a seat in the batch, in the form the pure rules take."""

    employee_id: str
    row: RosterRow
    standing: tuple[Finding, ...]
    blocked: bool


@dataclass(frozen=True)
class Seen:
    """What looking at people's photos came to, by their numbers, in their order."""

    verdicts: dict[str, Examined] = field(default_factory=dict)
    said: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # codes


@dataclass(frozen=True)
class Looking:
    """How photos are looked at: with whose eyes and when, whom the base can draw and what each kit's frame shows, what
    a killed run had done already, and who hears how many of how many photos were looked at."""

    eyes: Eyes
    now: datetime
    base: BaseWorld | None
    frames: Frames
    done: LookedAt
    on_photo: Callable[[int, int], None] | None


def look_at_all(
    vault: Vault, batch_id: str, people: Mapping[str, Seated], matching: Matching, drop: Drop, how: Looking
) -> Seen:
    """Looks at these people's photos, by number, and keeps what is accepted."""
    eyes, frames, done, now, on_photo = how.eyes, how.frames, how.done, how.now, how.on_photo
    seen, permits, before_kill = Seen(), dict[str, Permit](), 0
    here = {s.employee_id for s in people.values()}  # whose photos are compared at the end
    paths = {number: tuple(matching.by_number.get(number, ())) for number in people}
    stamps = {number: [about(people[number].row, frames), *map(drop.stamp, paths[number])] for number in people}
    total, drop_from = sum(map(len, paths.values())), drop_since(vault, batch_id)

    def limits(number: str) -> QualityLimits:
        row = people[number].row
        return limits_for(eyes.limits, row.generation, how.base, kit_frames(frames, row.kit))

    def may_open(number: str) -> bool:
        nonlocal before_kill
        try:
            permits[number] = vault.permit(people[number].employee_id, now=now)
            found = done.get(permits[number], stamps[number])
        except NoConsent as refusal:
            seen.refused[number] = refusal.code
            return False
        if found is None:
            return True
        verdict = judge_set(found[0], limits(number), eyes.thresholds)
        digests = {look.digest for look, of in zip(found[0], verdict.verdicts, strict=True) if of.accepted}
        if not done.are_kept(permits[number], digests):
            return True
        seen.verdicts[number], seen.said[number] = Examined(number, paths[number], found[0], verdict, ()), found[1]
        before_kill += len(paths[number])
        return False

    for one in examine(
        list(people), matching.by_number, drop, eyes, may_open,
        (lambda looked: on_photo(before_kill + looked, total)) if on_photo else None, keep=True,
        roots=photo_roots(vault.settings), limits=limits,
    ):  # fmt: skip
        permit = permits[one.number]
        try:
            said = seen.said[one.number] = _keep(vault, batch_id, permit, one, here, drop_from, now)
            if all(found.code != ASKED for found in said):  # what HR answers changes what is kept of them
                done.put(permit, stamps[one.number], one.looks, said, now)
            seen.verdicts[one.number] = one.without_pictures()
        except NoConsent as refusal:  # forgotten, or taken back, while their photos were looked at
            seen.refused[one.number] = refusal.code
    return Seen({n: seen.verdicts[n] for n in people if n in seen.verdicts}, seen.said, seen.refused)


def about(row: RosterRow, frames: Frames) -> str:
    """What a look at somebody's photos depends on beside them: what will be made of them, under which kit."""
    return "" if row.generation else repr(kit_frames(frames, row.kit))


def _keep(
    vault: Vault, batch: str, permit: Permit, one: Examined, here: set[str], drop_from: datetime, now: datetime
) -> tuple[Finding, ...]:
    """Keeps one person's photos, unless they are to the byte those of somebody who sends none this time (those who do
    are all compared at the end): then HR is asked whom they show. What there is to say about it."""
    digests = [look.digest for look in one.looks]
    if others := ask_whose(vault, batch, permit.employee_id, digests, here, now):
        return (finding(ASKED, others),)
    replaced = keep_photos(vault, permit, one, drop_from, now)
    return (finding("photos_replaced", replaced),) if replaced else ()
