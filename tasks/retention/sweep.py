"""The retention sweep: what is due today, whoever is to be forgotten, what was left half done, what is nobody's.

One call catches up after any outage. It needs no Prefect: the flow, `rollcall retention run` and a cron line all come
here. A wrong rule or a wrong roster must not delete a company, so a sweep that would cost too many people their
approved pictures, or that runs under changed rules for the first time, stops and asks for the named flag.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, select

from tasks.retention.choose_people import note_departures
from tasks.retention.erase import Surroundings, carry_out, forget_people, look_again, open_cases
from tasks.retention.expire import expire_items, expire_records, finish_expiries
from tasks.retention.inventory import take_inventory
from tasks.retention.orphans import TooManyOrphans, event_of, sweep_orphans
from tasks.retention.plan import DeletionPlan, plan_deletions
from tasks.retention.receipts import Receipt, restore_receipts
from tasks.retention.rules import Rules, load_rules
from tasks.retention.scratch import clear_old_scratch
from tasks.retention.traces import UPLOADS
from tasks.vault import audit_log
from tasks.vault.audit_log import Event
from tasks.vault.failures import VaultError
from tasks.vault.files import replace_file
from tasks.vault.records import AuditEntry, Erasure
from tasks.vault.settings import Settings
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault, open_vault


class MassDeletion(VaultError):
    """More would go at once than the rules allow without a second look. Nothing was deleted."""


class SweepRunning(VaultError):
    """Another sweep on this machine is at work."""


@dataclass(frozen=True)
class Forecast:
    """What a sweep would do, for `rollcall retention plan`."""

    plan: DeletionPlan
    orphans: dict[str, int]
    people_losing_pictures: int
    stops_because: str  # "" when the sweep would run


def forecast(vault: Vault, now: datetime, rules: Rules | None = None) -> Forecast:
    """What a sweep at this moment would do and why; changes nothing."""
    rules = rules or load_rules(vault.settings.retention_rules)
    plan, people = _plan(vault, rules, now)
    found = sweep_orphans(vault, now, now - rules.keep.unfinished_work, dry_run=True)
    losing = _people_losing_pictures(plan)
    return Forecast(plan, dict(found.found), losing, _why_stop(vault, plan, people, rules))


def run_retention(
    settings: Settings,
    now: datetime,
    dry_run: bool = False,
    allow_mass_deletion: bool = False,
    *,
    actor: str = "retention",
    rewrite_report: Callable[[Vault, str], object] | None = None,
    search: tuple[Path, ...] = (),
) -> list[Receipt]:
    """Do everything that is due at `now`; receipts for every person touched. With `dry_run` nothing is touched."""
    rules = load_rules(settings.retention_rules)
    with open_vault(settings) as vault:
        if dry_run:
            forecast(vault, now, rules)
            return []
        rewrite = None if rewrite_report is None else lambda batch: rewrite_report(vault, batch)
        around = Surroundings(rules, actor, rewrite, search)
        with _alone(settings):
            return _sweep(vault, _never_backwards(vault, now), around, allow_mass_deletion)


def _sweep(vault: Vault, now: datetime, around: Surroundings, allow_mass_deletion: bool) -> list[Receipt]:
    rules = around.rules
    note_departures(vault, now)
    undone, due = open_cases(vault, now)
    _restore_receipts(vault)
    receipts = carry_out(vault, undone, now, around)
    receipts += look_again(vault, due, now, around)
    receipts += finish_expiries(vault, now, around)
    plan, people = _plan(vault, rules, now)
    stop = "" if allow_mass_deletion else _why_stop(vault, plan, people, rules)
    if stop:
        vault.audit("sweep_stopped", "", result={"people": people}, actor=around.actor, now=now)
        raise MassDeletion(stop)
    receipts += forget_people(vault, [(one.person, one.reason, one.due_at) for one in plan.forget], now, around)
    blobs = [verdict for verdict in plan.delete if ":" not in verdict.item.id]
    receipts += expire_items(vault, blobs, now, around)
    records = [verdict for verdict in plan.delete if ":" in verdict.item.id]
    expire_records(vault, records, now, around.actor)
    most = None if allow_mass_deletion else _limit(people, rules)
    uploads = clear_old_scratch(vault.settings.home / UPLOADS, now - rules.keep.selfies_at_latest)
    try:
        orphans = sweep_orphans(vault, now, now - rules.keep.unfinished_work, at_most=most)
    except TooManyOrphans as error:
        vault.audit("sweep_stopped", "", result={"people": people}, actor=around.actor, now=now)
        raise MassDeletion(str(error)) from error
    done: dict[str, int | str] = {
        "forgotten": len(plan.forget),
        "deleted": len(plan.delete),
        "held": len(plan.held),
        "uploads": uploads,
    }
    done |= {"rules": rules.digest}
    vault.audit_all([event_of(orphans, around.actor), Event("sweep", "", "", done, around.actor)], now=now)
    write_checkpoint(vault, now)
    return receipts


def _restore_receipts(vault: Vault) -> None:
    settings = vault.settings
    with vault.reading() as session:
        told = select(Erasure).where(col(Erasure.state).in_(("provisional", "blocked", "final")))
        restore_receipts(
            session.exec(told), settings.receipts, open_signer(settings.signing_key, settings.audit / "signing.pub")
        )


def _plan(vault: Vault, rules: Rules, now: datetime) -> tuple[DeletionPlan, int]:
    inventory = take_inventory(vault)
    return plan_deletions(inventory.items, inventory.people, rules, now), len(inventory.people)


def _people_losing_pictures(plan: DeletionPlan) -> int:
    approved = {verdict.item.person for verdict in plan.delete if verdict.item.clock == "approved"}
    return len(approved | {one.person for one in plan.forget})


def _limit(people: int, rules: Rules) -> int:
    return max(rules.limits.people_at_least, int(people * rules.limits.people_share))


def _why_stop(vault: Vault, plan: DeletionPlan, people: int, rules: Rules) -> str:
    """Why this sweep needs a second look; empty when it does not.

    Photos of a whole company coming due on one day are the normal case and no reason. Losing approved pictures or
    whole people is one, and so is a roster on which suddenly everybody opts out, or a first sweep under rules nobody
    has seen at work.
    """
    limit = _limit(people, rules)
    losing = _people_losing_pictures(plan)
    if losing > limit:
        return f"{losing} people would be forgotten at once, the limit is {limit}: allow_mass_deletion if that is meant"
    opted_out = len({verdict.item.person for verdict in plan.delete if verdict.reason == "opted_out"})
    if opted_out > limit:
        return f"{opted_out} people would have opted out at once, the limit is {limit}: allow_mass_deletion if so"
    touched = len({verdict.item.person for verdict in plan.delete} | {one.person for one in plan.forget})
    before = _rules_of_last_sweep(vault)
    if before is not None and before != rules.digest and touched > limit:
        return f"the rules changed and {touched} people are concerned, the limit is {limit}: allow_mass_deletion once"
    return ""


def _rules_of_last_sweep(vault: Vault) -> str | None:
    query = select(AuditEntry.result).where(col(AuditEntry.action) == "sweep").order_by(col(AuditEntry.seq).desc())
    with vault.reading() as session:
        last = session.exec(query.limit(1)).first()
    return None if last is None else str(last.get("rules"))


def _never_backwards(vault: Vault, now: datetime) -> datetime:
    """A clock that went back would make everything late: time here never runs behind the last sweep."""
    query = select(AuditEntry.at).where(col(AuditEntry.action) == "sweep").order_by(col(AuditEntry.seq).desc())
    with vault.reading() as session:
        last = session.exec(query.limit(1)).first()
    return max(now, last) if last is not None and last - now < timedelta(days=3) else now


def write_checkpoint(vault: Vault, now: datetime) -> Path:
    """Sign how long the audit log is and how it ends; a copy goes to the second place, if there is one."""
    settings = vault.settings
    signer = open_signer(settings.signing_key, settings.audit / "signing.pub")
    text = json.dumps(audit_log.checkpoint(vault.engine, signer, now=now), indent=1) + "\n"
    written = settings.audit / "checkpoint.json"
    for folder in (settings.audit, settings.checkpoint_copies):
        if folder is None:
            continue
        name = "checkpoint.json" if folder == settings.audit else f"checkpoint-{now:%Y%m%dT%H%M%S}.json"
        replace_file(folder / name, text.encode())
    return written


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One sweep at a time on this machine; the lock goes with the process, however it ends."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with open(settings.home / "retention.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SweepRunning("another retention sweep is running") from error
        yield
