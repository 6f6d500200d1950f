"""The report as a step of the stories: written when a batch ends, and again whenever its people change."""

from pathlib import Path

from reports.site_of_batch import report_path, rewrite_report
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step

__all__ = ["build_report", "report_path", "rewrite_report"]


@step
def build_report(batch_id: str) -> str:
    """Writes the review report of this batch and returns where its first page lies."""
    with open_vault(load_settings()) as vault:
        page: Path = rewrite_report(vault, batch_id)
    return str(page)
