"""A drop under an S3 prefix: the same promises as a folder's, through the vault's door to S3.

A bucket has no links and no pipes; what remains to be guarded is size, and names that climb.
"""

from __future__ import annotations

from functools import cached_property
from urllib.parse import urlsplit

from tasks.roster.drop import MAX_FILE, MAX_FILES, DropFault, is_litter
from tasks.sentences import tell
from tasks.vault.blobs_s3 import S3Blobs


class S3Drop:
    """`s3://bucket/prefix?endpoint=...`; credentials as usual for the vault's S3."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._door = S3Blobs(location)
        path = urlsplit(location).path.strip("/")
        self._root = f"{path}/" if path else ""

    @cached_property
    def _listed(self) -> dict[str, tuple[int, str]]:
        """Path → (size, entity tag), of everything that may be looked at."""
        found: dict[str, tuple[int, str]] = {}
        try:
            pages = self._door.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._door.bucket, Prefix=self._root):
                for item in page.get("Contents", []):
                    path = item["Key"][len(self._root) :]
                    parts = path.split("/")
                    if not any(part in ("", ".", "..") or is_litter(part) for part in parts):
                        found[path] = (int(item["Size"]), str(item["ETag"]))
                if len(found) > MAX_FILES:
                    raise DropFault("too_many_files", tell("drop.too_many", most=MAX_FILES))
        except self._door.client.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            raise DropFault("no_drop", tell("drop.no_bucket", code=code)) from None
        return found

    def files(self) -> list[str]:
        if not self._listed:
            raise DropFault("no_drop", tell("drop.empty_prefix"))
        return sorted(self._listed)

    def read(self, path: str) -> bytes:
        if path not in self._listed:
            raise DropFault("not_a_file", tell("drop.not_listed"))
        size, tag = self._listed[path]
        if size > MAX_FILE:
            raise DropFault("too_large", tell("drop.too_large", size=size // 2**20, most=MAX_FILE // 2**20))
        try:
            # IfMatch: what is read is what was listed, and so of the size that was checked.
            answer = self._door.client.get_object(Bucket=self._door.bucket, Key=self._root + path, IfMatch=tag)
            return answer["Body"].read()
        except self._door.client.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            raise DropFault("not_a_file", tell("drop.store_refuses", code=code)) from None

    def stamp(self, path: str) -> str:
        return self._listed[path][1] if path in self._listed else "gone"
