"""Several people's files made at once, in their order, without asking anybody's leave too early."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from tasks.delivery.leaving import (
    Lacking,
    make_files,
)


def made_at_once(all_of_them: Iterator[Lacking], workers: int) -> Iterator[tuple[Lacking, dict[str, bytes]]]:
    """What was made of each, in their order. By threads: decoding, searching, encoding and signing all run outside of
    Python's lock. Only as many people ahead as there are workers, and one: consent is asked when a picture is read."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[tuple[Lacking, Future[dict[str, bytes]]]] = deque()
        try:
            for lacking in all_of_them:
                waiting.append((lacking, pool.submit(make_files, lacking)))
                if len(waiting) > workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
