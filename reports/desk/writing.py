"""Reports are written beside the desk's requests, never inside one: a page says "being written" and looks again.

A report of ten thousand people takes minutes. One at a time is written, each batch once however many ask for it; a
small one is there before anybody notices.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

PATIENCE_S = 2.0  # that a request waits, so that a small report needs no second look
AGAIN_S = 5  # until the page looks again

logger = logging.getLogger(__name__)


class Writing:
    """What is being written at the moment."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._one = ThreadPoolExecutor(1, thread_name_prefix="report")
        self._lock = threading.RLock()  # what has ended already says so at once, in our own thread
        self._running: dict[str, Future[object]] = {}

    def written(self, batch: str, patience_s: float | None = None) -> bool:
        """Has this batch's report written anew, begun by now; whether that is done. Raises what the writing raised."""
        with self._lock:
            running = self._running.get(batch)
            if running is None:
                running = self._running[batch] = self._one.submit(self._write, batch)
                running.add_done_callback(lambda done: self._ended(batch, done))
        try:
            running.result(PATIENCE_S if patience_s is None else patience_s)
        except NotYet:
            if running.done():  # the writing itself raised it
                raise
            return False
        return True

    def _ended(self, batch: str, done: Future[object]) -> None:
        if (fault := done.exception()) is not None:
            logger.warning("the report of %s could not be written (%s)", batch, type(fault).__name__)
        with self._lock:
            self._running.pop(batch, None)

    def close(self) -> None:
        """Lets what is being written come to its end, and begins no other."""
        self._one.shutdown(wait=False, cancel_futures=True)
