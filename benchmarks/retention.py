"""How long retention of a whole company takes: planning it, expiring everybody's photos, forgetting everybody.

    python -m benchmarks.retention --people 10000

Prints one table. The vault is filled with rows and files directly (six blobs a person, each with its intent and its
key), because writing them one by one through the front door would take longer than what is measured.
"""

import argparse
import os
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


def fill(vault: Vault, people: int) -> None:
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
            folder.mkdir(parents=True)
            for place in range(count):
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


def measure(people: int, home: Path) -> list[tuple[str, float, str]]:
    """(what, seconds, note) for each step."""
    settings = Settings(home=home)
    rules = load_rules()
    results = []
    with open_vault(settings) as vault:
        fill(vault, people)
        begun = time.perf_counter()
        found = take_inventory(vault)
        plan = plan_deletions(found.items, found.people, rules, NOW + timedelta(days=31))
        results.append(("plan", time.perf_counter() - begun, f"{len(plan.delete)} of {len(found.items)} items due"))
    begun = time.perf_counter()
    receipts = run_retention(settings, NOW + timedelta(days=31))
    results.append(("expire everybody's photos", time.perf_counter() - begun, f"{len(receipts)} receipts"))
    with open_vault(settings) as vault, vault.session() as session:
        session.execute(sa.update(Consent).values(withdrawn_at=NOW + timedelta(days=32)))
    begun = time.perf_counter()
    receipts = run_retention(settings, NOW + timedelta(days=33), allow_mass_deletion=True)
    blocked = sum(1 for receipt in receipts if receipt.state == "blocked")
    results.append(("forget everybody", time.perf_counter() - begun, f"{len(receipts)} receipts, {blocked} blocked"))
    begun = time.perf_counter()
    receipts = run_retention(settings, NOW + timedelta(days=34))
    final = sum(1 for receipt in receipts if receipt.state == "final")
    results.append(("look again, final receipts", time.perf_counter() - begun, f"{final} final"))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        results = measure(people, Path(folder) / "home")
    print(f"| retention of {people:,} people | seconds | per person, ms | |\n|---|---:|---:|---|")
    for what, seconds, note in results:
        print(f"| {what} | {seconds:.1f} | {1000 * seconds / people:.2f} | {note} |")


if __name__ == "__main__":
    main()
