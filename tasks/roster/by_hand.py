"""One person's consent, or its withdrawal, as somebody in HR records it by hand: with the evidence that they hold.

What the evidence is stands in the consent's source, which forgetting empties. A withdrawal stops all use at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import col, select

from tasks.roster.consents import PURPOSE
from tasks.sentences import say_date, tell
from tasks.vault.audit_log import Event, append
from tasks.vault.failures import NotLikeThis
from tasks.vault.records import Consent, Employee, new_id
from tasks.vault.store import Vault

Evidence = Literal["signed_form", "email", "in_person", "letter"]
EVIDENCE: tuple[Evidence, ...] = ("signed_form", "email", "in_person", "letter")
MARK = "hand"
REFERENCE = 60  # letters


@dataclass(frozen=True)
class Noted:
    """What somebody noted. `when`: the day on the evidence; `author`: the opaque id of who noted it."""

    evidence: str
    reference: str
    when: datetime
    author: str

    def source(self) -> str:
        """How it stands in the records."""
        return "|".join((MARK, self.evidence, self.reference.replace("|", " ").strip(), self.author))


def said_by(source: str) -> Noted | None:
    """What a source says that was noted by hand; None for others."""
    parts = source.split("|")
    return Noted(parts[1], parts[2], datetime.min, parts[3]) if len(parts) == 4 and parts[0] == MARK else None


def record_consent(vault: Vault, person: str, noted: Noted, text_version: str, now: datetime) -> None:
    """Adds a consent. Raises NotLikeThis for what cannot be meant."""
    _check(noted, now)
    with vault.session() as session:
        _must_be_here(session.get(Employee, person))
        latest = session.exec(select(Consent).where(Consent.employee_id == person, Consent.purpose == PURPOSE)).all()
        over = max((one.withdrawn_at for one in latest if one.withdrawn_at is not None), default=None)
        if over is not None and noted.when <= over:
            raise NotLikeThis(tell("people.taken_back_before", day=say_date(over)))
        consent = Consent(
            id=new_id("c"), employee_id=person, purpose=PURPOSE, text_version=text_version.strip()[:80],
            given_at=noted.when, withdrawn_at=None, source=noted.source(),
        )  # fmt: skip
        session.add(consent)
        what = {"purpose": PURPOSE, "evidence": noted.evidence}
        append(session, [Event("consent_recorded", person, consent.id, what, noted.author or "reviewer")], now=now)


def record_withdrawal(vault: Vault, person: str, noted: Noted, now: datetime) -> int:
    """Takes every standing consent back; how many. Raises NotLikeThis when there is none, or the evidence is none."""
    _check(noted, now)
    with vault.session() as session:
        _must_be_here(session.get(Employee, person))
        mine = select(Consent).where(Consent.employee_id == person, col(Consent.withdrawn_at).is_(None))
        standing = session.exec(mine).all()
        if not standing:
            raise NotLikeThis(tell("people.nothing_to_take_back"))
        for consent in standing:
            consent.withdrawn_at = now  # it counts from the moment it is known, whatever day the evidence bears
        what = {"evidence": noted.evidence}
        who = noted.author or "reviewer"
        append(session, [Event("consent_withdrawn", person, one.id, what, who) for one in standing], now=now)
    return len(standing)


def _must_be_here(employee: Employee | None) -> None:
    if employee is None or employee.state != "active":
        raise NotLikeThis(tell("people.is_forgotten"))


def _check(noted: Noted, now: datetime) -> None:
    if noted.evidence not in EVIDENCE:
        raise NotLikeThis(tell("people.say_evidence"))
    if len(noted.reference) > REFERENCE:
        raise NotLikeThis(tell("people.reference_long", most=REFERENCE))
    if noted.when.date() > now.date():
        raise NotLikeThis(tell("people.day_to_come"))
