"""How every process of Rollcall begins: files that are nobody else's, no core dump, and an end with whoever started it.

`begin_process` comes first, before anything is opened. A core dump would write keys and photos to the disk, a file made
under the usual umask is everybody's to read, and a child that outlives its parent serves a door that nobody watches.
"""

import ctypes
import os
import resource
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o077  # the umask of everything that Rollcall keeps
# Between a process and those that it starts: the umask that the company had set, and who must stay alive.
UMASK, PARENT = "ROLLCALL_UMASK", "ROLLCALL_PARENT"

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4  # linux/prctl.h


def begin_process() -> None:
    """Private files, no core dump, no look into our memory by other programs of the same account.

    Children keep the first two; the third is lost when another program is executed, so each child says it again.
    """
    before = os.umask(PRIVATE)
    os.environ.setdefault(UMASK, f"{before:03o}")
    # A limit of 0 is not looked at where cores are piped to a collector (systemd-coredump); 1 stops those too, and one
    # byte is less than any file of a core.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    least = 0 if most == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (least, least))
    _prctl(_PR_SET_DUMPABLE, 0)
    if os.environ.get("ROLLCALL_LOG") == "json":
        from tasks.vault.json_log import begin_json_log  # it knows databases, and the sandbox's children need none

        begin_json_log()


def for_children(environment: dict[str, str]) -> dict[str, str]:
    """This environment for a child that calls `end_with_parent`."""
    return {**environment, PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """From now on this process gets SIGTERM when the one that started it ends, however that ends.

    Does nothing in a process that was not started through `for_children`, such as a command typed by hand.
    """
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it ended before we asked
        sys.exit(f"the process that started this one ({parent}) has ended")


def _prctl(option: int, value: int) -> None:
    if not sys.platform.startswith("linux"):  # elsewhere the limit on cores has to do, and stopping in order
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")


@contextmanager
def company_umask() -> Iterator[None]:
    """For what leaves the home: files made inside have the rights that the company's own umask gives them.

    The umask belongs to the whole process: other threads must not write into the home meanwhile.
    """
    given = os.environ.get(UMASK)
    if given is None:
        yield
        return
    before = os.umask(int(given, 8))
    try:
        yield
    finally:
        os.umask(before)


def close_home(home: Path) -> int:
    """Makes the home, or takes from an older one what others were allowed; returns how many entries were mended.

    The home itself is mended last: until everything in it is, the next start does it again.
    """
    home = home.resolve()
    if not home.is_dir():
        home.mkdir(parents=True, mode=0o700)
        return 0
    if not stat.S_IMODE(home.stat().st_mode) & PRIVATE:
        return 0
    mended = 0
    for folder, folders, names in os.walk(home, followlinks=False):
        for name in folders + names:
            mended += _close(Path(folder) / name)
    return mended + _close(home)


def _close(path: Path) -> bool:
    """Whether others had rights on this file or folder, which they have no more. Links are left alone."""
    try:
        mode = path.lstat().st_mode
        open_to_others = not stat.S_ISLNK(mode) and bool(stat.S_IMODE(mode) & PRIVATE)
        if open_to_others:
            path.chmod(stat.S_IMODE(mode) & ~PRIVATE)
    except FileNotFoundError:  # another process has just removed it
        return False
    return open_to_others
