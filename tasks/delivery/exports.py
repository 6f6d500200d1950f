"""Which places a delivery may be written to: never a path that means another folder on another machine.

A worker's folder is nobody's: `Desktop` or `\\\\fileserver\\hr` once "completed" into the program's own source tree,
with faces. HR x at a shell on this machine may name any folder there, but not Rollcall's own.
"""

from __future__ import annotations

import re
from pathlib import Path

from tasks.sentences import tell
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
        raise NotLikeThis(tell("place.no_exports"))
    if not asked:
        return _outside_rollcall(exports / batch, settings)
    if _WINDOWS.match(asked):
        raise NotLikeThis(tell("place.windows_at_desk", exports=exports))
    path = Path(asked)
    if not path.is_absolute():
        raise NotLikeThis(tell("place.not_whole", exports=exports))
    whole = path.resolve()
    if not whole.is_relative_to(exports.resolve()) or whole == exports.resolve():
        raise NotLikeThis(tell("place.below_exports", exports=exports))
    return _outside_rollcall(whole, settings)


def place_for_shell(location: str, settings: Settings) -> str:
    """The same for who types a command: relative to the folder they are in."""
    if location.startswith("s3://"):
        return _bucket(location)
    if not location.strip():
        raise NotLikeThis(tell("place.say_where"))
    if _WINDOWS.match(location):
        raise NotLikeThis(tell("place.windows"))
    return _outside_rollcall(Path(location).expanduser().absolute(), settings)


def _bucket(location: str) -> str:
    if not _BUCKET.fullmatch(location):
        raise NotLikeThis(tell("place.bucket"))
    return location


def _outside_rollcall(path: Path, settings: Settings) -> str:
    whole = path.resolve()
    if whole.is_relative_to(settings.home.resolve()):
        raise NotLikeThis(tell("place.in_home"))
    if any(whole.is_relative_to(PROGRAM / room) for room in ("flows", "tasks", "reports", "tests", "samples", ".git")):
        raise NotLikeThis(tell("place.in_program"))
    return str(path)
