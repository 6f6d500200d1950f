"""A withdrawal counts from the moment its register is uploaded, and its photos go then, not when a batch is run."""

import logging
from datetime import datetime

from tasks.retention.rules import rules_or_built_in
from tasks.retention.withdrawn import leave_uploads
from tasks.roster.consents import read_consents
from tasks.roster.drop import DropFault, sort_contents
from tasks.roster.read import read_roster
from tasks.roster.recorded_consents import withdraw_at_once
from tasks.roster.rows import UnreadableTable
from tasks.roster.upload import Upload
from tasks.vault.store import Vault

logger = logging.getLogger(__name__)


def withdraw_now(vault: Vault, upload: Upload, now: datetime) -> int:
    """A withdrawal in an upload counts from now on; how many. What cannot be read is the check's to tell."""
    try:
        contents = sort_contents(upload.files())
        roster = read_roster(upload.read(contents.roster), contents.roster, today=now.date())
        name = contents.consents
        register = read_consents(upload.read(name), name) if name else None
        ended = withdraw_at_once(vault, roster, register, now)
    except (DropFault, UnreadableTable) as fault:
        logger.info("no withdrawal was read from an upload: %s", fault.code)
        return 0
    let_withdrawn_go(vault, now)
    return ended


def let_withdrawn_go(vault: Vault, now: datetime) -> int:
    """Photos of everybody who took their consent back leave the uploads now; how many photos."""
    return leave_uploads(vault, rules_or_built_in(vault.settings.retention_rules)[0], now)
