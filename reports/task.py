"""The report as a step of the stories: written when a batch ends, and again whenever its people change."""

from datetime import UTC, datetime
from pathlib import Path

from reports.site_of_batch import report_path, rewrite_report
from reports.withdrawals import let_withdrawn_go
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step

__all__ = ["build_report", "let_withdrawn_photos_go", "report_path", "rewrite_report"]


@step
def build_report(batch_id: str) -> str:
    """Writes the review report of this batch and returns where its first page lies."""
    with open_vault(load_settings()) as vault:
        page: Path = rewrite_report(vault, batch_id)
    return str(page)


@step
def let_withdrawn_photos_go() -> int:
    """Photos of who took their consent back leave the uploads before any is opened; how many photos."""
    with open_vault(load_settings()) as vault:
        return let_withdrawn_go(vault, datetime.now(UTC))
