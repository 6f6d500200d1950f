"""Deletes single things whose time is up, while the person stays: photos after approval, pictures nobody chose.

No fence is needed: the person's other work goes on. When every blob of one kind goes, that kind's key is destroyed
with it, so that backups hold noise from then on. The key goes in the same transaction that looks for newer blobs of
that kind: a photo that comes in at that very moment either keeps the key alive or gets a new one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.retention.case import GROUP, Surroundings
from tasks.retention.erase import rewrite_reports
from tasks.retention.pages import remove_pictures
from tasks.retention.pages_in_store import remove_stored_pictures
from tasks.retention.plan import Verdict
from tasks.retention.receipts import Receipt, circumstances, receipt_of, write_receipt
from tasks.vault.audit_log import Event, append
from tasks.vault.database import forget_deleted_pages
from tasks.vault.failpoints import reach
from tasks.vault.records import (
    Adapter,
    Artifact,
    Batch,
    Consent,
    Decision,
    DropVersion,
    Erasure,
    Headshot,
    Question,
    Seat,
    Selfie,
    Showing,
    new_id,
)
from tasks.vault.review import standing_opt_outs
from tasks.vault.signing import Signer, open_signer
from tasks.vault.store import Vault
from tasks.vault.tombstones import clear_tombstones


@dataclass(frozen=True)
class _Share:
    """What one person loses in this sweep."""

    person: str
    keys: tuple[str, ...]
    kinds: dict[str, int]
    due_at: datetime
    reason: str  # opted_out, when that is why all of it goes; else retention


def expire_items(vault: Vault, verdicts: Iterable[Verdict], now: datetime, around: Surroundings) -> list[Receipt]:
    """Delete these blobs with their rows, person by person, in groups; one receipt per person."""
    shares = _shares(verdicts)
    receipts: list[Receipt] = []
    signer = open_signer(vault.settings.signing_key, vault.settings.audit / "signing.pub")
    batches: set[str] = set()
    for start in range(0, len(shares), GROUP):
        group = shares[start : start + GROUP]
        receipts += _expire_group(vault, group, now, around, signer, batches)
    rewrite_reports(vault, batches, now, around)  # the pictures that stay were in the same folders
    return receipts


def _shares(verdicts: Iterable[Verdict]) -> list[_Share]:
    by_person: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_person.setdefault(verdict.item.person, []).append(verdict)
    return [
        _Share(
            person,
            tuple(verdict.item.id for verdict in mine),
            dict(Counter(verdict.item.kind for verdict in mine)),
            min(verdict.due_at or verdict.item.created_at for verdict in mine),
            "opted_out" if all(verdict.reason == "opted_out" for verdict in mine) else "retention",
        )
        for person, mine in sorted(by_person.items())
    ]


def _expire_group(
    vault: Vault, shares: Sequence[_Share], now: datetime, around: Surroundings, signer: Signer, batches: set[str]
) -> list[Receipt]:
    """Everything for these people; `batches` collects whose reports lost pictures."""
    reach("expire.keys.before")
    shredded, keys_gone = _shred_whole_kinds(vault, shares)
    reach("expire.keys.done")
    cases = [_delete_bytes(vault, share, shredded, now) for share in shares]
    vault.blobs.settle()
    reach("expire.blobs.done")
    people = [share.person for share in shares]
    batches |= {*remove_pictures(vault.settings.reports, people), *remove_stored_pictures(vault, people)}
    reach("expire.pages.done")
    gone = [key for share, case in zip(shares, cases, strict=True) if case.evidence["verified"] for key in share.keys]
    with vault.session() as session:
        _delete_rows(session, [share.person for share in shares], gone)
    reach("expire.rows.done")
    emptied = forget_deleted_pages(vault.engine) and (keys_gone or vault.keys.forget_bytes())
    receipts, events = [], []
    for case in cases:
        case.evidence["log_pending"] = not emptied
        case.evidence |= circumstances(vault, around.rules)
        # The bytes are verified and the key gone; a log held by a reader is emptied by the next sweep at the latest.
        case.state = "blocked" if case.evidence["residue"] else "final" if emptied else "provisional"
        case.finished_at = now if case.state == "final" else None
        case.resweep_at = now if case.state == "provisional" else None
        receipt = receipt_of(case)
        digests = write_receipt(receipt, vault.settings.receipts, signer)
        counts = {"removed": case.evidence["removed"], "residue": case.evidence["residue"]}
        events.append(Event(f"expiry_{case.state}", case.employee_id, case.id, counts, around.actor))
        events.append(Event("receipt", case.employee_id, case.id, dict(digests), around.actor))
        receipts.append(receipt)
    reach("expire.receipt.before")
    with vault.session() as session:
        session.add_all(cases)
        append(session, events, now=now)
    reach("expire.receipt.done")
    return receipts


def _shred_whole_kinds(vault: Vault, shares: Sequence[_Share]) -> tuple[dict[str, int], bool]:
    """Destroy the keys of kinds that go completely: per person how many, and whether their bytes are in no file."""
    whole: list[tuple[str, str]] = []
    with vault.session() as session:
        if vault.engine.dialect.name == "postgresql":  # SQLite's transaction keeps new intents waiting by itself
            session.execute(sa.text("LOCK TABLE artifact IN SHARE ROW EXCLUSIVE MODE"))
        people = [share.person for share in shares]
        rows = session.exec(
            select(Artifact.employee_id, Artifact.kind, Artifact.key).where(col(Artifact.employee_id).in_(people))
        )
        going = {key for share in shares for key in share.keys}
        stays: dict[tuple[str, str], bool] = {}
        for employee_id, kind, key in rows:
            stays[employee_id, kind] = stays.get((employee_id, kind), False) or key not in going
        whole = [pair for pair, some_stay in stays.items() if not some_stay]
        emptied = vault.keys.destroy_kinds(whole) if whole else True
    return Counter(employee_id for employee_id, _ in whole), emptied


def _delete_bytes(vault: Vault, share: _Share, shredded: dict[str, int], now: datetime) -> Erasure:
    prefix = f"people/{share.person}/"
    wanted = set(share.keys)
    sizes = sum(one.size for one in vault.blobs.remains(prefix) if one.key in wanted)
    reach("expire.blobs.before")
    refused = {one.remnant.key: one.code for one in vault.blobs.erase_keys(share.keys)}
    left = [one for one in vault.blobs.remains(prefix) if one.key in wanted]
    residue = Counter(refused.get(one.key, "still_there") for one in left)
    evidence: dict[str, Any] = {
        "removed": share.kinds,
        "bytes": sizes,
        # One kind's key may stay for what is not due yet: only when all kinds went is this proof for all of them.
        "keys_destroyed": shredded.get(share.person, 0) if shredded.get(share.person, 0) >= len(share.kinds) else 0,
        "verified": not left,
        "residue": dict(residue),
    }
    return Erasure(
        id=new_id("e"), employee_id=share.person, scope="items", reason=share.reason, state="swept",
        due_at=share.due_at, started_at=now, fenced_at=None, resweep_at=None, finished_at=None, evidence=evidence,
    )  # fmt: skip


def _delete_rows(session: Session, people: Sequence[str], keys: Sequence[str]) -> None:
    """The rows that described these people's blobs. A headshot's row goes when its pictures do.

    Blob keys have no index, people have: with the owners in the condition a sweep reads each row once, not once per
    group.
    """
    for start in range(0, len(keys), 500):  # SQLite takes a limited number of values at once
        some = keys[start : start + 500]
        session.execute(sa.delete(Artifact).where(col(Artifact.key).in_(some)))
        described = (Selfie, Selfie.blob_key), (Adapter, Adapter.blob_key), (Headshot, Headshot.finished_key)
        for table, key in described:
            session.execute(sa.delete(table).where(col(table.employee_id).in_(people), col(key).in_(some)))
        theirs = col(Headshot.employee_id).in_(people)
        unfinished = col(Headshot.original_key).in_(some) & (col(Headshot.finished_key) == "")
        session.execute(sa.delete(Headshot).where(theirs, unfinished))
        left = select(Headshot.digest).where(theirs)
        shown = col(Showing.employee_id).in_(people), col(Showing.headshot_digest).not_in(left)
        session.execute(sa.delete(Showing).where(*shown))
        for column in (Headshot.original_key, Headshot.thumb_key):
            emptied = sa.update(Headshot).where(theirs, col(column).in_(some))
            session.execute(emptied.values({column.key: ""}))  # type: ignore[attr-defined]


def finish_expiries(vault: Vault, now: datetime, around: Surroundings) -> list[Receipt]:
    """Expiries whose log could not be emptied last time."""
    with vault.reading() as session:
        waiting = select(Erasure).where(col(Erasure.scope) == "items", col(Erasure.state) == "provisional")
        cases = list(session.exec(waiting.order_by(col(Erasure.id))))
    if not cases or not (forget_deleted_pages(vault.engine) and vault.keys.forget_bytes()):
        return []
    signer = open_signer(vault.settings.signing_key, vault.settings.audit / "signing.pub")
    receipts, events = [], []
    for case in cases:
        case.evidence = {**case.evidence, "log_pending": False}
        case.state, case.finished_at, case.resweep_at = "final", now, None
        receipt = receipt_of(case)
        digests = write_receipt(receipt, vault.settings.receipts, signer)
        events.append(Event("receipt", case.employee_id, case.id, dict(digests), around.actor))
        receipts.append(receipt)
    with vault.session() as session:
        for case in cases:
            session.merge(case)
        append(session, events, now=now)
    return receipts


def expire_records(vault: Vault, verdicts: Iterable[Verdict], now: datetime, actor: str) -> Counter[str]:
    """Delete old batches, rows of refused photos, consents of people long gone and old receipts; how many of each."""
    ids: dict[str, list[str]] = {"batch": [], "selfie": [], "consent": [], "receipt": []}
    for verdict in verdicts:
        what, _, identity = verdict.item.id.partition(":")
        ids[what].append(identity)
    counts = Counter({what: len(found) for what, found in ids.items() if found})
    if not counts:
        return counts
    reach("expire.records.before")
    for identity in ids["receipt"]:
        for suffix in ("json", "html"):
            (vault.settings.receipts / f"{identity}.{suffix}").unlink(missing_ok=True)
    with vault.session() as session:
        _delete_in(session, Batch.id, ids["batch"])
        for of_batch in (Seat.batch_id, Showing.batch_id, DropVersion.batch_id, Question.batch_id):
            _delete_in(session, of_batch, ids["batch"])
        _delete_decisions(session, ids["batch"])
        _delete_in(session, Selfie.id, ids["selfie"])
        _delete_in(session, Consent.id, ids["consent"])
        _end_tombstones(session, ids["receipt"])
        _delete_in(session, Erasure.id, ids["receipt"])
        events = [Event("receipt_expired", identity, identity, {}, actor) for identity in ids["receipt"]]
        append(session, [*events, Event("records_expired", "", "", dict(counts), actor)], now=now)
    reach("expire.records.done")
    forget_deleted_pages(vault.engine)
    return counts


def _delete_decisions(session: Session, batches: Sequence[str]) -> None:
    """A batch's decisions go with it, but for a no that still stands, which stays as long as the person, and for what
    was decided about a picture that is still there: newer batches show it by that word."""
    kept = [decision.id for decision in standing_opt_outs(session).values()]
    pictures = select(Headshot.digest)
    for start in range(0, len(batches), 500):
        old = col(Decision.batch_id).in_(batches[start : start + 500]), col(Decision.id).not_in(kept)
        gone = col(Decision.headshot_digest).is_(None) | col(Decision.headshot_digest).not_in(pictures)
        session.execute(sa.delete(Decision).where(*old, gone))


def _end_tombstones(session: Session, receipts: Sequence[str]) -> None:
    """Without the date of the erasure a pseudonym answers no question any more."""
    for start in range(0, len(receipts), 500):
        mine = select(Erasure.employee_id).where(
            col(Erasure.id).in_(receipts[start : start + 500]), Erasure.scope == "person"
        )
        clear_tombstones(session, session.exec(mine).all())


def _delete_in(session: Session, column: str, values: Sequence[str]) -> None:
    """Delete the rows whose column has one of these values; SQLite takes a limited number of values at once."""
    for start in range(0, len(values), 500):
        mine = col(column)
        session.execute(sa.delete(mine.class_).where(mine.in_(values[start : start + 500])))  # type: ignore[attr-defined]
