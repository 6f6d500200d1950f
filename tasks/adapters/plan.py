"""The training plan: one dial (quality), and everything else follows from base, photos and memory. No torch here.

The plan is part of an adapter's identity: the same plan, base and selfies give the same adapter, so nothing about
the machine may enter it except what changes the result. Memory therefore decides slots and checkpointing only,
which change no number of the result.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from math import ceil

from tasks.vision.diffusion_card import BaseCard, Quality

FEW_PHOTOS = 5  # below this a person is learned gently: fewer steps, since each photo would be seen too often
FEW_STEPS = 0.6
LONGER = 1.6  # times the usual steps, for whoever is not like themselves in any picture after new seeds
ENOUGH_FOR_ONE_SLOT = "not even one person fits"
SPARE = 0.85  # share of the free memory that a cohort may plan with

# Seconds per sample-step of the denoiser, when nobody has measured: a rough figure, replaced by `seconds_per_step`.
GUESS_SECONDS = 0.1


@dataclass(frozen=True)
class TrainingPlan:
    """How one person, or a cohort of people, is learned. Printed by `rollcall make --plan`."""

    quality: str
    steps: int  # optimizer updates per person
    rank: int
    alpha: float
    learning_rate: float
    weight_decay: float
    clip: float
    warmup: int
    decay: str  # "constant" | "cosine"
    batch: int  # samples per person and update
    resolution: int
    targets: tuple[str, ...]
    prior_share: float  # of the samples, class pictures that keep "a person" what it was
    few_photos: bool
    mirror: bool
    start: str = ""  # sha256 of the shared first weights; none: from nothing
    patience: int = 0  # updates without progress after which a person stops early; 0 = never

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def sentence(self) -> str:
        few = ", few photos" if self.few_photos else ""
        return (
            f"{self.quality}: {self.steps} steps x {self.batch} at {self.resolution} px, rank {self.rank}, "
            f"learning rate {self.learning_rate:g}, prior {self.prior_share:.0%}{few}"
        )


@dataclass(frozen=True)
class Forecast:
    """What a batch of people will cost, before it starts."""

    minutes: float
    memory_gib: float
    slots: int
    checkpointing: bool
    measured: bool  # False: minutes rest on a guess


def plan_training(
    card: BaseCard, quality: str, photos: int, memory_gib: float | None = None, *, longer: bool = False
) -> TrainingPlan:
    """The plan for people with `photos` good portraits. `memory_gib` lowers the resolution if one sample cannot fit.

    `longer` is for somebody whose pictures were not like them at the usual length.
    """
    if quality not in ("draft", "standard", "best"):
        raise ValueError(f"quality is {quality!r}; known: draft, standard, best")
    grade: Quality = quality  # type: ignore[assignment]
    training = card.training
    few = photos < FEW_PHOTOS
    steps = training.steps.get(grade, 800) * (LONGER if longer else 1.0)
    rank = training.ranks.get(grade, card.lora.rank)
    return TrainingPlan(
        quality=quality,
        steps=max(1, ceil(steps * (FEW_STEPS if few else 1.0))),
        rank=rank,
        alpha=card.alpha * rank / card.lora.rank,  # keeps alpha / rank, which is what scales the adapter
        learning_rate=training.learning_rates.get(grade, training.learning_rate),
        weight_decay=training.weight_decay,
        clip=training.clip,
        warmup=training.warmup,
        decay=training.decay,
        batch=training.batches.get(grade, training.batch),
        resolution=_affordable(card, training.resolutions.get(grade, card.resolution), memory_gib),
        targets=card.targets,
        prior_share=training.prior_share if training.prior else 0.0,
        few_photos=few,
        mirror=training.mirror,
        # made at the card's own rank; a quality with another one starts from nothing
        start=training.start.sha256 if training.start and rank == card.lora.rank else "",
    )


def _affordable(card: BaseCard, resolution: int, memory_gib: float | None) -> int:
    """Three quarters, then half of the resolution when even one checkpointed sample would not fit."""
    if memory_gib is None:
        return resolution
    for share in (1.0, 0.75, 0.5):
        size = int(resolution * share) // (card.latent_factor * 8) * (card.latent_factor * 8) or resolution
        if card.memory.base + card.memory.adapter + _sample_gib(card, size, True) <= memory_gib * SPARE:
            return size
    raise MemoryError(
        f"{card.name}: {ENOUGH_FOR_ONE_SLOT} into {memory_gib:.1f} GiB "
        f"(weights {card.memory.base:.1f} GiB, one sample {_sample_gib(card, resolution, True):.1f} GiB)"
    )


def _sample_gib(card: BaseCard, resolution: int, checkpointing: bool) -> float:
    """Saved activations of one sample; they grow with the picture's area."""
    full = card.memory.sample
    whole = (card.memory.sample_checkpointed or full * 0.2) if checkpointing else full
    return whole * (resolution / card.resolution) ** 2


def slots_for(card: BaseCard, plan: TrainingPlan, memory_gib: float, wanted: int) -> tuple[int, bool]:
    """How many people train at once in the free memory, and whether activations must be recomputed for that."""
    room = memory_gib * SPARE - card.memory.base
    for checkpointing in (False, True):
        adapter = card.memory.adapter * plan.rank / card.lora.rank
        each = adapter + plan.batch * _sample_gib(card, plan.resolution, checkpointing)
        fits = int(room / each)
        if fits >= min(wanted, 4) or (checkpointing and fits >= 1):
            return max(1, min(wanted, fits)), checkpointing
    raise MemoryError(f"{card.name}: {ENOUGH_FOR_ONE_SLOT} into {memory_gib:.1f} GiB at {plan.resolution} px")


def forecast(
    people: int,
    plan: TrainingPlan,
    card: BaseCard,
    seconds_per_step: float | None = None,
    *,
    memory_gib: float | None = None,
    wanted: int = 16,
) -> Forecast:
    """Minutes and memory for `people`. `seconds_per_step`: one person's update (batch samples) inside a full cohort."""
    slots, checkpointing = slots_for(card, plan, memory_gib, wanted) if memory_gib else (wanted, False)
    slots = max(1, min(slots, people))
    each = seconds_per_step if seconds_per_step is not None else GUESS_SECONDS * plan.batch
    memory = card.memory.base + slots * (
        card.memory.adapter * plan.rank / card.lora.rank
        + plan.batch * _sample_gib(card, plan.resolution, checkpointing)
    )
    return Forecast(people * plan.steps * each / 60, memory, slots, checkpointing, seconds_per_step is not None)
