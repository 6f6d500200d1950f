"""Every page of the desk in a real browser, at three widths: nothing that axe objects to, nothing cut or too small.

And what a script does: the first page changes when the records do, nobody's typing is taken away, and without scripts
everything is there too.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reports.decisions import apply_decisions
from reports.site import write_site
from tasks.roster.open_drop import upload_in
from tasks.vault.records import SignIn
from tasks.vault.store import Vault
from tests.reports.browsing import BROWSER, Open, sign_in
from tests.reports.conftest import NOON, company, digest
from tests.reports.eventful import BATCH, DROP, ONE, THREE, eventful, pages

__all__ = ["eventful"]  # a fixture

pytestmark = BROWSER


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


def test_a_double_click_is_one_press_and_its_answer_is_the_first_ones(browse: Open, served: str, vault: Vault) -> None:
    page = browse(f"{served}/people/{ONE}")
    sign_in(page)
    page.goto(f"{served}/people/{ONE}")
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.locator("form[action$='/hold'] select").select_option("court")
    page.locator("form[action$='/hold'] button").dblclick()
    page.wait_for_selector("form[action$='/end-hold']")
    page.locator("form[action$='/end-hold'] button").dblclick()
    page.wait_for_selector("form[action$='/hold']", state="attached")
    assert [address.rsplit("/", 1)[1] for address in asked] == ["hold", "end-hold"]


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


def test_a_wall_that_somebody_left_is_whole(browse: Open, served: str, eventful: str) -> None:
    """Forgetting takes somebody out of the page that lies there: nobody is waited for on it then."""
    page = browse(served)
    sign_in(page)
    page.goto(f"{served}/batches/{BATCH}/")
    page.wait_for_selector("#wall .card .chip:not(:empty)")
    assert page.locator("#wall .card").count() == 8
    assert page.locator("#toast").is_hidden()
    assert eventful


def test_a_wall_one_of_whose_pieces_is_not_there_says_so(
    browse: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.site.PIECE", 4)
    first = write_site(company(6), tmp_path)
    page = browse(first.as_uri(), may_fail=True)
    page.wait_for_selector("#wall .card .chip:not(:empty)")
    assert page.locator("#toast").is_hidden()
    next(iter(sorted((tmp_path / "wall").glob("1.*.js")))).unlink()
    page.reload()
    page.wait_for_selector("text=Not everybody has arrived on this page")


def test_an_upload_outlives_the_session_that_it_was_begun_in(
    browse: Open, served: str, vault: Vault, northwind: Path
) -> None:
    """A laptop that was closed over night: signing in elsewhere is enough, nothing is chosen or sent again."""
    page = browse(f"{served}/drops/new", may_fail=True)
    sign_in(page)
    page.goto(f"{served}/drops/new")
    photos = sorted((northwind / "selfies" / "NW-1001").glob("*.jpg"))[:4]
    page.set_input_files("[name=roster]", str(northwind / "roster.csv"))
    page.set_input_files("[name=photos] >> nth=1", [str(photo) for photo in photos])
    sent: list[str] = []

    def goes_out(route: Any) -> None:
        if route.request.method == "POST":
            sent.append(route.request.url)
            if len(sent) == 2:
                with vault.session() as session:
                    session.execute(sa.delete(SignIn))
        route.continue_()

    page.route("**/parts?*", goes_out)
    page.click("button.solid")
    page.wait_for_selector("[role=status] a[href='/login']")
    assert "goes on here by itself" in page.inner_text("[role=status]")
    with page.context.expect_page() as opened:
        page.click("[role=status] a[href='/login']")
    sign_in(opened.value, "Grace")
    page.wait_for_url("**/drops/*-*")
    kept = [folder for folder in vault.settings.uploads.iterdir() if not folder.name.startswith(".")]
    assert len(kept) == 1
    names = upload_in(kept[0], vault).sealed_files()
    assert sorted(name.rsplit("/", 1)[1] for name in names if name.endswith(".jpg")) == [one.name for one in photos]
