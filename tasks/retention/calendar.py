"""What goes when: a line per person and kind with its day, from the same plan that the sweep carries out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.retention.forecast import Forecast
from tasks.retention.inventory import take_inventory, take_people
from tasks.retention.plan import Clock, Forgetting, Verdict, forgetting_of
from tasks.retention.rules import Rules
from tasks.vault.store import Vault

EVERYTHING = "everything"
# What the pages call what goes, by the clock that it is on.
KINDS: dict[Clock, str] = {
    "biometric": "photos", "candidate": "pictures", "approved": "pictures", "run": "unfinished", "record": "records",
    "proof": "proof",
}  # fmt: skip


@dataclass(frozen=True)
class DueLine:
    """Something goes. `person` is empty for what is nobody's alone; `why` a reason's code, `sentence` the rule."""

    due_at: datetime
    person: str
    kind: str  # everything | photos | pictures | unfinished | records | proof
    count: int
    why: str
    sentence: str = ""


def next_forgettings(vault: Vault, rules: Rules, until: datetime) -> list[Forgetting]:
    """Who is forgotten wholly until then, the next first; who is held is not. `rules`: with every hold."""
    held = {hold.person for hold in rules.hold}
    found = (forgetting_of(one, rules) for one in take_people(vault) if one.id not in held)
    return sorted((one for one in found if one is not None and one.due_at <= until), key=lambda one: one.due_at)


def what_goes_when(vault: Vault, seen: Forecast, rules: Rules) -> list[DueLine]:
    """Everything with a date, the next first. Who is to be forgotten wholly has one line; who is held has none."""
    held = {hold.person for hold in rules.hold}
    people = take_inventory(vault).people
    wholly = {
        one.person: one
        for person in people
        if person.id not in held and (one := forgetting_of(person, rules)) is not None
    }
    lines = [DueLine(one.due_at, one.person, EVERYTHING, 1, one.reason) for one in wholly.values()]
    verdicts = (*seen.plan.delete, *seen.plan.keep)
    lines += _of_items(one for one in verdicts if not _is_covered(one, wholly))
    return sorted(lines, key=lambda line: (line.due_at, line.person, line.kind))


def _is_covered(verdict: Verdict, wholly: Mapping[str, Forgetting]) -> bool:
    """Whether it has no date, or goes with its person before."""
    if verdict.due_at is None or verdict.reason == "hold":
        return True
    forgetting = wholly.get(verdict.item.person)
    return forgetting is not None and verdict.due_at >= forgetting.due_at


def _of_items(verdicts: Iterable[Verdict]) -> list[DueLine]:
    counts: Counter[tuple[datetime, str, str, str, str]] = Counter()
    for one in verdicts:
        assert one.due_at is not None
        day = one.due_at.replace(hour=0, minute=0, second=0, microsecond=0)
        counts[day, one.item.person, KINDS[one.item.clock], one.reason, one.sentence] += 1
    return [DueLine(due, person, kind, number, why, said) for (due, person, kind, why, said), number in counts.items()]
