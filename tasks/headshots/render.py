"""Draw people: many persons' adapters and many candidates in one batch, seeds per picture.

A picture depends on its own job alone (adapter, words, seed, plate) and on the plan, never on what else was in the
batch: its first noise comes from its own generator, and the stacked adapter layers keep people apart.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from tasks.failures import RollcallError
from tasks.headshots.render_plate import Plate, plain_wall, surely_face
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank
from tasks.vision.families.family import Conditions
from tasks.vision.images import Picture
from tasks.vision.memory import is_exhaustion, release


class CannotDraw(RollcallError):
    """Adapters that do not fit the weights they are to be drawn by, layer for layer."""


BATCH = 8  # pictures at once; with guidance two rows each, with other words inside the face three
POSITIVE, NEGATIVE, FACE = range(3)  # what is asked of a base about each picture, the last where a face has its own


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
    face: str = ""  # the prompt inside the face; `prompt` there too when left out


@dataclass(frozen=True)
class RenderPlan:
    """How all pictures of a run are drawn."""

    steps: int
    guidance: float
    size: int
    guidance_rescale: float = 0.0  # arXiv 2305.08891: keeps contrast under strong guidance at zero terminal SNR
    plate_strength: float = 0.0  # 0 none .. 1: the share of the early steps in which the plate shows outside the person
    face_wall: str | None = None  # "#rrggbb", the wall that a face with words of its own is drawn before
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
        "face_wall": card.render.face_wall.colour if card.render.face_wall else None,
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
        conditions = prompts.rows([block * len(jobs) + place for block in _asked(jobs) for place in laid.places])
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
    """Of all jobs, then of what none of them should be, then of the faces if any has words of its own; what is shown
    goes with each, as in the stock pipeline."""
    told = [(job.prompt, job.negative, job.face or job.prompt) for job in jobs]
    asked = _asked(jobs)
    prompts = base.encode_prompts([words[block] for block in asked for words in told])
    pictures = [job.shown for job in jobs if job.shown is not None]
    if not pictures:
        return prompts
    different = list({id(picture): picture for picture in pictures}.values())
    places = [next(at for at, one in enumerate(different) if one is picture) for picture in pictures]
    return Conditions(prompts.tensors | base.show_pictures(different).rows(places * len(asked)).tensors)


def _asked(jobs: Sequence[RenderJob]) -> list[int]:
    return [POSITIVE, NEGATIVE, FACE] if any(job.face for job in jobs) else [POSITIVE, NEGATIVE]


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
    """One batch from noise to latents. `conditions`: as `conditions_of` has them."""
    count = len(laid.jobs)
    faces = any(job.face for job in laid.jobs)
    # rows by slot: of a person all that is asked
    asked = [NEGATIVE] * (plan.guidance > 1) + [POSITIVE] + [FACE] * faces
    index = torch.arange(count).view(laid.slots, laid.each)
    order = torch.cat([index + count * block for block in asked], dim=1)
    conditions = conditions.rows(order.flatten()).to(base.device, base.dtype)
    shape = base.family.latent_shape(plan.size)
    noise = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(job.seed)) for job in laid.jobs])
    noise = noise.to(base.device)
    bank = _bank(base, laid, plan)
    walk = base.sampler(plan.steps, plan.size)
    state = walk.start(noise)
    face, wall = surely_face(shape[-1]).to(noise), plain_wall(plan.face_wall)
    behind_faces = Plate(base, [wall if job.face else None for job in laid.jobs], plan.size, noise, 1.0)
    plate = Plate(base, [job.plate for job in laid.jobs], plan.size, noise, plan.plate_strength)
    with bank.attached() if bank is not None else nullcontext():
        for step, time in enumerate(walk.times):
            states = [behind_faces.blend(walk, state, step) if block == FACE else state for block in asked]
            seen = torch.cat([walk.seen(one, time).view(laid.slots, laid.each, *shape) for one in states], dim=1)
            seen = seen.flatten(0, 1)
            answer = base.family.predict(seen, time.expand(len(seen)).to(base.device), conditions)
            answers = answer.view(laid.slots, len(asked), laid.each, *shape).transpose(0, 1).flatten(1, 2)
            state = walk.step(_mixed(answers, asked, plan, face), time, state)
            state = plate.blend(walk, state, step + 1)
    return state


def _mixed(answers: Tensor, asked: Sequence[int], plan: RenderPlan, face: Tensor) -> Tensor:
    """(asked, count, C, h, w) to (count, C, h, w): guided away from the negatives if they were asked for, and
    inside the face (1, 1, h, w) the answer to its own words if there are any."""
    found = dict(zip(asked, answers, strict=True))
    negative, usual = found.get(NEGATIVE), _guided(found.get(NEGATIVE), found[POSITIVE], plan)
    return torch.lerp(usual, _guided(negative, found[FACE], plan), face) if FACE in found else usual


def _guided(negative: Tensor | None, positive: Tensor, plan: RenderPlan) -> Tensor:
    if negative is None:
        return positive
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
