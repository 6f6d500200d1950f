"""Where a batch's report lies, and how it is written anew from the records: at the end of a run, after a reshoot,
and by retention, when somebody is forgotten and no page may speak of them any more.
"""

from datetime import datetime
from pathlib import Path

from reports.gather import gather
from reports.site import write_site
from tasks.vault.settings import Settings
from tasks.vault.store import Vault


def report_folder(settings: Settings, batch_id: str) -> Path:
    """The folder of this batch's report."""
    if not batch_id.isalnum():  # an id becomes a folder's name: nothing else may
        raise ValueError("not a batch id")
    return settings.reports / batch_id


def report_path(settings: Settings, batch_id: str) -> Path:
    """The first page of this batch's report."""
    return report_folder(settings, batch_id) / "index.html"


def rewrite_report(vault: Vault, batch_id: str, *, now: datetime | None = None) -> Path:
    """Write the whole report from the records as they are now; whoever is no longer in them leaves the pages."""
    return write_site(gather(vault, batch_id, now=now), report_folder(vault.settings, batch_id))
