"""The training plan: one dial (quality), and everything else follows from base, photos and memory. No torch here.

The plan is part of an adapter's identity: the same plan, base and selfies give the same adapter, so nothing about
the machine may enter it except what changes the result. Memory therefore decides slots and checkpointing only,
which change no number of the result.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from math import ceil
from typing import Any

from tasks.failures import RollcallError
from tasks.vault.failures import NotLikeThis
from tasks.vision.diffusion_card import BaseCard, Quality

ENOUGH_PHOTOS = 8  # for which a forecast is made before photos are known
FEW_PHOTOS = 5  # below this a person is learned gently: fewer steps, since each photo would be seen too often
LONGER = 1.6  # times the usual steps, for whoever is not like themselves in any picture after new seeds
ENOUGH_FOR_ONE_SLOT = "not even one person fits"
SPARE = 0.85  # share of the free memory that a cohort may plan with

# Seconds per sample-step of the denoiser, when nobody has measured: a rough figure, replaced by `seconds_per_step`.
GUESS_SECONDS = 0.1


class CannotLearn(RollcallError):
    """Weights on which nothing can be learned; the message names those on which it can."""


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
    patience: int = 0  # updates that bring no better answer to held-out noise, after which a person stops; 0: never
    start: str = ""  # sha256 of the shared first weights; none: from nothing
    gaussian: bool = False  # first weights: A normal with 1 / rank, as the official scripts; else as PEFT
    average: float = 0.0  # of the updates, the last ones whose weights are averaged
    captions: str = "one"  # "one" sentence for all photos | "seen": each says what our eyes measured
    caption_dropout: float = 0.0  # of the samples, those that get the one sentence after all
    outside: float = 1.0  # how much everything but the head counts in the loss
    crops: str = "portrait"  # | "mixed": portraits, nearer and wider ones
    true_sizes: bool = False  # the base is told the photo's true size, where it can be told (sdxl)
    preserve: float = 0.0  # how much "a person" without the token must stay what the base makes of it, in the loss
    token: str = ""  # the word that stands for the person
    grammar: str = ""  # of the captions, where they say what is seen
    reading: tuple[int, ...] = ()  # tokens of a prompt and the encoder's layers, where the card says so
    snr_gamma: float | None = None  # of the loss
    prior: str = ""  # the file of the class pictures, where they are shown

    def words(self) -> dict[str, Any]:
        """What makes the plan this one: a word that came later and says nothing leaves older digests alone."""
        return {name: value for name, value in asdict(self).items() if name not in LATER or value != LATER[name]}

    def first_words(self) -> dict[str, Any]:
        """Those that digests were made of before the card's other words counted: older adapters are found by them, and
        everybody's seed follows from them."""
        return {name: value for name, value in self.words().items() if name not in OF_THE_CARD}

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.words(), sort_keys=True).encode()).hexdigest()

    def sentence(self) -> str:
        few = ", few photos" if self.few_photos else ""
        return (
            f"{self.quality}: {self.steps} steps x {self.batch} at {self.resolution} px, rank {self.rank}, "
            f"learning rate {self.learning_rate:g}, prior {self.prior_share:.0%}{few}"
        )


# Words that Rollcall 0.1 did not know, with the value that says nothing.
LATER = {field.name: field.default for field in fields(TrainingPlan)[16:]}
# Those of the card that came last: no older digest knows them, and nobody's seed follows from them.
OF_THE_CARD = ("token", "grammar", "reading", "snr_gamma", "prior")


@dataclass(frozen=True)
class LearningForecast:
    """What a batch of people will cost, before it starts."""

    minutes: float
    memory_gib: float
    slots: int
    measured: bool  # False: minutes rest on a guess


def plan_training(card: BaseCard, quality: str, photos: int, *, longer: bool = False) -> TrainingPlan:
    """The plan for people with `photos` good portraits.

    `longer` is for somebody whose pictures were not like them at the usual length. CannotLearn for distilled weights.
    """
    if quality not in ("draft", "standard", "best"):
        raise NotLikeThis("There is no such quality; known: draft, standard, best.")
    if card.trained_from is not None:
        raise CannotLearn(
            f"{card.name} is distilled and cannot learn a face: choose {card.trained_from}, which it was made from."
        )
    grade: Quality = quality  # type: ignore[assignment]
    training = card.training
    few = photos < FEW_PHOTOS
    steps = training.steps.get(grade, 800) * (LONGER if longer else 1.0)
    rank = training.ranks.get(grade, card.lora.rank)
    return TrainingPlan(
        quality=quality,
        steps=max(1, ceil(training.few.shortened(steps, max(1, photos)) if few else steps)),
        rank=rank,
        alpha=card.alpha * rank / card.lora.rank,  # keeps alpha / rank, which is what scales the adapter
        learning_rate=training.learning_rates.get(grade, training.learning_rate),
        weight_decay=training.weight_decay,
        clip=training.clip,
        warmup=training.warmup,
        decay=training.decay,
        batch=training.batches.get(grade, training.batch),
        resolution=training.resolutions.get(grade, card.resolution),
        targets=card.targets,
        prior_share=training.prior_share if training.class_pictures else 0.0,
        few_photos=few,
        mirror=training.mirror,
        patience=training.patience,
        # made at the card's own rank; a quality with another one starts from nothing
        start=training.start.sha256 if training.start and rank == card.lora.rank else "",
        gaussian=training.gaussian,
        average=training.average,
        captions=training.captions,
        caption_dropout=training.caption_dropout if training.captions == "seen" else 0.0,
        outside=training.few.outside if few and training.few.outside is not None else training.outside,
        crops=training.few.crops if few and training.few.crops is not None else training.crops,
        true_sizes=training.true_sizes,
        preserve=training.preserve,
        token=card.token,
        grammar=card.render.grammar if training.captions == "seen" else "",
        reading=card.reading,
        snr_gamma=training.snr_gamma,
        prior=training.class_pictures or "",
    )


def _sample_gib(card: BaseCard, resolution: int, checkpointing: bool) -> float:
    """Saved activations of one sample; they grow with the picture's area."""
    full = card.memory.sample
    whole = (card.memory.sample_checkpointed or full * 0.2) if checkpointing else full
    return whole * (resolution / card.resolution) ** 2


def slots_for(
    card: BaseCard, plan: TrainingPlan, memory_gib: float, wanted: int, *, loaded: bool = False
) -> tuple[int, bool]:
    """How many people train at once in the free memory, and whether activations must be recomputed for that.

    `loaded`: the base lies in memory already, and what is free is free beside it.
    """
    room = memory_gib * SPARE - (0.0 if loaded else card.memory.base)
    for checkpointing in (False, True):
        adapter = card.memory.adapter * plan.rank / card.lora.rank
        each = adapter + plan.batch * _sample_gib(card, plan.resolution, checkpointing)
        fits = int(room / each)
        if fits >= min(wanted, 4) or (checkpointing and fits >= 1):
            return max(1, min(wanted, fits)), checkpointing
    raise MemoryError(f"{card.name}: {ENOUGH_FOR_ONE_SLOT} into {memory_gib:.1f} GiB at {plan.resolution} px")


def least_gib(card: BaseCard, plan: TrainingPlan) -> float:
    """Of a device that learns one person at a time with recomputed activations: less does not do."""
    adapter = card.memory.adapter * plan.rank / card.lora.rank
    return (card.memory.base + adapter + plan.batch * _sample_gib(card, plan.resolution, True)) / SPARE


def forecast(
    people: int,
    plan: TrainingPlan,
    card: BaseCard,
    seconds_per_step: float | None = None,
    *,
    wanted: int = 16,
) -> LearningForecast:
    """Minutes and memory for `people`, `wanted` at a time. `seconds_per_step`: one person's update (batch samples)
    inside a full cohort."""
    slots = max(1, min(wanted, people))
    each = seconds_per_step if seconds_per_step is not None else GUESS_SECONDS * plan.batch
    memory = card.memory.base + slots * (
        card.memory.adapter * plan.rank / card.lora.rank + plan.batch * _sample_gib(card, plan.resolution, False)
    )
    return LearningForecast(people * plan.steps * each / 60, memory, slots, seconds_per_step is not None)
