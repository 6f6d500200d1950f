"""The end of a forgetting: how each case stands, its receipt, and both recorded in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.retention.case import Case, Surroundings
from tasks.retention.left import keep_list
from tasks.retention.receipts import Receipt, circumstances, exported_of, receipt_of, write_receipt
from tasks.vault.audit_log import Event, append
from tasks.vault.failpoints import reach
from tasks.vault.records import Employee, Erasure
from tasks.vault.signing import Signer
from tasks.vault.store import Vault


def conclude(
    vault: Vault, group: Sequence[Case], now: datetime, around: Surroundings, signer: Signer, final: bool
) -> list[Receipt]:
    """Say how each case stands, write the receipts, and record both in one transaction."""
    receipts: list[Receipt] = []
    events: list[Event] = []
    with vault.reading() as session:
        query = select(Erasure).where(col(Erasure.id).in_([case.id for case in group])).order_by(col(Erasure.id))
        rows = list(session.exec(query))
    for row, case in zip(rows, group, strict=True):
        row.evidence = {**case.evidence, **circumstances(vault, around.rules), **exported_of(vault, case.person)}
        _advance(row, now, vault, final)
        receipt = receipt_of(row)
        digests = write_receipt(receipt, vault.settings.receipts, signer)
        keep_list(vault.settings.home, row.id, case.left, blocked=row.state == "blocked")
        events.append(Event(f"erasure_{row.state}", row.employee_id, row.id, _counts(case), around.actor))
        events.append(Event("receipt", row.employee_id, row.id, dict(digests), around.actor))
        receipts.append(receipt)
    reach("erase.receipt.before")
    with vault.session() as session:
        _store(session, rows)
        append(session, events, now=now)
    reach("erase.receipt.done")
    return receipts


def _advance(row: Erasure, now: datetime, vault: Vault, final: bool) -> None:
    if row.evidence.get("residue"):
        row.state = "blocked"
        row.resweep_at = None
    elif final and not row.evidence.get("log_pending"):
        row.state, row.finished_at = "final", now
    else:
        row.state = "provisional"
        row.resweep_at = now if final else now + vault.settings.writer_life


def _store(session: Session, rows: Sequence[Erasure]) -> None:
    """Only what is gone may be called erased; a blocked person stays behind the fence as `erasing`."""
    columns = ("id", "state", "resweep_at", "finished_at", "evidence")
    session.execute(sa.update(Erasure), [{name: getattr(row, name) for name in columns} for row in rows])
    for state in ("erased", "erasing"):
        people = [row.employee_id for row in rows if (row.state == "blocked") == (state == "erasing")]
        session.execute(sa.update(Employee).where(col(Employee.id).in_(people)).values(state=state))


def _counts(case: Case) -> dict[str, Any]:
    kept = ("removed", "bytes", "keys_destroyed", "residue", "verified", "log_pending")
    return {name: case.evidence[name] for name in kept if name in case.evidence}
