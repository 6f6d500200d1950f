"""The first step of forgetting: the wish becomes a case, and the person's doors shut, in one transaction.

What there was to remove is counted before, from a listing, and written down with the fence: a process that dies
between destroying the last key and writing the receipt must not make the receipt forget that there were keys.
"""

import hmac
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlmodel import col, select

from tasks.vault.audit_log import Event, append
from tasks.vault.failpoints import reach
from tasks.vault.records import Employee, Erasure, new_id
from tasks.vault.store import Vault

ErasureWish = tuple[str, str, datetime]  # employee id, reason, due


def raise_fence(
    vault: Vault, wishes: Sequence[ErasureWish], now: datetime, *, actor: str, salt: bytes | None = None
) -> list[str]:
    """Record these wishes as cases and shut the doors; the cases' ids. Whoever is shut out already is left out."""
    wanted = {person: (reason, due_at) for person, reason, due_at in wishes}
    present = _present(vault, list(wanted))
    reach("erase.fence.before")
    cases, events = [], []
    with vault.session() as session:
        cases_there = select(Erasure.employee_id).where(Erasure.scope == "person", Erasure.state != "departing")
        outside = (col(Employee.state) == "erasing") & col(Employee.id).not_in(cases_there)  # since an opening
        open_to_it = (col(Employee.state) == "active") | outside
        query = select(Employee).where(col(Employee.id).in_(wanted), open_to_it)
        for employee in session.exec(query.order_by(col(Employee.id)).with_for_update()):
            reason, due_at = wanted[employee.id]
            case = Erasure(
                id=new_id("e"), employee_id=employee.id, reason=reason, state="fenced", due_at=due_at, started_at=now,
                fenced_at=now, resweep_at=None, finished_at=None, evidence=present[employee.id],
            )  # fmt: skip
            if salt is not None:
                digest = hmac.new(salt, employee.number.encode(), sha256).hexdigest()
                case.evidence = {**case.evidence, "commitment": digest}
            employee.state, employee.epoch, employee.updated_at = "erasing", employee.epoch + 1, now
            session.add(case)
            cases.append(case.id)
            events.append(Event("fence", employee.id, case.id, {"reason": reason}, actor))
        append(session, events, now=now)
    reach("erase.fence.done")
    return cases


def _present(vault: Vault, people: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What there is to remove of each, for the receipt."""
    keys = vault.keys.count_keys(people)
    found = {}
    for person in people:
        blobs = vault.blobs.remains(f"people/{person}/")
        kinds = Counter(one.key.split("/")[2] if one.key.count("/") > 2 else "other" for one in blobs)
        found[person] = {"removed": dict(kinds), "bytes": sum(one.size for one in blobs), "keys_held": keys[person]}
    return found
