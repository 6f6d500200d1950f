"""Named places where a process may be made to die, fail or wait: how crash safety is tried rather than believed.

Every step that changes something durable calls `reach` before and after. In production nothing listens and a call
costs one comparison. Tests set a listener; an operator can rehearse a crash with

    ROLLCALL_FAILPOINT=erase.blobs.done:kill      die there with SIGKILL (`:2:kill` at the second time it is reached)
    ROLLCALL_FAILPOINT=erase.rows.before:fail     raise OSError(ENOSPC) there
"""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str], None]


def _from_environment(wish: str | None) -> Listener | None:
    if not wish:
        return None
    name, *count, action = wish.split(":")
    left = int(count[0]) if count else 1

    def listen(reached: str) -> None:
        nonlocal left
        if reached != name:
            return
        left -= 1
        if left == 0 and action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if left == 0 and action == "fail":
            raise OSError(errno.ENOSPC, "failpoint")

    return listen


_listener: Listener | None = _from_environment(os.environ.get("ROLLCALL_FAILPOINT"))


def reach(name: str) -> None:
    """Say that this place was reached. Never called inside a transaction: a listener may let others work."""
    if _listener is not None:
        _listener(name)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let this listener hear every place reached in this process, until the block ends."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
