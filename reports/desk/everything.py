"""Everything we hold about one person, for an access request (GDPR Art. 15): one ZIP that she can read herself.

`index.html` says it in words, `data.json` holds every record as it is kept, and beside them lie her photos, what was
learned of her face, and her pictures. It is made in a sealed file without a name, which is gone when it has been sent.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel, col, select

from reports.desk.everybody import PersonShown
from reports.site import render
from tasks.retention.rules import Rules
from tasks.vault.failures import MissingBlob, NoConsent, Unreadable
from tasks.vault.looks import looks_at
from tasks.vault.records import (
    Adapter,
    AuditEntry,
    Consent,
    Decision,
    EarlierName,
    Employee,
    Erasure,
    Headshot,
    Hold,
    Question,
    Seat,
    Selfie,
    Showing,
)
from tasks.vault.sealed_spool import SealedSpool
from tasks.vault.store import Vault

TABLES: tuple[type[SQLModel], ...] = (
    Employee,
    EarlierName,
    Consent,
    Seat,
    Selfie,
    Adapter,
    Headshot,
    Showing,
    Decision,
    Question,
    Hold,
    Erasure,
)
COLLEAGUES = {"by", "author"}  # who decided or noted something: people of their own
CHUNK = 1 << 20  # bytes read at a time


def everything_of(vault: Vault, person: PersonShown, rules: Rules, now: datetime) -> SealedSpool:
    """The ZIP, open at its beginning; closing it removes it. What may not be opened any more is named instead."""
    vault.settings.scratch.mkdir(parents=True, exist_ok=True)
    file = SealedSpool(vault.settings.scratch)  # whoever sends it closes it
    rows = _rows(vault, person.id)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        closed = []
        for name, key in _blobs(rows):
            data = _read(vault, person.id, key, now)
            if data is None:
                closed.append(name)
            else:
                archive.writestr(name, data, zipfile.ZIP_STORED)
        archive.writestr("data.json", json.dumps(rows, ensure_ascii=False, indent=1, default=_plain))
        looks = looks_at(vault, person.id)
        page = render("everything.html", person=person, closed=closed, made=now, looks=looks, company=rules.company)
        archive.writestr("index.html", page)
    file.seek(0)
    return file


def sent_in_pieces(file: SealedSpool) -> Iterator[bytes]:
    """The file's bytes, and its end when they are sent, or nobody takes them any more."""
    with file:
        while piece := file.read(CHUNK):
            yield piece


def _rows(vault: Vault, person: str) -> dict[str, list[dict[str, Any]]]:
    """Every record about the person, by table, with the log's entries; drawn from the list of tables."""
    found: dict[str, list[dict[str, Any]]] = {}
    with vault.reading() as session:
        for table in TABLES:
            owner = table.__table__.c["id" if table is Employee else "employee_id"]  # type: ignore[attr-defined]
            mine = session.exec(select(table).where(owner == person)).all()
            found[str(table.__tablename__)] = [row.model_dump(exclude=COLLEAGUES) for row in mine]
        log = select(AuditEntry).where(col(AuditEntry.subject) == person).order_by(col(AuditEntry.seq))
        found["log"] = [{"at": row.at, "action": row.action, "result": row.result} for row in session.exec(log)]
    return found


def _blobs(rows: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, str]]:
    """(name in the ZIP, key) of every stored file of the person."""
    for place, row in enumerate(rows["selfie"], start=1):
        if row["blob_key"]:
            yield f"photos/{place:02d}{Path(row['blob_key']).suffix}", row["blob_key"]
    for place, row in enumerate(rows["headshot"], start=1):
        for what in ("finished_key", "original_key"):
            if row[what]:
                yield f"pictures/{place:02d}-{what.removesuffix('_key')}{Path(row[what]).suffix}", row[what]
    for place, row in enumerate(rows["adapter"], start=1):
        yield f"learned/{place:02d}{Path(row['blob_key']).suffix}", row["blob_key"]


def _read(vault: Vault, person: str, key: str, now: datetime) -> bytes | None:
    try:
        return vault.read(vault.permit(person, now=now), key)
    except (NoConsent, MissingBlob, Unreadable):
        return None


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
