"""What may be said of a fault where others read it: our own sentences as they are, foreign ones as class and code.

The text of a library's exception holds whatever it was working on: a row of the roster, a file's name, the key of a
constraint that was violated. Where it happened is told by files and lines of code, which hold nobody's data.
"""

import errno
import traceback
from pathlib import Path

import sqlalchemy as sa

from tasks.vault.failures import VaultError

OURS = ("tasks.", "reports.", "flows.")
_ROOT = Path(__file__).resolve().parents[2]
# A database that went away comes back, and one that is locked is let go: what was not written is written then.
# SQLSTATE classes: connection, rollback (deadlock, serialization), resources, operator's intervention.
_FULL = ("ENOSPC", "EDQUOT", "SQLITE_FULL", "53100")
_PASSING = ("08", "40", "53", "57")
_PASSING_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL")


class DatabaseLost(VaultError):
    """The database went away, or did not let us in, in the middle of something. Nothing half-written is left."""


class DiskFull(VaultError):
    """There is no room for what was to be written."""


class Fault(VaultError):
    """Something that nobody foresaw: its class (`kind`), its code and where it was, and nothing of what it said."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind} {detail}")
        self.kind = kind


def told(fault: Exception) -> Exception:
    """The same fault, fit to be read by others. One of ours comes back as it is, without what it was made from."""
    if type(fault).__module__.startswith(OURS):
        fault.__cause__ = fault.__context__ = None
        return fault
    if code_of(fault) in _FULL:
        return DiskFull("disk_full: the disk is full. Nothing finished is lost: make room, then run it again.")
    if _passes(fault):
        return DatabaseLost(f"database_lost: the records could not be reached ({code_of(fault)}). Try again.")
    return Fault(type(fault).__name__, f"({code_of(fault)}) at {places(fault)}")


def kind_of(fault: BaseException) -> str:
    """The class of what happened, also where it has been told in our words since."""
    return fault.kind if isinstance(fault, Fault) else type(fault).__name__


def code_of(fault: BaseException) -> str:
    """The fault's code as its library counts: a SQLSTATE, SQLite's name, the system's name for it, or "no code"."""
    inner = getattr(fault, "orig", None) or fault
    for name in ("sqlstate", "sqlite_errorname"):
        if isinstance(found := getattr(inner, name, None), str):
            return found
    if isinstance(inner, OSError) and inner.errno is not None:
        return errno.errorcode.get(inner.errno, str(inner.errno))
    # psycopg leaves the state empty when the connection broke under it.
    return "connection" if getattr(fault, "connection_invalidated", False) else "no code"


def places(fault: BaseException) -> str:
    """Where it was, innermost first: files and lines of our own code, which are nobody's data."""
    lines = []
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in {name.rstrip(".") for name in OURS}:
            lines.append(f"{path.relative_to(_ROOT).as_posix()}:{frame.lineno}")
    return " < ".join(lines[:6]) or "no place of ours"


def _passes(fault: Exception) -> bool:
    if not isinstance(fault, sa.exc.DBAPIError):
        return isinstance(fault, sa.exc.TimeoutError)  # no connection of the pool became free
    code = code_of(fault)
    return (
        fault.connection_invalidated
        or code.startswith(_PASSING_SQLITE)
        or (len(code) == 5 and code.startswith(_PASSING))
        or (code == "no code" and isinstance(fault, sa.exc.OperationalError))
    )
