"""The report as a step of the stories: written when a batch ends, and again whenever its people change."""

from datetime import UTC, datetime

from reports.site_of_batch import address_of_report, rewrite_report
from reports.withdrawals import let_withdrawn_go
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step

__all__ = ["build_report", "let_withdrawn_photos_go", "rewrite_report"]


@step
def build_report(batch_id: str) -> str:
    """Writes the review report of this batch and returns where it can be opened."""
    with open_vault(load_settings()) as vault:
        rewrite_report(vault, batch_id)
        return address_of_report(vault.settings, batch_id)


@step
def let_withdrawn_photos_go() -> int:
    """Photos of who took their consent back leave the uploads before any is opened; how many photos."""
    with open_vault(load_settings()) as vault:
        return let_withdrawn_go(vault, datetime.now(UTC))
