"""Whose turn it is: a run that was taken for dead, and is not, stops before it writes anything more.

A network that was away looks like death. The group is then handed to another worker, or the batch to another run,
while the first still learns in memory. Who begins notes it in the records; each transaction of whoever works asks
there whether it still stands, and on PostgreSQL keeps it standing until it has been committed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from tasks.vault.failures import VaultError
from tasks.vault.records import Batch, GroupTurn

Check = Callable[[Session], None]
_checks: list[Check] = []


class TakenOver(VaultError):
    """Another run does this now; what it needs of ours it finds in the vault."""

    def __init__(self) -> None:
        super().__init__(
            "taken_over: this run was taken for dead and another one goes on with its work, so it has stopped."
            " Nothing finished is lost."
        )


def check_turn(session: Session) -> None:
    """Raises TakenOver where this process works on something that another run has by now."""
    for check in _checks:
        check(session)


@contextmanager
def checked(check: Check) -> Iterator[None]:
    """Every transaction inside the block is checked first, in all threads of the process."""
    _checks.append(check)
    try:
        yield
    finally:
        _checks.remove(check)


def take_turn(session: Session, batch: str, number: int, holder: str, attempt: int) -> None:
    """This run has the group from now on. Raises TakenOver where a later attempt of the same making has begun."""
    row = session.exec(_turn(batch, number).with_for_update()).first()
    maker = session.exec(select(Batch.lease_holder).where(col(Batch.id) == batch)).first() or ""
    if row is None:
        row = GroupTurn(batch_id=batch, cohort=number, holder=holder, maker=maker, attempt=attempt)
    elif row.maker == maker and row.attempt > attempt:
        raise TakenOver
    row.holder, row.maker, row.attempt = holder, maker, attempt
    session.add(row)


def end_turn(session: Session, batch: str, number: int) -> None:
    """The group is nobody's, and a run that still works on it is stopped."""
    session.exec(delete(GroupTurn).where(col(GroupTurn.batch_id) == batch, col(GroupTurn.cohort) == number))


def group_is_ours(batch: str, number: int, holder: str) -> Check:
    """The check of a run that works on a group."""

    def check(session: Session) -> None:
        row = session.exec(_turn(batch, number).with_for_update(read=True)).first()
        if row is None or row.holder != holder:
            raise TakenOver

    return check


def batch_is_ours(batch: str, holder: str) -> Check:
    """The check of a run that makes a batch. Without a lock: its own heart beats by writing to the same row."""

    def check(session: Session) -> None:
        if session.exec(select(Batch.lease_holder).where(col(Batch.id) == batch)).first() != holder:
            raise TakenOver

    return check


def _turn(batch: str, number: int) -> SelectOfScalar[GroupTurn]:
    return select(GroupTurn).where(col(GroupTurn.batch_id) == batch, col(GroupTurn.cohort) == number)
