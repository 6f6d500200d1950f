"""What a batch will take, said before it starts: people, minutes, memory; measured here once anybody was learned."""

from collections.abc import Sequence
from statistics import median

from sqlmodel import col, select

from tasks.adapters.plan import ENOUGH_PHOTOS, LearningForecast, TrainingPlan, forecast, least_gib, plan_training
from tasks.vault.records import Adapter
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import BaseCard, load_base_card
from tasks.vision.worlds import misfit

RECENT = 50  # adapters whose time counts: the machine as it is now, not as it was


def seconds_per_step(vault: Vault, base: str) -> float | None:
    """Seconds per person and update as lately measured with this base on this installation; None when never."""
    query = select(Adapter).where(Adapter.base == base, Adapter.steps > 0).order_by(col(Adapter.created_at).desc())
    with vault.reading() as session:
        rows: Sequence[Adapter] = session.exec(query.limit(RECENT)).all()
    return median(row.seconds / row.steps for row in rows) if rows else None


def plan_lines(settings: Settings, quality: str) -> list[str]:
    """What `rollcall make --plan` prints: the plan for many photos and for few, and what a hundred people take."""
    card = load_base_card(settings.base, settings.bases)
    plans = [plan_training(card, quality, photos) for photos in (ENOUGH_PHOTOS, 3)]
    draws = "drawn people only; photographs of real people are blocked" if card.world == "drawn" else "real people"
    said = misfit(settings.eyes, card.name, card.world)
    head = [f"Base: {card.title} ({card.licence})", f"It draws {draws}.", *([said] if said else [])]
    return [*head, *(_plan_line(plan) for plan in plans), _hundred(card, plans[0])]


def _plan_line(plan: TrainingPlan) -> str:
    return ("With few photos  " if plan.few_photos else "With enough      ") + plan.sentence()


def _hundred(card: BaseCard, plan: TrainingPlan) -> str:
    cost = forecast(100, plan, card, None, wanted=8)
    return (
        f"A hundred people: {minutes_of(cost)}, {cost.memory_gib:.1f} GiB on the device for {cost.slots} at a time, "
        f"at the least {least_gib(card, plan):.1f} GiB"
    )


def minutes_of(cost: LearningForecast) -> str:
    """How long learning takes, in words, and whether that is a guess."""
    return f"about {max(1, round(cost.minutes))} min{'' if cost.measured else ' (a guess until the first run)'}"
