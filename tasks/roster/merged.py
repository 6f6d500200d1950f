"""What the answer "the same person" brings together: what was said of the line in question, and what was approved.

Whoever answers sees both names and numbers. So the answer is also a yes to the approved picture under the new ones: it
is added as a decision of theirs, and nobody has to look at two thousand pictures again because a merger changed every
number. Without such an answer an approval ends with the name and number that it was given under.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.audit_log import Event, append
from tasks.vault.records import Decision, Employee, Headshot, new_id
from tasks.vault.review import reviews_of, settle_pictures


@dataclass(frozen=True)
class Approved:
    """A picture that may leave under the name and number of now."""

    kit: str
    decision: str


def approvals_of(session: Session, person: str) -> list[Approved]:
    """What counts at this moment, before anything is renamed."""
    kits = session.exec(select(Decision.kit).where(Decision.employee_id == person).distinct()).all()
    reviews = ((kit, reviews_of(session, {person: kit})[person]) for kit in sorted(kits))
    return [Approved(kit, one.decision.id) for kit, one in reviews if one.approved is not None and one.decision]


def carry_over(session: Session, person: Employee, before: Sequence[Approved], by: str, now: datetime) -> None:
    """Approves the same pictures under the person's present name and number, in the words of whoever said who it is."""
    for one in before:
        given = session.get_one(Decision, one.decision)
        kept = given.model_dump(exclude={"id", "identity", "by", "author", "at", "note"})
        again = Decision(**kept, id=new_id("d"), identity=person.identity, by=by, at=now)
        session.add(again)
        what = {"verdict": "approve", "batch": again.batch_id, "decision": again.id}
        append(session, [Event("decide", person.id, again.headshot_digest or "", what, "reviewer")], now=now)
    _settle(session, person.id)


def take_over(session: Session, record: Employee, person: Employee) -> None:
    """What was said at the desk of a line in question was said of the person whom it means: a no above all."""
    said = col(Decision.employee_id) == record.id
    noes = session.exec(select(Decision.id).where(said, Decision.verdict == "opt_out")).first()
    session.execute(sa.update(Decision).where(said).values(employee_id=person.id))
    if noes is not None:
        person.generation = False
    _settle(session, person.id)


def _settle(session: Session, person: str) -> None:
    session.flush()
    for kit in session.exec(select(Headshot.kit).where(Headshot.employee_id == person).distinct()).all():
        settle_pictures(session, [person], kit)
