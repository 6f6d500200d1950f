"""A kit per person or department within one batch: chosen, taken over, and reviewed by itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from tasks.vault.batches import Order, newcomers, open_batch, seats_of
from tasks.vault.failures import NoSuchBatch, NotLikeThis
from tasks.vault.lease import end_lease, take_lease
from tasks.vault.records import AuditEntry, Batch, Consent, Decision, Employee, Headshot, Seat, Showing
from tasks.vault.review import reviews_of
from tasks.vault.seat_kits import choose_kit, department_of, kit_names, kits_of
from tasks.vault.store import Vault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
KITS = ("harbour", "signal")


@pytest.fixture
def batch(vault: Vault) -> str:
    """Two people of one department and one of another, each done with an approved picture under the batch's kit."""
    made = open_batch(vault, Order("/d", "harbour", "draft", "embedded"), NOW)
    with vault.session() as session:
        for who, department in (("p1", "Sales"), ("p2", "Sales"), ("p3", "Works")):
            session.add(Employee(id=who, number=who, department=department, updated_at=NOW))
            session.add(Consent(id=f"c{who}", employee_id=who, given_at=NOW))
            session.add(
                Seat(batch_id=made, employee_id=who, state="done", round=2, chances=1, longer_from=2, answered="d",
                     wishes={"2": {}}, cohort=0, adapter_digest="a")
            )  # fmt: skip
            session.add_all(picture(made, who, "harbour"))
            session.add(
                Decision(id=f"d{who}", employee_id=who, headshot_digest=f"{who}harbour", batch_id=made, kit="harbour",
                         verdict="approve", consent_id=f"c{who}", by="Ada", at=NOW)
            )  # fmt: skip
    return made


def picture(batch: str, who: str, kit: str) -> tuple[Headshot, Showing]:
    digest = f"{who}{kit}"
    shot = Headshot(digest=digest, employee_id=who, kit=kit, kit_digest=kit, shot=0, seed=1, created_at=NOW)
    return shot, Showing(batch_id=batch, headshot_digest=digest, employee_id=who, choice=1)


def approved(vault: Vault, batch: str) -> dict[str, str | None]:
    with vault.reading() as session:
        reviews = reviews_of(session, kits_of(session, session.get_one(Batch, batch)))
    return {who: review.approved for who, review in reviews.items()}


def test_a_department_gets_another_kit_and_begins_with_what_was_learned_of_it(vault: Vault, batch: str) -> None:
    sales = department_of(vault, batch, "Sales")
    assert sales == {"p1", "p2"}
    assert choose_kit(vault, batch, sales, "signal", KITS, NOW) == 2
    first, _, third = seats_of(vault, batch)
    assert (first.state, first.kit, first.adapter_digest, first.cohort) == ("ready", "signal", "a", 0)
    assert (first.round, first.chances, first.answered, first.wishes) == (0, 0, None, {})
    assert first.longer_from == 0, "who was learned for longer stays so"
    assert (third.state, third.kit) == ("done", "")
    assert approved(vault, batch) == {"p1": None, "p2": None, "p3": "p3harbour"}
    with vault.reading() as session:
        assert {shown.employee_id for shown in session.exec(select(Showing))} == {"p3"}, "the others left the batch"
        assert len(session.exec(select(Headshot)).all()) == 3, "and nothing was deleted"
        assert session.exec(select(AuditEntry.result).where(AuditEntry.action == "kit_chosen")).one() == {"people": 2}
    assert choose_kit(vault, batch, sales, "signal", KITS, NOW) == 0, "twice is once"
    assert newcomers(vault, batch) == {"p1", "p2"}, "of whom there is no picture under their kit"


def test_back_to_the_batchs_own_kit_the_approval_of_before_counts(vault: Vault, batch: str) -> None:
    choose_kit(vault, batch, {"p1"}, "signal", KITS, NOW)
    with vault.session() as session:
        session.add_all(picture(batch, "p1", "signal"))
    assert approved(vault, batch)["p1"] is None
    choose_kit(vault, batch, {"p1"}, "harbour", KITS, NOW)
    assert seats_of(vault, batch)[0].kit == ""
    assert approved(vault, batch)["p1"] == "p1harbour"


def test_who_waits_for_somebody_goes_on_waiting(vault: Vault, batch: str) -> None:
    with vault.session() as session:
        session.get_one(Seat, (batch, "p1")).state = "blocked"
        session.get_one(Seat, (batch, "p2")).lane = "faithful"
    assert choose_kit(vault, batch, {"p1", "p2", "p9"}, "signal", KITS, NOW) == 2
    first, second, _ = seats_of(vault, batch)
    assert (first.state, first.kit) == ("blocked", "signal")
    assert (second.state, second.reason) == ("ready", "opted_out")


def test_what_cannot_be_chosen_is_said(vault: Vault, batch: str, tmp_path: Path) -> None:
    with pytest.raises(NotLikeThis, match="harbour, signal"):
        choose_kit(vault, batch, {"p1"}, "navy", KITS, NOW)
    with pytest.raises(NoSuchBatch):
        choose_kit(vault, "b0", {"p1"}, "signal", KITS, NOW)
    take_lease(vault, batch, "a run", NOW)
    with pytest.raises(NotLikeThis, match="stop it first"):
        choose_kit(vault, batch, {"p1"}, "signal", KITS, NOW)
    assert choose_kit(vault, batch, {"p1"}, "signal", KITS, NOW + timedelta(hours=1)) == 1, "a lease that ran out"
    end_lease(vault, batch, "a run")
    (tmp_path / "kits" / "one").mkdir(parents=True)
    (tmp_path / "kits" / "one" / "kit.toml").touch()
    (tmp_path / "kits" / "none").mkdir()
    assert kit_names(tmp_path / "kits") == ["one"]
