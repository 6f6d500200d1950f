"""Who asked for new pictures and has not got them yet: the pages, the desk and the studio ask here."""

from datetime import datetime

from sqlmodel import col, select

from tasks.vault.records import Decision, Headshot, Seat
from tasks.vault.standing import standing
from tasks.vault.store import Vault


def wants_redo(vault: Vault, batch_id: str) -> dict[str, str]:
    """Employee id to decision id of everybody whose last standing decision asks for pictures that nobody has made yet.

    Made are they when the seat says that this decision was answered, or when there are pictures newer than it.
    """
    with vault.reading() as session:
        rows = session.exec(select(Decision).where(col(Decision.batch_id) == batch_id)).all()
        shots = session.exec(select(Headshot).where(col(Headshot.batch_id) == batch_id)).all()
        seats = session.exec(select(Seat).where(col(Seat.batch_id) == batch_id)).all()
    answered = {seat.employee_id: answered_by(seat) for seat in seats}
    newest: dict[str, datetime] = {}
    for shot in shots:
        newest[shot.employee_id] = max(shot.created_at, newest.get(shot.employee_id, shot.created_at))
    asked = {}
    for employee_id in sorted({row.employee_id for row in rows}):
        last = standing(row for row in rows if row.employee_id == employee_id)[-1:]
        if not last or last[0].verdict != "redo" or answered.get(employee_id) == last[0].id:
            continue
        if newest.get(employee_id, last[0].at) <= last[0].at:
            asked[employee_id] = last[0].id
    return asked


def answered_by(seat: Seat) -> str | None:
    """The decision that this seat's newest round of pictures answers, if any."""
    return seat.detail.get("answered") if isinstance(seat.detail, dict) else None
