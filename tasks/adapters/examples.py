"""A person's portraits become latents and prompt embeddings once, in batches over people, before any training step.

What a person sees at a step (which portrait, which noise, which time) is a pure function of that person's seed and
the step's number. Nothing else enters: not the slot, not the neighbours, not a crash in between.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from tasks.adapters.plan import TrainingPlan
from tasks.vision.diffusion import FrozenBase
from tasks.vision.families.family import Conditions, Latents
from tasks.vision.images import Picture

MIRROR = "mirrored"


@dataclass(frozen=True)
class Person:
    """Somebody to be learned: aligned portraits at the base's resolution, one caption each."""

    id: str
    portraits: list[Picture]
    captions: list[str]
    seed: int
    steps: int | None = None  # this person's own number of updates, when it differs from the plan's


@dataclass(frozen=True)
class Examples:
    """An encoded person. `flaw` says why training would be pointless; such a person gets no slot."""

    id: str
    seed: int
    steps: int
    latents: Latents
    conditions: Conditions
    flaw: str | None = None


@dataclass(frozen=True)
class Prior:
    """Class pictures of people in general, encoded by whoever made the base."""

    latents: Tensor  # (N, C, h, w)
    conditions: Conditions


@dataclass(frozen=True)
class Draw:
    """What one person sees at one step: b clean latents, conditions, noise, and uniform numbers for the times."""

    latents: Tensor
    conditions: Conditions
    noise: Tensor
    uniform: Tensor


def stream(seed: int, *purpose: int | str) -> torch.Generator:
    """A generator for one purpose of one person, the same on every machine."""
    text = ":".join(str(part) for part in (seed, *purpose))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)


def encode_people(base: FrozenBase, people: Sequence[Person], plan: TrainingPlan) -> list[Examples]:
    """Encode a window of people together: one batched pass over all portraits, one over all different captions."""
    sound = [person for person in people if _flaw(person, plan) is None]
    pictures = [picture for person in sound for picture in _pictures(person, plan)]
    if not pictures:
        return [_refused(person, plan, _flaw(person, plan) or "no_portraits") for person in people]
    with base.encoders():
        latents = base.encode_pictures(pictures)
        conditions = base.encode_prompts([caption for person in sound for caption in _captions(person, plan)])
    encoded, start = {}, 0
    for person in sound:
        end = start + len(person.portraits) * (2 if plan.mirror else 1)
        encoded[person.id] = _examples(person, plan, latents, conditions, start, end)
        start = end
    return [encoded.get(person.id) or _refused(person, plan, _flaw(person, plan) or "flawed") for person in people]


def _flaw(person: Person, plan: TrainingPlan) -> str | None:
    if not person.portraits:
        return "no_portraits"
    if len(person.captions) != len(person.portraits):
        return "captions_do_not_match"
    sizes = {picture.shape for picture in person.portraits}
    return None if sizes == {(plan.resolution, plan.resolution, 3)} else "wrong_size"


def _pictures(person: Person, plan: TrainingPlan) -> list[Picture]:
    mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in person.portraits] if plan.mirror else []
    return [*person.portraits, *mirrored]


def _captions(person: Person, plan: TrainingPlan) -> list[str]:
    return person.captions * (2 if plan.mirror else 1)


def _examples(
    person: Person, plan: TrainingPlan, latents: Latents, conditions: Conditions, start: int, end: int
) -> Examples:
    mean, std = latents.mean[start:end].clone(), latents.std[start:end].clone()
    finite = bool(torch.isfinite(mean).all() and torch.isfinite(std).all())
    return Examples(
        person.id,
        person.seed,
        person.steps or plan.steps,
        Latents(mean, std),
        conditions.rows(range(start, end)),
        None if finite else "latents_not_finite",
    )


def _refused(person: Person, plan: TrainingPlan, flaw: str) -> Examples:
    nothing = torch.zeros(0)
    return Examples(person.id, person.seed, plan.steps, Latents(nothing, nothing), Conditions({}), flaw)


def windows(people: Iterator[Person], size: int) -> Iterator[list[Person]]:
    """People in groups to be encoded together; lazily, since a thousand people's pictures need not be in memory."""
    window: list[Person] = []
    for person in people:
        window.append(person)
        if len(window) == size:
            yield window
            window = []
    if window:
        yield window


def load_prior(base: FrozenBase) -> Prior | None:
    """The class latents that the base's card names, with their captions encoded once."""
    if base.card.training.prior is None:
        return None
    path: Path = base.card.folder / base.card.training.prior
    import json

    with safe_open(path, "pt") as file:
        latents = file.get_tensor("latents").float()
        captions = json.loads(file.metadata()["captions"])
    if len(captions) != len(latents):
        raise ValueError(f"{path}: {len(captions)} captions for {len(latents)} latents")
    with base.encoders():
        return Prior(latents, base.encode_prompts(captions))


def draw(examples: Examples, step: int, plan: TrainingPlan, prior: Prior | None) -> Draw:
    """The samples of one person at one step. Times are spread evenly over the batch, with one random offset."""
    generator = stream(examples.seed, "step", step)
    every = round(1 / plan.prior_share) if prior is not None and plan.prior_share else 0
    latents, conditions = [], []
    for position in range(plan.batch):
        if prior is not None and every and (step * plan.batch + position) % every == every - 1:
            index = int(torch.randint(len(prior.latents), (1,), generator=generator))
            latents.append(prior.latents[index])
            conditions.append(prior.conditions.rows([index]))
        else:
            index = int(torch.randint(len(examples.latents.mean), (1,), generator=generator))
            mean, std = examples.latents.mean[index], examples.latents.std[index]
            latents.append(mean + std * torch.randn(mean.shape, generator=generator))
            conditions.append(examples.conditions.rows([index]))
    clean = torch.stack(latents)
    offset = torch.rand(1, generator=generator)
    uniform = (offset + torch.arange(plan.batch) / plan.batch) % 1
    return Draw(clean, Conditions.join(conditions), torch.randn(clean.shape, generator=generator), uniform)
