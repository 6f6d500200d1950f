"""A person's portraits become latents and prompt embeddings once, in batches over people, before any training step.

What a person sees at a step (which portrait, which noise, which time) is a pure function of that person's seed and
the step's number. Nothing else enters: not the slot, not the neighbours, not a crash in between.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from tasks.adapters.captions import class_caption
from tasks.adapters.plan import TrainingPlan
from tasks.vision.diffusion import FrozenBase
from tasks.vision.families.family import Conditions, Latents
from tasks.vision.images import Picture

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LearningPerson:
    """Somebody to be learned: aligned portraits at the base's resolution, one caption each."""

    id: str
    portraits: list[Picture]
    captions: list[str]
    seed: int
    steps: int | None = None  # this person's own number of updates, when it differs from the plan's
    planes: Sequence[Floats] = ()  # how much each pixel of each portrait counts; all alike when left out
    originals: tuple[int, ...] = ()  # pixels of the photo that each portrait was made of, each way
    shares: tuple[float, ...] = ()  # how often each portrait is seen; all alike when left out
    plain: str | None = None  # the caption that a portrait's own gives way to now and then


@dataclass(frozen=True)
class Examples:
    """An encoded person. `flaw` says why training would be pointless; such a person gets no slot."""

    id: str
    seed: int
    steps: int
    latents: Latents
    conditions: Conditions
    flaw: str | None = None
    planes: Tensor | None = None  # (N, 1, h, w): how much each latent cell counts
    shares: Tensor | None = None  # (N,)
    plain: Conditions | None = None
    anybody: Conditions | None = None  # the sentence of a person without the token, where the plan keeps what it means


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
    planes: Tensor | None = None  # (b, 1, h, w); None: every cell counts alike


def stream(seed: int, *purpose: int | str) -> torch.Generator:
    """A generator for one purpose of one person, the same on every machine."""
    text = ":".join(str(part) for part in (seed, *purpose))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)


def encode_people(base: FrozenBase, people: Sequence[LearningPerson], plan: TrainingPlan) -> list[Examples]:
    """Encode a window of people together: one batched pass over all portraits, one over all different captions."""
    sound = [person for person in people if _flaw(person, plan) is None]
    pictures = [picture for person in sound for picture in _pictures(person, plan)]
    if not pictures:
        return [_refused(person, plan, _flaw(person, plan) or "no_portraits") for person in people]
    plain = [person.plain for person in sound if person.plain is not None]
    with base.encoders():
        latents = base.encode_pictures(pictures)
        captions = [caption for person in sound for caption in _captions(person, plan)]
        conditions = base.encode_prompts([*captions, *plain])
        anybody = base.encode_prompts([class_caption()]) if plan.preserve else None
    encoded, start, after = {}, 0, len(captions)
    for person in sound:
        end = start + len(person.portraits) * (2 if plan.mirror else 1)
        made = replace(_examples(person, plan, latents, conditions, start, end), anybody=anybody)
        if person.plain is not None:
            made = replace(made, plain=conditions.rows([after]))
            after += 1
        encoded[person.id] = _with_sizes(base, person, plan, made) if plan.true_sizes else made
        start = end
    return [encoded.get(person.id) or _refused(person, plan, _flaw(person, plan) or "flawed") for person in people]


def _with_sizes(base: FrozenBase, person: LearningPerson, plan: TrainingPlan, made: Examples) -> Examples:
    """The same with what the base is told of each portrait's true size, where its family can be told."""
    originals = (person.originals or (plan.resolution,) * len(person.portraits)) * (2 if plan.mirror else 1)
    told = base.family.sizes(originals, plan.resolution)
    plain = made.plain and Conditions(made.plain.tensors | {n: t[:1] for n, t in told.items()})
    return replace(made, conditions=Conditions(made.conditions.tensors | told), plain=plain)


def _flaw(person: LearningPerson, plan: TrainingPlan) -> str | None:
    if not person.portraits:
        return "no_portraits"
    if len(person.captions) != len(person.portraits):
        return "captions_do_not_match"
    if any(part and len(part) != len(person.portraits) for part in (person.planes, person.originals, person.shares)):
        return "masks_or_sizes_do_not_match"
    sizes = {picture.shape for picture in person.portraits}
    return None if sizes == {(plan.resolution, plan.resolution, 3)} else "wrong_size"


def _pictures(person: LearningPerson, plan: TrainingPlan) -> list[Picture]:
    mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in person.portraits] if plan.mirror else []
    return [*person.portraits, *mirrored]


def _captions(person: LearningPerson, plan: TrainingPlan) -> list[str]:
    return person.captions * (2 if plan.mirror else 1)


def _examples(
    person: LearningPerson, plan: TrainingPlan, latents: Latents, conditions: Conditions, start: int, end: int
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
        _planes(person, plan, mean),
        torch.tensor(person.shares * (2 if plan.mirror else 1)) if person.shares else None,
    )


def _planes(person: LearningPerson, plan: TrainingPlan, latents: Tensor) -> Tensor | None:
    """The masks at the latents' size, each with a mean of one: a small head learns no slower than a large one."""
    if not person.planes:
        return None
    sides = [plane[:, ::-1].copy() for plane in person.planes] if plan.mirror else []
    whole = torch.from_numpy(np.stack([*person.planes, *sides]))[:, None]
    small = adaptive_avg_pool2d(whole, (latents.shape[-2], latents.shape[-1]))
    return small / small.mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-3)


def _refused(person: LearningPerson, plan: TrainingPlan, flaw: str) -> Examples:
    nothing = torch.zeros(0)
    return Examples(person.id, person.seed, plan.steps, Latents(nothing, nothing), Conditions({}), flaw)


def windows(people: Iterator[LearningPerson], size: int) -> Iterator[list[LearningPerson]]:
    """People in groups to be encoded together; lazily, since a thousand people's pictures need not be in memory."""
    window: list[LearningPerson] = []
    for person in people:
        window.append(person)
        if len(window) == size:
            yield window
            window = []
    if window:
        yield window


def load_prior(base: FrozenBase) -> Prior | None:
    """The class latents that the base's card names, with their captions encoded once."""
    named = base.card.training.class_pictures
    if named is None:
        return None
    path: Path = base.card.folder / named
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
    planes: list[Tensor | None] = []
    for position in range(plan.batch):
        if prior is not None and every and (step * plan.batch + position) % every == every - 1:
            index = int(torch.randint(len(prior.latents), (1,), generator=generator))
            latents.append(prior.latents[index])
            conditions.append(prior.conditions.rows([index]))
            planes.append(None)
        else:
            index = _pick(examples, generator)
            mean, std = examples.latents.mean[index], examples.latents.std[index]
            latents.append(mean + std * torch.randn(mean.shape, generator=generator))
            conditions.append(_caption(examples, index, plan, generator))
            planes.append(None if examples.planes is None else examples.planes[index])
    clean = torch.stack(latents)
    offset = torch.rand(1, generator=generator)
    uniform = (offset + torch.arange(plan.batch) / plan.batch) % 1
    counted = None
    if any(plane is not None for plane in planes):
        everything = torch.ones(1, *clean.shape[2:])
        counted = torch.stack([everything if plane is None else plane for plane in planes])
    return Draw(clean, Conditions.join(conditions), torch.randn(clean.shape, generator=generator), uniform, counted)


def _pick(examples: Examples, generator: torch.Generator) -> int:
    """Which portrait is seen: each as often as its share."""
    if examples.shares is None:
        return int(torch.randint(len(examples.latents.mean), (1,), generator=generator))
    return int(torch.multinomial(examples.shares, 1, generator=generator))


def _caption(examples: Examples, index: int, plan: TrainingPlan, generator: torch.Generator) -> Conditions:
    """The portrait's own caption, or now and then the one that is true of all."""
    own = examples.conditions.rows([index])
    if not plan.caption_dropout or examples.plain is None:
        return own
    if float(torch.rand(1, generator=generator)) >= plan.caption_dropout:
        return own
    return Conditions(own.tensors | {n: t for n, t in examples.plain.tensors.items() if n != "sizes"})
