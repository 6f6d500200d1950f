"""Vaults to test: a fast local one per test; the same suites also meet a real S3 server and a real PostgreSQL."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

from tasks.vault.records import Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault


def _beside(name: str) -> ModuleType:
    """A module of this folder that holds no tests (test folders are no packages here)."""
    full = f"rollcall_tests_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).parent / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def vault(settings: Settings) -> Iterator[Vault]:
    with open_vault(settings) as opened:
        yield opened


@pytest.fixture
def add_person(now: datetime) -> Callable[..., str]:
    """Add somebody with a standing consent to a vault; their id."""

    def add(vault: Vault, employee_id: str = "p1", *, consent: bool = True) -> str:
        with vault.session() as session:
            session.add(Employee(id=employee_id, number=f"n-{employee_id}", name="Ada", updated_at=now))
            if consent:
                session.add(Consent(id=f"c-{employee_id}", employee_id=employee_id, given_at=now))
        return employee_id

    return add


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server for the session; skipped, with the reason, where Debian's packages are not installed."""
    servers = _beside("servers")
    reason = servers.missing_for_s3()
    if reason:
        pytest.skip(reason)
    with servers.radosgw(tmp_path_factory.mktemp("radosgw")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_location(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh versioned bucket: s3://bucket/prefix?endpoint=..."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testkey")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import boto3

    bucket = f"b{uuid4().hex[:12]}"
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return f"s3://{bucket}/vault?endpoint={s3_endpoint}"
