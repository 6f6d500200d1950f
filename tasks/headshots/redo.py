"""Who asked for new pictures and has not got them yet: the pages, the desk and the studio ask here."""

from sqlmodel import col, select

from tasks.vault.records import Batch, Seat
from tasks.vault.review import Event, reviews_of
from tasks.vault.store import Vault


def wants_redo(vault: Vault, batch_id: str) -> dict[str, Event]:
    """Employee id to the redo of everybody in this batch that nobody has answered yet, in whichever batch it was asked.

    Answered is it when the seat says so (its round has begun), or when there are pictures newer than it.
    """
    with vault.reading() as session:
        batch = session.get_one(Batch, batch_id)
        seats = session.exec(select(Seat).where(col(Seat.batch_id) == batch_id)).all()
        reviews = reviews_of(session, [seat.employee_id for seat in seats], batch.kit)
    answered = {seat.employee_id: seat.answered for seat in seats}
    asked = {employee_id: review.open_redo for employee_id, review in reviews.items()}
    return {who: redo for who, redo in asked.items() if redo is not None and redo.id != answered[who]}
