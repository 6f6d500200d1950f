"""How long retention of a whole company takes: planning it, expiring everybody's photos, forgetting everybody.

    python -m benchmarks.retention --people 10000

Prints one table. The vault is filled with rows and files directly (six blobs a person, each with its intent and its
key), because writing them one by one through the front door would take longer than what is measured.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import SQLModel

from tasks.retention.inventory import take_inventory
from tasks.retention.plan import plan_deletions
from tasks.retention.rules import load_rules
from tasks.retention.sweep import run_retention
from tasks.vault.records import Consent
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 2, 3, 30, tzinfo=UTC)
BLOBS = (("selfies", 3), ("adapter", 1), ("headshots", 2))
SIZE = 20_000  # bytes per blob


def fill(vault: Vault, people: int, with_files: bool = True) -> None:
    """A company whose photos came in at NOW."""
    content = os.urandom(SIZE)
    tables = SQLModel.metadata.tables
    employees, consents, artifacts, keys = [], [], [], []
    for number in range(people):
        person = f"p{number:015x}"
        employees.append({"id": person, "number": f"E-{number:07}", "name": f"Person Number {number}",
                          "email": f"person{number}@company.example", "department": f"D{number % 40}", "title": "",
                          "status": "active", "glasses": "keep", "generation": True, "state": "active", "epoch": 0,
                          "updated_at": NOW})  # fmt: skip
        consents.append({"id": f"c{number}", "employee_id": person, "purpose": "headshot", "text_version": "1",
                         "given_at": NOW, "source": "register"})  # fmt: skip
        for kind, count in BLOBS:
            keys.append({"employee_id": person, "kind": kind, "wrapped": os.urandom(60)})
            folder = vault.settings.home / "blobs" / "people" / person / kind
            if with_files:
                folder.mkdir(parents=True)
            for place in range(count):
                if with_files:
                    (folder / f"{place}.bin").write_bytes(content)
                artifacts.append({"key": f"people/{person}/{kind}/{place}.bin", "employee_id": person, "kind": kind,
                                  "epoch": 0, "created_at": NOW})  # fmt: skip
    with vault.engine.begin() as connection:
        for name, rows in (("employee", employees), ("consent", consents), ("artifact", artifacts)):
            connection.execute(sa.insert(tables[name]), rows)
    with vault.keys.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO wrapped_key (employee_id, kind, wrapped) VALUES (:employee_id, :kind, :wrapped)"), keys
        )


class Stopwatch:
    """Wall and processor seconds of each step; on a busy machine they differ, and the second is what the work costs."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, float, float, str]] = []
        self.start()

    def start(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, what: str, note: str) -> None:
        self.lines.append((what, time.perf_counter() - self._wall, time.process_time() - self._cpu, note))
        print(f"  {what}: done", file=sys.stderr)


def measure(people: int, home: Path, plan_only: bool) -> list[tuple[str, float, float, str]]:
    """(what, wall seconds, processor seconds, note) for each step."""
    settings = Settings(home=home)
    rules = load_rules()
    watch = Stopwatch()
    with open_vault(settings) as vault:
        fill(vault, people, with_files=not plan_only)
        watch.start()
        found = take_inventory(vault)
        plan = plan_deletions(found.items, found.people, rules, NOW + timedelta(days=31))
        watch.stop("plan", f"{len(plan.delete)} of {len(found.items)} items due")
    if plan_only:
        return watch.lines
    watch.start()
    receipts = run_retention(settings, NOW + timedelta(days=31))
    watch.stop("expire everybody's photos", f"{len(receipts)} receipts")
    with open_vault(settings) as vault, vault.session() as session:
        session.execute(sa.update(Consent).values(withdrawn_at=NOW + timedelta(days=32)))
    watch.start()
    receipts = run_retention(settings, NOW + timedelta(days=33), allow_mass_deletion=True)
    blocked = sum(1 for receipt in receipts if receipt.state == "blocked")
    watch.stop("forget everybody", f"{len(receipts)} receipts, {blocked} blocked")
    watch.start()
    receipts = run_retention(settings, NOW + timedelta(days=34))
    final = sum(1 for receipt in receipts if receipt.state == "final")
    watch.stop("look again, final receipts", f"{final} final")
    return watch.lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--plan-only", action="store_true", help="measure the planning alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(given.people, Path(folder) / "home", given.plan_only)
    print(f"| retention of {given.people:,} people | seconds | of processor | per person, ms | |")
    print("|---|---:|---:|---:|---|")
    for what, wall, cpu, note in results:
        print(f"| {what} | {wall:.1f} | {cpu:.1f} | {1000 * cpu / given.people:.2f} | {note} |")


if __name__ == "__main__":
    main()
