"""What a job takes on so many cards, in hours and money, and where each number comes from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.adapters.announced import forecast_markdown
from tasks.adapters.outlook import OVERHEAD_S, outlook, say_outlook
from tasks.vault.batches import Order, open_batch
from tasks.vault.records import Adapter, Consent, Employee, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion_card import load_base_card

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GROUP = 16  # as the setting says when nobody changed it


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path)) as opened:
        yield opened


def said(vault: Vault, people: int, cards: int, price: float | None = None, gib: list[float] | None = None) -> str:
    seen = outlook(vault, vault.settings, "standard", people, cards)
    lines = say_outlook(
        seen, NOW, price=price, currency="EUR", cards_gib=gib or [], settings=vault.settings, quality="standard"
    )
    return "\n".join(lines)


def test_twice_the_cards_take_half_the_time_and_the_same_money(vault: Vault) -> None:
    two, four = (outlook(vault, vault.settings, "standard", 64 * GROUP, cards) for cards in (2, 4))
    opening = OVERHEAD_S / 3600  # of each card, once
    assert two.hours - opening == pytest.approx(2 * (four.hours - opening))
    assert two.card_hours - 2 * opening == pytest.approx(four.card_hours - 4 * opening)


def test_a_card_without_a_group_helps_nobody(vault: Vault) -> None:
    one, many = (outlook(vault, vault.settings, "standard", GROUP, cards) for cards in (1, 100))
    assert one.hours == many.hours


def test_seconds_measured_here_count_and_are_said_to_be(vault: Vault) -> None:
    assert "a guess until the first run here" in said(vault, 10, 1)
    with vault.session() as session:
        session.add(Employee(id="p1", number="1", name="Ada", updated_at=NOW))
        session.add(
            Adapter(
                digest="d", employee_id="p1", base="embedded", base_fingerprint="f", steps=200, seconds=200 * 0.6,
                blob_key="", created_at=NOW,
            )
        )  # fmt: skip
    seen = outlook(vault, vault.settings, "standard", 10, 1)
    steps = load_base_card("embedded", vault.settings.bases).training.steps["standard"]
    assert seen.hours * 3600 == pytest.approx(10 * steps * 0.6 / 0.6 + OVERHEAD_S)
    assert "as measured on this installation" in said(vault, 10, 1)


def test_money_is_card_hours_times_the_price(vault: Vault) -> None:
    seen = outlook(vault, vault.settings, "standard", 100, 4)
    assert f"Cost: {seen.card_hours * 2.5:.2f} EUR" in said(vault, 100, 4, price=2.5)
    assert "Cost" not in said(vault, 100, 4)


def test_whether_the_base_fits_the_card_of_this_machine(vault: Vault) -> None:
    assert "Fits the card here (24 GiB): 8 people" in said(vault, 10, 1, gib=[80.0, 24.0])
    assert "Does NOT fit" in said(vault, 10, 1, gib=[0.1])
    assert "No graphics card" in said(vault, 10, 1)


def test_room_is_what_people_take_here(vault: Vault) -> None:
    assert "not known until somebody is there" in said(vault, 1000, 1)
    with vault.session() as session:
        session.add(Employee(id="p1", number="1", name="Ada", updated_at=NOW))
        session.add(Consent(id="c", employee_id="p1", given_at=NOW))
    vault.write(vault.permit("p1", now=NOW), "selfies", "a", bytes(2_000_000))
    assert "2.0 GB (2.0 MB a person" in said(vault, 1000, 1)


def test_not_the_whole_bucket_is_listed_for_that(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.adapters.outlook.LOOKED_AT", 2)
    for number in range(3):
        with vault.session() as session:
            session.add(Employee(id=f"p{number}", number=str(number), name="Ada", updated_at=NOW))
            session.add(Consent(id=f"c{number}", employee_id=f"p{number}", given_at=NOW))
        vault.write(vault.permit(f"p{number}", now=NOW), "selfies", "a", bytes(1_000_000 * (number + 1)))
    listed: list[str] = []
    whole = vault.blobs.remains
    monkeypatch.setattr(vault.blobs, "remains", lambda prefix: (listed.append(prefix), whole(prefix))[1])
    assert "(1.5 MB a person" in said(vault, 1000, 1)
    assert listed == ["people/p0/", "people/p1/"]


def test_small_groups_use_more_cards(vault: Vault) -> None:
    finer = vault.settings.model_copy(update={"cohort": GROUP // 2})
    assert (
        outlook(vault, finer, "standard", GROUP, 2).hours < outlook(vault, vault.settings, "standard", GROUP, 2).hours
    )


def test_a_base_is_opened_once_by_each_card_however_many_groups_it_takes(vault: Vault) -> None:
    one, three = (outlook(vault, vault.settings, "standard", groups * GROUP, 1).hours * 3600 for groups in (1, 3))
    assert three == pytest.approx(3 * (one - OVERHEAD_S) + OVERHEAD_S)


def test_a_run_says_the_same_before_it_begins(vault: Vault) -> None:
    """In Prefect, for the workers that are there: hours, when it ends, money, room."""
    batch = open_batch(vault, Order("/drop", "northwind", "standard", "embedded"), NOW)
    with vault.session() as session:
        for number in range(40):
            session.add(Employee(id=f"p{number}", number=str(number), name="Ada", updated_at=NOW))
            session.add(
                Seat(batch_id=batch, employee_id=f"p{number}", state="ready", cohort=number // 16, position=number)
            )
    seen = outlook(vault, vault.settings, "standard", 40, 2)
    told = forecast_markdown(vault, vault.settings.model_copy(update={"price_per_hour": 2.5}), batch, 2, NOW)
    assert "| with pictures, on 2 workers | " in told
    assert f"| ends | {NOW + timedelta(hours=seen.hours):%A %d %B %H:%M} |" in told
    assert f"| costs | {seen.card_hours * 2.5:.2f} EUR (" in told
    assert "| room in the bucket | not known" in told
    assert "| faces to learn | 40 |" in told
    assert "costs" not in forecast_markdown(vault, vault.settings, batch, 2, NOW)
