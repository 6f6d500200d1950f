"""Blobs in an S3 bucket, on any endpoint, and the deletions that S3 makes easy to get wrong.

A plain delete on a versioned bucket hides an object and keeps every byte; a batch delete answers 200 and lists what
it did not delete; unfinished uploads are in no object listing at all. So erasing here means: abort uploads, delete
every version and marker by its id, read the `Errors`, and list again until nothing is left or nothing moves.

    s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1     credentials as usual for boto3
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, SSLError

from tasks.vault.blobs import Refusal, Remnant, checked_key, checked_prefix
from tasks.vault.failures import MissingBlob, StoreFault, StoreLost

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_PART_SIZE = 32 << 20  # bytes; larger blobs go up in parts, so that a retry repeats one part
_BATCH = 1000  # the most DeleteObjects takes
_GONE = {"NoSuchKey", "NoSuchVersion", "NoSuchUpload", "404"}
_BUSY = {408, 429}  # HTTP: a request that took too long, too many of them


class S3Blobs:
    """Blobs below one prefix of one bucket."""

    def __init__(self, location: str) -> None:
        parts = urlsplit(location)
        options = parse_qs(parts.query)
        self.bucket = parts.netloc
        self._root = parts.path.strip("/") + "/" if parts.path.strip("/") else ""
        endpoint = options.get("endpoint", [None])[0]
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=options.get("region", ["us-east-1"])[0],
            config=Config(
                retries={"mode": "standard", "max_attempts": 5},
                connect_timeout=10,
                read_timeout=60,
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )
        self._may_keep: bool | None = None

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        name = self._root + checked_key(key)
        self._refuse_what_cannot_forget()
        data = b"".join(chunks)
        try:
            if len(data) <= _PART_SIZE:
                self.client.put_object(Bucket=self.bucket, Key=name, Body=data)
            else:
                self._put_parts(name, data)
        except (ClientError, BotoCoreError) as error:
            raise _fault(error, "put") from error

    def _put_parts(self, name: str, data: bytes) -> None:
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key=name)["UploadId"]
        target: dict[str, Any] = {"Bucket": self.bucket, "Key": name, "UploadId": upload}
        try:
            parts: list[CompletedPartTypeDef] = []
            for number, start in enumerate(range(0, len(data), _PART_SIZE), 1):
                piece = data[start : start + _PART_SIZE]
                answer = self.client.upload_part(**target, PartNumber=number, Body=piece)
                parts.append({"ETag": answer["ETag"], "PartNumber": number})
            self.client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
        except BaseException:
            self.client.abort_multipart_upload(**target)
            raise

    def get(self, key: str) -> bytes:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=self._root + checked_key(key))["Body"].read()
        except (ClientError, BotoCoreError) as error:
            if _code(error) in _GONE:
                raise MissingBlob(key) from error
            raise _fault(error, "get") from error

    def exists(self, key: str) -> bool:
        try:
            self.client.head_object(Bucket=self.bucket, Key=self._root + checked_key(key))
        except (ClientError, BotoCoreError) as error:
            if _code(error) in _GONE:
                return False
            raise _fault(error, "head") from error
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        below = self._root + checked_prefix(prefix)
        for page in self._pages("list_objects_v2", below):
            for item in page.get("Contents", []):
                yield item["Key"][len(self._root) :]

    def remains(self, prefix: str) -> list[Remnant]:
        return self._uploads(checked_prefix(prefix)) + self._versions(prefix)

    def erase(self, prefix: str) -> list[Refusal]:
        return self._erase(checked_prefix(prefix), None)

    def erase_keys(self, keys: Sequence[str]) -> list[Refusal]:
        refused = []
        for key in keys:
            refused += self._erase(checked_key(key), key)
        return refused

    def erase_remnants(self, remnants: Sequence[Remnant]) -> list[Refusal]:
        refused = self._abort([one for one in remnants if one.what == "upload"])
        return refused + self._delete([one for one in remnants if one.what != "upload"])

    def settle(self) -> None:
        """A store that answered has done it."""

    def hindrances(self) -> list[str]:
        """What about this bucket would keep bytes from being deleted. Anything here forbids the first photo."""
        found = []
        try:
            if self.client.get_bucket_versioning(Bucket=self.bucket).get("MFADelete") == "Enabled":
                found.append("mfa_delete")
            if self._configured("get_object_lock_configuration", "ObjectLockConfiguration", "Rule"):
                found.append("default_object_lock")
            if self._configured("get_bucket_replication", "ReplicationConfiguration", "Rules"):
                found.append("replication")
        except (ClientError, BotoCoreError) as error:
            raise _fault(error, "bucket") from error
        return found

    def _configured(self, call: str, *path: str) -> bool:
        try:
            answer: Any = getattr(self.client, call)(Bucket=self.bucket)
        except ClientError as error:
            # Stores say in many ways that there is no such setting, or that they do not know it at all.
            if _status(error) in (400, 404, 405, 409, 501):
                return False
            raise
        for name in path:
            answer = answer.get(name) or {}
        return bool(answer)

    def _refuse_what_cannot_forget(self) -> None:
        if self._may_keep is None:
            self._may_keep = not self.hindrances()
        if not self._may_keep:
            raise StoreFault("cannot_forget", ", ".join(self.hindrances()))

    def _erase(self, prefix: str, only: str | None) -> list[Refusal]:
        """Abort, delete and list again until nothing is left, or until a whole round removed nothing."""
        before: set[tuple[str, str, str]] | None = None
        while True:
            left = self._uploads(prefix) + self._versions(prefix)
            if only is not None:
                left = [remnant for remnant in left if remnant.key == only]
            ids = {(remnant.what, remnant.key, remnant.version) for remnant in left}
            if not left:
                return []
            refused = self._abort([one for one in left if one.what == "upload"])
            refused += self._delete([one for one in left if one.what != "upload"])
            if refused and ids == before:
                return refused
            if ids == before:  # the store says deleted and lists it still: never call that erased
                return [Refusal(remnant, "still_listed") for remnant in left]
            before = ids

    def _abort(self, uploads: list[Remnant]) -> list[Refusal]:
        refused = []
        for upload in uploads:
            try:
                self.client.abort_multipart_upload(
                    Bucket=self.bucket, Key=self._root + upload.key, UploadId=upload.version
                )
            except (ClientError, BotoCoreError) as error:
                if _code(error) not in _GONE:
                    refused.append(Refusal(upload, _code(error)))
        return refused

    def _delete(self, remnants: list[Remnant]) -> list[Refusal]:
        refused = []
        for start in range(0, len(remnants), _BATCH):
            batch = {(one.key, one.version): one for one in remnants[start : start + _BATCH]}
            wanted = [{"Key": self._root + key, "VersionId": version} for key, version in batch]
            try:
                answer = self.client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": wanted, "Quiet": True},  # type: ignore[typeddict-item]
                )
            except (ClientError, BotoCoreError) as error:
                refused += [Refusal(one, _code(error)) for one in batch.values()]
                continue
            # A 200 that lists failures: the most overlooked answer in S3.
            for failure in answer.get("Errors", []):
                if failure.get("Code") in _GONE:
                    continue
                key = failure.get("Key", "")[len(self._root) :]
                fallback = Remnant(key, "version", failure.get("VersionId", ""))
                remnant = batch.get((key, failure.get("VersionId", "")), fallback)
                refused.append(Refusal(remnant, self._why(remnant, failure.get("Code", "unknown"))))
        return refused

    def _why(self, remnant: Remnant, code: str) -> str:
        """Tell a lock, which time or an administrator must lift, from any other refusal."""
        if code != "AccessDenied":
            return code
        try:
            head = self.client.head_object(Bucket=self.bucket, Key=self._root + remnant.key, VersionId=remnant.version)
        except (ClientError, BotoCoreError):
            return code
        locked = head.get("ObjectLockMode") or head.get("ObjectLockLegalHoldStatus") == "ON"
        return "object_lock" if locked else code

    def _versions(self, prefix: str) -> list[Remnant]:
        found = []
        for page in self._pages("list_object_versions", self._root + prefix):
            for item in page.get("Versions", []):
                what = "blob" if item.get("IsLatest") else "version"
                found.append(self._remnant(item, what, item["VersionId"], item.get("LastModified")))
            for item in page.get("DeleteMarkers", []):
                found.append(self._remnant(item, "marker", item["VersionId"], item.get("LastModified")))
        return found

    def _uploads(self, prefix: str) -> list[Remnant]:
        found = []
        for page in self._pages("list_multipart_uploads", self._root + prefix):
            for item in page.get("Uploads", []):
                found.append(self._remnant(item, "upload", item["UploadId"], item.get("Initiated")))
        return found

    def _remnant(self, item: dict[str, Any], what: str, version: str, changed: datetime | None) -> Remnant:
        return Remnant(item["Key"][len(self._root) :], what, version, item.get("Size", 0), changed)

    def _pages(self, call: Any, prefix: str) -> Iterator[dict[str, Any]]:
        try:
            yield from self.client.get_paginator(call).paginate(Bucket=self.bucket, Prefix=prefix)
        except (ClientError, BotoCoreError) as error:
            raise _fault(error, "list") from error


def _fault(error: ClientError | BotoCoreError, doing: str) -> StoreFault:
    """What this is for the vault: a store that is away for a while comes back, one that refuses does not."""
    if isinstance(error, ClientError):
        passes = _status(error) >= 500 or _status(error) in _BUSY
    else:
        passes = isinstance(error, (ConnectionError, HTTPClientError)) and not isinstance(error, SSLError)
    return (StoreLost if passes else StoreFault)(_code(error), doing)


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
