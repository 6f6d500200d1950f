"""Which models' licences were accepted here, by whom and when: entries of the audit log, asked for once per licence.

A licence that changes, or another revision of the model, is another one and asked for again.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select

from tasks.vault.records import AuditEntry
from tasks.vault.store import Vault

ACCEPTED = "licence_accepted"


@dataclass(frozen=True)
class Licence:
    """Under what a model may be used, as its card says."""

    model: str
    name: str
    address: str = ""
    restrictions: str = ""
    revision: str = ""

    def lines(self) -> list[str]:
        """What somebody has to read before they accept it."""
        words = [f"{self.model} comes under: {self.name}"]
        words += [f"Text: {self.address}"] if self.address else []
        return words + ([f"It restricts its use: {self.restrictions}"] if self.restrictions else [])

    @property
    def object(self) -> str:
        return f"{self.name} {self.revision}".strip()


def is_accepted(vault: Vault, licence: Licence) -> bool:
    query = select(AuditEntry).where(AuditEntry.action == ACCEPTED, AuditEntry.subject == licence.model)
    with vault.reading() as session:
        return session.exec(query.where(AuditEntry.object == licence.object).limit(1)).first() is not None


def accept(vault: Vault, licence: Licence, actor: str, *, now: datetime) -> None:
    """Notes that `actor` accepted it; once is enough."""
    if not is_accepted(vault, licence):
        facts = {"address": licence.address, "restrictions": licence.restrictions}
        vault.audit(ACCEPTED, licence.model, licence.object, facts, actor=actor, now=now)
