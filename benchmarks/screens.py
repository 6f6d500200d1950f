"""Draws the desk's pages as pictures, of a company that never was: those in docs/, or every page at three widths.

python -m benchmarks.screens docs                       # the pictures of the README
python -m benchmarks.screens FOLDER --widths 390 820 1440
"""

from __future__ import annotations

import argparse
import io
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from reports.desk.app import create_desk
from reports.labels import name_batch
from reports.site_of_batch import rewrite_report
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tests.reports.browsing import ARGUMENTS, CHROMIUM, PASSWORD, sign_in
from tests.reports.conftest import NOON, company, fill_vault
from tests.reports.eventful import BATCH, DROP, ONE, TWO, happen, pages
from tests.reports.prefect_stand_in import Prefect

LATER = NOON + timedelta(hours=1)
IN_DOCS = {
    "desk-home": "/", "desk-run": f"/drops/{DROP}/run", "desk-retention": "/retention", "desk-person": f"/people/{TWO}",
}  # fmt: skip
IN_DOCS_AT, IN_DOCS_SCALE = (1180, 1110), 0.8  # a desk's window, and how it is made smaller
COLOURS = 128  # enough for flat pages, and a quarter of the bytes


@contextmanager
def desk(home: Path) -> Iterator[tuple[str, str]]:
    """A desk at which a day has gone by: (its address, the id of a receipt)."""
    settings = Settings(
        home=home, desk_password=PASSWORD, machine_login="rollcall:" + "x" * 22, price_per_hour=40, yes_above=10
    )
    with open_vault(settings) as vault:
        fill_vault(vault, company(24))
        rewrite_report(vault, BATCH, now=NOON)
        receipt = happen(settings, vault, ("NW-1001", "NW-1004"))
        name_batch(vault, BATCH, "Autumn joiners, Berlin", "Hannah Weber", LATER)
    prefect = Prefect(NOON + timedelta(minutes=40))
    prefect.bar = 62.0
    prefect.run(batch=BATCH, drop="drop")
    app = create_desk(settings, clock=lambda: LATER)
    app.state.runs.transport = httpx.MockTransport(prefect.answer)
    app.state.runs.clock = count(step=10).__next__
    ending = {"timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", **ending))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", receipt
    server.should_exit = True
    thread.join()
    app.state.vault.close()


def opened(browser: Browser, address: str, width: int | None) -> Page:
    """A signed-in page of this width; None for the docs."""
    wide, high = IN_DOCS_AT if width is None else (width, 888)
    scale = IN_DOCS_SCALE if width is None else 1.0
    page = browser.new_context(
        viewport={"width": wide, "height": high}, device_scale_factor=scale, has_touch=wide < 500
    ).new_page()  # fmt: skip
    page.set_default_timeout(240_000)
    page.goto(address)
    sign_in(page, "Hannah Weber")
    return page


def draw(page: Page, address: str, file: Path, *, whole: bool) -> None:
    """The page as a small picture; an upload's check is waited for."""
    page.goto(address)
    page.wait_for_selector("h1")
    if address.endswith(DROP):
        page.wait_for_selector("text=Table to send back")
    shot = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file} {file.stat().st_size // 1024} KiB")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--widths", type=int, nargs="+", default=[])
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver, desk(Path(place) / "home") as served:
        address, receipt = served
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        for width in given.widths or [None]:
            page = opened(browser, address, width)
            page.goto(f"{address}/drops/{DROP}")  # checked before anything else asks for it
            page.wait_for_selector("text=Table to send back")
            if given.widths:
                paths = {path.strip("/").replace("/", "-").replace("?", "-") or "home": path for path in pages(receipt)}
                paths |= {"service": "/service", "wall-person": f"/batches/{BATCH}/people/{ONE}.html"}
            else:
                paths = IN_DOCS
            for name, path in paths.items():
                file = given.folder / f"{name}{f'-{width}' if given.widths else ''}.png"
                draw(page, address + path, file, whole=bool(given.widths))
            page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
