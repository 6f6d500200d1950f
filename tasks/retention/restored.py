"""Who came back with a backup: records restored from before an erasure bring the erased back, and they go again.

Two things outlive the records: the key store, which bars everybody who was forgotten, and the receipts. Whoever is
barred, or has a receipt of a whole erasure, and is active all the same, was brought back by a restore and by nothing
else: a person who returns by a new consent gets a new id.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from sqlmodel import col, select

from tasks.retention.fence import raise_fence
from tasks.retention.inventory import DEPARTING
from tasks.vault.records import Employee, Erasure
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault
from tasks.vault.verify_audit import open_signed

REASON = "restored"


def fence_restored(vault: Vault, now: datetime, actor: str) -> list[str]:
    """Shut out whoever is back although they were forgotten; the cases, to be carried out with the others."""
    with vault.reading() as session:
        active = set(session.exec(select(Employee.id).where(col(Employee.state) == "active")))
        fenced = set(session.exec(select(Employee.id).where(col(Employee.state) == "erasing")))
        whole = select(Erasure.employee_id).where(Erasure.scope == "person", Erasure.state != DEPARTING)
        cases = set(session.exec(whole))
    back = active & (vault.keys.barred() | set(_receipted(vault)))
    # Shut out at an opening, before anybody wrote a case for them.
    back |= fenced - cases
    return raise_fence(vault, [(person, REASON, now) for person in sorted(back)], now, actor=actor)


def _receipted(vault: Vault) -> Iterator[str]:
    """Whom a receipt of our own calls erased, wholly."""
    settings = vault.settings
    if not settings.receipts.is_dir() or not settings.signing_key.is_file():
        return
    public = open_signer(settings.signing_key, settings.audit / "signing.pub").public
    for path in settings.receipts.glob("*.json"):
        try:
            body = open_signed(json.loads(path.read_bytes()), public)
        except ValueError:  # cut short: `audit verify` says so
            continue
        if body is not None and body.get("scope") == "person":
            yield str(body.get("person"))
