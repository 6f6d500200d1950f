"""How far the work is, told to whoever listens: a console, a Prefect artifact, a test.

Steps call `tell`; they do not know who listens, and with nobody listening it costs nothing. Messages carry phases,
counts and opaque ids, never names.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`done` of `total` units of `phase`; `employee_id` when the unit is a person."""

    phase: str
    done: float
    total: float
    employee_id: str | None = None
    note: str = ""


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


def tell(phase: str, done: float, total: float, employee_id: str | None = None, note: str = "") -> None:
    """Passes one step of progress to every listener."""
    for listener in _listeners:
        listener(Progress(phase, done, total, employee_id, note))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hears everything that is told until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
