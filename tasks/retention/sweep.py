"""The retention sweep: what is due today, whoever is to be forgotten, what was left half done, what is nobody's.

One call catches up after any outage. It needs no Prefect: the flow, `rollcall retention run` and a cron line all come
here. A wrong rule or a wrong roster must not delete a company, so a sweep that would cost too many people their
approved pictures, or that runs under changed rules for the first time, stops and asks for the named flag.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlmodel import col, select

from tasks.retention.case import Surroundings
from tasks.retention.choose_people import note_departures
from tasks.retention.erase import carry_out, forget_people, look_again, open_cases
from tasks.retention.expire import expire_items, expire_records, finish_expiries
from tasks.retention.forecast import forecast, never_backwards
from tasks.retention.log_checkpoint import write_checkpoint
from tasks.retention.orphans import event_of, sweep_orphans
from tasks.retention.receipts import Receipt, restore_receipts
from tasks.retention.reserve import give_way, keep_reserve
from tasks.retention.restored import fence_restored
from tasks.retention.rules import rules_or_built_in
from tasks.roster.open_drop import uploads
from tasks.vault.advisory import Advisory
from tasks.vault.audit_log import Event
from tasks.vault.failures import VaultError
from tasks.vault.records import Erasure
from tasks.vault.scratch import clear_old_scratch
from tasks.vault.settings import Settings
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault, open_vault


class MassDeletion(VaultError):
    """More would go at once than the rules allow without a second look. Nothing of it was deleted."""


class SweepRunning(VaultError):
    """Another sweep is at work."""


def run_retention(
    settings: Settings,
    now: datetime,
    mass_deletion: int = 0,
    *,
    actor: str = "retention",
    rewrite_report: Callable[[Vault, str], object] | None = None,
    search: tuple[Path, ...] = (),
) -> list[Receipt]:
    """Do everything that is due at `now`; receipts for every person touched. What it would do says `forecast`.

    A sweep that would cost too many people too much stops (MassDeletion) and says of how many. It is let through by
    that very number, `mass_deletion`: a tick is given without looking, and once given it would let anything through.
    """
    give_way(settings.home)
    rules, fault = rules_or_built_in(settings.retention_rules)
    with open_vault(settings) as vault:
        rewrite = None if rewrite_report is None else lambda batch: rewrite_report(vault, batch)
        around = Surroundings(rules, actor, rewrite, search)
        with _alone(vault):
            moment = never_backwards(vault, now)
            receipts = _finish_what_was_begun(vault, moment, around)
            if fault is not None:
                raise fault  # what somebody asked for needs no rules; what goes by date does
            receipts += _sweep(vault, moment, around, mass_deletion)
            keep_reserve(settings.home)
            return receipts


def _finish_what_was_begun(vault: Vault, now: datetime, around: Surroundings) -> list[Receipt]:
    """Cases that wait, those who came back with a backup among them, and receipts that a power cut took."""
    fence_restored(vault, now, around.actor)
    undone, due = open_cases(vault, now)
    _restore_receipts(vault)
    receipts = carry_out(vault, undone, now, around)
    receipts += look_again(vault, due, now, around)
    return receipts + finish_expiries(vault, now, around)


def _sweep(vault: Vault, now: datetime, around: Surroundings, mass_deletion: int) -> list[Receipt]:
    rules = around.rules
    note_departures(vault, now)
    receipts: list[Receipt] = []
    seen = forecast(vault, now, rules)  # what was begun has been brought to its end; nothing new begins beyond a limit
    if seen.stops_because and mass_deletion != seen.stops_for:
        vault.audit("sweep_stopped", "", result={"people": seen.people}, actor=around.actor, now=now)
        raise MassDeletion(seen.stops_because)
    plan = seen.plan
    receipts += forget_people(vault, [(one.person, one.reason, one.due_at) for one in plan.forget], now, around)
    blobs = [verdict for verdict in plan.delete if ":" not in verdict.item.id]
    receipts += expire_items(vault, blobs, now, around)
    records = [verdict for verdict in plan.delete if ":" in verdict.item.id]
    expire_records(vault, records, now, around.actor)
    old_uploads = _look_after_uploads(vault, now - rules.keep.selfies_at_latest)
    orphans = sweep_orphans(vault, now, now - rules.keep.unfinished_work)
    done: dict[str, int | str] = {
        "forgotten": len(plan.forget),
        "deleted": len(plan.delete),
        "held": len(plan.held),
        "uploads": old_uploads,
    }
    done |= {"rules": rules.digest}
    vault.audit_all([event_of(orphans, around.actor), Event("sweep", "", "", done, around.actor)], now=now)
    write_checkpoint(vault, now)
    return receipts


def _look_after_uploads(vault: Vault, before: datetime) -> int:
    """What is too old goes, with its key; what an older version left in clear is sealed. How many files went."""
    gone = clear_old_scratch(vault.settings.uploads, before)
    for upload in uploads(vault):
        upload.seal_clear()
    vault.destroy_upload_keys(_upload_names(vault))
    return gone


def _upload_names(vault: Vault) -> list[str]:
    """Those that lie here, and those that are being written."""
    folders = vault.settings.uploads.glob("*") if vault.settings.uploads.is_dir() else ()
    return [path.name.removeprefix(".").removesuffix(".part") for path in folders]


def _restore_receipts(vault: Vault) -> None:
    settings = vault.settings
    with vault.reading() as session:
        told = select(Erasure).where(col(Erasure.state).in_(("provisional", "blocked", "final")))
        restore_receipts(
            session.exec(told), settings.receipts, open_signer(settings.signing_key, settings.audit / "signing.pub")
        )


@contextmanager
def _alone(vault: Vault) -> Iterator[None]:
    """One sweep at a time, on this machine and on all that share the records; the locks go with the process, however
    it ends."""
    with open(vault.settings.home / "retention.lock", "w") as file, Advisory(vault.engine, "retention sweep") as lock:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SweepRunning("another retention sweep is running") from error
        if not lock.take():
            raise SweepRunning("another retention sweep is running on another machine")
        yield
