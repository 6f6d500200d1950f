"""Keeps accepted photos in the vault, and lets go of those a newer drop no longer holds.

A row's id is made of the person, the bytes and the place, so that taking the same photos again writes the same rows.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlmodel import col, select

from tasks.selfies.examine import Examined
from tasks.vault.consent import Permit
from tasks.vault.records import Seat, Selfie
from tasks.vault.store import Vault


def keep_photos(vault: Vault, permit: Permit, one: Examined, now: datetime) -> None:
    """Writes blobs first and rows after: a row never names a photo that is not there."""
    with vault.reading() as session:
        query = select(Selfie).where(col(Selfie.employee_id) == permit.employee_id)
        before = {selfie.id: selfie for selfie in session.exec(query)}
    rows = [_row(permit.employee_id, one, i, before, now) for i in range(len(one.looks))]
    for row, kept in zip(rows, one.kept, strict=True):
        if not row.accepted or kept is None:
            continue
        name = f"{row.digest[:32]}.jpg"
        key = f"people/{permit.employee_id}/selfies/{name}"
        if row.id not in before or before[row.id].blob_key != key or not vault.exists(key):
            key = vault.write(permit, "selfies", name, kept, now=now)
        row.blob_key = key
    ids = {row.id for row in rows}
    keys = {row.blob_key for row in rows}
    with vault.session() as session:
        for row in rows:
            session.merge(row)
        for old in before.values():
            if old.id not in ids:
                session.delete(session.get_one(Selfie, old.id))
    for old in before.values():
        if old.blob_key and old.blob_key not in keys:
            vault.delete(old.blob_key)


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
        created_at=before[identity].created_at if identity in before else now,
    )


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
