"""Finds what has no business here, in either direction: bytes without a record and records without bytes.

Bytes are listed before the records are read. An intent is always recorded before its bytes are written, so a blob
that is listed and then has no intent is nobody's: it came from a killed writer, a restored backup or a hand. Files
still being written have no intent of their own and are left alone until no writer can be that old.

Records restored from an old backup would make everybody since then look like nobody: more people at once than the
rules' limit stop the sweep instead.
"""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from tasks.retention.mentions import Mentioned
from tasks.retention.pages import clear_pages
from tasks.vault.audit_log import Event
from tasks.vault.blobs import Refusal, Remnant
from tasks.vault.database import forget_deleted_pages
from tasks.vault.failpoints import reach
from tasks.vault.failures import VaultError
from tasks.vault.records import Adapter, Artifact, Batch, Decision, EarlierName, Employee, Headshot, Selfie, Showing
from tasks.vault.report_files import ROOT, person_of
from tasks.vault.scratch import clear_old_scratch
from tasks.vault.store import REPORT, UPLOAD, Vault

_AboutPeople = (
    type[Selfie] | type[Adapter] | type[Headshot] | type[Showing] | type[Decision] | type[Artifact] | type[EarlierName]
)
_ABOUT_PEOPLE: tuple[_AboutPeople, ...] = (Selfie, Adapter, Headshot, Showing, Decision, Artifact, EarlierName)


@dataclass
class Orphans:
    """What was found, by kind, and what could not be removed."""

    found: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    at_most: int | None = None  # people whose blobs may be taken for orphans at once


class TooManyOrphans(VaultError):
    """So many people's blobs without a record look like lost records, not like lost blobs."""

    def __init__(self, people: int) -> None:
        super().__init__(f"{people} people have blobs without a record; were the records restored?")
        self.people = people


def sweep_orphans(
    vault: Vault, now: datetime, unfinished_before: datetime, *, at_most: int | None = None, dry_run: bool = False
) -> Orphans:
    """Find orphans of every sort and remove them; with `dry_run` only find them. Raises TooManyOrphans either way."""
    result = Orphans(at_most=at_most)
    listed = vault.blobs.remains("")
    with vault.reading() as session:
        states = dict(session.exec(select(Employee.id, Employee.state)).all())
        intents = dict(session.exec(select(Artifact.key, Artifact.created_at)).all())
    _bytes_without_record(vault, listed, states, intents, now, result, dry_run)
    _records_without_bytes(vault, listed, intents, now, result, dry_run)
    _records_of_the_forgotten(vault, states, result, dry_run)
    _keys_of_nobody(vault, states, result, dry_run)
    _pages_of_nobody(vault, states, result, dry_run)
    if not dry_run:
        old = clear_old_scratch(vault.settings.scratch, unfinished_before)
        result.found.update({"scratch": old} if old else {})
    reach("orphans.done")
    return result


def _bytes_without_record(
    vault: Vault,
    listed: Iterable[Remnant],
    states: dict[str, str],
    intents: dict[str, datetime],
    now: datetime,
    result: Orphans,
    dry_run: bool,
) -> None:
    writers_dead = now - vault.settings.writer_life
    doomed = []
    for one in listed:
        if one.what == "blob" and one.key.startswith(ROOT):
            continue  # a report's, which `_pages_of_nobody` looks through
        parts = one.key.split("/")
        owner = parts[1] if len(parts) > 3 and parts[0] == "people" else ""
        is_young = one.changed is not None and one.changed > writers_dead
        if owner and states.get(owner, "") != "active":
            what = "blob_of_nobody"
        elif one.what == "blob" and one.key not in intents:
            what = "blob_without_intent"
        elif one.what in ("part", "upload") and not is_young:
            what = "unfinished_write"
        elif one.what in ("version", "marker"):
            what = "replaced_version"
        else:
            continue
        if what == "blob_of_nobody" and is_young and one.what in ("part", "upload"):
            continue  # its writer will find the fence and take it back; the last look follows anyway
        result.found[what] += 1
        doomed.append(one)
    unknown = {one.key.split("/")[1] for one in doomed if one.key.count("/") > 2 and _is_unknown(one, states)}
    if result.at_most is not None and len(unknown) > result.at_most:
        raise TooManyOrphans(len(unknown))
    if doomed and not dry_run:
        result.refused += vault.blobs.erase_remnants(doomed)


def _is_unknown(one: Remnant, states: dict[str, str]) -> bool:
    """A current blob of somebody who is not known to be forgotten."""
    return one.what == "blob" and states.get(one.key.split("/")[1], "") in ("", "active")


def _records_without_bytes(
    vault: Vault,
    listed: Iterable[Remnant],
    intents: dict[str, datetime],
    now: datetime,
    result: Orphans,
    dry_run: bool,
) -> None:
    present = {one.key for one in listed if one.what == "blob"}
    writers_dead = now - vault.settings.writer_life
    missing = [key for key, at in intents.items() if key not in present and at <= writers_dead]
    if missing:
        result.found["intent_without_blob"] += len(missing)
    if missing and not dry_run:
        with vault.session() as session:
            for start in range(0, len(missing), 500):
                session.execute(sa.delete(Artifact).where(col(Artifact.key).in_(missing[start : start + 500])))
    with vault.reading() as session:
        for column, what in (
            (Selfie.blob_key, "selfie"),
            (Adapter.blob_key, "adapter"),
            (Headshot.finished_key, "headshot"),
        ):
            dangling = sum(
                1 for key in session.exec(select(column)) if key and key not in present and key not in intents
            )
            if dangling:
                result.found[f"{what}_without_blob"] += dangling


def _records_of_the_forgotten(vault: Vault, states: dict[str, str], result: Orphans, dry_run: bool) -> None:
    """Rows about people who are forgotten or were never here, written by a step that did not notice in time."""
    doomed: dict[_AboutPeople, list[str]] = {}
    with vault.reading() as session:
        for table in _ABOUT_PEOPLE:
            owners = session.exec(select(table.employee_id).distinct())
            gone = [owner for owner in owners if states.get(owner, "") not in ("active", "erasing")]
            if gone:
                doomed[table] = gone
                result.found[f"{table.__name__.lower()}_of_nobody"] += len(gone)
    if not doomed or dry_run:
        return
    with vault.session() as session:
        for table, gone in doomed.items():
            session.execute(sa.delete(table).where(col(table.employee_id).in_(gone)))
    forget_deleted_pages(vault.engine)


def _keys_of_nobody(vault: Vault, states: dict[str, str], result: Orphans, dry_run: bool) -> None:
    nobodys = (f"{UPLOAD}-", f"{REPORT}-")
    holders = (one for one in vault.keys.holders() if not one.startswith(nobodys))
    doomed = [person for person in holders if states.get(person, "") != "active"]
    if doomed:
        result.found["key_of_nobody"] += len(doomed)
    if doomed and not dry_run:
        vault.keys.destroy(doomed)


def _pages_of_nobody(vault: Vault, states: dict[str, str], result: Orphans, dry_run: bool) -> None:
    reports = vault.settings.reports
    folders = [
        folder for folder in reports.glob("*/people/*") if states.get(folder.stem, "") not in ("active", "erasing")
    ]
    if folders:
        result.found["page_of_nobody"] += len(folders)
    if folders and not dry_run:
        clear_pages(reports, [Mentioned(folder.stem) for folder in folders])
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    _stored_pages_of_nobody(vault, states, result, dry_run)


def _stored_pages_of_nobody(vault: Vault, states: dict[str, str], result: Orphans, dry_run: bool) -> None:
    """Files of people whom the records do not know, and of batches that they do not know, in the store."""
    keys = list(vault.blobs.keys(ROOT))
    with vault.reading() as session:
        batches = set(session.exec(select(Batch.id)))
    doomed = [
        key
        for key in keys
        for batch, _, name in (key.removeprefix(ROOT).partition("/"),)
        if batch not in batches or ((person := person_of(name)) and states.get(person, "") not in ("active", "erasing"))
    ]
    if doomed:
        result.found["page_of_nobody"] += len(doomed)
    if doomed and not dry_run:
        result.refused += vault.blobs.erase_keys(doomed)


def event_of(orphans: Orphans, actor: str) -> Event:
    """The sweep's finding for the audit log: counts only."""
    refused = Counter(one.code for one in orphans.refused)
    return Event("orphans", "", "", {"found": dict(orphans.found), "refused": dict(refused)}, actor)
