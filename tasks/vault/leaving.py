"""Somebody leaves while a batch runs: their seat is blocked, and the work goes on for everybody else.

A fence or a withdrawal reaches a running step as a refused permit, or as a blob, a key or a row that is gone. Inside
`may_leave` each of these ends one person's part. What is gone although its owner is still here is a defect, and raised.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tasks.vault.failures import MissingBlob, NoConsent, Unreadable
from tasks.vault.records import Seat
from tasks.vault.store import Vault


class Leavers:
    """Who left one batch while this step was at work on it."""

    def __init__(self, vault: Vault, batch: str) -> None:
        self._vault, self._batch = vault, batch
        self.gone: set[str] = set()

    @contextmanager
    def may_leave(self, employee_id: str) -> Iterator[None]:
        """Work on one person, who may be forgotten, or take their consent back, at any line of it."""
        try:
            yield
        except NoConsent as refused:
            self._step_out(employee_id, refused.code)
        except (MissingBlob, Unreadable, LookupError):
            try:
                self._vault.permit(employee_id, now=datetime.now(UTC))
            except NoConsent as refused:
                self._step_out(employee_id, refused.code)
            else:
                raise

    def _step_out(self, employee_id: str, code: str) -> None:
        self.gone.add(employee_id)
        with self._vault.session() as session:
            seat = session.get(Seat, (self._batch, employee_id))
            if seat is not None and seat.state != "blocked":  # a seat that says "erased" says it better
                seat.state, seat.reason = "blocked", code
