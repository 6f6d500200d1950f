"""Draw people: many persons' adapters and many candidates in one batch, seeds per picture.

A picture depends on its own job alone (adapter, prompt, seed, plate) and on the plan, never on what else was in the
batch: its first noise comes from its own generator, and the stacked adapter layers keep people apart.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from tasks.failures import RollcallError
from tasks.headshots.render_plate import Plate
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank
from tasks.vision.families.family import Conditions
from tasks.vision.images import Picture
from tasks.vision.memory import is_exhaustion, release


class CannotDraw(RollcallError):
    """Adapters that do not fit the weights they are to be drawn by, layer for layer."""


BATCH = 8  # pictures at once; guidance doubles the rows


@dataclass(frozen=True)
class RenderJob:
    """One picture to be drawn."""

    person_id: str
    adapter: dict[str, Tensor] | None
    prompt: str
    negative: str
    seed: int
    plate: Picture | None = None  # the brand's backdrop, to guide the background while denoising
    shown: Picture | None = None  # beside the prompt, for bases that take pictures: all jobs have one, or none has


@dataclass(frozen=True)
class RenderPlan:
    """How all pictures of a run are drawn."""

    steps: int
    guidance: float
    size: int
    guidance_rescale: float = 0.0  # arXiv 2305.08891: keeps contrast under strong guidance at zero terminal SNR
    plate_strength: float = 0.0  # 0 none .. 1: the share of the early steps in which the plate shows outside the person
    rank: int | None = None  # of the adapters; read from them when left out
    scale: float | None = None  # alpha / rank of the adapters; the card's when left out


@dataclass(frozen=True)
class Layout:
    """Jobs laid out by person: `slots` persons x `each` pictures, short ones filled up with their last job."""

    jobs: list[RenderJob]
    slots: int
    each: int
    wanted: list[int]  # rows that are somebody's picture, not filling
    places: list[int]  # and where in the answer they go


def plan_render(base: FrozenBase, **changes: float) -> RenderPlan:
    """The card's own way of drawing."""
    card = base.card
    given = {
        "steps": card.render.steps,
        "guidance": card.render.guidance,
        "size": card.render_size,
        "guidance_rescale": card.render.guidance_rescale,
    }
    return RenderPlan(**(given | changes))  # type: ignore[arg-type]


def weighing(adapter: dict[str, Tensor], strength: float) -> dict[str, Tensor]:
    """The same adapter with `strength` times its effect on the base."""
    if strength == 1:
        return adapter
    return {name: tensor * strength if ".lora_B." in name else tensor for name, tensor in adapter.items()}


@torch.no_grad()
def render(
    base: FrozenBase,
    jobs: Sequence[RenderJob],
    plan: RenderPlan,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    batch: int = BATCH,
) -> list[Picture]:
    """All pictures, in the order of the jobs. Out of memory: half the batch, the same pictures."""
    drawn: dict[int, Picture] = {}
    with base.encoders():
        prompts = conditions_of(base, jobs) if jobs else None
    waiting = list(range(len(jobs)))
    while waiting:
        assert prompts is not None
        laid = next(layouts(jobs, waiting, batch))
        conditions = prompts.rows([*laid.places, *(len(jobs) + place for place in laid.places)])
        try:
            latents = denoise(base, laid, plan, conditions)
            with base.encoders():
                pictures = base.decode(latents)
        except RuntimeError as error:
            if not is_exhaustion(error) or batch == 1:
                raise
            batch = max(1, batch // 2)
            release(base.device)
            continue
        for row in laid.wanted:
            drawn[laid.places[row]] = pictures[row]
        waiting = [place for place in waiting if place not in drawn]
        if on_progress is not None:
            on_progress(len(drawn), len(jobs))
    return [drawn[place] for place in range(len(jobs))]


def conditions_of(base: FrozenBase, jobs: Sequence[RenderJob]) -> Conditions:
    """Of all jobs, then of what none of them should be; what is shown goes with both, as in the stock pipeline."""
    prompts = base.encode_prompts([job.prompt for job in jobs] + [job.negative for job in jobs])
    pictures = [job.shown for job in jobs if job.shown is not None]
    if not pictures:
        return prompts
    different = list({id(picture): picture for picture in pictures}.values())
    places = [next(at for at, one in enumerate(different) if one is picture) for picture in pictures]
    return Conditions(prompts.tensors | base.show_pictures(different).rows([*places, *places]).tensors)


def layouts(jobs: Sequence[RenderJob], waiting: Sequence[int], batch: int) -> Iterator[Layout]:
    """Whole persons as far as they fit, so that one adapter is loaded for all of its pictures."""
    ordered = sorted(waiting, key=lambda place: (jobs[place].person_id, id(jobs[place].adapter), place))
    people = [list(group) for _, group in groupby(ordered, key=lambda p: (jobs[p].person_id, id(jobs[p].adapter)))]
    people = [person[start : start + batch] for person in people for start in range(0, len(person), batch)]
    people.sort(key=len, reverse=True)  # equal numbers together: little filling
    while people:
        each = len(people[0])
        chosen, people = people[: max(1, batch // each)], people[max(1, batch // each) :]
        rows = [person + [person[-1]] * (each - len(person)) for person in chosen]
        wanted = [slot * each + index for slot, person in enumerate(chosen) for index in range(len(person))]
        places = [place for row in rows for place in row]
        yield Layout([jobs[place] for place in places], len(chosen), each, wanted, places)


def denoise(base: FrozenBase, laid: Layout, plan: RenderPlan, conditions: Conditions) -> Tensor:
    """One batch from noise to latents. `conditions`: the positives of all rows, then the negatives."""
    count = len(laid.jobs)
    guided = plan.guidance > 1
    index = torch.arange(count).view(laid.slots, laid.each)
    # rows by slot: the negatives of a person, then the positives of the same person
    order = torch.cat([index + count, index], dim=1) if guided else index
    conditions = conditions.rows(order.flatten()).to(base.device, base.dtype)
    shape = base.family.latent_shape(plan.size)
    noise = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(job.seed)) for job in laid.jobs])
    noise = noise.to(base.device)
    bank = _bank(base, laid, plan)
    walk = base.sampler(plan.steps, plan.size)
    state = walk.start(noise)
    plate = Plate(base, [job.plate for job in laid.jobs], plan.size, noise, plan.plate_strength)
    with bank.attached() if bank is not None else nullcontext():
        for step, time in enumerate(walk.times):
            seen = walk.seen(state, time)
            if guided:
                seen = torch.cat([seen.view(laid.slots, laid.each, *shape)] * 2, dim=1).flatten(0, 1)
            answer = base.family.predict(seen, time.expand(len(seen)).to(base.device), conditions)
            if guided:
                answer = _guided(answer.view(laid.slots, 2, laid.each, *shape), plan)
            state = walk.step(answer, time, state)
            state = plate.blend(walk, state, step + 1)
    return state


def _guided(answers: Tensor, plan: RenderPlan) -> Tensor:
    """(slots, 2, each, C, h, w) negatives and positives to (slots x each, C, h, w)."""
    negative, positive = answers[:, 0].flatten(0, 1), answers[:, 1].flatten(0, 1)
    mixed = negative + plan.guidance * (positive - negative)
    if plan.guidance_rescale:
        kept = mixed * (positive.std(dim=(1, 2, 3), keepdim=True) / mixed.std(dim=(1, 2, 3), keepdim=True))
        mixed = plan.guidance_rescale * kept + (1 - plan.guidance_rescale) * mixed
    return mixed


def _bank(base: FrozenBase, laid: Layout, plan: RenderPlan) -> SlotBank | None:
    """Stacked adapters of the batch's persons; none when nobody has one. Without an adapter, a slot adds zero."""
    adapters = [laid.jobs[slot * laid.each].adapter for slot in range(laid.slots)]
    known = [adapter for adapter in adapters if adapter]
    if not known:
        return None
    layers = sorted({name.rsplit(".lora_", 1)[0] for adapter in known for name in adapter})
    rank = plan.rank or next(len(tensor) for name, tensor in known[0].items() if ".lora_A." in name)
    scale = plan.scale or base.card.alpha / base.card.lora.rank
    try:
        bank = SlotBank(base.denoiser, layers, slots=laid.slots, rank=rank, alpha=scale * rank, train=False)
        for slot, adapter in enumerate(adapters):
            if adapter:
                bank.fill(slot, bank.row(adapter))
    except (ValueError, TypeError) as unfit:
        raise CannotDraw(f"{base.card.name} does not take these adapters, learned on other weights: {unfit}") from unfit
    return bank
