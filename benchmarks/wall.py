"""How soon the wall of a whole company is there in Chromium, and how long approving all of it at once takes.

python -m benchmarks.wall --people 2000
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from reports.site import write_site
from tests.reports.browsing import ARGUMENTS, CHROMIUM
from tests.reports.conftest import company

# The moment at which the first person's picture has been painted, in milliseconds from the start of the navigation.
PAINTED = """() => new Promise((done) => {
  const picture = document.querySelector("#wall .card img");
  const tell = () => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  if (picture.complete && picture.naturalWidth) tell(); else picture.addEventListener("load", tell, { once: true });
})"""
LARGEST = """() => new Promise((done) => new PerformanceObserver((list) => {
  const pictures = list.getEntries().filter((one) => one.url);
  if (pictures.length) done(pictures[0].startTime);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""


def opened(browser: Browser, address: str, times: int) -> tuple[list[float], list[float]]:
    """First picture painted by two measures: the browser's own first large picture, and two frames after its load."""
    own, frames = [], []
    for _ in range(times):
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(address, wait_until="commit")
        page.wait_for_selector("#wall .card img", state="attached")
        frames.append(float(page.evaluate(PAINTED)))
        own.append(float(page.evaluate(LARGEST)))
        page.context.close()
    return own, frames


def approve_all(browser: Browser, address: str) -> tuple[int, float]:
    """(how many, milliseconds) from the press to the page saying that all are approved."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.wait_for_selector("#choose-clear:visible")
    page.keyboard.press("c")
    began = time.perf_counter()
    page.keyboard.press("y")
    page.wait_for_function("() => document.querySelector('#toast').textContent.startsWith('Approved')")
    took = 1000 * (time.perf_counter() - began)
    said = page.evaluate(
        "() => JSON.parse(Object.entries(localStorage).find(([k]) => k.endsWith('decisions'))[1]).length"
    )
    page.context.close()
    return int(said), took


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=2000)
    asked.add_argument("--times", type=int, default=7)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        began = time.perf_counter()
        first = write_site(company(given.people, candidates=1, photos=1), Path(place) / "site")
        written = time.perf_counter() - began
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        own, frames = opened(browser, first.as_uri(), given.times)
        number, took = approve_all(browser, first.as_uri())
        browser.close()
        print(
            f"{given.people} people: site written in {written:.1f} s; index.html {first.stat().st_size / 2**20:.2f} MiB"
        )
        print(
            f"first picture painted: median {statistics.median(own):.0f} ms (best {min(own):.0f}, worst {max(own):.0f})"
        )
        print(f"  two frames after it was loaded: median {statistics.median(frames):.0f} ms")
        print(f"{number} people approved with one press: {took:.0f} ms until the page says so")


if __name__ == "__main__":
    main()
