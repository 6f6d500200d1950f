"""Which places a delivery may be written to: never a path that means another folder on another machine.

A worker's folder is nobody's: `Desktop` or `\\\\fileserver\\hr` once "completed" into the program's own source tree,
with faces. HR x at a shell on this machine may name any folder there, but not Rollcall's own.
"""

from __future__ import annotations

import re
from pathlib import Path

from tasks.vault.failures import NotLikeThis
from tasks.vault.settings import Settings

PROGRAM = Path(__file__).resolve().parents[2]
_BUCKET = re.compile(r"s3://[^/?#\s]+(/[^?#\s]*)?(\?\S*)?")
_WINDOWS = re.compile(r"[A-Za-z]:([\\/]|$)|.*\\|//")


def place_for_hr(location: str, settings: Settings, batch: str) -> str:
    """Where a form's delivery goes: the batch's own folder below the export folder when nothing was said, an absolute
    path below it, or a bucket. NotLikeThis otherwise, with what to write instead."""
    asked = location.strip()
    if asked.startswith("s3://"):
        return _bucket(asked)
    exports = settings.export_folder
    if exports is None:
        raise NotLikeThis(
            "No export folder is named in the settings (ROLLCALL_EXPORT_FOLDER), so nothing is written to this "
            "machine's disk: download the files at the desk, or deliver into a bucket, s3://bucket/prefix."
        )
    if not asked:
        return _outside_rollcall(exports / batch, settings)
    _refuse_windows(asked, f"name a folder below {exports}, or leave the field empty")
    path = Path(asked)
    if not path.is_absolute():
        raise NotLikeThis(
            f"That is not a whole path: it would mean another folder on each machine. Name a folder below {exports}, "
            "or leave the field empty."
        )
    whole = path.resolve()
    if not whole.is_relative_to(exports.resolve()) or whole == exports.resolve():
        raise NotLikeThis(f"Deliveries go below the export folder, {exports}, and nowhere else on this machine.")
    return _outside_rollcall(whole, settings)


def place_for_shell(location: str, settings: Settings) -> str:
    """The same for who types a command: relative to the folder they are in."""
    if location.startswith("s3://"):
        return _bucket(location)
    if not location.strip():
        raise NotLikeThis("Say where the files should go: a folder, a .zip file, or s3://bucket/prefix.")
    _refuse_windows(location, "name a folder of this machine, where a share may be mounted")
    return _outside_rollcall(Path(location).expanduser().absolute(), settings)


def _bucket(location: str) -> str:
    if not _BUCKET.fullmatch(location):
        raise NotLikeThis("A bucket is written s3://bucket/prefix.")
    return location


def _refuse_windows(location: str, instead: str) -> None:
    if _WINDOWS.match(location):
        raise NotLikeThis(
            f"That is a path of Windows or of a file server, and means nothing on this machine: {instead}."
        )


def _outside_rollcall(path: Path, settings: Settings) -> str:
    whole = path.resolve()
    if whole.is_relative_to(settings.home.resolve()):
        raise NotLikeThis("That is inside Rollcall's own home, where forgetting and backups work: name another folder.")
    if any(whole.is_relative_to(PROGRAM / room) for room in ("flows", "tasks", "reports", "tests", "samples", ".git")):
        raise NotLikeThis("That is inside the program itself: name another folder.")
    return str(path)
