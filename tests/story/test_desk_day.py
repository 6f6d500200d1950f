"""HR's day in a real browser, at one address: from the upload to forgotten, without leaving the desk."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.browsing import BROWSER

pytestmark = [mark for mark in BROWSER if mark.name != "timeout"] + [pytest.mark.timeout(1500)]

PASSWORD = "an office full of people"
PATIENCE_MS = 400_000  # two people on a busy machine


@pytest.fixture(scope="module")
def service(start_up: Any, bases: Any, kits: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("day") / "home"
    given = {"ROLLCALL_BASES": str(bases), "ROLLCALL_KITS": str(kits), "ROLLCALL_DESK_PASSWORD": PASSWORD}
    with start_up(home, **given, ROLLCALL_PRICE_PER_HOUR="60", OMP_NUM_THREADS="2") as one:
        yield one


def packed(company: Any, folder: Path) -> Path:
    """The company's photos as HR sends them: one archive."""
    photos = company.drop / "selfies"
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for path in sorted(photos.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(photos))
    return folder / "photos.zip"


def test_from_the_upload_to_forgotten_without_leaving_the_desk(
    service: Any, company: Any, browse: Any, tmp_path: Path
) -> None:
    desk = f"http://127.0.0.1:{service.port + 1}"
    page = browse(desk, accept_downloads=True)
    page.set_default_timeout(PATIENCE_MS)
    addresses: list[str] = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    page.fill("[name=name]", "Hannah Weber")
    page.fill("[name=password]", PASSWORD)
    page.click("text=Sign in")

    # Upload and check.
    page.click("a:has-text('Upload a roster and photos') >> nth=0")
    page.set_input_files("[name=roster]", str(company.drop / "roster.csv"))
    page.set_input_files("[name=consents]", str(company.drop / "consents.csv"))
    page.set_input_files("[name=photos] >> nth=1", str(packed(company, tmp_path)))
    page.click("text=Upload and check")
    page.wait_for_selector("h1:has-text('2 of 4 people are ready')")

    # Run: a kit by its picture, a quality with its price, who is in and who is not.
    page.click("text=Continue to the run")
    assert page.locator("text=2 need something first").is_visible()
    page.check("[name=kit][value=harbour]")
    page.check("[name=quality][value=draft]")
    assert page.locator(".choice:has([value=draft]) .cost").text_content().count("EUR") == 1
    page.click("button:has-text('Start')")
    page.wait_for_selector(".run-card progress")
    page.wait_for_selector("text=/[12] of 2 people have pictures/")
    page.wait_for_selector("text=2 people wait for your eye.")
    page.wait_for_selector(".run-card", state="detached")

    # Review: one is approved, for the other new pictures are asked for.
    page.click(".do:has-text('Review')")
    page.wait_for_selector("#wall .card")
    page.select_option("#sort", "likeness")
    page.locator("#sort").blur()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_selector("#sync:text-is('Saved')")
    approved = page.locator("#wall .card:has(.chip:text-is('Approved')) .name").text_content()

    # Deliver: files for a directory, as a ZIP in the browser.
    page.goto(f"{desk}/")
    page.click(".batch-card >> text=About this batch")
    page.click(".do:has-text('Deliver')")
    page.check("[name=pack] >> nth=0")
    page.click("text=Make the ZIP")
    with page.expect_download() as waiting:
        page.click("text=Download the ZIP")
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.testzip() is None
        assert "manifest.csv" in archive.namelist()

    # Forget: found by name, asked once more, and a receipt at the end.
    page.click(".desk-tabs >> text=People")
    page.fill("#q", approved)
    page.click("button:has-text('Find')")
    page.click(f"table >> text={approved}")
    number = page.locator(".hero .lead").text_content().split(" · ")[0].strip()
    page.click("text=Forget them now")
    page.fill("[name=confirm]", number)
    page.click("button:has-text('Forget now')")
    page.wait_for_selector("h1:text-is('A forgotten person')")
    page.click("text=/Receipt e/")
    assert page.locator("h1").text_content().startswith("Erased")
    page.click(".desk-tabs >> text=People")
    page.fill("#q", approved)
    page.click("button:has-text('Find')")
    page.wait_for_selector("text=Nobody fits")

    assert {address.split("/")[2] for address in addresses if address.startswith("http")} == {desk.split("/")[2]}
    written = b"".join(path.read_bytes() for path in (service.home / "prefect").rglob("*") if path.is_file())
    assert [secret for secret in {*company.secrets(), "Hannah Weber"} if secret.encode() in written] == []
