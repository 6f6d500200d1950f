"""Opens a blob store by its location."""

from pathlib import Path

from tasks.vault.blobs import Blobs
from tasks.vault.blobs_folder import FolderBlobs


def open_blobs(location: str) -> Blobs:
    """The store at this location: `s3://bucket/prefix?endpoint=...`, or else a folder."""
    if location.startswith("s3://"):
        # boto3 takes a second to import, and most installations never need it.
        from tasks.vault.blobs_s3 import S3Blobs

        return S3Blobs(location)
    return FolderBlobs(Path(location))
