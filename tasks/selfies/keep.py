"""Keeps accepted photos in the vault. An upload adds: what it does not bring stays, and nothing is deleted here.

Photos of somebody are replaced where a newer drop brings usable ones of theirs; those replaced are no longer used and
wait for retention, whose work alone deletion is. A row's id is made of the person, the bytes and the place, so that
taking the same photos again writes the same rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlmodel import col, select

from tasks.selfies.examine import Examined
from tasks.selfies.findings import Finding
from tasks.selfies.people import EarlierPhotos
from tasks.vault.consent import Permit
from tasks.vault.page_sizes import small_photo
from tasks.vault.records import Batch, Employee, Seat, Selfie
from tasks.vault.store import Vault


def keep_photos(vault: Vault, permit: Permit, one: Examined, drop_from: datetime, now: datetime) -> int:
    """Keeps what this drop brings of one person; how many photos it replaces. `drop_from`: since when the drop is as it
    is. Photos that came later than that are newer, and an older drop run again leaves them in use.

    Writes blobs first and rows after: a row never names a photo that is not there.
    """
    with vault.reading() as session:
        query = select(Selfie).where(col(Selfie.employee_id) == permit.employee_id)
        before = {selfie.id: selfie for selfie in session.exec(query)}
    digests = {look.digest for look in one.looks}
    others = [s for s in before.values() if s.accepted and s.replaced_at is None and s.digest not in digests]
    if any(other.created_at > drop_from for other in others) or (others and not one.verdict.accepted):
        return 0
    rows = [_row(permit.employee_id, one, i, before, now) for i in range(len(one.looks))]
    for row, kept in zip(rows, one.kept, strict=True):
        if not row.accepted or kept is None:
            continue
        name = f"{row.digest[:32]}.jpg"
        key = f"people/{permit.employee_id}/selfies/{name}"
        if row.id not in before or before[row.id].blob_key != key or not vault.exists(key):
            vault.write(permit, "selfies", PurePosixPath(small_photo(key)).name, kept.small, now=now)
            key = vault.write(permit, "selfies", name, kept.file, now=now)
        row.blob_key = key
    _write(vault, rows, before, digests, now)
    return len(others)


def _write(vault: Vault, rows: Sequence[Selfie], before: dict[str, Selfie], digests: set[str], now: datetime) -> None:
    ids = {row.id for row in rows}
    with vault.session() as session:
        for row in rows:
            session.merge(row)
        for old in before.values():
            if old.id in ids:
                continue
            here = session.get(Selfie, old.id)
            if here is not None and old.digest in digests:
                session.delete(here)  # the same photo in another place of the set: its other row stands for it
            elif here is not None and here.replaced_at is None:
                here.replaced_at = now


def take_back(vault: Vault, digests: set[str], owner: str | None) -> int:
    """Removes these photos from everybody but `owner`, whom HR has named: they were kept under a wrong name. How many
    there were. Rows go first: one that names no blob would be read as a photo."""
    with vault.session() as session:
        wrong = [
            s for s in session.exec(select(Selfie).where(col(Selfie.digest).in_(digests))) if s.employee_id != owner
        ]
        keys = [selfie.blob_key for selfie in wrong if selfie.blob_key]
        for selfie in wrong:
            session.delete(selfie)
    for key in keys:
        vault.delete(small_photo(key))
        vault.delete(key)
    return len(wrong)


def _row(employee_id: str, one: Examined, index: int, before: dict[str, Selfie], now: datetime) -> Selfie:
    look, verdict = one.looks[index], one.verdict.verdicts[index]
    name = f"{employee_id}/{look.digest}/{index}"
    identity = "s" + hashlib.sha256(name.encode()).hexdigest()[:15]
    return Selfie(
        id=identity,
        employee_id=employee_id,
        digest=look.digest,
        blob_key="",  # of a rejected photo nothing is kept but this row
        width=look.width,
        height=look.height,
        accepted=verdict.accepted,
        findings=[found.as_json() for found in verdict.findings],
        order=index + 1,
        signed_by=look.signed_by,
        created_at=before[identity].created_at if identity in before else now,
    )


def kept_before(vault: Vault, batch_id: str, people: Sequence[str]) -> dict[str, EarlierPhotos]:
    """Of these people, whoever has photos in use, with the newest verdict on them; a batch's own word is the newest."""
    with vault.reading() as session:
        use = select(Selfie).where(col(Selfie.accepted), col(Selfie.replaced_at).is_(None), Selfie.blob_key != "")
        counts: dict[str, int] = {}
        for selfie in session.exec(use):
            counts[selfie.employee_id] = counts.get(selfie.employee_id, 0) + 1
        ordered = select(Seat, Batch.created_at).join(Batch, col(Batch.id) == col(Seat.batch_id))
        seats: dict[str, Seat] = {}
        for seat, _ in session.exec(ordered.where(col(Seat.accepted) > 0).order_by(col(Batch.created_at))):
            mine = seats.get(seat.employee_id)
            seats[seat.employee_id] = mine if mine is not None and mine.batch_id == batch_id else seat
    kept = {}
    for employee_id in set(people) & counts.keys():
        last = seats.get(employee_id)
        said = [Finding(**one) for one in last.findings if _is_of_the_photos(one, last)] if last is not None else []
        photos = last.photos if last is not None and last.photos else counts[employee_id]
        kept[employee_id] = EarlierPhotos(photos, counts[employee_id], last is not None and last.few, tuple(said))
    return kept


def _is_of_the_photos(found: Any, seat: Seat) -> bool:
    return found not in seat.standing and found["code"] not in ("photos_replaced", "photos_kept")


def photos_in_use(vault: Vault) -> dict[str, int]:
    """Employee number to how many accepted photos of theirs are kept and in use."""
    use = select(Employee.number).join(Selfie, col(Selfie.employee_id) == col(Employee.id))
    use = use.where(col(Selfie.accepted), col(Selfie.replaced_at).is_(None), Selfie.blob_key != "")
    with vault.reading() as session:
        return dict(Counter(session.exec(use.where(Employee.state == "active")).all()))


def everything_is_kept(vault: Vault, batch_id: str) -> bool:
    """Whether every photo that the batch's seats count as accepted has its row and its blob. After retention has
    taken them, or in a restored database, they have to be taken again."""
    with vault.reading() as session:
        seats = list(session.exec(select(Seat).where(col(Seat.batch_id) == batch_id)))
        wanted = {seat.employee_id: seat.accepted for seat in seats}
        there: dict[str, int] = dict.fromkeys(wanted, 0)
        for selfie in session.exec(select(Selfie).where(col(Selfie.accepted))):
            if selfie.employee_id in there and selfie.blob_key and vault.exists(selfie.blob_key):
                there[selfie.employee_id] += 1
    return all(there[employee_id] >= count for employee_id, count in wanted.items())
