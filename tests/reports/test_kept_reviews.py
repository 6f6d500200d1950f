"""After a decision, a withdrawal or a new picture that person is read again and nobody else; nothing old is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from reports import kept_reviews
from reports.decisions import apply_decisions
from reports.kept_reviews import KeptReviews
from tasks.roster.by_hand import Noted, record_withdrawal
from tasks.vault.records import Decision, Employee, Headshot
from tasks.vault.review import Review, reviews_of
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, digest

BATCH, KIT = "b20261123a", "northwind"
ONE, TWO, THREE = (f"p{number:015x}" for number in (1, 2, 3))
ALL = {(KIT, one) for one in (ONE, TWO, THREE)}
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose reviews were read from the records, in order."""
    asked: list[str] = []

    def noted(session: Session, kits: Mapping[str, str]) -> dict[str, Review]:
        asked.extend(sorted(kits))
        return reviews_of(session, kits)

    monkeypatch.setattr(kept_reviews, "reviews_of", noted)
    return asked


def decide(vault: Vault, person: int, verdict: str, minute: int) -> None:
    at = (LATER + timedelta(minutes=minute)).isoformat()
    row = {"employee": f"p{person:015x}", "headshot": digest("headshot", person, 0), "verdict": verdict, "at": at}
    applied = apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Ada", LATER + timedelta(hours=2))
    assert applied.recorded == 1


def now_of(vault: Vault, kept: KeptReviews) -> dict[tuple[str, str], Review]:
    """What is kept, after it was held against the records."""
    with vault.reading() as session:
        found = kept.of(session, ALL)
        decided = set(session.exec(select(Decision.employee_id)))
        fresh = reviews_of(session, {one: KIT for _, one in ALL if one in decided})
    assert found == {(KIT, one): review for one, review in fresh.items()}
    return found


def test_only_whoever_moved_is_read_again(vault: Vault, read: list[str]) -> None:
    with vault.session() as session:
        for row in session.exec(select(Decision)):
            session.delete(row)
    kept = KeptReviews()
    assert now_of(vault, kept) == {}
    decide(vault, 1, "approve", 0)
    decide(vault, 3, "approve", 1)
    assert now_of(vault, kept)[KIT, ONE].state == "approved"
    assert read == [ONE, THREE]
    decide(vault, 3, "undo", 2)
    assert now_of(vault, kept)[KIT, THREE].state == "undecided"
    record_withdrawal(vault, ONE, Noted("email", "HR-1", LATER, ""), LATER)
    now_of(vault, kept)
    with vault.session() as session:
        session.get_one(Employee, THREE).identity += 1  # another name than the one that was approved
    now_of(vault, kept)
    with vault.session() as session:
        session.get_one(Headshot, digest("headshot", 1, 0)).state = "retired"
    now_of(vault, kept)
    now_of(vault, kept)
    assert read == [ONE, THREE, THREE, ONE, THREE, ONE]
