"""Whom a wish to forget means: one person, a department, those who left, those who took their consent back."""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import col, select

from tasks.retention.inventory import DEPARTING
from tasks.vault.audit_log import Event, append
from tasks.vault.records import Employee, Erasure, new_id
from tasks.vault.store import Vault


def people_by_number(vault: Vault, number: str) -> list[str]:
    """The ids of everybody filed under this employee number: also of rows that were told apart by their place on the
    roster (`A-40001 (row 9)`), because whoever asks for A-40001 means the person and not the line."""
    with vault.reading() as session:
        alike = select(Employee.id, Employee.number).where(col(Employee.number).startswith(number, autoescape=True))
        told_apart = re.compile(re.escape(number) + r"( ?\((row \d+|question q[0-9a-f]+)\))?")
        return sorted(identity for identity, found in session.exec(alike) if told_apart.fullmatch(found))


def people_of_department(vault: Vault, department: str) -> list[str]:
    """The ids of everybody in this department, letter case aside."""
    with vault.reading() as session:
        rows = session.exec(select(Employee.id, Employee.department).where(col(Employee.state) == "active"))
        wanted = department.strip().casefold()
        return sorted(identity for identity, name in rows if name.strip().casefold() == wanted)


def leavers(vault: Vault, numbers: Iterable[str]) -> list[str]:
    """The ids of people whom a new roster no longer lists, or whom it lists as gone.

    An empty roster lists nobody because something went wrong with it, so it makes nobody a leaver.
    """
    present = set(numbers)
    if not present:
        return []
    with vault.reading() as session:
        rows = session.exec(
            select(Employee.id, Employee.number, Employee.status).where(col(Employee.state) == "active")
        )
        return sorted(identity for identity, number, status in rows if number not in present or status == "left")


def note_departures(vault: Vault, now: datetime) -> int:
    """Remember since when the roster calls somebody gone, and forget it when they are back; how many were noted.

    Their time runs from the first sweep that saw them gone, whatever later rosters rewrite.
    """
    with vault.session() as session:
        gone = set(
            session.exec(select(Employee.id).where(col(Employee.state) == "active", col(Employee.status) == "left"))
        )
        noted = {row.employee_id: row for row in session.exec(select(Erasure).where(col(Erasure.state) == DEPARTING))}
        for employee_id in sorted(gone - noted.keys()):
            case = Erasure(
                id=new_id("e"), employee_id=employee_id, reason="left", state=DEPARTING, due_at=now, started_at=now,
                fenced_at=None, resweep_at=None, finished_at=None,
            )  # fmt: skip
            session.add(case)
        for employee_id in noted.keys() - gone:
            session.delete(noted[employee_id])
        append(session, [Event("departure", employee_id) for employee_id in sorted(gone - noted.keys())], now=now)
        return len(gone - noted.keys())
