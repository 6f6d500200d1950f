"""What forgetting does to the records: which rows go, which are emptied, and which words of a person to look for.

Numbers stay in balance: a seat keeps its place in the batch with the reason `erased`, so that the people who came in
are still the people who were accounted for, and the opaque id stays so that a receipt has something to speak of.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.retention.mentions import Mentioned
from tasks.vault.keys import Keyring
from tasks.vault.records import (
    Adapter,
    Artifact,
    Batch,
    Consent,
    Decision,
    EarlierName,
    Employee,
    Headshot,
    Question,
    Seat,
    Selfie,
    Showing,
)
from tasks.vault.tombstones import is_tombstone, set_tombstones

SHORTEST_NAME = 5  # characters; shorter ones are found in unrelated text
_SHORTEST_NUMBER = 6


_EMPTY_SEAT: dict[str, Any] = {
    "standing": [], "findings": [], "photos": None, "accepted": 0, "few": False, "adapter_digest": None, "cause": None,
    "fell_short": None, "answered": None, "wishes": {},
}  # fmt: skip


def mentions_of(session: Session, people: Sequence[str]) -> dict[str, Mentioned]:
    """Per person the words that are theirs alone: e-mail, and name and number when nobody else shares them."""
    rows = session.exec(select(Employee).where(col(Employee.id).in_(people))).all()
    names = [row.name for row in rows if row.name]
    shared = set(
        session.exec(
            select(Employee.name)
            .where(col(Employee.name).in_(names))
            .group_by(col(Employee.name))
            .having(sa.func.count() > 1)
        )
    )
    earlier: defaultdict[str, list[EarlierName]] = defaultdict(list)
    for was in session.exec(select(EarlierName).where(col(EarlierName.employee_id).in_(people))):
        earlier[was.employee_id].append(was)
    found = {person: Mentioned(person) for person in people}
    for row in rows:
        words = []
        if row.email:
            words.append(("e-mail", row.email))
        if len(row.name) >= SHORTEST_NAME and row.name not in shared:
            words.append(("name", row.name))
        if len(row.number) >= _SHORTEST_NUMBER and not is_tombstone(row.number, row.id):
            words.append(("number", row.number))
        for was in earlier[row.id]:
            words += [("earlier e-mail", was.email)] * bool(was.email)
            words += [("earlier name", was.name)] * (len(was.name) >= SHORTEST_NAME and was.name not in shared)
        found[row.id] = Mentioned(row.id, tuple(word for _, word in words), tuple(kind for kind, _ in words))
    return found


def empty_rows(session: Session, keys: Keyring, ids: Sequence[str], now: datetime) -> None:
    """Delete what is about these people and empty what has to stay, in the caller's transaction."""
    for table in (Selfie, Adapter, Headshot, Showing, Decision, Artifact, EarlierName, Question):
        session.execute(sa.delete(table).where(col(table.employee_id).in_(ids)))
    session.execute(
        sa.update(Seat).where(col(Seat.employee_id).in_(ids)).values(state="blocked", reason="erased", **_EMPTY_SEAT)
    )
    session.execute(sa.update(Consent).where(col(Consent.employee_id).in_(ids)).values(source=""))
    session.execute(
        sa.update(Employee)
        .where(col(Employee.id).in_(ids))
        .values(
            name="", email="", department="", title="", status="left", wardrobe=None, glasses="keep", generation=False,
            updated_at=now,
        )
    )  # fmt: skip
    set_tombstones(session, keys, ids)


def clear_batches(session: Session, people: Sequence[Mentioned]) -> None:
    """Batch notes hold codes and numbers, but a note that names one of these people loses that line."""
    words = {word for person in people for word in (person.id, *person.words)}
    for batch in session.exec(select(Batch)):
        problems, facts = _without(batch.problems, words), _without(batch.facts, words)
        if problems != batch.problems or facts != batch.facts:
            batch.problems, batch.facts = problems, facts
            session.add(batch)


def _without(value: Any, words: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(entry, words) for entry in value if not _about(entry, words)]
    if isinstance(value, dict):
        return {key: _without(entry, words) for key, entry in value.items() if key not in words}
    return "" if isinstance(value, str) and value in words else value


def _about(entry: Any, words: set[str]) -> bool:
    if isinstance(entry, dict):
        return any(isinstance(value, str) and value in words for value in entry.values())
    return isinstance(entry, str) and entry in words
