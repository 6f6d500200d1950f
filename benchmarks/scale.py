"""A company through machines that are killed at random: who is lost, what stays stuck, who waits, what it takes.

    python -m benchmarks.scale --people 48 --workers 3 --kills 4            # minutes on quiet cores
    python -m benchmarks.scale --people 1000 --workers 4 --kills 12 --base tiny --faces 40

PostgreSQL, radosgw, a control machine and workers with homes of their own, all on this one. Killed with -9, in turn
and at random moments: a worker's whole machine, the desk's worker, Prefect's server, connections to the database.
Somebody is forgotten again and again meanwhile. The base learns for few steps, and a tiny one with random weights for
almost none: the machinery is measured, not pictures. `--faces` draws so many people and gives their photos to all, each
with a mark of its own in a corner.
"""

import argparse
import csv
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import sqlalchemy as sa
from sqlmodel import select

from benchmarks.machines import ROOT, Cluster, cluster, kill_machine, missing
from benchmarks.random_bases import write_random_base
from benchmarks.two_names import selfies
from flows.logins import load_logins
from reports.prefect_client import client
from reports.site_of_batch import rewrite_report
from tasks.vault.records import Batch, Employee
from tasks.vault.seats import STATES, UNFINISHED
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tasks.vision.images import encode
from tasks.vision.pixels import Picture

HEADER = ("Employee ID", "Legal Name", "Work Email", "Department", "Status")
LEAVERS = 6  # without consent: who is forgotten while others are photographed
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
KINDS = ("worker", "desk worker", "server", "database")


def draw_drop(folder: Path, people: int, photos: int, faces: int | None = None) -> None:
    """A roster of drawn people with consent and photos, and a few without either.

    `faces`: so many different ones, which people share; a square in a corner makes every photo another file.
    """
    numbers = [f"S{place:05}" for place in range(people + LEAVERS)]
    with (folder / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(n, f"Person Nr{n}", f"{n.lower()}@scale.example", "Scale", "Active") for n in numbers]
        csv.writer(file).writerows([HEADER, *rows])
    with (folder / "consents.csv").open("w", newline="", encoding="utf-8") as file:
        head = ("Employee ID", "Purpose", "Consent text version", "Given at", "Withdrawn at", "Source")
        given = [(n, "headshot", "1", "2026-01-02", "", "form") for n in numbers[:people]]
        csv.writer(file).writerows([head, *given])
    drawn: dict[int, list[Picture]] = {}
    for place, number in enumerate(numbers[:people]):
        own, face = folder / "selfies" / number, place % (faces or people)
        own.mkdir(parents=True)
        if face not in drawn:
            drawn[face] = list(selfies(face, photos))
        for shot, picture in enumerate(drawn[face]):
            marked = picture.copy()
            marked[:6, :6] = place % 256, place // 256, 7 * place % 256
            (own / f"{shot}.jpg").write_bytes(encode(marked, "jpeg"))


def small_base(folder: Path, steps: int) -> Path:
    """The embedded base under a card that learns for so many steps."""
    folder.mkdir()
    card = (ROOT / "base_models" / "embedded.toml").read_text()
    quick = re.sub(r"^(draft|standard|best) = \d+", rf"\1 = {steps}", card, flags=re.MULTILINE)
    (folder / "embedded.toml").write_text(re.sub(r"^batch = \d+", "batch = 1", quick, flags=re.MULTILINE))
    (folder / "embedded").symlink_to(ROOT / "base_models" / "embedded")
    return folder


def tiny_base(folder: Path, steps: int) -> Path:
    """A base of the embedded one's kind with random weights, a hundredth of its size, under its name."""
    folder.mkdir()
    card = write_random_base(folder, "embedded", "sd-v")
    text = re.sub(r"^steps = \d+", "steps = 4", card.read_text(), flags=re.MULTILINE)
    per_quality = "".join(f"{quality} = {steps}\n" for quality in ("draft", "standard", "best"))
    card.write_text(text.replace("[training]\n", "[training]\nbatch = 1\n") + f"[training.steps]\n{per_quality}")
    return folder


def small_kits(folder: Path) -> Path:
    """The kits, with one picture a person and no extra round."""
    shutil.copytree(ROOT / "brand_kits", folder)
    for path in folder.glob("*/kit.toml"):
        text = re.sub(r"^per_person = \d+", "per_person = 1", path.read_text(), flags=re.MULTILINE)
        path.write_text(re.sub(r"^extra_rounds = \d+", "extra_rounds = 0", text, flags=re.MULTILINE))
    return folder


@dataclass
class Run:
    """What happened, as it is found out."""

    killed: list[tuple[str, float]] = field(default_factory=list)
    forgotten: list[float] = field(default_factory=list)  # seconds from asking to done
    memory: dict[str, int] = field(default_factory=dict)  # bytes, the most of each kind of process

    def look_at_memory(self, roots: list[int]) -> None:
        for root in roots:
            with_children = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
            for process in with_children:
                try:
                    words = " ".join(process.cmdline())
                    size = process.memory_info().rss
                except psutil.Error:
                    continue
                kind = re.search(r"flows\.(server|worker|engine|cli \w+)", words)
                if kind:
                    self.memory[kind[1]] = max(self.memory.get(kind[1], 0), size)


@contextmanager
def control_machine(one: Cluster, port: int) -> Iterator[subprocess.Popen[str]]:
    """`rollcall up` without workers that learn."""
    words = ["up", "--port", str(port), "--workers", "0", "--home", str(one.home("control"))]
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *words], env=one.environment(), cwd=one.place, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout
    try:
        if not any("Ctrl-C" in line for line in process.stdout):
            raise RuntimeError("the control machine did not start")
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(90)
        process.stdout.close()


def kill_one(one: Cluster, control: int, kind: str, chance: random.Random) -> str | None:
    """Kills something of this kind; the name of the machine that has to be started again, if it was one."""
    if kind == "worker":
        name = chance.choice([name for name, machine in one.machines.items() if machine.poll() is None])
        kill_machine(one.machines[name])
        return name
    if kind == "database":
        engine = sa.create_engine(one.shared["ROLLCALL_DATABASE_URL"])
        with engine.connect() as connection:
            connection.execute(sa.text(OTHERS))
        engine.dispose()
        return None
    wanted = ["flows.server"] if kind == "server" else ["flows.worker", "--pool", "desk"]
    for process in psutil.Process(control).children():
        if " ".join(process.cmdline()).find(" ".join(wanted)) >= 0:
            process.kill()
    return None


def forget_somebody(one: Cluster, api: httpx.Client, form: str) -> str | None:
    """Asks for the next one of those who never consented to be forgotten; the run."""
    with open_vault(one.settings()) as vault, vault.reading() as session:
        people = session.exec(select(Employee).where(Employee.state == "active").order_by(Employee.number.desc()))  # type: ignore[attr-defined]
        person = next(
            (row for row in people if row.number >= f"S{len(list(one.place.glob('drop/selfies/*'))):05}"), None
        )
    if person is None:
        return None
    answer = api.post(f"/deployments/{form}/create_flow_run", json={"parameters": {"person": person.id}})
    return str(answer.json()["id"]) if answer.status_code == 201 else None


def ended(api: httpx.Client, run: str) -> str | None:
    """In which state it ended; None while it goes on, or the server is away."""
    try:
        state = str(api.get(f"/flow_runs/{run}").json()["state"]["type"])
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    return state if state in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None


def drive(one: Cluster, control: int, api: httpx.Client, address: str, login: str, options: argparse.Namespace) -> Run:
    """Starts the batch, kills and forgets until it has ended."""
    seen, chance = Run(), random.Random(options.seed)
    forms = {form["name"].lstrip("0123456789 "): form["id"] for form in api.post("/deployments/filter", json={}).json()}
    asked = {"drop": str(one.place / "drop"), "kit": "Daylight agency", "quality": "draft", "people": "all"}
    api.post(f"/deployments/{forms['Make headshots']}/create_flow_run", json={"parameters": asked}).raise_for_status()
    began, next_kill, forgetting = time.monotonic(), options.first_kill, None
    while time.monotonic() - began < options.patience:
        time.sleep(1)
        seen.look_at_memory([control, *(m.pid for m in one.machines.values() if m.poll() is None)])
        if len(seen.killed) < options.kills and time.monotonic() - began > next_kill:
            kind = KINDS[len(seen.killed) % len(KINDS)]
            again = kill_one(one, control, kind, chance)
            seen.killed.append((kind, time.time()))
            print(f"{time.monotonic() - began:5.0f} s  killed: {kind}", flush=True)
            if again is not None:  # as a service manager would
                one.join(f"{again}-again{len(seen.killed)}", address, login)
            next_kill = time.monotonic() - began + chance.uniform(20, 60)
        if forgetting is None:
            try:
                if found := forget_somebody(one, api, forms["Forget a person"]):
                    forgetting = (found, time.monotonic())
            except (httpx.HTTPError, sa.exc.SQLAlchemyError):
                continue
        elif ended(api, forgetting[0]):
            seen.forgotten.append(time.monotonic() - forgetting[1])
            forgetting = None
        if _over(one, api):
            break
    return seen


def _over(one: Cluster, api: httpx.Client) -> bool:
    """Whether every run has ended, and the batch is nobody's."""
    try:
        states = ["SCHEDULED", "PENDING", "RUNNING", "CANCELLING"]
        wanted = {"flow_runs": {"state": {"type": {"any_": states}}}}
        answer = api.post("/flow_runs/filter", json=wanted)
        answer.raise_for_status()
        runs = [run for run in answer.json() if not run["auto_scheduled"]]
        with open_vault(one.settings()) as vault, vault.reading() as session:
            batch = session.exec(select(Batch)).first()
    except (httpx.HTTPError, sa.exc.SQLAlchemyError, ValueError):
        return False
    return not runs and batch is not None and batch.lease_holder == ""


def report(one: Cluster, api: httpx.Client, seen: Run, options: argparse.Namespace, seconds: float) -> None:
    """The table."""
    with open_vault(one.settings()) as vault, vault.reading() as session:
        seats = [tuple(row) for row in session.execute(sa.text("SELECT state, cohort FROM seat"))]
    runs = runs_of_groups(api)
    crashed = [run for run in runs if run["state"]["type"] == "CRASHED"]
    workers = [at for kind, at in seen.killed if kind == "worker"]
    noticed = [
        min(gap for at in workers if (gap := datetime.fromisoformat(run["state"]["timestamp"]).timestamp() - at) > 0)
        for run in crashed
        if any(datetime.fromisoformat(run["state"]["timestamp"]).timestamp() > at for at in workers)
    ]
    everybody = options.people + LEAVERS
    stuck = [run for run in runs if run["state"]["type"] in {"RUNNING", "PENDING", "SCHEDULED"}]
    stands = Counter(state for state, _ in seats)
    pages = [path for path in (one.home("control") / "reports").rglob("*") if path.is_file()]
    rows = [
        ("people on the roster, in the records", f"{everybody}, {len(seats)}"),
        ("how they stand", ", ".join(f"{state} {stands[state]}" for state in STATES if stands[state])),
        ("lost (no seat, or left unfinished)", f"{everybody - len(seats) + sum(stands[s] for s in UNFINISHED)}"),
        ("runs stuck", f"{len(stuck)}"),
        (
            "groups, runs of groups, crashed, second attempts",
            f"{len({c for _, c in seats if c is not None})}, {len(runs)}, {len(crashed)}, {repeated(runs)}",
        ),
        ("times that a base was opened", f"{times_opened(one)}"),
        ("killed", ", ".join(kind for kind, _ in seen.killed)),
        ("a dead machine noticed after", ", ".join(f"{gap:.0f} s" for gap in noticed) or "-"),
        ("forgotten meanwhile, longest", f"{len(seen.forgotten)}, {max(seen.forgotten, default=0):.0f} s"),
        ("from order to report", f"{seconds:.0f} s"),
        ("report written anew", f"{report_seconds(one):.0f} s"),
        ("report", f"{sum(p.stat().st_size for p in pages) / 1e6:.1f} MB, {len(pages)} files"),
        ("records; keys", f"{_size(one, 'ROLLCALL_DATABASE_URL')}; {_size(one, 'ROLLCALL_KEYS_URL')}"),
        ("Prefect's database", f"{(one.home('control') / 'prefect' / 'prefect.db').stat().st_size / 1e6:.1f} MB"),
        ("most memory", ", ".join(f"{kind} {size / 2**20:.0f} MiB" for kind, size in sorted(seen.memory.items()))),
    ]
    print("\n| what | measured |\n|---|---|")
    for what, value in rows:
        print(f"| {what} | {value} |")


def runs_of_groups(api: httpx.Client) -> list[dict[str, Any]]:
    """Every run of a group; Prefect answers 200 at a time."""
    found: list[dict[str, Any]] = []
    while True:
        asked = {"flow_runs": {"tags": {"all_": ["cohort"]}}, "limit": 200, "offset": len(found), "sort": "ID_DESC"}
        answer = api.post("/flow_runs/filter", json=asked)
        answer.raise_for_status()
        found += answer.json()
        if len(answer.json()) < 200:
            return found


def report_seconds(one: Cluster) -> float:
    """What writing the whole report once more takes, with its pictures there."""
    with open_vault(one.settings()) as vault:
        with vault.reading() as session:
            batch = session.exec(select(Batch.id)).one()
        began = time.monotonic()
        rewrite_report(vault, batch)
        return time.monotonic() - began


def repeated(runs: list[dict[str, Any]]) -> int:
    """Groups that a second attempt was made at."""
    return sum(run["parameters"]["attempt"] > 1 for run in runs)


def times_opened(one: Cluster) -> int:
    """How often a worker opened the base, by their logs."""
    logs = one.place.glob("*/logs/worker-gpu-*.log")
    return sum(path.read_text(errors="replace").count("base embedded opened") for path in logs)


def _size(one: Cluster, url: str) -> str:
    engine = sa.create_engine(one.shared[url])
    with engine.connect() as connection:
        size = connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return f"{size / 1e6:.1f} MB"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=32)
    parser.add_argument("--photos", type=int, default=3)
    parser.add_argument("--faces", type=int, help="different faces, which people share; each their own if left out")
    parser.add_argument("--base", choices=["embedded", "tiny"], default="embedded")
    parser.add_argument("--cohort", type=int, default=16, help="people in a group")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--kills", type=int, default=4, help="workers, desk worker, server and database in turn")
    parser.add_argument("--first-kill", type=float, default=60, help="seconds after the order")
    parser.add_argument("--patience", type=float, default=3600, help="seconds")
    parser.add_argument("--port", type=int, default=4790)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if reason := missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="rollcall-scale-") as folder:
        place = Path(folder)
        (place / "drop").mkdir()
        print(f"drawing {options.people} people", flush=True)
        draw_drop(place / "drop", options.people, options.photos, options.faces)
        make_base = tiny_base if options.base == "tiny" else small_base
        base, kits = make_base(place / "bases", options.steps), small_kits(place / "kits")
        more = {"ROLLCALL_BASES": str(base), "ROLLCALL_KITS": str(kits), "ROLLCALL_COHORT": str(options.cohort)}
        with cluster(place, **more, OMP_NUM_THREADS="1") as one:
            os.environ.update({name: value for name, value in one.shared.items() if name.startswith("AWS_")})
            address = f"http://127.0.0.1:{options.port}"
            with control_machine(one, options.port) as control:
                login = load_logins(Settings(home=one.home("control"))).machines
                for place_of in range(options.workers):
                    one.join(f"worker-{place_of}", address, login)
                with client(f"{address}/api", login, timeout=10) as api:
                    began = time.monotonic()
                    seen = drive(one, control.pid, api, address, login, options)
                    report(one, api, seen, options, time.monotonic() - began)


if __name__ == "__main__":
    main()
