"""One suite for every blob store: what the vault relies on holds in a folder and on a real, versioned S3 server."""

import os
import resource
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from prefect.states import Failed

from tasks.vault.blobs import Blobs, checked_key
from tasks.vault.blobs_folder import FolderBlobs
from tasks.vault.blobs_s3 import _fault
from tasks.vault.failures import MissingBlob, StoreFault, StoreLost
from tasks.vault.open_blobs import open_blobs
from tasks.vault.task import _may_pass
from tasks.vault.telling import told


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blobs]:
    if request.param == "folder":
        yield open_blobs(str(tmp_path / "blobs"))
    else:
        yield open_blobs(request.getfixturevalue("s3_location"))


def test_what_is_put_is_got(blobs: Blobs) -> None:
    blobs.put("people/p1/selfies/1.bin", [b"one", b"", b"two"])
    assert blobs.get("people/p1/selfies/1.bin") == b"onetwo"
    assert blobs.exists("people/p1/selfies/1.bin")


def test_the_last_put_wins(blobs: Blobs) -> None:
    blobs.put("people/p1/selfies/1", [b"old"])
    blobs.put("people/p1/selfies/1", [b"new"])
    assert blobs.get("people/p1/selfies/1") == b"new"


def test_nothing_is_stored_as_nothing(blobs: Blobs) -> None:
    blobs.put("people/p1/selfies/empty", [b""])
    assert blobs.get("people/p1/selfies/empty") == b""


def test_what_is_missing_is_said_to_be_missing(blobs: Blobs) -> None:
    assert not blobs.exists("people/p1/selfies/none")
    with pytest.raises(MissingBlob):
        blobs.get("people/p1/selfies/none")


def test_keys_below_a_prefix_come_in_order(blobs: Blobs) -> None:
    for key in ("people/p1/b/2", "people/p1/a/1", "people/p10/a/1", "people/p2/a/1"):
        blobs.put(key, [b"x"])
    assert list(blobs.keys("people/p1/")) == ["people/p1/a/1", "people/p1/b/2"]
    assert len(list(blobs.keys(""))) == 4


def test_erasing_takes_everything_below_and_no_neighbour(blobs: Blobs) -> None:
    for key in ("people/p1/a/1", "people/p1/b/2", "people/p10/a/1"):
        blobs.put(key, [b"x"])
        blobs.put(key, [b"y"])
    assert blobs.erase("people/p1/") == []
    assert blobs.remains("people/p1/") == []
    assert blobs.get("people/p10/a/1") == b"y"


def test_a_prefix_without_its_slash_is_refused(blobs: Blobs) -> None:
    with pytest.raises(StoreFault, match="prefix_without_slash"):
        blobs.erase("people/p1")


def test_erasing_twice_and_erasing_nothing_is_fine(blobs: Blobs) -> None:
    assert blobs.erase("people/nobody/") == []
    assert blobs.erase_keys(["people/nobody/a/1", "people/nobody/a/1"]) == []


def test_erasing_keys_leaves_longer_keys(blobs: Blobs) -> None:
    for key in ("people/p1/a/1", "people/p1/a/10", "people/p1/a/2"):
        blobs.put(key, [b"x"])
    assert blobs.erase_keys(["people/p1/a/1", "people/p1/a/2"]) == []
    assert [remnant.key for remnant in blobs.remains("people/p1/")] == ["people/p1/a/10"]


@pytest.mark.parametrize(
    "key", ["", "/", "../x", "a/../b", "a//b", "/a", "a/", ".hidden", "a/.x", "a\\b", "a b", "ä", "a\n", "x" * 600]
)
def test_a_key_is_never_a_path_trick(blobs: Blobs, key: str) -> None:
    with pytest.raises(StoreFault, match="bad_key"):
        blobs.put(key, [b"x"])


def test_a_put_that_fails_half_way_leaves_nothing(blobs: Blobs) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        blobs.put("people/p1/a/1", breaks())
    assert blobs.remains("people/p1/") == []


def test_a_full_disk_leaves_no_part(tmp_path: Path) -> None:
    """A file system that refuses more bytes: the put fails by code, the old blob stays, no part is left."""
    blobs = FolderBlobs(tmp_path)
    blobs.put("people/p1/a/1", [b"old"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StoreFault, match="errno_27"):
            blobs.put("people/p1/a/1", [b"x" * 100_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert blobs.get("people/p1/a/1") == b"old"
    assert [remnant.what for remnant in blobs.remains("")] == ["blob"]


def test_a_part_of_a_killed_writer_is_seen_and_erased(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("people/p1/a/1", [b"x"])
    (tmp_path / "people/p1/a/.2.abc.part").write_bytes(b"half")
    assert {remnant.what for remnant in blobs.remains("people/p1/")} == {"blob", "part"}
    assert list(blobs.keys("people/p1/")) == ["people/p1/a/1"]
    assert blobs.erase("people/p1/") == []
    assert not (tmp_path / "people" / "p1").exists()


def test_erasing_never_follows_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.put("people/p1/a/1", [b"x"])
    os.symlink(outside, tmp_path / "blobs/people/p1/link")
    os.symlink(outside / "precious", tmp_path / "blobs/people/p1/a/file-link")
    assert blobs.erase("people/p1/") == []
    assert (outside / "precious").read_bytes() == b"x"


def test_checked_key_accepts_what_the_vault_makes() -> None:
    assert checked_key("people/p0123456789abcde/headshots/3f-2.png")


@pytest.mark.s3
def test_versions_markers_and_uploads_all_go(s3_location: str) -> None:
    """What a plain delete leaves on a versioned bucket: two versions, a marker and an unfinished upload."""
    blobs = open_blobs(s3_location)
    client, bucket = blobs.client, blobs.bucket  # type: ignore[attr-defined]
    blobs.put("people/p1/selfies/1", [b"first"])
    blobs.put("people/p1/selfies/1", [b"second"])
    client.delete_object(Bucket=bucket, Key="vault/people/p1/selfies/1")
    upload = client.create_multipart_upload(Bucket=bucket, Key="vault/people/p1/adapter/a")["UploadId"]
    part = {"Bucket": bucket, "Key": "vault/people/p1/adapter/a", "UploadId": upload, "PartNumber": 1}
    client.upload_part(**part, Body=b"x" * 1000)
    assert not blobs.exists("people/p1/selfies/1")
    assert sorted(remnant.what for remnant in blobs.remains("people/p1/")) == ["marker", "upload", "version", "version"]
    assert blobs.erase("people/p1/") == []
    assert blobs.remains("people/p1/") == []
    assert "Versions" not in client.list_object_versions(Bucket=bucket)
    assert "DeleteMarkers" not in client.list_object_versions(Bucket=bucket)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


@pytest.mark.s3
def test_a_large_blob_goes_up_in_parts(s3_location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.vault.blobs_s3._PART_SIZE", 5 << 20)
    blobs = open_blobs(s3_location)
    data = os.urandom(11 << 20)
    blobs.put("people/p1/adapter/a", [data])
    assert blobs.get("people/p1/adapter/a") == data
    assert blobs.erase("people/p1/") == []


@pytest.mark.slow
@pytest.mark.s3
def test_more_than_a_page_of_versions(s3_location: str) -> None:
    blobs = open_blobs(s3_location)
    for number in range(1105):
        blobs.put(f"people/p1/crops/{number % 300}", [b"x"])
    assert len(blobs.remains("people/p1/")) == 1105
    assert blobs.erase("people/p1/") == []
    assert blobs.remains("") == []


@pytest.mark.s3
def test_a_lock_is_reported_and_never_called_erased(s3_endpoint: str, s3_location: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    bucket = urlsplit(s3_location).netloc + "lock"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    blobs = open_blobs(f"s3://{bucket}/?endpoint={s3_endpoint}")
    blobs.put("people/p1/selfies/1", [b"locked"])
    blobs.put("people/p1/selfies/2", [b"free"])
    until = datetime.now(UTC) + timedelta(hours=1)
    lock = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    client.put_object_retention(Bucket=bucket, Key="people/p1/selfies/1", Retention=lock)  # type: ignore[arg-type]
    refused = blobs.erase("people/p1/")
    assert [(one.remnant.key, one.code) for one in refused] == [("people/p1/selfies/1", "object_lock")]
    assert [remnant.key for remnant in blobs.remains("people/p1/")] == ["people/p1/selfies/1"]


@pytest.mark.s3
def test_a_bucket_that_cannot_forget_takes_no_photo(s3_endpoint: str, s3_location: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    bucket = urlsplit(s3_location).netloc + "keeps"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
    client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=rule)  # type: ignore[arg-type]
    blobs = open_blobs(f"s3://{bucket}/?endpoint={s3_endpoint}")
    with pytest.raises(StoreFault, match="cannot_forget default_object_lock"):
        blobs.put("people/p1/selfies/1", [b"x"])


def client_error(status: int, code: str = "Some") -> ClientError:
    said: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "PutObject")


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (EndpointConnectionError(endpoint_url="x"), True),
        (ReadTimeoutError(endpoint_url="x"), True),
        (ConnectionClosedError(endpoint_url="x"), True),
        (client_error(500), True),
        (client_error(503, "SlowDown"), True),
        (client_error(429), True),
        (client_error(403, "AccessDenied"), False),
        (client_error(404, "NoSuchBucket"), False),
        (SSLError(endpoint_url="x", error="certificate"), False),
        (NoCredentialsError(), False),
    ],
    ids=str,
)
def test_what_passes_by_itself_is_told_from_what_needs_somebody(
    error: ClientError | BotoCoreError, passes: bool
) -> None:
    fault = _fault(error, "put")
    assert isinstance(fault, StoreLost) is passes
    assert _may_pass(None, None, Failed(data=fault)) is passes, "the step is tried again"  # type: ignore[arg-type]
    assert ("store_lost" in str(told(fault))) is passes, "and the run is followed (flows.carrying_on)"


@pytest.mark.s3
def test_faults_are_retried_and_a_200_with_errors_is_a_failure(s3_location: str) -> None:
    """Three 503s in a row are survived; a listing of failures inside a 200 is believed."""
    blobs = open_blobs(s3_location)
    events = blobs.client.meta.events  # type: ignore[attr-defined]
    blobs.put("people/p1/selfies/1", [b"x"])
    calls = {"left": 3}

    from botocore.awsrequest import AWSResponse

    def busy(request: object, **_: object) -> AWSResponse | None:
        if calls["left"] == 0:
            return None
        calls["left"] -= 1
        return AWSResponse(getattr(request, "url", ""), 503, {}, _Body(b"<Error><Code>SlowDown</Code></Error>"))

    events.register("before-send.s3.GetObject", busy)
    assert blobs.get("people/p1/selfies/1") == b"x"
    assert calls["left"] == 0

    def refuses(parsed: dict[str, object], **_: object) -> None:
        parsed["Errors"] = [{"Key": "vault/people/p1/selfies/1", "VersionId": "?", "Code": "InternalError"}]

    events.register("after-call.s3.DeleteObjects", refuses)
    # The bytes did go: what counts is the listing, and that nothing is left on it.
    assert blobs.erase("people/p1/") == []

    def deletes_nothing(**_: object) -> AWSResponse:
        body = b"<Error><Key>vault/people/p1/selfies/2</Key><Code>InternalError</Code></Error>"
        body = b"<DeleteResult>" + body + b"</DeleteResult>"
        return AWSResponse("", 200, {}, _Body(body))

    blobs.put("people/p1/selfies/2", [b"x"])
    events.register("before-send.s3.DeleteObjects", deletes_nothing)
    assert [one.code for one in blobs.erase("people/p1/")] == ["InternalError"]
    assert blobs.exists("people/p1/selfies/2")


class _Body:
    """The little that botocore asks of a raw answer."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.data
        self.data = b""

    def read(self, *_: object, **__: object) -> bytes:
        data, self.data = self.data, b""
        return data
