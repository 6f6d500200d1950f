"""A company through machines that are killed at random: who is lost, what stays stuck, who waits, what it takes.

    python -m benchmarks.scale --people 48 --workers 3 --kills 4            # minutes on quiet cores
    python -m benchmarks.scale --people 1000 --workers 4 --kills 12 --base tiny

PostgreSQL, radosgw, a control machine and workers with homes of their own, all on this one. Killed with -9, in turn
and at random moments: a worker's whole machine, the desk's worker, Prefect's server, connections to the database.
Somebody is forgotten again and again meanwhile. The base learns for few steps, and a tiny one with random weights for
almost none, and pictures are finished small: the machinery is measured, not pictures.
A line a minute says how far it is; SIGTERM, or the end of `--patience`, prints the
table of what there is by then.
"""

import argparse
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import sqlalchemy as sa
from sqlmodel import col, select

from benchmarks.machines import Cluster, cluster, kill_machine, missing
from benchmarks.scale_company import LEAVERS, draw_drop, small_base, small_kits, tiny_base
from flows.logins import load_logins
from reports.prefect_client import client
from reports.site_of_batch import rewrite_report
from tasks.vault.records import Batch, Employee, Erasure
from tasks.vault.seats import STATES, UNFINISHED
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

WIDTH = 320  # px of a finished picture
PAUSE_S = 60.0  # between two who ask to be forgotten
TELL_S = 60.0  # between two lines that say how far it is
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
KINDS = ("worker", "desk worker", "server", "database")


@dataclass
class Run:
    """What happened, as it is found out."""

    killed: list[tuple[str, float]] = field(default_factory=list)
    died: dict[str, float] = field(default_factory=dict)  # runs that were under way on a machine that was killed, when
    forgotten: list[float] = field(default_factory=list)  # seconds from asking to done
    memory: dict[str, int] = field(default_factory=dict)  # bytes, the most of each kind of process
    waits: float = 0.0  # seconds for which somebody was waiting to be forgotten at the end
    over: bool = False

    def look_at_memory(self, roots: list[int]) -> None:
        for root in roots:
            with_children = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
            for process in with_children:
                try:
                    words = " ".join(process.cmdline())
                    size = process.memory_info().rss
                except psutil.Error:
                    continue
                if kind := _kind_of(words):
                    self.memory[kind] = max(self.memory.get(kind, 0), size)


def _kind_of(words: str) -> str | None:
    """What a process is, by its command line: flows.worker --pool gpu is "worker gpu"."""
    module = re.search(r"(?:flows|reports)\.(server|worker|engine|cli \w+|desk)", words)
    pool = re.search(r"--pool (\w+)", words)
    return module and f"{module[1]} {pool[1] if pool else ''}".strip()


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


def kill_one(one: Cluster, control: int, kind: str, chance: random.Random, seen: Run) -> str | None:
    """Kills something of this kind; the name of the machine that has to be started again, if it was one."""
    if kind == "worker":
        name = chance.choice([name for name, machine in one.machines.items() if machine.poll() is None])
        kill_machine(one.machines[name])
        seen.died |= {note.name: time.time() for note in one.home(name).glob("running/[0-9a-f]*")}
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


def drive(one: Cluster, control: int, api: httpx.Client, address: str, login: str, options: argparse.Namespace) -> Run:
    """Starts the batch, kills and forgets until it has ended, somebody ends it, or patience does."""
    seen, chance = Run(), random.Random(options.seed)
    forms = {form["name"].lstrip("0123456789 "): form["id"] for form in api.post("/deployments/filter", json={}).json()}
    asked = {"drop": str(options.drop), "kit": "Daylight agency", "quality": "draft", "people": "all"}
    api.post(f"/deployments/{forms['Make headshots']}/create_flow_run", json={"parameters": asked}).raise_for_status()
    began, next_kill, cut = time.monotonic(), float("inf"), list[int]()
    forgetter = Forgetter(one, api, forms["Forget a person"], f"S{options.people:05}", seen)
    signal.signal(signal.SIGTERM, lambda number, _frame: cut.append(number))
    told_at = began
    while time.monotonic() - began < options.patience and not cut:
        time.sleep(1)
        passed = time.monotonic() - began
        seen.look_at_memory([control, *(m.pid for m in one.machines.values() if m.poll() is None)])
        if next_kill == float("inf") and (passed > options.first_kill or at_work(one)):
            next_kill = passed + chance.uniform(0, options.between[0])
        if len(seen.killed) < options.kills and passed > next_kill:
            kind = KINDS[len(seen.killed) % len(KINDS)]
            again = kill_one(one, control, kind, chance, seen)
            seen.killed.append((kind, time.time()))
            print(f"{passed:5.0f} s  killed: {kind}", flush=True)
            if again is not None:  # as a service manager would
                one.join(f"{again}-again{len(seen.killed)}", address, login)
            next_kill = time.monotonic() - began + chance.uniform(*options.between)
        forgetter.tend()
        if time.monotonic() - told_at > TELL_S:
            told_at = time.monotonic()
            print(f"{passed:5.0f} s  {how_they_stand(one)}", flush=True)
        if _over(one, api) and not forgetter.asked:
            seen.over = True
            break
    seen.waits = forgetter.waits()
    return seen


@dataclass
class Forgetter:
    """Asks for one after the other to be forgotten, and notes how long it takes until the records say that it is done.

    A run that dies is asked for by nobody here: the product has to start it again.
    """

    one: Cluster
    api: httpx.Client
    form: str
    first: str  # people with lower numbers are photographed, and not asked for
    seen: Run
    asked: tuple[str, float] | None = None  # whom, and when
    next_at: float = 0.0

    def tend(self) -> None:
        """A server or a database that is away is asked again; the time runs on."""
        now = time.monotonic()
        with suppress(httpx.HTTPError, sa.exc.SQLAlchemyError):
            if self.asked is not None:
                if self._is_forgotten(self.asked[0]):
                    self.seen.forgotten.append(now - self.asked[1])
                    self.asked, self.next_at = None, now + PAUSE_S
            elif now > self.next_at and (person := self._next()) is not None:
                asked = {"parameters": {"person": person}}
                self.api.post(f"/deployments/{self.form}/create_flow_run", json=asked).raise_for_status()
                self.asked = (person, now)

    def waits(self) -> float:
        """For how long the last one has been waiting; 0 when nobody is."""
        return time.monotonic() - self.asked[1] if self.asked else 0.0

    def _next(self) -> str | None:
        there = select(Employee.id).where(Employee.state == "active", col(Employee.number) >= self.first)
        with open_vault(self.one.settings()) as vault, vault.reading() as session:
            return session.exec(there.order_by(Employee.number)).first()

    def _is_forgotten(self, person: str) -> bool:
        with open_vault(self.one.settings()) as vault, vault.reading() as session:
            states = session.exec(select(Erasure.state).where(Erasure.employee_id == person, Erasure.scope == "person"))
            return bool({"provisional", "final"} & set(states))


def at_work(one: Cluster) -> bool:
    """Whether a machine is at a group."""
    return any(True for name in one.machines for _ in one.home(name).glob("running/[0-9a-f]*"))


def how_they_stand(one: Cluster) -> str:
    """How many people are in which state; a database that is away, said so."""
    try:
        with open_vault(one.settings()) as vault, vault.reading() as session:
            stands = Counter(session.execute(sa.text("SELECT state FROM seat")).scalars())
    except sa.exc.SQLAlchemyError:
        return "the records are away"
    return ", ".join(f"{state} {stands[state]}" for state in STATES if stands[state]) or "nobody seated yet"


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
    noticed = [
        datetime.fromisoformat(run["state"]["timestamp"]).timestamp() - seen.died[run["id"]]
        for run in crashed
        if run["id"] in seen.died
    ]
    unnoticed = len(seen.died.keys() - {run["id"] for run in runs if run["state"]["type"] in ENDED})
    everybody = options.people + LEAVERS
    stuck = [run for run in runs if run["state"]["type"] in {"RUNNING", "PENDING", "SCHEDULED"}]
    again = report_seconds(one)
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
        ("seconds of a group: the run that brought it to its end, a later one, usual and longest", passing(runs)),
        ("times that a base was opened", f"{times_opened(one)}"),
        ("killed", ", ".join(kind for kind, _ in seen.killed)),
        ("groups under way on a killed machine, not noticed", f"{len(seen.died)}, {unnoticed}"),
        ("a dead machine noticed after", ", ".join(f"{gap:.0f} s" for gap in noticed) or "-"),
        (
            "forgotten meanwhile, usual, longest, still waiting",
            f"{len(seen.forgotten)}, {statistics.median(seen.forgotten or [0]):.0f} s, "
            f"{max(seen.forgotten, default=0):.0f} s, {seen.waits:.0f} s",
        ),
        ("from order to report" if seen.over else "CUT after", f"{seconds:.0f} s"),
        ("report as the run wrote it", f"{steps_seconds(api, 'build_report')}"),
        ("report written anew", f"{again:.0f} s"),
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


def steps_seconds(api: httpx.Client, step: str) -> str:
    """What each of Prefect's runs of this step took."""
    answer = api.post(
        "/task_runs/filter", json={"task_runs": {"name": {"like_": step}}, "sort": "EXPECTED_START_TIME_ASC"}
    )
    answer.raise_for_status()
    return ", ".join(f"{run['total_run_time']:.0f} s" for run in answer.json()) or "-"


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


def passing(runs: list[dict[str, Any]]) -> str:
    """What groups took that were worked on, and what those took that a batch which went on handed out once more."""
    first: dict[int, float] = {}
    later: list[float] = []
    for run in sorted((r for r in runs if r["state"]["type"] == "COMPLETED"), key=lambda r: r["start_time"]):
        number = run["parameters"]["number"]
        if number in first:
            later.append(run["total_run_time"])
        else:
            first[number] = run["total_run_time"]
    return ", ".join(
        f"{statistics.median(times):.0f} s, {max(times):.0f} s ({len(times)})" if times else "-"
        for times in (list(first.values()), later)
    )


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
    parser.add_argument("--drop", type=Path, help="where the drawn people stay, and are taken from the next time")
    parser.add_argument("--base", choices=["embedded", "tiny"], default="embedded")
    parser.add_argument("--cohort", type=int, default=16, help="people in a group")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--kills", type=int, default=4, help="workers, desk worker, server and database in turn")
    parser.add_argument("--between", type=float, nargs=2, default=(20, 60), help="seconds from one kill to the next")
    parser.add_argument("--first-kill", type=float, default=600, help="seconds after the order, or at the first group")
    parser.add_argument("--patience", type=float, default=3600, help="seconds")
    parser.add_argument("--port", type=int, default=4790)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if reason := missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="rollcall-scale-") as folder:
        place = Path(folder)
        drop = options.drop or place / "drop"
        if not drop.exists():
            drop.mkdir()
            print(f"drawing {options.people} people", flush=True)
            draw_drop(drop, options.people, options.photos)
        options.drop = drop.resolve()
        make_base = tiny_base if options.base == "tiny" else small_base
        base, kits = make_base(place / "bases", options.steps), small_kits(place / "kits", WIDTH)
        more = {
            "ROLLCALL_BASES": str(base), "ROLLCALL_KITS": str(kits), "ROLLCALL_COHORT": str(options.cohort),
            "ROLLCALL_MIXED_WORLDS": "1",  # small drawn photos pass for photographs now and then: not what is measured
        }  # fmt: skip
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
