"""What a whole job takes, before anybody begins it: hours on so many cards, money, memory, room in the bucket.

Each number says where it comes from: measured on this installation, or a guess until the first run.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.adapters.forecasting import seconds_per_step
from tasks.adapters.plan import ENOUGH_PHOTOS, forecast, plan_training, slots_for
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import load_base_card

OVERHEAD_S = 20.0  # per group: a process that starts, and a base that is opened
GROUP = 16  # people of one group, which one card works on
LEARNING = 0.6  # of a person's time; the rest is pictures and judging (flows/announcing.COHORT)


@dataclass(frozen=True)
class Outlook:
    """`hours` from now to the end; `card_hours` is paid for. `bytes_each`: stored per person, None when unknown."""

    people: int
    cards: int
    hours: float
    card_hours: float
    measured: bool
    bytes_each: float | None


def outlook(vault: Vault, settings: Settings, quality: str, people: int, cards: int) -> Outlook:
    """For so many people at this quality on so many cards. Groups are handed out whole, so some cards end earlier."""
    card = load_base_card(settings.base, settings.bases)
    plan = plan_training(card, quality, ENOUGH_PHOTOS)
    each = seconds_per_step(vault, card.name)
    person_s = forecast(1, plan, card, each, wanted=8).minutes * 60 / LEARNING
    groups = [min(GROUP, people - start) for start in range(0, people, GROUP)]
    busy = [0.0] * max(cards, 1)
    for size in groups:  # whoever is free first takes the next one
        first = busy.index(min(busy))
        busy[first] += size * person_s + OVERHEAD_S
    return Outlook(people, len(busy), max(busy) / 3600, sum(busy) / 3600, each is not None, _bytes_each(vault))


def _bytes_each(vault: Vault) -> float | None:
    """What lies in the blob store for one person, by those who are there."""
    sizes: dict[str, int] = {}
    for remnant in vault.blobs.remains("people/"):
        owner = remnant.key.split("/")[1]
        sizes[owner] = sizes.get(owner, 0) + remnant.size
    return sum(sizes.values()) / len(sizes) if sizes else None


def say_outlook(
    seen: Outlook, now: datetime, *, price: float | None, currency: str, cards_gib: list[float], settings: Settings,
    quality: str,
) -> list[str]:  # fmt: skip
    """The lines that `rollcall make --plan --cards N --price P` prints."""
    basis = "as measured on this installation" if seen.measured else "a guess until the first run here"
    ends = now + timedelta(hours=seen.hours)
    lines = [
        f"{seen.people} people on {seen.cards} {'card' if seen.cards == 1 else 'cards'}: {_span(seen.hours)}, {basis}; "
        f"begun now, it ends {ends:%A %d %B %H:%M}"
    ]
    if price is not None:
        paid = f"{seen.card_hours:.1f} card-hours at {price:.2f}"
        lines.append(f"Cost: {seen.card_hours * price:.2f} {currency} ({paid})")
    lines.append(_memory(settings, quality, cards_gib))
    if seen.bytes_each is None:
        lines.append("Room in the bucket: not known until somebody is there")
    else:
        room = seen.bytes_each * seen.people
        lines.append(f"Room in the bucket: {room / 1e9:.1f} GB ({seen.bytes_each / 1e6:.1f} MB a person, as here)")
    return lines


def _memory(settings: Settings, quality: str, cards_gib: list[float]) -> str:
    """Whether the base fits the smallest card here, and how many people at a time."""
    card = load_base_card(settings.base, settings.bases)
    plan = plan_training(card, quality, ENOUGH_PHOTOS)
    if not cards_gib:
        return "No graphics card in this machine: whether the base fits one is not said here"
    try:
        slots, again = slots_for(card, plan, min(cards_gib), 8)
    except MemoryError as too_small:
        return f"Does NOT fit the card here: {too_small}"
    how = ", each activation computed twice" if again else ""
    return f"Fits the card here ({min(cards_gib):.0f} GiB): {slots} people at a time{how}"


def _span(hours: float) -> str:
    if hours < 1:
        return f"about {max(1, round(hours * 60))} min"
    return f"about {hours:.1f} hours" if hours < 48 else f"about {hours / 24:.1f} days"
