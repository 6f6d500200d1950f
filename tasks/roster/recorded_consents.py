"""Writes what rosters and registers say of consent into the records; what was withdrawn is not undone by a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from tasks.roster.consents import (
    PURPOSE,
    ConsentRegister,
    as_of,
    is_purpose,
    refused_at,
)
from tasks.roster.row_desk import RowDesk
from tasks.roster.rows import ConsentCell, Roster
from tasks.roster.whose_consent import settle_consents
from tasks.vault import audit_log
from tasks.vault.audit_log import Event
from tasks.vault.records import Consent, new_id
from tasks.vault.store import Vault

ACTOR = "roster"


def record_consents(
    session: Session, employee_id: str, cells: Sequence[ConsentCell], source: str, now: datetime
) -> None:
    """Adds what is new and withdraws what was taken back. A withdrawal is never undone by reading a file again."""
    if not cells:
        return
    there = list(session.exec(select(Consent).where(col(Consent.employee_id) == employee_id)))
    events = []
    for cell in cells:
        purpose = PURPOSE if is_purpose(cell.purpose) else cell.purpose[:40]
        same = [c for c in there if _is_same(c, cell, purpose, source)]
        if cell.given and not same:
            consent = Consent(
                id=new_id("c"),
                employee_id=employee_id,
                purpose=purpose,
                text_version=cell.text_version[:80],
                given_at=cell.given_at or now,
                withdrawn_at=(cell.withdrawn_at or now) if cell.withdrawn else None,
                source=source,
            )
            session.add(consent)
            there.append(consent)
            events.append(Event("consent_recorded", employee_id, consent.id, {"purpose": purpose}, ACTOR))
        if refused := refused_at(cell):
            # A no takes back what was agreed to until then, whatever day and wording its own line names for the yes: an
            # older line, read again, leaves a newer yes alone.
            standing = same or [c for c in there if c.purpose == purpose and c.given_at <= refused]
            events += _withdraw(standing, cell.withdrawn_at or now)
    if events:
        audit_log.append(session, events, now=now)


def _is_same(consent: Consent, cell: ConsentCell, purpose: str, source: str) -> bool:
    if consent.purpose != purpose or consent.text_version != cell.text_version[:80]:
        return False
    return consent.given_at == cell.given_at if cell.given_at else consent.source == source


def _withdraw(consents: Iterable[Consent], when: datetime) -> list[Event]:
    events = []
    for consent in consents:
        if consent.withdrawn_at is None:
            consent.withdrawn_at = when
            events.append(Event("consent_withdrawn", consent.employee_id, consent.id, {}, ACTOR))
    return events


def withdraw_at_once(vault: Vault, roster: Roster, register: ConsentRegister | None, now: datetime) -> int:
    """A withdrawal counts when the register is uploaded, not when somebody runs a batch. How many consents it ended.

    Nothing else of the files is recorded: a yes waits for the run, and a row in question is nobody's.
    """
    consents = settle_consents(roster, register)
    ended = 0
    with vault.session() as session:
        desk = RowDesk(session, vault.keys, roster, "", now)
        for row in roster.rows:
            person = desk.person_of(row)
            noes = [cell for cell in as_of(consents.of(row), now) if refused_at(cell)]
            if person is None or not noes:
                continue
            there = list(session.exec(select(Consent).where(col(Consent.employee_id) == person)))
            standing = [consent for consent in there if consent.withdrawn_at is None]
            purposes = {consent.purpose for consent in standing}
            known = [cell for cell in noes if (PURPOSE if is_purpose(cell.purpose) else cell.purpose[:40]) in purposes]
            record_consents(session, person, known, "register", now)
            ended += sum(consent.withdrawn_at is not None for consent in standing)
    return ended
