"""A home in which everything has happened once, and every page that the desk shows of it."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from reports.decisions import apply_decisions
from reports.site_of_batch import rewrite_report
from tasks.retention.erase import forget
from tasks.retention.holds import hold_person
from tasks.roster.by_hand import Noted, record_withdrawal
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, digest

BATCH, DROP = "b20261123a", "20260914-0123456789"
ONE, TWO, THREE, GONE = (f"p{number:015x}" for number in (1, 2, 3, 4))
SAMPLES = Path(__file__).parents[2] / "samples" / "northwind"


@pytest.fixture
def eventful(settings: Settings, vault: Vault) -> str:
    """A home in which everything has happened once; the id of a receipt."""
    return happen(settings, vault)


def happen(settings: Settings, vault: Vault, photos_of: Sequence[str] = ()) -> str:
    """Lets everything happen once, and answers the receipt's id. `photos_of`: whose photos are in the upload."""
    now = NOON + timedelta(hours=1)
    record_withdrawal(vault, TWO, Noted("email", "HR-1", now, ""), now)
    rewrite_report(vault, BATCH, now=now)
    hold_person(vault, THREE, "court", None, "Ada", now)
    row = {"employee": ONE, "headshot": digest("headshot", 1, 0), "verdict": "redo", "at": now.isoformat()}
    apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Ada", now)
    folder = settings.home / "drops" / DROP
    (folder / "selfies").mkdir(parents=True)
    for name in ("roster.csv", "consents.csv"):
        shutil.copy(SAMPLES / name, folder / name)
    for number in photos_of:
        shutil.copytree(SAMPLES / "selfies" / number, folder / "selfies" / number)
    return forget(vault, GONE, "requested", now).id


def pages(receipt: str) -> list[str]:
    return [
        "/", f"/batches/{BATCH}/home", "/people", "/people?q=nobody+at+all", f"/people/{ONE}", f"/people/{TWO}",
        f"/people/{THREE}", f"/people/{GONE}", "/retention", f"/retention/receipts/{receipt}", "/kits", "/drops/new",
        f"/drops/{DROP}", f"/drops/{DROP}/run", "/questions", "/verify", "/service", f"/batches/{BATCH}/deliver",
        f"/batches/{BATCH}/", f"/batches/{BATCH}/blocked.html", f"/batches/{BATCH}/run.html",
        f"/batches/{BATCH}/print.html", f"/batches/{BATCH}/people/{ONE}.html",
    ]  # fmt: skip
