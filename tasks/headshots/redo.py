"""Who asked for new pictures and has not got them yet: the pages, the desk and the studio ask here."""

from sqlmodel import col, select

from tasks.headshots.wishes import wish_after, wish_of
from tasks.vault.batches import Notes
from tasks.vault.records import Batch, Headshot, Seat
from tasks.vault.review import DecisionEvent, reviews_of
from tasks.vault.scores import Scores
from tasks.vault.seat_kits import kits_of
from tasks.vault.store import Vault


def wants_redo(vault: Vault, batch_id: str) -> dict[str, DecisionEvent]:
    """Employee id to the redo of everybody in this batch that nobody has answered yet, in whichever batch it was asked.

    Answered is it when the seat says so (its round has begun), or when there are pictures newer than it.
    """
    with vault.reading() as session:
        seats = session.exec(select(Seat).where(col(Seat.batch_id) == batch_id)).all()
        reviews = reviews_of(session, kits_of(session, session.get_one(Batch, batch_id)))
    answered = {seat.employee_id: seat.answered for seat in seats}
    asked = {employee_id: review.open_redo for employee_id, review in reviews.items()}
    return {who: redo for who, redo in asked.items() if redo is not None and redo.id != answered[who]}


def next_round(vault: Vault, seat: Seat, redo: DecisionEvent) -> Notes:
    """What to note in a seat that begins the round which answers this redo: its reasons change what is taken.

    "Not like them" learns the face for longer, once; after that only new photos help.
    """
    turn = seat.round + 1
    wish = wish_after(wish_of(seat.wishes, seat.round), redo.reasons, _glasses_shown(vault, seat.employee_id))
    notes: Notes = {"round": turn, "answered": redo.id, "wishes": {**seat.wishes, str(turn): wish.as_json()}}
    if "not_like_them" in redo.reasons and seat.longer_from is None and seat.lane == "generated":
        notes["longer_from"] = turn
    return notes


def _glasses_shown(vault: Vault, employee_id: str) -> bool | None:
    """Whether the person's own photos show glasses, as the judge read them; None where they do not agree."""
    with vault.reading() as session:
        rows = session.exec(select(Headshot.scores).where(col(Headshot.employee_id) == employee_id)).all()
    said = [(Scores.from_json(scores).kept or {}).get("glasses_expected") for scores in rows]
    return next((bool(one) for one in said if one is not None), None)
