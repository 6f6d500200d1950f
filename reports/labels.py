"""What a batch is called at the desk, and whether it was put away. Kept with the batch's facts, which forgetting reads.

A name is free text, so it may name somebody: it stays in our records and never goes to Prefect.
"""

from datetime import datetime

from sqlmodel import col, select

from reports.reviewer_names import plain_name
from tasks.failures import RollcallError
from tasks.sentences import tell
from tasks.vault.failures import NoSuchBatch
from tasks.vault.records import Batch
from tasks.vault.store import Vault

LENGTH = 60  # letters that fit a line of Home


class BadLabel(RollcallError):
    """A batch cannot be called so; the message says why."""


def name_batch(vault: Vault, batch: str, name: str, by: str, now: datetime) -> None:
    """Calls the batch this; an empty name gives it back the one it had. Raises BadLabel, NoSuchBatch."""
    said = plain_name(name)
    if len(said) > LENGTH:
        raise BadLabel(tell("batch.name_too_long", most=LENGTH))
    _note(vault, batch, "label", {"name": said, "by": by, "at": now.isoformat()} if said else {})


def archive_batch(vault: Vault, batch: str, away: bool, by: str, now: datetime) -> None:
    """Puts the batch away from the first page, or back. Nothing of it is deleted. Raises NoSuchBatch."""
    _note(vault, batch, "archived", {"by": by, "at": now.isoformat()} if away else {})


def _note(vault: Vault, batch: str, what: str, value: dict[str, str]) -> None:
    with vault.session() as session:
        row = session.exec(select(Batch).where(col(Batch.id) == batch).with_for_update()).first()
        if row is None:
            raise NoSuchBatch
        row.facts = {**row.facts, what: value}
