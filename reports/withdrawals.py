"""A withdrawal counts from the moment its register is uploaded, not when somebody runs a batch with it."""

import logging
from datetime import datetime
from pathlib import Path

from tasks.roster.consents import read_consents
from tasks.roster.drop import DropFault, FolderDrop, sort_contents
from tasks.roster.intake import withdraw_at_once
from tasks.roster.read import read_roster
from tasks.roster.rows import Unreadable
from tasks.vault.store import Vault

logger = logging.getLogger(__name__)


def withdraw_now(vault: Vault, folder: Path, now: datetime) -> int:
    """A withdrawal in an upload counts from now on; how many. What cannot be read is the check's to tell."""
    drop = FolderDrop(str(folder))
    try:
        contents = sort_contents(drop.files())
        roster = read_roster(drop.read(contents.roster), contents.roster, today=now.date())
        consents = contents.consents
        return withdraw_at_once(vault, roster, read_consents(drop.read(consents), consents) if consents else None, now)
    except (DropFault, Unreadable) as fault:
        logger.info("no withdrawal was read from an upload: %s", fault.code)
        return 0
