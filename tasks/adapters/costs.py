"""What learning people will cost: minutes, and money where the company has set the price of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tasks.adapters.forecasting import seconds_per_step
from tasks.adapters.plan import ENOUGH_PHOTOS, forecast, plan_training
from tasks.vault.batches import load_batch, seats_of
from tasks.vault.halts import hold_for_approval
from tasks.vault.seats import TO_APPROVE
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import load_base_card

QUALITIES = ("draft", "standard", "best")


@dataclass(frozen=True)
class Cost:
    """An estimate. `money` in the company's currency, None where no price is set; `measured`: not a guess."""

    people: int
    minutes: float
    money: float | None
    measured: bool


def cost_of(vault: Vault, settings: Settings, quality: str, people: int, base: str = "") -> Cost:
    """What it takes to learn so many people at this quality; those whose face is known already cost almost nothing."""
    card = load_base_card(base or settings.base, settings.bases)
    plan = plan_training(card, quality, ENOUGH_PHOTOS)
    found = forecast(people, plan, card, seconds_per_step(vault, card.name), wanted=8)
    price = settings.price_per_hour
    return Cost(people, found.minutes, None if price is None else found.minutes / 60 * price, found.measured)


def hold_if_costly(vault: Vault, settings: Settings, batch: str, now: datetime) -> int:
    """Holds a batch whose run would cost more than the company's limit for one person's word; how many people wait.

    Whom somebody has said yes to before is not counted again.
    """
    if settings.yes_above is None or settings.price_per_hour is None:
        return 0
    row = load_batch(vault, batch)
    agreed = set(row.facts.get("approved", {}).get("people", ()))
    seats = seats_of(vault, batch, states=TO_APPROVE)
    new = [seat for seat in seats if seat.cohort is not None and seat.employee_id not in agreed]
    cost = cost_of(vault, settings, row.quality, len(new), row.base)
    if cost.money is None or cost.money <= settings.yes_above:
        return 0
    return hold_for_approval(vault, batch, str(row.facts.get("ordered", {}).get("by", "")), now)
