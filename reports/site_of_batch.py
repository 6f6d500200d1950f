"""Where a batch's report lies, and how it is written anew from the records: at the end of a run, after a reshoot,
and by retention, when somebody is forgotten and no page may speak of them any more.

It is always written as a folder. Where reports lie in the blob store, that folder is a passing one: pictures that the
store has stand in it as empty files, so that none is drawn again, and what was written goes up.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from reports.data import ReportData
from reports.gather import gather
from reports.site import batch_page, write_site
from tasks.vault.batches import load_batch
from tasks.vault.failures import Fenced
from tasks.vault.files import alone_in, make_folders
from tasks.vault.report_files import ReportFiles, files_of
from tasks.vault.settings import Settings
from tasks.vault.store import Vault

AT_ONCE = 8  # files on their way to the store
INDEX = "index.html"


def report_folder(settings: Settings, batch_id: str) -> Path:
    """The folder of this batch's report, where reports lie in folders."""
    if not batch_id.isalnum():  # an id becomes a folder's name: nothing else may
        raise ValueError("not a batch id")
    return settings.reports / batch_id


def report_path(settings: Settings, batch_id: str) -> Path:
    """The first page of this batch's report, where reports lie in folders."""
    return report_folder(settings, batch_id) / INDEX


def address_of_report(settings: Settings, batch_id: str) -> str:
    """Where a person opens the report: a file here, or the desk."""
    if settings.reports_in_store:
        return f"{settings.public_url}/batches/{batch_id}/"
    return report_path(settings, batch_id).as_uri()


def rewrite_report(vault: Vault, batch_id: str, *, now: datetime | None = None) -> Path:
    """Write the whole report from the records as they are now; whoever is no longer in them leaves the pages.

    Returns its first page, which is a file only where reports lie in folders. There one writer at a time reads the
    records and writes, so that nobody's page comes back by one who had read before they were forgotten.
    """
    if not vault.settings.reports_in_store:
        folder = report_folder(vault.settings, batch_id)
        load_batch(vault, batch_id)  # of no batch nothing is left behind
        make_folders(folder)
        with alone_in(folder):
            return write_site(gather(vault, batch_id, now=now), folder)
    data = gather(vault, batch_id, now=now)
    files = files_of(vault, batch_id)
    with _passing_folder(vault.settings, files) as folder:
        write_site(data, folder)
        _take_up(files, folder)
    return report_path(vault.settings, batch_id)


def page_for_some(vault: Vault, batch_id: str, data: ReportData, path: str) -> str | None:
    """One page of the whole batch, written for the people in `data` alone; None when there is none of this name."""
    if not vault.settings.reports_in_store:
        return batch_page(data, report_folder(vault.settings, batch_id), path)
    with _passing_folder(vault.settings, files_of(vault, batch_id)) as folder:
        return batch_page(data, folder, path)


@contextmanager
def _passing_folder(settings: Settings, files: ReportFiles) -> Iterator[Path]:
    settings.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="report-", dir=settings.scratch) as place:
        for name in files.names():
            if name.endswith(".webp"):
                (Path(place) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(place) / name).touch()
        yield Path(place)


def _take_up(files: ReportFiles, folder: Path) -> None:
    """What was written; the first page last, since with it a report is there."""
    before = files.names()
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    fresh = [name for name in names if name != INDEX and (folder / name).stat().st_size and name[0] != "."]

    def write(name: str) -> None:
        try:
            files.write(name, (folder / name).read_bytes())
        except Fenced:  # forgotten while this was written; the erasure has it written once more
            return

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="report") as pool:
        list(pool.map(write, fresh))
    write(INDEX)
    files.remove(sorted(set(before) - set(names)))
