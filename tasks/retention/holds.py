"""Legal holds: those in the company's file of rules, and those that a person puts up and ends at the desk.

While one stands, nothing about the person is deleted by date, and nobody forgets them by hand: the hold is ended first.
"""

from datetime import date, datetime

from sqlmodel import col, select

from tasks.retention.plan import stands
from tasks.retention.rules import Rules, StandingHold
from tasks.sentences import tell
from tasks.vault.audit_log import Event, append
from tasks.vault.failures import NotLikeThis
from tasks.vault.records import Employee, Hold, new_id
from tasks.vault.store import Vault

REASONS = ("court", "authority", "claim", "other")
ACTOR = "reviewer"


def with_holds(vault: Vault, rules: Rules) -> Rules:
    """The rules with every hold that stands, from the file and from the desk."""
    with vault.reading() as session:
        rows = session.exec(select(Hold).where(col(Hold.ended_at).is_(None)).order_by(col(Hold.at))).all()
    desk = tuple(StandingHold(person=row.employee_id, reason=row.reason, until=row.until) for row in rows)
    return rules.model_copy(update={"hold": (*rules.hold, *desk)})


def holds_of(vault: Vault, rules: Rules, now: datetime, person: str | None = None) -> list[StandingHold]:
    """The holds that stand at this moment; of one person, or of everybody."""
    found = [hold for hold in with_holds(vault, rules).hold if stands(hold, now)]
    return [hold for hold in found if person is None or hold.person == person]


def must_not_be_held(vault: Vault, rules: Rules, person: str, now: datetime) -> None:
    """Raises NotLikeThis while a hold keeps this person's data."""
    if holds_of(vault, rules, now, person):
        raise NotLikeThis(tell("hold.first"))


def hold_person(vault: Vault, person: str, reason: str, until: date | None, by: str, now: datetime) -> str:
    """Puts a hold up and returns its id. Raises NotLikeThis for what cannot be meant."""
    if reason not in REASONS:
        raise NotLikeThis(tell("hold.which", reasons=", ".join(REASONS)))
    if until is not None and until < now.date():
        raise NotLikeThis(tell("hold.when"))
    with vault.session() as session:
        employee = session.get(Employee, person)
        if employee is None or employee.state != "active":
            raise NotLikeThis(tell("hold.nothing"))
        hold = Hold(id=new_id("h"), employee_id=person, reason=reason, until=until, by=by, at=now)
        session.add(hold)
        append(session, [Event("hold", person, hold.id, {"reason": reason}, ACTOR)], now=now)
    return hold.id


def end_holds(vault: Vault, person: str, now: datetime) -> int:
    """Ends the holds that were put up at the desk; how many. Those in the company's file stay until it is changed."""
    with vault.session() as session:
        rows = session.exec(select(Hold).where(Hold.employee_id == person, col(Hold.ended_at).is_(None))).all()
        for row in rows:
            row.ended_at = now
        append(session, [Event("hold_ended", person, row.id, {}, ACTOR) for row in rows], now=now)
    return len(rows)
