"""Remembers that two people whose faces are alike are two, so that HR is asked once and not with every upload."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlmodel import col, select

from tasks.vault.records import Employee, Question
from tasks.vault.store import Vault

KIND = "one_face"
TWO = "two_people"


def remember_two_people(vault: Vault, first: str, second: str, by: str, now: datetime) -> bool:
    """Keep HR's word about two numbers. False when the records do not know both yet: then it stays with the drop."""
    with vault.session() as session:
        found = session.exec(select(Employee).where(col(Employee.number).in_([first, second])))
        people = sorted((one for one in found if one.state == "active"), key=lambda one: one.id)
        if len(people) != 2:
            return False
        pair = "/".join(one.id for one in people)
        session.merge(
            Question(
                id="q" + hashlib.sha256(f"{KIND}/{pair}".encode()).hexdigest()[:15],
                kind=KIND,
                batch_id="",
                employee_id=people[0].id,
                candidates=[{"id": people[1].id, "by": "face"}],
                asked_at=now,
                answer=TWO,
                by=by,
                answered_at=now,
            )
        )
    return True


def known_two_people(vault: Vault) -> frozenset[tuple[str, str]]:
    """Pairs of numbers of whom HR has said that they are two people, the smaller number first."""
    with vault.reading() as session:
        numbers = {one.id: one.number for one in session.exec(select(Employee))}
        said = session.exec(select(Question).where(col(Question.kind) == KIND, col(Question.answer) == TWO))
        pairs = [(numbers.get(one.employee_id), numbers.get(one.candidates[0]["id"])) for one in said]
    return frozenset((min(a, b), max(a, b)) for a, b in pairs if a and b)
