"""What a sweep at this moment would do, and whether it would stop instead: one answer for everybody who asks.

The sweep itself asks here before it deletes anything; `rollcall retention plan`, `run --dry-run` and the flow's "only
look" print the same lines, at the time that the sweep would believe. Ids and numbers only: Prefect shows them too.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from tasks.retention.holds import with_holds
from tasks.retention.inventory import take_inventory
from tasks.retention.orphans import TooManyOrphans, sweep_orphans
from tasks.retention.plan import DeletionPlan, plan_deletions
from tasks.retention.rules import Rules, load_rules
from tasks.vault.records import AuditEntry
from tasks.vault.store import Vault


@dataclass(frozen=True)
class Forecast:
    """What a sweep would do."""

    now: datetime
    plan: DeletionPlan
    people: int  # on record, forgotten ones apart
    orphans: dict[str, int]
    because: str  # why it would stop; "" when it would run
    stops_for: int = 0  # people; whoever lets it through all the same has to say this number

    @property
    def stops_because(self) -> str:
        """The reason, and how to let the sweep through all the same; "" when it would run."""
        number = self.stops_for
        how = f"If that is meant: `rollcall retention run --mass-deletion {number}`, or {number} in Retention's form."
        return f"{self.because} {how}" if self.because else ""


def forecast(vault: Vault, now: datetime, rules: Rules | None = None) -> Forecast:
    """What a sweep at this moment would do and why; changes nothing."""
    rules = with_holds(vault, rules or load_rules(vault.settings.retention_rules))
    moment = never_backwards(vault, now)
    inventory = take_inventory(vault)
    plan = plan_deletions(inventory.items, inventory.people, rules, moment)
    people = len(inventory.people)
    orphans: dict[str, int] = {}
    stops = _why_stop(vault, plan, people, rules)
    try:
        found = sweep_orphans(
            vault, moment, moment - rules.keep.unfinished_work, at_most=most_people(people, rules), dry_run=True
        )
        orphans = dict(found.found)
    except TooManyOrphans as error:
        stops.append((error.people, str(error)))
    number, because = max(stops, key=lambda stop: stop[0], default=(0, ""))
    return Forecast(moment, plan, people, orphans, because, number)


def say_forecast(seen: Forecast) -> Iterator[str]:
    """The forecast in lines: first of all that the sweep would stop, where it would."""
    plan = seen.plan
    if seen.stops_because:
        yield f"THE SWEEP WILL STOP, AND DELETE NOTHING: {seen.stops_because}"
        yield "If it is let through with that number, this is what goes:"
    yield f"As of {seen.now:%Y-%m-%d %H:%M} UTC."
    yield f"Goes now: {len(plan.delete)} items, and all of {len(plan.forget)} people."
    for (kind, sentence), count in sorted(Counter((v.item.kind, v.sentence) for v in plan.delete).items()):
        yield f"  {count:>5}  {kind}: {sentence}"
    for forgetting in plan.forget:
        yield f"         {forgetting.person}: {forgetting.reason}, due {forgetting.due_at:%Y-%m-%d}"
    for what, count in sorted(seen.orphans.items()):
        yield f"  {count:>5}  left over: {what.replace('_', ' ')}"
    if plan.held:
        yield f"Held back by a legal hold: {len(plan.held)} people."
    yield f"Stays: {len(plan.keep)} items."
    for (kind, sentence), count in sorted(Counter((v.item.kind, v.sentence) for v in plan.keep).items()):
        yield f"  {count:>5}  {kind}: {sentence}"


def most_people(people: int, rules: Rules) -> int:
    """Of how many people so much may go at once that a wrong rule or roster could be the reason."""
    return max(rules.limits.people_at_least, int(people * rules.limits.people_share))


def _why_stop(vault: Vault, plan: DeletionPlan, people: int, rules: Rules) -> list[tuple[int, str]]:
    """Why this sweep needs a second look, each with the number of people that it is about; empty when it does not.

    Photos of a whole company coming due on one day are the normal case and no reason. Losing approved pictures or
    whole people is one, and so is a roster on which suddenly everybody opts out, or a first sweep under rules nobody
    has seen at work.
    """
    limit = most_people(people, rules)
    pictures = {verdict.item.person for verdict in plan.delete if verdict.item.clock == "approved"}
    losing = len(pictures | {one.person for one in plan.forget})
    opted_out = len({verdict.item.person for verdict in plan.delete if verdict.reason == "opted_out"})
    touched = len({verdict.item.person for verdict in plan.delete} | {one.person for one in plan.forget})
    before = _rules_of_last_sweep(vault)
    changed = touched if before is not None and before != rules.digest else 0
    reasons = [
        (losing, f"{losing} people would be forgotten at once, the limit is {limit}."),
        (opted_out, f"{opted_out} people would have opted out at once, the limit is {limit}."),
        (changed, f"the rules changed and {changed} people are concerned, the limit is {limit}."),
    ]
    return [(number, sentence) for number, sentence in reasons if number > limit]


def _rules_of_last_sweep(vault: Vault) -> str | None:
    query = select(AuditEntry.result).where(col(AuditEntry.action) == "sweep").order_by(col(AuditEntry.seq).desc())
    with vault.reading() as session:
        last = session.exec(query.limit(1)).first()
    return None if last is None else str(last.get("rules"))


def never_backwards(vault: Vault, now: datetime) -> datetime:
    """A clock that went back would make everything late: time here never runs behind the last sweep."""
    query = select(AuditEntry.at).where(col(AuditEntry.action) == "sweep").order_by(col(AuditEntry.seq).desc())
    with vault.reading() as session:
        last = session.exec(query.limit(1)).first()
    return max(now, last) if last is not None and last - now < timedelta(days=3) else now
