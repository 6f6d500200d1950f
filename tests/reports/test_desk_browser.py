"""Every page of the desk in a real browser, at three widths: nothing that axe objects to, nothing cut or too small.

And what a script does: the first page changes when the records do, nobody's typing is taken away, and without scripts
everything is there too.
"""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.decisions import apply_decisions
from reports.site_of_batch import rewrite_report
from tasks.retention.erase import forget
from tasks.retention.holds import hold_person
from tasks.roster.by_hand import Noted, record_withdrawal
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.browsing import BROWSER, Open, sign_in
from tests.reports.conftest import NOON, digest

BATCH, DROP = "b20261123a", "20260914-0123456789"
ONE, TWO, THREE, GONE = (f"p{number:015x}" for number in (1, 2, 3, 4))
SAMPLES = Path(__file__).parents[2] / "samples" / "northwind"

pytestmark = BROWSER


@pytest.fixture
def eventful(settings: Settings, vault: Vault) -> str:
    """A home in which everything has happened once; the id of a receipt."""
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
    return forget(vault, GONE, "requested", now).id


def pages(receipt: str) -> list[str]:
    return [
        "/", f"/batches/{BATCH}/home", "/people", "/people?q=nobody+at+all", f"/people/{ONE}", f"/people/{TWO}",
        f"/people/{THREE}", f"/people/{GONE}", "/retention", f"/retention/receipts/{receipt}", "/kits", "/drops/new",
        f"/drops/{DROP}", f"/drops/{DROP}/run", "/questions", "/verify", f"/batches/{BATCH}/deliver",
        f"/batches/{BATCH}/", f"/batches/{BATCH}/blocked.html", f"/batches/{BATCH}/run.html",
        f"/batches/{BATCH}/print.html", f"/batches/{BATCH}/people/{ONE}.html",
    ]  # fmt: skip


SMALL = """least => [...document.querySelectorAll("main button, main .solid, main .quiet, main .do")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width && box.height < least && !one.closest(".acts, .strip, .segments") && !one.matches(".icon");
}).map(one => one.outerHTML.slice(0, 90))"""


def faults(page: Any, phone: bool) -> list[str]:
    """What is wrong with this page: axe's violations of any weight, what is cut, and what is too small to touch."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    said = [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:140]}" for one in found]
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if over > 0:
        said.append(f"{over} px wider than the screen")
    return said + [f"too small: {one}" for one in page.evaluate(SMALL, 43 if phone else 24)]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (820, "dark"), (1440, "light")])
def test_every_page_is_right_at_every_width(browse: Open, served: str, eventful: str, width: int, scheme: str) -> None:
    phone = width == 390
    page = browse(
        served, color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 844}, has_touch=phone
    )
    found = {"/login": faults(page, phone)}
    sign_in(page)
    page.goto(f"{served}/drops/{DROP}")
    page.wait_for_selector("text=Table to send back")
    for path in pages(eventful):
        page.goto(served + path)
        page.wait_for_selector("h1")
        page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
        found[path] = faults(page, phone)
    assert {path: said for path, said in found.items() if said} == {}


def test_the_first_page_changes_when_the_records_do(browse: Open, served: str, vault: Vault) -> None:
    page = browse(served)
    sign_in(page)
    assert page.locator("text=waits for new pictures").count() == 0
    now = NOON + timedelta(hours=1)
    row = {"employee": ONE, "headshot": digest("headshot", 1, 0), "verdict": "redo", "at": now.isoformat()}
    apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Ada", now)
    page.wait_for_selector("text=1 person waits for new pictures")
    assert page.evaluate("document.querySelectorAll('#wants-title').length") == 1


def test_everything_is_there_without_scripts(browse: Open, served: str, eventful: str) -> None:
    page = browse(served, java_script_enabled=False)
    sign_in(page)
    page.click("text=About this batch")
    page.fill("[name=name]", "Berlin, autumn")
    page.click("text=Keep this name")
    assert page.locator("h1").text_content() == "Berlin, autumn"
    page.click(".desk-tabs >> text=People")
    page.fill("#q", "no such person")
    page.click("text=Find >> nth=-1")
    assert page.locator("text=Nobody fits").is_visible()
    page.goto(f"{served}/people/{THREE}")
    page.click("text=End the hold")
    assert page.locator("text=Held").count() == 0
    page.goto(f"{served}/retention/receipts/{eventful}")
    with page.expect_download() as waiting:
        page.click("text=PDF")
    assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF")
