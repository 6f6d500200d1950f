"""How soon the desk's first page is there in a company with many large batches, and after every decision.

python -m benchmarks.home --batches 12 --people 2000
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from playwright.sync_api import Page, sync_playwright

from reports.decisions import apply_decisions
from reports.desk.app import create_desk
from tasks.vault.records import Batch, Employee, Headshot, Seat, Showing
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tests.reports.browsing import ARGUMENTS, CHROMIUM, PASSWORD, sign_in

# Of a hundred people of a batch under review.
STATES = ["done"] * 82 + ["flagged"] * 8 + ["blocked"] * 7 + ["failed"] * 3
REASONS = {"blocked": "no_consent", "failed": "training_failed", "flagged": "likeness"}


def fill(vault: Vault, batches: int, people: int, now: datetime) -> None:
    """So many batches, a week apart, each of all the company's people with one picture each; nobody has decided yet."""
    persons = [f"p{number:015x}" for number in range(people)]
    employees = [
        {"id": one, "number": f"{number:06}", "name": f"Person {number}", "updated_at": now}
        for number, one in enumerate(persons)
    ]
    with vault.session() as session:
        session.execute(sa.insert(Employee), employees)
    for age in range(batches):
        _fill_batch(vault, f"b{age:03}", persons, now - timedelta(days=7 * age))


def _fill_batch(vault: Vault, batch: str, persons: list[str], at: datetime) -> None:
    seats, shots, shown = [], [], []
    for number, one in enumerate(persons):
        state = STATES[number % 100]
        seats.append({"batch_id": batch, "employee_id": one, "state": state, "reason": REASONS.get(state)})
        if state in ("done", "flagged"):
            picture = f"{batch}{one}".ljust(64, "0")
            facts = {"kit": "northwind", "kit_digest": "k", "shot": 0, "seed": 1, "created_at": at}
            shots.append({"digest": picture, "employee_id": one, **facts})
            shown.append({"batch_id": batch, "headshot_digest": picture, "employee_id": one, "choice": 1})
    with vault.session() as session:
        session.add(Batch(
            id=batch, order_key=batch, created_at=at, drop="", kit="northwind", quality="standard", base="embedded",
        ))  # fmt: skip
        session.flush()
        for table, rows in ((Seat, seats), (Headshot, shots), (Showing, shown)):
            session.execute(sa.insert(table), rows)


def decide(vault: Vault, person: int, now: datetime) -> None:
    """Somebody approves one person's picture of the newest batch."""
    one = f"p{person:015x}"
    row = {"employee": one, "headshot": f"b000{one}".ljust(64, "0"), "verdict": "approve", "at": now.isoformat()}
    applied = apply_decisions(vault, {"batch": "b000", "decisions": [row]}, "Ada", now)
    assert applied.recorded == 1


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    app = create_desk(settings)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
    app.state.vault.close()


def opened(page: Page, address: str) -> float:
    """Milliseconds from asking for the page to its first painted words."""
    page.goto(address, wait_until="domcontentloaded")
    painted: Any = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    return float(painted or page.evaluate("performance.now()"))


def measure(page: Page, address: str, vault: Vault, times: int, now: datetime) -> Iterator[tuple[str, list[float]]]:
    def again(before: Callable[[int], None]) -> list[float]:
        took = []
        for number in range(times):
            before(number)
            took.append(opened(page, address))
        return took

    yield "asked again", again(lambda _: None)
    yield "after a decision", again(lambda number: decide(vault, number, now + timedelta(seconds=number)))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--batches", type=int, default=12)
    asked.add_argument("--people", type=int, default=2000)
    asked.add_argument("--times", type=int, default=7)
    given = asked.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        settings = Settings(home=Path(place) / "home", desk_password=PASSWORD)
        with open_vault(settings) as vault:
            fill(vault, given.batches, given.people, now)
            browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            with serving(settings) as address:
                page.goto(address)
                began = time.perf_counter()
                sign_in(page)
                page.wait_for_selector("#batches-title")
                first = 1000 * (time.perf_counter() - began)
                print(f"{given.batches} batches of {given.people}: first page of a desk just started {first:.0f} ms")
                for what, took in measure(page, address, vault, given.times, now):
                    print(f"{what}: median {statistics.median(took):.0f} ms (worst {max(took):.0f})")
                size = len(page.content()) / 1024
                wants, shown = page.locator(".want").count(), page.locator(".wants > .want-list > .want").count()
                high = page.evaluate("document.documentElement.scrollHeight")
                print(f"page {size:.0f} KiB, {high} px high, {wants} things wanted, {shown} of them shown at once")
                page.context.close()
            browser.close()


if __name__ == "__main__":
    main()
