"""A bucket of the company's own, for what is handed over: any names, none of the vault's own rules.

s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1     credentials as usual for boto3
"""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tasks.vault.failures import StoreFault

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = {"NoSuchKey", "404"}


class CompanyBucket:
    """Objects below one prefix."""

    def __init__(self, location: str) -> None:
        import boto3  # takes a second, and most deliveries never need it
        from botocore.config import Config

        parts = urlsplit(location)
        options = parse_qs(parts.query)
        endpoint = options.get("endpoint", [None])[0]
        self.bucket, self._root = parts.netloc, f"{path}/" if (path := parts.path.strip("/")) else ""
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=options.get("region", ["us-east-1"])[0],
            config=Config(
                retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60,
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )  # fmt: skip

    def put(self, path: str, data: bytes) -> None:
        """One object, whole or not at all. StoreFault with the store's own code when it refuses."""
        from botocore.exceptions import BotoCoreError, ClientError

        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        try:
            self.client.put_object(Bucket=self.bucket, Key=self._root + path, Body=data, ContentType=kind)
        except (ClientError, BotoCoreError) as error:
            raise StoreFault(_code(error), "put") from None

    def get(self, path: str) -> bytes | None:
        """The object's bytes, or None."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self.client.get_object(Bucket=self.bucket, Key=self._root + path)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            if _code(error) in _GONE:
                return None
            raise StoreFault(_code(error), "get") from None

    def remove(self, path: str) -> bool:
        """Whether the object is gone from its place; older versions are the bucket's business."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self.client.delete_object(Bucket=self.bucket, Key=self._root + path)
        except (ClientError, BotoCoreError):  # a bucket that may be written to, and not deleted from
            return False
        return self.get(path) is None


def _code(error: Exception) -> str:
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "unknown")) if isinstance(answer, dict) else type(error).__name__
