"""From S3 and to S3, on a real server: a drop is read from a prefix, a delivery written to one."""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import boto3
import pytest

from tasks.delivery.destinations import PAPERS
from tasks.disclosure.source import read_origin
from tasks.headshots.kit import BrandKit
from tasks.roster.drop import DropFault, sort_contents
from tasks.roster.open_drop import find_drop
from tasks.vault.blobs_company import CompanyBucket
from tasks.vault.store import Vault
from tests.delivery.conftest import build_pack

pytestmark = [pytest.mark.s3, pytest.mark.slow]
NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


def servers() -> ModuleType:
    """The vault's tests know how to start a server (test folders are no packages)."""
    spec = importlib.util.spec_from_file_location("s3_servers", Path(__file__).parents[1] / "vault" / "servers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    known = servers()
    if reason := known.missing_for_s3():
        pytest.skip(reason)
    with known.radosgw(tmp_path_factory.mktemp("radosgw")) as address:
        yield address


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testkey")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    name = f"b{uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=name)
    return name


def test_a_drop_under_a_prefix(vault: Vault, endpoint: str, bucket: str) -> None:
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    files = {
        "hr/roster.csv": b"Employee ID\n1\n",
        "hr/selfies/Ann Doe/a b.jpg": b"photo",
        "hr/.DS_Store": b"",
        "other": b"",
    }
    for key, data in files.items():
        client.put_object(Bucket=bucket, Key=key, Body=data)
    drop = find_drop(f"s3://{bucket}/hr?endpoint={endpoint}", vault)
    assert drop.files() == ["roster.csv", "selfies/Ann Doe/a b.jpg"]
    assert sort_contents(drop.files()).photos == ("selfies/Ann Doe/a b.jpg",)
    assert drop.read("selfies/Ann Doe/a b.jpg") == b"photo"
    before = drop.stamp("roster.csv")
    for path in ("../other", "other", "selfies"):
        with pytest.raises(DropFault, match="not_a_file"):
            drop.read(path)
    client.put_object(Bucket=bucket, Key="hr/roster.csv", Body=b"Employee ID\n2\n")
    assert find_drop(f"s3://{bucket}/hr?endpoint={endpoint}", vault).stamp("roster.csv") != before
    with pytest.raises(DropFault, match="not_a_file"):  # what was listed is not there any more
        drop.read("roster.csv")
    for nowhere in (f"s3://{bucket}/empty?endpoint={endpoint}", f"s3://{bucket}x/?endpoint={endpoint}"):
        with pytest.raises(DropFault, match="no_drop"):
            find_drop(nowhere, vault)


def test_a_delivery_to_a_prefix(vault: Vault, kit: BrandKit, endpoint: str, bucket: str) -> None:
    place = f"s3://{bucket}/delivery?endpoint={endpoint}"
    manifest = build_pack(vault, "b1", kit, place, now=NOW, names="{email}")
    bucketful = CompanyBucket(place)

    def lying() -> set[str]:
        objects = bucketful.client.list_objects_v2(Bucket=bucket, Prefix="delivery/")["Contents"]
        return {one["Key"].removeprefix("delivery/") for one in objects}

    assert lying() == {f.path for f in manifest.files} | set(PAPERS)
    assert any("@" in path for path in lying())  # the company's own bucket takes addresses as names
    for file in manifest.files:
        origin = read_origin(bucketful.get(file.path) or b"")
        assert origin is not None
        assert origin.source_type == file.source_type
    again = build_pack(vault, "b1", kit, place, now=NOW)
    assert again.retired > 0
    assert lying() == {f.path for f in again.files} | set(PAPERS)
