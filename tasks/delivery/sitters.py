"""Who is in a delivery, and why everybody else is not. Nothing is trusted that can be asked.

A picture leaves when its seat is done, when it is the one approved last, under the name and number that its person has
now, and under the consent that has stood since before that approval (`vault/review.py`), and when that consent and the
person stand at this moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from tasks.roster.questions import waiting_people
from tasks.sentences import tell
from tasks.vault.failures import NoConsent, NoSuchBatch, NotLikeThis
from tasks.vault.records import Adapter, Batch, Decision, Employee, Headshot, Seat
from tasks.vault.review import reviews_of
from tasks.vault.seat_kits import kits_of
from tasks.vault.seats import JUDGED
from tasks.vault.store import Vault


@dataclass(frozen=True)
class Sitter:
    """One person of a batch with the picture that was approved of them, if one was."""

    employee: Employee
    seat: Seat
    headshot: Headshot | None
    base: str  # that drew it
    in_question: bool = False  # HR has not said yet who somebody on the roster is, and it may be this person


def sitters_of(vault: Vault, batch_id: str) -> list[Sitter]:
    """Everybody in the batch, in roster order. ValueError when there is no such batch."""
    with vault.reading() as session:
        batch = session.get(Batch, batch_id)
        if batch is None:
            raise NoSuchBatch
        bases = {adapter.digest: adapter.base for adapter in session.exec(select(Adapter))}
        query = (
            select(Seat, Employee)
            .join(Employee, col(Employee.id) == col(Seat.employee_id))
            .where(col(Seat.batch_id) == batch_id)
            .order_by(col(Seat.position), col(Seat.employee_id))
        )
        rows = list(session.exec(query))
        waiting = waiting_people(session)
        reviews = reviews_of(session, kits_of(session, batch))
        sitters = []
        for seat, employee in rows:
            approved = reviews[employee.id].approved
            headshot = session.get(Headshot, approved) if approved else None
            base = bases.get(headshot.adapter_digest or "", "") if headshot else ""
            sitters.append(Sitter(employee, seat, headshot, base, employee.id in waiting))
        return sitters


def why_absent(vault: Vault, sitter: Sitter, now: datetime) -> str:
    """Why this person's picture does not leave; empty when it does."""
    if gone := why_gone(vault, sitter.employee, now):
        return gone
    if sitter.in_question:
        return "who_is_this"
    if sitter.seat.state not in JUDGED:
        return sitter.seat.reason or "not_done"
    if sitter.headshot is None:
        return "not_approved"
    return "" if vault.exists(sitter.headshot.finished_key or sitter.headshot.original_key) else "picture_missing"


def why_gone(vault: Vault, employee: Employee | None, now: datetime) -> str:
    """Why no batch may show this person any more: forgotten, left, or without a consent that stands. Empty: it may."""
    if employee is None or employee.state != "active":
        return "erasing"
    if employee.status == "left":
        return "left_company"
    try:
        vault.permit(employee.id, now=now)
    except NoConsent as refusal:
        return refusal.code
    return ""


def people_of(vault: Vault, ids: Iterable[str]) -> dict[str, Employee]:
    """Those of these people who are on record."""
    wanted = sorted(set(ids))
    with vault.reading() as session:
        found: dict[str, Employee] = {}
        for start in range(0, len(wanted), 500):
            some = col(Employee.id).in_(wanted[start : start + 500])
            found |= {employee.id: employee for employee in session.exec(select(Employee).where(some))}
        return found


def newest_approved(vault: Vault) -> str:
    """The batch in which a picture that still counts was approved last: the one that has just been reviewed."""
    with vault.reading() as session:
        query = (
            select(Decision.batch_id)
            .join(Headshot, col(Headshot.digest) == col(Decision.headshot_digest))
            .where(col(Headshot.state) == "approved", col(Decision.verdict) == "approve")
            .order_by(col(Decision.at).desc(), col(Decision.id))
        )
        found = session.exec(query).first()
    if found is None:
        raise NotLikeThis(tell("place.nothing_approved"))
    return found
