"""A real browser and a real desk for it, as fixtures: pages must fetch nothing from elsewhere and throw nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tasks.vault.settings import Settings

PASSWORD = "correct horse"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# What every module with a browser in it is marked with.
BROWSER = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    """What starts browsers. A second one beside it refuses to start, and while it is there an event loop counts as
    running in this thread, which changes what Prefect does: so each file of tests has its own, and takes it along."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as one:
        yield one


@pytest.fixture(scope="module")
def chromium(driver: Any) -> Iterator[Any]:
    browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    yield browser
    browser.close()


Open = Callable[..., Any]
OPENED: list[Any] = []  # closed before the desk that they look at every second


def close_pages() -> None:
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def browse(chromium: Any) -> Iterator[Open]:
    """Opens pages that must fetch nothing from elsewhere and throw nothing. `may_fail`: where the desk goes away."""
    faults: list[str] = []

    def open_page(address: str, *, may_fail: bool = False, **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        OPENED.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)  # machines that run this are often busy
        allowed = ("file:", "blob:", "data:", "http://127.0.0.1:")
        page.on("request", lambda request: None if request.url.startswith(allowed) else faults.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        if not may_fail:  # the browser itself writes down what it could not reach
            page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.goto(address)
        return page

    yield open_page
    close_pages()
    assert faults == [], faults


@pytest.fixture
def served(settings: Settings) -> Iterator[str]:
    from reports.desk.app import create_desk  # every test's own conftest reads this module first

    app = create_desk(settings)
    ending = {"timeout_graceful_shutdown": 1}  # pages that wait for news are not waited for
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", **ending))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    close_pages()
    server.should_exit = True
    thread.join()
    app.state.vault.close()


def sign_in(page: Any, name: str = "Ada") -> None:
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("text=Sign in")
