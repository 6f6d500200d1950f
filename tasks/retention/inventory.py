"""Reads from the records what the plan decides about: every stored blob, batch, proof, and what is known of everybody.

Read in one snapshot, as plain rows: ten thousand people are a hundred thousand items, and planning them takes seconds.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from tasks.retention.plan import Clock, Item, Person
from tasks.vault.page_sizes import large_picture
from tasks.vault.records import Artifact, AuditEntry, Batch, Consent, Decision, Employee, Erasure, Selfie
from tasks.vault.register import blob_kind
from tasks.vault.review import reviews_of, standing_opt_outs
from tasks.vault.store import Vault

_LEARNT = frozenset({"adapter", "checkpoints"})
DEPARTING = "departing"  # state of a case that only remembers since when the roster calls somebody gone


@dataclass(frozen=True)
class Inventory:
    """What there is."""

    items: tuple[Item, ...]
    people: tuple[Person, ...]


def take_inventory(vault: Vault) -> Inventory:
    """Everything that retention decides about. People being forgotten, or forgotten already, are not in it."""
    with vault.reading() as session:
        active = set(session.exec(select(Employee.id).where(col(Employee.state) == "active")))
        people = tuple(_people(session, active))
        items = (
            *_blobs(session, active),
            *_refused_photos(session, active),
            *_batches(session),
            *_proofs(session, active),
        )
    return Inventory(items, people)


def take_people(vault: Vault) -> tuple[Person, ...]:
    """The people of the inventory alone: who is to be forgotten follows from them."""
    with vault.reading() as session:
        active = set(session.exec(select(Employee.id).where(col(Employee.state) == "active")))
        return tuple(_people(session, active))


def _people(session: Session, active: set[str]) -> Iterator[Person]:
    approved = _approvals(session)
    withdrawn = withdrawals(session)
    opted_out = _opt_outs(session)
    leaving = select(Erasure.employee_id, Erasure.started_at).where(col(Erasure.state) == DEPARTING)
    left = dict(session.exec(leaving).all())
    for employee_id in sorted(active):
        yield Person(
            employee_id,
            approved_at=approved.get(employee_id),
            withdrawn_at=withdrawn.get(employee_id),
            opted_out_at=opted_out.get(employee_id),
            left_at=left.get(employee_id),
        )


def _approvals(session: Session) -> dict[str, datetime]:
    """Per person when a picture was approved that may leave by now, under whichever kit; the newest of them.

    Asked where everybody asks (`vault/review.py`): an approval under an older name, or one that was undone, overruled
    or given under a consent withdrawn since, does not let the photos go earlier. While a redo is open the photos are
    needed, whatever stands under another kit.
    """
    found: dict[str, datetime] = {}
    wanted: set[str] = set()
    kits = defaultdict[str, set[str]](set)
    said = select(Decision.kit, Decision.employee_id).where(col(Decision.verdict).in_(("approve", "redo"))).distinct()
    for kit, employee_id in session.exec(said):
        kits[kit].add(employee_id)
    for kit, people in kits.items():
        for employee_id, review in reviews_of(session, dict.fromkeys(people, kit)).items():
            if review.open_redo is not None:
                wanted.add(employee_id)
            elif review.state == "approved" and review.decision is not None:
                found[employee_id] = max(review.decision.at, found.get(employee_id, review.decision.at))
    return {employee_id: at for employee_id, at in found.items() if employee_id not in wanted}


def _opt_outs(session: Session) -> dict[str, datetime]:
    """Since when people want no generated pictures: from their decision, or else from the roster's last change."""
    said = standing_opt_outs(session)
    rows = session.exec(select(Employee.id, Employee.updated_at).where(col(Employee.generation).is_(False)))
    since = dict(rows.all())
    return since | {employee_id: decision.at for employee_id, decision in said.items()}


def withdrawals(session: Session) -> dict[str, datetime]:
    """Per person when it became known that the consent that counts was withdrawn: a register may say a day long past,
    and the wait in which a slip is noticed begins when it was read. A later consent makes an older withdrawal moot."""
    standing: dict[str, datetime | None] = {}
    known = _when_known(session)
    ordered = select(Consent.employee_id, Consent.withdrawn_at, Consent.id).where(col(Consent.purpose) == "headshot")
    # Of two consents given at one moment the withdrawn one counts, as it does for permits.
    for employee_id, withdrawn_at, consent in session.exec(
        ordered.order_by(col(Consent.given_at), col(Consent.withdrawn_at).is_not(None), col(Consent.id))
    ):
        standing[employee_id] = withdrawn_at and max(withdrawn_at, known.get(consent, withdrawn_at))
    return {employee_id: at for employee_id, at in standing.items() if at is not None}


def _when_known(session: Session) -> dict[str, datetime]:
    """Consent id to when it was last written about in the log: recorded, or withdrawn."""
    said = select(AuditEntry.object, func.max(AuditEntry.at)).where(
        col(AuditEntry.action).in_(("consent_recorded", "consent_withdrawn"))
    )
    return {consent: at for consent, at in session.exec(said.group_by(col(AuditEntry.object))) if at is not None}


def _blobs(session: Session, active: set[str]) -> Iterator[Item]:
    pictures = _pictures(session)
    rejected = _rejections(session)
    rows = select(Artifact.key, Artifact.employee_id, Artifact.kind, Artifact.created_at)
    for key, employee_id, kind, created_at in session.exec(rows):
        if employee_id not in active:
            continue
        clock: Clock = blob_kind(kind).clock  # type: ignore[assignment]  # a blob's clock is one of the plan's
        digest, state, lane = pictures.get(key, ("", "", "generated"))
        decided_at = None
        if state == "approved":
            clock = "approved"
        elif state in ("rejected", "retired"):
            decided_at = rejected.get(digest, created_at)
        elif kind == "thumbnails" and not state:
            clock = "biometric"  # a small photo is a photo
        yield Item(key, employee_id, kind, clock, created_at, decided_at, _is_generated(kind, digest, state, lane))


def _is_generated(kind: str, digest: str, state: str, lane: str) -> bool:
    """Whether somebody who opts out of generation loses this: what was learnt, and what was drawn by it.

    An approved picture stays until they leave or withdraw their consent, but not the rendering it was finished from.
    """
    if kind in _LEARNT:
        return True
    if kind == "originals":
        return lane == "generated"
    return bool(digest) and lane == "generated" and state != "approved"


def _pictures(session: Session) -> dict[str, tuple[str, str, str]]:
    """Blob key to (digest, state, lane) of the headshot it belongs to."""
    found: dict[str, tuple[str, str, str]] = {}
    table = SQLModel.metadata.tables["headshot"]
    keys_of = (table.c.original_key, table.c.finished_key, table.c.thumb_key)
    rows = session.connection().execute(sa.select(table.c.digest, table.c.state, table.c.lane, *keys_of))
    for digest, state, lane, *keys in rows:
        for key in (*keys, large_picture(keys[-1])):
            # Two headshots can share a blob: an approved one keeps it.
            if key and found.get(key, ("", "", ""))[1] != "approved":
                found[key] = (digest, state, lane)
    return found


def _rejections(session: Session) -> dict[str, datetime]:
    newest = select(Decision.headshot_digest, func.max(Decision.at)).where(
        col(Decision.headshot_digest).is_not(None), col(Decision.verdict) != "approve"
    )
    rows = session.exec(newest.group_by(col(Decision.headshot_digest)))
    return {digest: at for digest, at in rows if digest is not None}


def _refused_photos(session: Session, active: set[str]) -> Iterator[Item]:
    """Photos of which nothing was kept but what was found in them: a row, on the clock of the photos."""
    rows = select(Selfie.id, Selfie.employee_id, Selfie.created_at).where(col(Selfie.blob_key) == "")
    for identity, employee_id, created_at in session.exec(rows):
        if employee_id in active:
            yield Item(f"selfie:{identity}", employee_id, "selfie", "biometric", created_at)


def _batches(session: Session) -> Iterator[Item]:
    for identity, created_at in session.exec(select(Batch.id, Batch.created_at)):
        yield Item(f"batch:{identity}", "", "batch", "record", created_at)


def _proofs(session: Session, active: set[str]) -> Iterator[Item]:
    """Consents and cases of people who are gone: their time runs from the end, not from the beginning."""
    ended = select(Erasure.id, Erasure.employee_id, Erasure.scope, Erasure.finished_at)
    gone: dict[str, datetime] = {}
    for identity, employee_id, scope, finished_at in session.exec(ended.where(col(Erasure.state) == "final")):
        if finished_at is not None:
            if scope == "person":
                gone[employee_id] = finished_at
            yield Item(f"receipt:{identity}", employee_id, "erasure", "proof", finished_at)
    for identity, employee_id in session.exec(select(Consent.id, Consent.employee_id)):
        if employee_id not in active and employee_id in gone:
            yield Item(f"consent:{identity}", employee_id, "consent", "proof", gone[employee_id])
