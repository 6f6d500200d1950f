"""What a person can do something about is said in one sentence: a full disk, a home that cannot be written, bad rules.

Anything else is a defect and keeps its traceback.
"""

import errno
from collections.abc import Iterator

_FULL = "The disk is full. Nothing finished is lost: make room, then run the same command again."
_READ_ONLY = "The home cannot be written ({where}): check its owner and its mount, or name another one with --home."
_LOCKED = (
    "Another program has held the records for too long: a backup or a database browser that has them open for writing. "
    "Close it, then run the same command again."
)
_UNREACHABLE = "The database cannot be reached: check that it runs, and the address in ROLLCALL_DATABASE_URL."


def sentence_of(error: BaseException) -> str | None:
    """The sentence for this error, or None where it is none that was expected."""
    for one in _chain(error):
        said = _of_system(one) or _of_database(one) or _of_ours(one)
        if said is not None:
            return said
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _of_system(error: BaseException) -> str | None:
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return _READ_ONLY.format(where=error.filename or "no place named")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return None


def _of_database(error: BaseException) -> str | None:
    if not type(error).__module__.startswith(("sqlalchemy.", "sqlite3", "psycopg")):
        return None
    text = str(error).lower()
    if "disk is full" in text or "disk i/o error" in text:
        return _FULL
    if "readonly database" in text or "unable to open database file" in text:
        return _READ_ONLY.format(where="the records")
    if "database is locked" in text or "database table is locked" in text:
        return _LOCKED
    if "connection" in text and type(error).__name__ == "OperationalError":
        return _UNREACHABLE
    return None


def _of_ours(error: BaseException) -> str | None:
    """Errors of our own that were written for people."""
    from tasks.failures import RollcallError
    from tasks.vault.failures import StoreFault, StoreLost

    if isinstance(error, StoreFault) and not isinstance(error, StoreLost):
        full = error.code in {f"errno_{errno.ENOSPC}", f"errno_{errno.EDQUOT}"}
        return _FULL if full else f"The blob store refused ({error}): look at its own state, then try again."
    return f"{str(error).rstrip('.')}." if isinstance(error, RollcallError) else None
