"""The Prefect side of step 1: ids and counts go in and out, people stay in the vault."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from tasks.progress import tell
from tasks.roster.consents import read_consents
from tasks.roster.drop import sort_contents
from tasks.roster.intake import admit, note_roster, seat_everybody
from tasks.roster.open_drop import find_drop
from tasks.roster.questions import ask_about_missing
from tasks.roster.read import read_roster
from tasks.vault.batches import Order, begin_run, load_batch, open_batch, take_version, try_again
from tasks.vault.seat_kits import kit_names
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step


@step
def begin_batch(order: Order) -> str:
    """The batch of this order: the one there is, or a new one. Returns its id; DropFault when there is no such drop."""
    with open_vault(load_settings()) as vault:
        find_drop(order.drop, vault)
        return open_batch(vault, order, datetime.now(UTC))


@step
def take_roster(batch: str, ordered: bool = True) -> None:
    """Reads the roster and the consents of a batch's drop into the records, as they are by now. `ordered`: by a person,
    and not a run that goes on by itself."""
    now = datetime.now(UTC)
    settings = load_settings()
    with open_vault(settings) as vault:
        begin_run(vault, batch, now)
        if ordered:
            try_again(vault, batch)
        drop = find_drop(load_batch(vault, batch).drop, vault)
    contents = sort_contents(drop.files())
    tables = {name: drop.read(name) for name in (contents.roster, contents.consents) if name}
    roster = read_roster(tables[contents.roster], contents.roster, today=now.date())
    register = read_consents(tables[contents.consents], contents.consents) if contents.consents else None
    stamps = [f"{path}:{drop.stamp(path)}" for path in contents.photos]
    parts = [*tables.values(), *(stamp.encode() for stamp in stamps)]
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    with open_vault(settings) as vault:
        take_version(vault, batch, digest, len(roster.rows), now)
        admissions = admit(vault, roster, register, now, batch)
        seat_everybody(vault, batch, admissions, roster, kit_names(settings.kits))
        here = {admission.employee_id for admission in admissions}.union(*(one.may_be for one in admissions))
        note_roster(vault, batch, roster, register, ask_about_missing(vault, batch, here, now))
    tell("roster", len(roster.rows), len(roster.rows))
