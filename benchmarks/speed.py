"""How long a batch takes where nothing is learned, beside an older commit in one run; and a company's first report.

    rollcall demo --home LEARNED                                           # once: a home in which faces are learned
    python -m benchmarks.speed --commit 8dbc156 --home LEARNED             # a change of kit, old and new in turn
    python -m benchmarks.speed --report 672                                # the first report of so many people

The older commit is checked out into a worktree of its own, and both run the same command on copies of the same home.
Seconds are by the clock, from the command's start to its end with everything that it starts, and in brackets those of
processors. Pictures are compared by their bytes in the store: drawn, and finished. The report is written once of the
copies that are made when photos come in, and once as before there were any: from the pictures themselves.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from sqlmodel import col, select

from reports.site_of_batch import rewrite_report
from tasks.headshots.kit import kit_digest, load_kit
from tasks.vault.batches import Order, open_batch
from tasks.vault.page_sizes import large_picture, small_photo, thumb_name
from tasks.vault.records import Artifact, Consent, Employee, Headshot, Seat, Selfie, Showing
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.images import encode
from tasks.vision.small import LARGE, SELFIE, THUMB, small

ROOT = Path(__file__).resolve().parents[1]
GOAL = 0.5  # of the older commit's wall time
REPORT_GOAL_S = 15.0
# Run under each commit's own code: what its batch came to, by picture.
_PICTURES = """
import hashlib, json
from datetime import UTC, datetime
from sqlmodel import select
from tasks.vault.records import Headshot
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
found = {}
with open_vault(load_settings()) as vault, vault.reading() as session:
    for row in session.exec(select(Headshot)):
        leave = vault.permit(row.employee_id, now=datetime.now(UTC))
        keys = [key for key in (row.original_key, row.finished_key) if key]
        found[row.digest] = [hashlib.sha256(vault.read(leave, key)).hexdigest() for key in keys] + sorted(row.flags)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Timed:
    """One run: seconds by the clock and of processors, and its pictures."""

    wall: float
    processor: float
    pictures: dict[str, list[str]]


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """The repository at this commit, in a worktree that is removed at the end."""
    tree = folder / "old"
    subprocess.run(["git", "worktree", "add", "--detach", str(tree), commit], cwd=ROOT, check=True, capture_output=True)
    try:
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True, capture_output=True)


def run_demo(tree: Path, learned: Path, kit: str, people: int, folder: Path) -> Timed:
    """The demo of this tree under this kit, on a copy of the home in which everybody is learned already."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(learned, home, ignore=shutil.ignore_patterns("prefect", "reports"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "PREFECT_"))}
    environment |= {"ROLLCALL_HOME": str(home), "PYTHONPATH": str(tree)}
    upgrade = [sys.executable, "-m", "flows.cli", "upgrade", "--yes"]  # not timed: it happens once
    subprocess.run(upgrade, cwd=tree, env=environment, capture_output=True, check=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "flows.cli", "demo", "--kit", kit, "--people", str(people)]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    asked = [sys.executable, "-c", _PICTURES]
    told = subprocess.run(asked, cwd=tree, env=environment, capture_output=True, text=True, check=True)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(wall, spent, json.loads(told.stdout))


def compare(chosen: argparse.Namespace) -> None:
    """Old and new in turn, `rounds` times."""
    old: list[Timed] = []
    new: list[Timed] = []
    with tempfile.TemporaryDirectory() as place, checked_out(chosen.commit, Path(place)) as tree:
        for turn in range(chosen.rounds):
            for name, where, into in (("old", tree, old), ("new", ROOT, new)):
                into.append(run_demo(where, chosen.home.absolute(), chosen.kit, chosen.people, Path(place)))
                print(f"round {turn + 1}, {name}: {into[-1].wall:.0f} s ({into[-1].processor:.0f} s)", flush=True)
    walls = [statistics.median(one.wall for one in runs) for runs in (old, new)]
    spent = [statistics.median(one.processor for one in runs) for runs in (old, new)]
    first, second = old[0].pictures, new[0].pictures
    same = [digest for digest in first if first[digest][:2] == second.get(digest, [])[:2]]
    flags = [digest for digest in first if digest in second and first[digest][2:] != second[digest][2:]]
    print(f"\n| {chosen.people} people, {chosen.kit}, nothing learned | {chosen.commit} | now | ratio | goal |")
    print("|---|---|---|---|---|")
    print(f"| wall time | {walls[0]:.0f} s | {walls[1]:.0f} s | {walls[1] / walls[0]:.2f} | {GOAL} |")
    print(f"| processors | {spent[0]:.0f} s | {spent[1]:.0f} s | {spent[1] / spent[0]:.2f} | |")
    print(f"| pictures to the byte | {len(first)} | {len(second)} | {len(same)} alike | |")
    print(f"| other flags | | {len(flags)} | | 0 |")


def fill(vault: Vault, people: int) -> str:
    """A batch of made-up people: three photos each, every other one with a picture, all with their small copies."""
    now, kit = datetime.now(UTC), load_kit("northwind", vault.settings.kits)
    batch = open_batch(vault, Order("/drop", "northwind", "draft", "embedded"), now)
    paths = sorted((ROOT / "samples" / "northwind" / "selfies").glob("*/*.jpg"))[::20]
    photos = [path.read_bytes() for path in paths]
    opened = [np.asarray(Image.open(io.BytesIO(photo)).convert("RGB")) for photo in photos]
    copies = [small(picture, SELFIE) for picture in opened]
    finished = [np.asarray(Image.fromarray(one).resize((kit.framing.width, kit.framing.height))) for one in opened]
    shots = [(encode(one, "jpeg", 93), small(one, THUMB), small(one, LARGE)) for one in finished]
    for place in range(people):
        owner = f"p{place:015x}"
        with vault.session() as session:
            session.add(Employee(id=owner, number=f"N{place}", name=f"Person {place}", updated_at=now))
            session.add(Consent(id=f"c{owner}", employee_id=owner, given_at=now))
            session.add(Seat(batch_id=batch, employee_id=owner, state="done", position=place, cohort=place // 16))
        permit = vault.permit(owner, now=now)
        rows: list[Selfie | Headshot | Showing] = []
        for shot in range(3):
            digest, which = f"{place:030x}{shot:02x}", (place + shot) % len(photos)
            key = vault.write(permit, "selfies", f"{digest}.jpg", photos[which], now=now)
            vault.write(permit, "selfies", small_photo(key).rpartition("/")[2], copies[which], now=now)
            rows.append(Selfie(id=f"s{digest}", employee_id=owner, digest=digest, blob_key=key, width=800, height=1000,
                               order=shot, created_at=now))  # fmt: skip
        if place % 2 == 0:
            digest, (file, thumb, large) = f"{place:032x}", shots[place % len(shots)]
            key = vault.write(permit, "headshots", f"{digest}.jpg", file, now=now)
            thumb_key = vault.write(permit, "thumbnails", thumb_name(digest), thumb, now=now)
            vault.write(permit, "thumbnails", str(large_picture(thumb_key)).rpartition("/")[2], large, now=now)
            rows.append(Headshot(digest=digest, employee_id=owner, kit="northwind", kit_digest=kit_digest(kit), shot=0,
                                 seed=1, finished_key=key, thumb_key=thumb_key, created_at=now))  # fmt: skip
            rows.append(Showing(batch_id=batch, headshot_digest=digest, employee_id=owner, choice=1))
        with vault.session() as session:
            session.add_all(rows)
    return batch


def first_report(people: int) -> None:
    """The first report of so many people, with the copies and as it was without."""
    with tempfile.TemporaryDirectory() as place, open_vault(Settings(home=Path(place))) as vault:
        batch = fill(vault, people)
        spent = {}
        for name in ("now", "before"):
            shutil.rmtree(vault.settings.reports, ignore_errors=True)
            if name == "before":
                copies = col(Artifact.key).like("%.page.webp") | col(Artifact.key).like("%.large.webp")
                with vault.reading() as session:
                    keys = [row.key for row in session.exec(select(Artifact).where(copies))]
                vault.blobs.erase_keys(keys)
            began = time.perf_counter()
            rewrite_report(vault, batch)
            spent[name] = time.perf_counter() - began
            files = sum(path.is_file() for path in vault.settings.reports.rglob("*"))
            print(f"{name}: {spent[name]:.1f} s, {files} files", flush=True)
        began = time.perf_counter()
        rewrite_report(vault, batch)
        again = time.perf_counter() - began
    print(f"\n| first report, {people} people | without copies | now | goal | written again |\n|---|---|---|---|---|")
    print(f"| seconds | {spent['before']:.1f} | {spent['now']:.1f} | {REPORT_GOAL_S:.0f} | {again:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default="8dbc156")
    parser.add_argument("--home", type=Path, help="a home in which the demo's faces are learned")
    parser.add_argument("--kit", default="harbour")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--report", type=int, default=0, help="time the first report of so many people instead")
    chosen = parser.parse_args()
    if chosen.report:
        first_report(chosen.report)
    elif chosen.home is None:
        parser.error("--home: a home in which faces are learned; `rollcall demo --home DIR` makes one")
    else:
        compare(chosen)
