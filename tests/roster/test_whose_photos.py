"""Of whom HR may still be asked whose photos these are: of people who are here, and never of one alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.roster.whose_photos import KIND, living
from tasks.vault.records import Employee, Question
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("states", "asked"),
    [
        (("active", "active", "active"), ["p0", "p1", "p2"]),
        (("active", "erasing", "active"), ["p0", "p2"]),
        (("active", "erasing", "erased"), []),
        (("erasing", "active", "active"), []),  # for whom they came: there is nobody to give them to
        (("active", "active", None), ["p0", "p1"]),
    ],
)
def test_whoever_is_forgotten_is_no_answer(vault: Vault, states: tuple[str | None, ...], asked: list[str]) -> None:
    others = [{"id": one, "by": "photo", "photos": ["a"]} for one in ("p1", "p2")]
    question = Question(id="q", kind=KIND, batch_id="b", employee_id="p0", candidates=others, asked_at=NOW)
    with vault.session() as session:
        for place, state in enumerate(states):
            if state is not None:
                session.add(Employee(id=f"p{place}", number=f"n{place}", state=state, updated_at=NOW))
        session.flush()
        assert [one.id for one in living(session, question)] == asked
