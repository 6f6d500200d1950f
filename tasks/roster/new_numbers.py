"""A merger gives everybody a new number, and each is a question: they are shown by name, and answered together.

Each stays a question of its own, with an answer of its own. Whoever is killed between two of them answers the rest.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from tasks.roster.questions import SAME, BadAnswer, answer_question, in_words
from tasks.sentences import tell
from tasks.vault.records import Employee, Question
from tasks.vault.store import Vault


@dataclass(frozen=True)
class NewNumber:
    """One of them, with what the answer will do, in words for HR."""

    question: str
    answer: str
    words: str


def new_numbers(vault: Vault) -> list[NewNumber]:
    """The questions that are plain: nobody has the line's number, one known person has its name or e-mail, and no other
    line may mean that person. In the order of their names."""
    with vault.reading() as session:
        query = select(Question).where(Question.kind == "who_is_this", col(Question.answer).is_(None))
        rows = session.exec(query).all()
        meant = Counter(str(one["id"]) for row in rows for one in row.candidates)
        found = []
        for row in rows:
            alone = row.candidates[0] if len(row.candidates) == 1 else None
            if alone is None or alone["by"] != "name" or meant[str(alone["id"])] > 1:
                continue
            asked, answer = in_words(session, row), f"{SAME}{alone['id']}"
            if asked is not None and answer in {choice.answer for choice in asked.choices}:
                known, said = session.get_one(Employee, str(alone["id"])), session.get_one(Employee, row.employee_id)
                found.append(NewNumber(row.id, answer, _what_it_does(known, said)))
        return sorted(found, key=lambda one: one.words)


def answer_new_numbers(vault: Vault, shown: Sequence[NewNumber], by: str, now: datetime) -> int:
    """Says of these people that they are who they were. BadAnswer, and nothing is answered, where others are plain by
    now than were shown. How many were answered."""
    if new_numbers(vault) != list(shown):
        raise BadAnswer(tell("questions.others_by_now"))
    for one in shown:
        answer_question(vault, one.question, one.answer, by, now)
    return len(shown)


def fingerprint(shown: Sequence[NewNumber]) -> str:
    """What a page sends back to say what it showed."""
    return hashlib.sha256(repr(list(shown)).encode()).hexdigest()[:32]


def _what_it_does(known: Employee, said: Employee) -> str:
    number = said.number.partition(" (question ")[0]
    renamed = f", now {said.name}" if said.name != known.name else ""
    moved = f", e-mail {said.email}" if said.email != known.email else ""
    return f"{known.name}, {known.number}: number {number}{renamed}{moved}"
