"""How somebody who was forgotten is known again without being remembered: by a keyed pseudonym of their number.

A roster that still lists a forgotten person, beside a register that still holds their old yes, would quietly bring
them back. So the emptied record keeps, in the place of the number, a pseudonym that only this installation's secret
can make again; with the date of the erasure it answers one question: was this consent given before or after?

It is personal data still, and kept for nothing else: one at most per person, gone when the proof of the erasure goes.
The secret lies beside the wrapped keys, away from the records; the master key does not wrap it, because forgetting must
work while a key management service is down.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.keys import Keyring
from tasks.vault.records import Employee, Erasure

_PREFIX = "gone-"


def is_tombstone(number: str, employee_id: str) -> bool:
    """Whether this stands in the place of this person's number. A number that merely begins alike is a number."""
    return number == _PREFIX + employee_id or re.fullmatch(_PREFIX + "[0-9a-f]{32}", number) is not None


def emptied(identity: str, now: datetime) -> Employee:
    """A record of somebody forgotten who needs a second one: nothing in it but that."""
    return Employee(id=identity, number=_PREFIX + identity, status="left", state="erased", updated_at=now)


def set_tombstones(session: Session, keys: Keyring, people: Sequence[str]) -> None:
    """Put pseudonyms in the place of these people's numbers, in the caller's transaction; once done it stays done."""
    rows = session.exec(select(Employee.id, Employee.number).where(col(Employee.id).in_(people))).all()
    fresh = {
        _PREFIX + keys.pseudonym(number): identity for identity, number in rows if not is_tombstone(number, identity)
    }
    if not fresh:
        return
    # Somebody who came back and is forgotten again: the newer date is the one that counts.
    older = session.exec(select(Employee.id).where(col(Employee.number).in_(fresh))).all()
    clear_tombstones(session, older)
    session.execute(sa.update(Employee), [{"id": identity, "number": number} for number, identity in fresh.items()])


def clear_tombstones(session: Session, people: Sequence[str]) -> None:
    """Take the pseudonyms of these people away; their opaque ids stay."""
    gone = col(Employee.id).in_(people) & col(Employee.number).startswith(_PREFIX)
    session.execute(sa.update(Employee).where(gone).values(number=sa.literal(_PREFIX) + col(Employee.id)))


def forgotten_people(session: Session, keys: Keyring, numbers: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    """Which of these employee numbers belong to people who were forgotten: the id of the emptied record, and when."""
    found: dict[str, tuple[str, datetime]] = {}
    for start in range(0, len(numbers), 500):
        wanted = {_PREFIX + keys.pseudonym(number): number for number in numbers[start : start + 500]}
        query = select(Employee.number, Employee.id, Erasure.fenced_at).where(
            col(Employee.number).in_(wanted), col(Erasure.employee_id) == col(Employee.id), Erasure.scope == "person"
        )
        for pseudonym, identity, moment in session.exec(query):
            number = wanted[pseudonym]
            if moment is not None and (number not in found or found[number][1] < moment):
                found[number] = identity, moment
    return found


def forgotten_at(session: Session, keys: Keyring, numbers: Sequence[str]) -> Mapping[str, datetime]:
    """Which of these employee numbers belong to people who were forgotten, and when their fence went up."""
    return {number: moment for number, (_, moment) in forgotten_people(session, keys, numbers).items()}
