"""What a run will take, as the table that HR sees in it before the expensive part."""

from datetime import datetime

from tasks.adapters.forecasting import minutes_of, seconds_per_step
from tasks.adapters.outlook import outlook, outlook_rows
from tasks.adapters.plan import ENOUGH_PHOTOS, forecast, least_gib, plan_training
from tasks.vault.batches import load_batch, seats_of
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import load_base_card


def forecast_markdown(vault: Vault, settings: Settings, batch_id: str, workers: int, now: datetime) -> str:
    """The forecast of a batch that begins now on so many workers, as a short table."""
    batch = load_batch(vault, batch_id)
    card = load_base_card(batch.base, settings.bases)
    plan = plan_training(card, batch.quality, ENOUGH_PHOTOS)
    seats = seats_of(vault, batch_id)
    chosen = [seat for seat in seats if seat.cohort is not None]
    waiting = [seat for seat in chosen if seat.state == "ready"]
    blocked = [seat for seat in seats if seat.state == "blocked"]
    cost = forecast(len(waiting), plan, card, seconds_per_step(vault, card.name), wanted=8)
    seen = outlook(vault, settings, batch.quality, len(waiting), workers)
    return "\n".join(
        [
            "| | |", "|---|---|",
            f"| on the roster | {len(seats)} |",
            f"| in this run | {len(chosen)} |",
            f"| blocked, each with a reason in the report | {len(blocked)} |",
            f"| faces to learn | {len(waiting)} |",
            f"| training | {minutes_of(cost)} |",
            f"| memory of the device | {cost.memory_gib:.1f} GiB, at the least {least_gib(card, plan):.1f} GiB |",
            *(outlook_rows(seen, now, price=settings.price_per_hour, currency=settings.currency) if waiting else ()),
        ]
    )  # fmt: skip
