"""How long retention of a whole company takes: planning it, expiring everybody's photos, forgetting everybody.

    python -m benchmarks.retention --people 10000

Prints one table. The vault is filled with rows, files and report pages directly (six blobs a person, each with its
intent, its key and the row that describes it; reports of 2,000 people with a wall and a page for everybody), because
making them one by one through the front door would take longer than what is measured. Forgetting everybody at once is
what the limit on wrong rules exists to stop, so that step lifts it by its named flag.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from tasks.retention.forecast import forecast
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
BATCH = 2_000  # people per batch
FILLING = "<p>Likeness 0.93, light 0.2 stops, background 0.4: all within the kit's limits.</p>\n" * 60  # about 5 kB


def fill(vault: Vault, people: int, with_files: bool = True) -> None:
    """A company whose photos came in at NOW, with the rows, files and pages that a batch leaves behind."""
    content = os.urandom(SIZE)
    rows: dict[str, list[dict[str, Any]]] = {}
    keys = []
    for number in range(people):
        person = f"p{number:015x}"
        for table, row in rows_of(person, number):
            rows.setdefault(table, []).append(row)
        keys += [{"employee_id": person, "kind": kind, "wrapped": os.urandom(60)} for kind, _ in BLOBS]
        for kind, count in BLOBS if with_files else ():
            folder = vault.settings.home / "blobs" / "people" / person / kind
            folder.mkdir(parents=True)
            for place in range(count):
                (folder / f"{place}.bin").write_bytes(content)
    rows["batch"] = [
        {"id": f"b{number}", "order_key": f"b{number}", "version": 1, "lease_holder": "", "lease_process": "",
         "created_at": NOW, "drop": "/in", "kit": "k", "quality": "draft", "base": "embedded",
         "state": "done", "facts": {}, "problems": [{"code": "bad_email", "row": 7}] * 20}
        for number in range(people // BATCH + 1)
    ]  # fmt: skip
    with vault.engine.begin() as connection:
        for name, some in rows.items():
            connection.execute(sa.insert(SQLModel.metadata.tables[name]), some)
    with vault.keys.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO wrapped_key (employee_id, kind, wrapped) VALUES (:employee_id, :kind, :wrapped)"), keys
        )
    for start in range(0, people, BATCH) if with_files else ():
        write_report(vault.settings.reports / f"b{start // BATCH}", range(start, min(start + BATCH, people)))


def rows_of(person: str, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything the records hold about one person, as (table, row)."""
    name, batch = f"Person Number {number}", f"b{number // BATCH}"
    yield "employee", {"id": person, "number": f"E-{number:07}", "name": name, "department": f"D{number % 40}",
                       "email": f"person{number}@company.example", "title": "", "status": "active", "glasses": "keep",
                       "identity": 0,
                       "generation": True, "state": "active", "epoch": 0, "updated_at": NOW}  # fmt: skip
    yield "consent", {"id": f"c{number}", "employee_id": person, "purpose": "headshot", "text_version": "1",
                      "given_at": NOW, "source": "register"}  # fmt: skip
    yield "seat", {"batch_id": batch, "employee_id": person, "state": "done", "findings": [{"code": "dark"}] * 3,
                   "standing": [], "wishes": {}, "row": 0, "kit": "", "lane": "generated", "accepted": 3, "few": True,
                   "round": 0, "chances": 0, "cohort": number // 16, "position": number}  # fmt: skip
    mine = {"employee_id": person, "created_at": NOW}
    for kind, count in BLOBS:
        for place in range(count):
            key, digest = f"people/{person}/{kind}/{place}.bin", f"{kind}{number}-{place}"
            yield "artifact", {"key": key, "kind": kind, "epoch": 0, **mine}
            if kind == "selfies":
                yield "selfie", {"id": digest, "digest": digest, "blob_key": key, "width": 800, "height": 1000,
                                 "accepted": True, "findings": [], "order": place, **mine}  # fmt: skip
            elif kind == "adapter":
                yield "adapter", {"digest": digest, "base": "embedded", "base_fingerprint": "f", "plan": {"steps": 90},
                                  "blob_key": key, "steps": 90, "photos": 3, "few_photos": True, "seconds": 9.0,
                                  **mine}  # fmt: skip
            else:
                yield "showing", {"batch_id": batch, "headshot_digest": digest, "employee_id": person, "why": "",
                                  "retired": False}  # fmt: skip
                yield "headshot", {"digest": digest, "kit": "k", "kit_digest": "d", "shot": place, "round": 0,
                                   "seed": place, "lane": "generated", "original_key": "", "finished_key": key,
                                   "thumb_key": "", "scores": {"measures": {"halo": 0.9}}, "flags": [],
                                   "state": "candidate", **mine}  # fmt: skip


def write_report(folder: Path, numbers: range) -> None:
    """A wall of everybody, and for each person a page that names its neighbours, with two pictures."""
    (folder / "people").mkdir(parents=True)
    people = [(f"p{number:015x}", f"Person Number {number}") for number in numbers]
    cards = "".join(f'<li id="{one}"><a href="people/{one}.html"><b>{name}</b></a></li>\n' for one, name in people)
    data = json.dumps({"people": [{"id": one, "name": name} for one, name in people]})
    script = f'<script type="application/json">{data}</script>'
    (folder / "index.html").write_text(f"<!doctype html><main><ul>{cards}</ul></main>{script}")
    for place, (one, name) in enumerate(people):
        (folder / "people" / one).mkdir()
        for picture in ("h.webp", "s.webp"):
            (folder / "people" / one / picture).write_bytes(b"RIFF" * 1000)
        after = people[(place + 1) % len(people)]
        link = f'<nav><a href="{after[0]}.html">{after[1]}</a></nav>'
        (folder / "people" / f"{one}.html").write_text(f"<!doctype html><h1>{name}</h1>{link}{FILLING}")


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
    forget_some(settings, watch, "forget one in a hundred", col(Consent.id).like("%00"), timedelta(days=32))
    forget_some(settings, watch, "forget everybody else", sa.true(), timedelta(days=33))
    watch.start()
    receipts = run_retention(settings, NOW + timedelta(days=34))
    final = sum(1 for receipt in receipts if receipt.state == "final")
    watch.stop("look again, final receipts", f"{final} final")
    return watch.lines


def forget_some(settings: Settings, watch: Stopwatch, what: str, whom: sa.ColumnElement[bool], at: timedelta) -> None:
    """These people have taken their consent back, and have waited as long as the rules ask: this sweep forgets them."""
    said = NOW + at - load_rules().keep.after_withdrawal
    with open_vault(settings) as vault, vault.session() as session:
        standing = col(Consent.withdrawn_at).is_(None)
        session.execute(sa.update(Consent).where(whom, standing).values(withdrawn_at=said))
    with open_vault(settings) as vault:
        meant = forecast(vault, NOW + at).stops_for
    watch.start()
    receipts = run_retention(settings, NOW + at, mass_deletion=meant)
    mine = [receipt for receipt in receipts if receipt.state != "final"]
    blocked = sum(1 for receipt in receipts if receipt.state == "blocked")
    watch.stop(what, f"{len(mine)} receipts, {blocked} blocked")


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
