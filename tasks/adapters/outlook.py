"""What a whole job takes, before anybody begins it: hours on so many cards, money, memory, room in the bucket.

Each number says where it comes from: measured on this installation, or a guess until the first run.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import select

from tasks.adapters.forecasting import seconds_per_step
from tasks.adapters.plan import ENOUGH_PHOTOS, forecast, plan_training, slots_for
from tasks.vault.records import Artifact
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import load_base_card

OVERHEAD_S = 20.0  # per card: a process that starts, and a base that is opened, once for all groups
LOOKED_AT = 50  # people whose files tell what one takes
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
    size = settings.cohort
    groups = [min(size, people - start) for start in range(0, people, size)]
    busy = [0.0] * max(cards, 1)
    for group in groups:  # whoever is free first takes the next one
        first = busy.index(min(busy))
        busy[first] += group * person_s + (0.0 if busy[first] else OVERHEAD_S)
    return Outlook(people, len(busy), max(busy) / 3600, sum(busy) / 3600, each is not None, _bytes_each(vault))


def _bytes_each(vault: Vault) -> float | None:
    """What lies in the blob store for one person, by a few of those who are there: a whole bucket lists slowly."""
    with vault.reading() as session:
        there = select(Artifact.employee_id).distinct().order_by(Artifact.employee_id).limit(LOOKED_AT)
        people = session.exec(there).all()
    sizes = [sum(one.size for one in vault.blobs.remains(f"people/{person}/")) for person in people]
    return sum(sizes) / len(sizes) if sizes else None


def say_outlook(
    seen: Outlook, now: datetime, *, price: float | None, currency: str, cards_gib: list[float], settings: Settings,
    quality: str,
) -> list[str]:  # fmt: skip
    """The lines that `rollcall make --plan --cards N --price P` prints."""
    cards = f"{seen.cards} {'card' if seen.cards == 1 else 'cards'}"
    lines = [f"{seen.people} people on {cards}: {_time(seen)}; begun now, it ends {_end(seen, now)}"]
    if price is not None:
        lines.append(f"Cost: {_money(seen, price, currency)}")
    return [*lines, _memory(settings, quality, cards_gib), f"Room in the bucket: {_room(seen)}"]


def outlook_rows(seen: Outlook, now: datetime, *, price: float | None, currency: str) -> list[str]:
    """The same of a run that begins now, as rows of its table for HR. `now` in the company's own zone."""
    workers = f"{seen.cards} {'worker' if seen.cards == 1 else 'workers'}"
    rows = [f"| with pictures, on {workers} | {_time(seen)} |", f"| ends | {_end(seen, now)} |"]
    if price is not None:
        rows.append(f"| costs | {_money(seen, price, currency)} |")
    return [*rows, f"| room in the bucket | {_room(seen)} |"]


def _time(seen: Outlook) -> str:
    basis = "as measured on this installation" if seen.measured else "a guess until the first run here"
    return f"{_span(seen.hours)}, {basis}"


def _end(seen: Outlook, now: datetime) -> str:
    return f"{now + timedelta(hours=seen.hours):%A %d %B %H:%M}"


def _money(seen: Outlook, price: float, currency: str) -> str:
    return f"{seen.card_hours * price:.2f} {currency} ({seen.card_hours:.1f} card-hours at {price:.2f})"


def _room(seen: Outlook) -> str:
    if seen.bytes_each is None:
        return "not known until somebody is there"
    return f"{seen.bytes_each * seen.people / 1e9:.1f} GB ({seen.bytes_each / 1e6:.1f} MB a person, as here)"


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
