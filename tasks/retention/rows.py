"""What forgetting does to the records: which rows go, which are emptied, and which words of a person to look for.

Numbers stay in balance: a seat keeps its place in the batch with the reason `erased`, so that the people who came in
are still the people who were accounted for, and the opaque id stays so that a receipt has something to speak of.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.retention.mentions import Mentioned, Mentions
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
    Hold,
    Question,
    Reviewer,
    Seat,
    Selfie,
    Showing,
    SignIn,
)
from tasks.vault.tombstones import is_tombstone, set_tombstones

SHORTEST_NAME = 5  # characters; shorter ones are found in unrelated text
_SHORTEST_NUMBER = 6  # signs: a shorter number stands in many a file by chance
NOTE_REMOVED = "(note removed)"


_EMPTY_SEAT: dict[str, Any] = {
    "standing": [], "findings": [], "photos": None, "accepted": 0, "few": False, "adapter_digest": None, "cause": None,
    "fell_short": None, "answered": None, "wishes": {},
}  # fmt: skip


def mentions_of(session: Session, people: Sequence[str]) -> dict[str, Mentioned]:
    """Per person the words that are theirs alone: e-mail, and name and number when nobody else shares them."""
    words: dict[str, list[tuple[str, str]]] = {person: [] for person in people}
    numbers: dict[str, str] = {}
    for start in range(0, len(people), 500):  # SQLite takes a limited number of values at once
        some = people[start : start + 500]
        for row in session.exec(select(Employee).where(col(Employee.id).in_(some))):
            words[row.id] += [("e-mail", row.email)] * bool(row.email)
            words[row.id] += [("name", row.name)] * (len(row.name) >= SHORTEST_NAME)
            if not is_tombstone(row.number, row.id):
                numbers[row.id] = row.number
                words[row.id] += [("number", row.number)] * (len(row.number) >= _SHORTEST_NUMBER)
        for was in session.exec(select(EarlierName).where(col(EarlierName.employee_id).in_(some))):
            words[was.employee_id] += [("earlier e-mail", was.email)] * bool(was.email)
            words[was.employee_id] += [("earlier name", was.name)] * (len(was.name) >= SHORTEST_NAME)
    found = {
        person: Mentioned(
            person, tuple(word for _, word in mine), tuple(kind for kind, _ in mine), number=numbers.get(person, "")
        )
        for person, mine in words.items()
    }
    return _without_shared(session, found)


def _without_shared(session: Session, people: dict[str, Mentioned]) -> dict[str, Mentioned]:
    """Words that are somebody else's too, or stand in theirs, prove nothing: `Maria Lopez` beside `Ana Maria Lopez`."""
    mentions = Mentions(people.values())
    taken: set[str] = set()
    active = set(session.exec(select(Employee.id).where(Employee.state == "active")))
    of_others = (
        select(Employee.id, Employee.name, Employee.email, Employee.number),
        select(EarlierName.employee_id, EarlierName.name, EarlierName.email, EarlierName.number),
    )
    for query in of_others:
        for identity, *own in session.exec(query):
            if identity in active and identity not in people:
                taken.update(*(mentions.words_in(word) for word in own if word))
    if not taken:
        return people
    return {identity: _split(who, taken) for identity, who in people.items()}


def _split(who: Mentioned, taken: set[str]) -> Mentioned:
    pairs = list(zip(who.words, who.kinds, strict=True))
    alone = [(word, kind) for word, kind in pairs if word.casefold() not in taken]
    shared = tuple(kind for word, kind in pairs if word.casefold() in taken)
    return replace(who, words=tuple(word for word, _ in alone), kinds=tuple(kind for _, kind in alone), shared=shared)


def empty_rows(session: Session, keys: Keyring, ids: Sequence[str], now: datetime) -> None:
    """Delete what is about these people and empty what has to stay, in the caller's transaction."""
    for table in (Selfie, Adapter, Headshot, Showing, Decision, Artifact, EarlierName, Question, Hold):
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
    words = Mentions(people)
    for batch in session.exec(select(Batch)):
        problems, facts = _without(batch.problems, words), _without(batch.facts, words)
        if problems != batch.problems or facts != batch.facts:
            batch.problems, batch.facts = problems, facts


def hide_reviewers(session: Session, keys: Keyring, people: Sequence[Mentioned]) -> None:
    """What these people said about others stays, under a pseudonym; what was said of them to others does not."""
    mentions = Mentions(people)
    for table in (Decision, Question, Hold):
        for by in session.exec(select(table.by).distinct()).all():
            if mentions.search(by):
                hidden = f"reviewer {keys.pseudonym(by)[:8]}"
                session.execute(sa.update(table).where(col(table.by) == by).values(by=hidden))
    for reviewer in session.exec(select(Reviewer)).all():
        if mentions.search(reviewer.name) or mentions.search(reviewer.email):
            session.execute(sa.delete(SignIn).where(col(SignIn.reviewer_id) == reviewer.id))
            reviewer.name, reviewer.email = f"reviewer {keys.pseudonym(reviewer.name)[:8]}", ""
    notes = session.exec(select(Decision.id, Decision.note).where(Decision.note != "")).all()
    gone = [identity for identity, note in notes if mentions.search(note)]
    for start in range(0, len(gone), 500):
        some = col(Decision.id).in_(gone[start : start + 500])
        session.execute(sa.update(Decision).where(some).values(note=NOTE_REMOVED))


def _without(value: Any, words: Mentions) -> Any:
    if isinstance(value, list):
        return [_without(entry, words) for entry in value if not _about(entry, words)]
    if isinstance(value, dict):
        return {key: _without(entry, words) for key, entry in value.items() if not words.search(key)}
    return "" if isinstance(value, str) and words.search(value) else value


def _about(entry: Any, words: Mentions) -> bool:
    if isinstance(entry, dict):
        return any(isinstance(value, str) and words.search(value) for value in entry.values())
    return isinstance(entry, str) and words.search(entry)
