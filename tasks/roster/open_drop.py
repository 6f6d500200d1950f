"""Opens a drop by its address, and finds the newest upload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tasks.roster.drop import COMING, Drop, DropFault, sort_contents
from tasks.roster.folder_drop import FolderDrop
from tasks.roster.upload import Upload
from tasks.sentences import tell
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

UPLOAD = r"[0-9]{8}-[0-9a-f]{10}"  # how the desk calls what it was given (reports/desk/drops.py)


def open_drop(location: str, vault: Vault) -> Drop:
    """A folder by its path, an upload by its folder below `<home>/drops`, or `s3://bucket/prefix?endpoint=...`."""
    if location.startswith("s3://"):
        from tasks.roster.drop_s3 import S3Drop  # boto3 takes a while, and most drops are folders

        return S3Drop(location)
    if Path(location).parent == vault.settings.uploads:
        return upload_in(Path(location), vault)
    return FolderDrop(location)


def opened_drop(folder: Path, settings: Settings) -> Drop:
    """A folder for somebody who only looks: nothing is made in a home unless it is an upload that lies there."""
    whole = folder.absolute()
    if whole.parent != settings.uploads:
        return FolderDrop(str(whole))
    with open_vault(settings) as vault:
        return upload_in(whole, vault)


def upload_in(folder: Path, vault: Vault) -> Upload:
    """What was uploaded at the desk into this folder."""
    return Upload(str(folder), vault.upload_key(folder.name))


def uploads(vault: Vault) -> Iterator[Upload]:
    """Every upload that lies here, those that are still being written left out."""
    for folder in upload_folders(vault.settings):
        yield upload_in(folder, vault)


def upload_folders(settings: Settings) -> list[Path]:
    """Their folders, by name. A link is nobody's upload, and what begins with a dot is still being written."""
    if not settings.uploads.is_dir():
        return []
    found = [path for path in settings.uploads.iterdir() if path.is_dir() and not path.is_symlink()]
    return sorted(path for path in found if not path.name.startswith("."))


def find_drop(location: str, vault: Vault) -> Drop:
    """The drop at this address; DropFault, with what to do, when there is none or no roster lies in it."""
    drop = open_drop(location, vault)
    sort_contents(drop.files())
    return drop


def located(said: str, settings: Settings) -> str:
    """The address of a drop that somebody named: by an upload's number, by a folder's name among the settings, or by
    the address itself; nothing said is the newest upload."""
    if re.fullmatch(UPLOAD, said):
        return str(settings.uploads / said)
    return settings.inputs.get(said, said) or newest_drop(settings)


def newest_drop(settings: Settings) -> str:
    """The newest upload to the review desk, which keeps each in a folder of its own below `<home>/drops`."""
    folders = [path for path in upload_folders(settings) if not (path / COMING).exists()]
    if not folders:
        raise DropFault("no_drop", tell("drop.nothing_uploaded"))
    return str(max(folders, key=lambda path: (path.stat().st_mtime_ns, path.name)))
