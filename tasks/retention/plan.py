"""Decides what goes and what stays, each with its reason: a pure function of what there is, the rules and the time.

Nothing here touches a file or a database, so the same function serves the nightly sweep, `rollcall retention plan`,
the tests' golden files, and anybody who asks "why is my photo still there?".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from tasks.retention.rules import Rules, StandingHold, say_duration
from tasks.sentences import tell

Clock = Literal["biometric", "candidate", "approved", "run", "record", "proof"]


@dataclass(frozen=True)
class Item:
    """One thing that is kept: a blob, a batch's records, a consent, a receipt."""

    id: str  # blob key, or "batch:<id>", "consent:<id>", "receipt:<id>"
    person: str  # employee id; "" for what belongs to nobody alone
    kind: str
    clock: Clock
    created_at: datetime
    decided_at: datetime | None = None  # when a picture was rejected
    generated: bool = False  # learnt from the photos or drawn by what was learnt, and not an approved picture


@dataclass(frozen=True)
class Person:
    """What decides about everything of one person."""

    id: str
    approved_at: datetime | None = None  # the newest approval that was not followed by "redo"
    withdrawn_at: datetime | None = None  # when it became known that the standing consent was taken back
    opted_out_at: datetime | None = None  # no generated pictures, please
    left_at: datetime | None = None  # when the roster was first seen to call them gone
    requested_at: datetime | None = None  # somebody asked to be forgotten


@dataclass(frozen=True)
class Verdict:
    """What becomes of one item. `due_at` is when it goes, None when no date is set."""

    item: Item
    due_at: datetime | None
    reason: str  # opted_out, approved, latest, rejected, undecided, unfinished, old, proof, hold or stays
    sentence: str


@dataclass(frozen=True)
class Forgetting:
    """Somebody who is to be forgotten wholly."""

    person: str
    due_at: datetime
    reason: str  # withdrawn | requested | left


@dataclass(frozen=True)
class DeletionPlan:
    """Every item appears exactly once: under `delete`, under `keep`, or with somebody in `forget`."""

    now: datetime
    delete: tuple[Verdict, ...]
    keep: tuple[Verdict, ...]
    forget: tuple[Forgetting, ...]
    held: tuple[str, ...]  # people whom only a legal hold keeps


def plan_deletions(items: Iterable[Item], people: Iterable[Person], rules: Rules, now: datetime) -> DeletionPlan:
    """Sort everything into what goes now and what stays. An item goes at its due moment, never before."""
    holds = {hold.person: hold for hold in rules.hold if stands(hold, now)}
    known = {person.id: person for person in people}
    forget, held, leaving = _whom_to_forget(known, holds, rules, now)
    delete: list[Verdict] = []
    keep: list[Verdict] = []
    for item in sorted(items, key=lambda one: (one.person, one.id)):
        if item.person in leaving and item.clock != "proof":
            continue
        due, reason, sentence = _due(item, known.get(item.person), rules)
        if item.person in holds and item.clock != "proof":
            hold = Verdict(item, None, "hold", tell("kept.hold", reason=holds[item.person].reason))
            keep.append(hold)
        elif due is not None and due <= now:
            delete.append(Verdict(item, due, reason, sentence))
        else:
            keep.append(Verdict(item, due, reason, sentence))
    return DeletionPlan(now, tuple(delete), tuple(keep), forget, held)


def _whom_to_forget(
    people: Mapping[str, Person], holds: Mapping[str, StandingHold], rules: Rules, now: datetime
) -> tuple[tuple[Forgetting, ...], tuple[str, ...], set[str]]:
    due = [one for one in (forgetting_of(person, rules) for person in people.values()) if one and one.due_at <= now]
    forget = sorted((one for one in due if one.person not in holds), key=lambda one: one.person)
    held = sorted(one.person for one in due if one.person in holds)
    return tuple(forget), tuple(held), {one.person for one in forget}


def forgetting_of(person: Person, rules: Rules) -> Forgetting | None:
    """When and why this person is to be forgotten wholly: the earliest of what asks for it."""
    reasons = []
    if person.requested_at is not None:
        reasons.append(Forgetting(person.id, person.requested_at, "requested"))
    if person.withdrawn_at is not None:
        reasons.append(Forgetting(person.id, person.withdrawn_at + rules.keep.after_withdrawal, "withdrawn"))
    if person.left_at is not None:
        reasons.append(Forgetting(person.id, person.left_at + rules.keep.after_leaving, "left"))
    return min(reasons, key=lambda one: one.due_at, default=None)


def _due(item: Item, person: Person | None, rules: Rules) -> tuple[datetime | None, str, str]:
    """When this item goes, the code of the rule that says so, and the rule in words."""
    if item.generated and person is not None and person.opted_out_at is not None:
        # At once, or, for what an unfinished run still wrote, as soon as it is there.
        return max(person.opted_out_at, item.created_at), "opted_out", tell("kept.opted_out")
    keep = rules.keep
    if item.clock == "biometric":
        latest = item.created_at + keep.selfies_at_latest
        approved = person.approved_at if person else None
        # An approval from before this photo came in says nothing about it.
        if approved is not None and approved >= item.created_at:
            after = approved + keep.selfies_after_approval
            if after < latest:
                return after, "approved", _said("approved", keep.selfies_after_approval)
        return latest, "latest", _said("latest", keep.selfies_at_latest)
    if item.clock == "candidate" and item.decided_at is not None:
        due = item.decided_at + keep.rejected_pictures
        return due, "rejected", _said("rejected", keep.rejected_pictures)
    if item.clock == "candidate":
        due = item.created_at + keep.undecided_pictures
        return due, "undecided", _said("undecided", keep.undecided_pictures)
    if item.clock == "run":
        return item.created_at + keep.unfinished_work, "unfinished", _said("unfinished", keep.unfinished_work)
    if item.clock == "record":
        return item.created_at + keep.batch_records, "old", _said("old", keep.batch_records)
    if item.clock == "proof":
        return item.created_at + keep.proof, "proof", _said("proof", keep.proof)
    return None, "stays", tell("kept.stays")


def _said(code: str, length: timedelta) -> str:
    return tell(f"kept.{code}", span=say_duration(length))


def stands(hold: StandingHold, now: datetime) -> bool:
    """A hold with a date stands through that day, everywhere on Earth."""
    if hold.until is None:
        return True
    return now - _A_DAY_WEST <= datetime.combine(hold.until, time.max, UTC)  # for ever is written as 31.12.9999, too


_A_DAY_WEST = timedelta(hours=12)  # the day ends last at UTC-12
