"""Does every adapter fit its owner best? The check after each training, before anything is kept.

An index error in a cohort engine would put one person's face into another's file, which is worse than any crash. So
every adapter's denoising loss is measured on everybody's portraits, with the same noise and times for all adapters,
against the base without an adapter: the owner's portraits must gain most from the owner's adapter, both among all
adapters and among all people. No face reader is needed, only a few forward passes.

People are compared in groups of at most `BESIDE`, so the cost grows with the number of people and not with its square;
where memory is short a pass is halved, as training is, down to one portrait under one adapter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tasks.adapters.examples import Examples, LearningPerson, encode_people, stream
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.training import TrainedAdapter
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank
from tasks.vision.memory import is_exhaustion, release

DRAWS = 8  # noisy portraits per person; the same for every adapter
BESIDE = 16  # people whom one person is compared with: enough that a swap among them cannot pass for chance
EDGE = 0.2  # no times nearer to pure noise or to the picture: there, one adapter is like another


@dataclass(frozen=True)
class Owned:
    """One adapter's standing."""

    person_id: str
    rank_among_adapters: int  # 1: no other adapter fits this person's portraits better
    rank_among_people: int  # 1: this adapter gains nobody more than its owner
    gain: float  # share of the base's loss on the owner's portraits that the adapter removes

    @property
    def sound(self) -> bool:
        return self.rank_among_adapters == 1 and self.rank_among_people == 1


@dataclass
class _Pass:
    """How much is looked at in one forward pass."""

    adapters: int
    draws: int  # noisy portraits under each adapter

    def halve(self) -> bool:
        """Makes the next pass smaller; False when it is as small as it can be."""
        if self.adapters > 1:
            self.adapters //= 2
        elif self.draws > 1:
            self.draws //= 2
        else:
            return False
        return True


@torch.no_grad()
def gains(
    base: FrozenBase,
    adapters: Sequence[dict[str, Tensor]],
    people: Sequence[LearningPerson],
    plan: TrainingPlan,
    *,
    draws: int = DRAWS,
    together: int = 8,
) -> npt.NDArray[np.float64]:
    """(adapter, person): 1 - loss with the adapter / loss without any, on that person's portraits.

    Out of memory halves the pass and changes no number beyond rounding; raises when one portrait is too much.
    """
    examples = encode_people(base, people, plan)
    table = np.zeros((len(adapters), len(people)))
    size, start = _Pass(together, draws), 0
    while start < len(adapters):
        chosen = adapters[start : start + size.adapters]
        try:
            table[start : start + len(chosen)] = _gains_of(base, chosen, examples, plan, draws, size.draws)
        except RuntimeError as error:
            if not is_exhaustion(error) or not size.halve():
                raise
            release(base.device)
            continue
        start += len(chosen)
    return table


def _gains_of(
    base: FrozenBase,
    adapters: Sequence[dict[str, Tensor]],
    examples: Sequence[Examples],
    plan: TrainingPlan,
    draws: int,
    at_once: int,
) -> npt.NDArray[np.float64]:
    """`gains` of these adapters, `at_once` noisy portraits of a person in one pass."""
    # one more slot, without an adapter: the measure
    bank = SlotBank(base.denoiser, plan.targets, slots=len(adapters) + 1, rank=plan.rank, alpha=plan.alpha, train=False)
    for slot, adapter in enumerate(adapters):
        bank.fill(slot, bank.row(adapter))
    table = np.zeros((len(adapters), len(examples)))
    with bank.attached():
        for column, person in enumerate(examples):
            losses = _losses(base, person, bank.slots, draws, at_once)
            table[:, column] = 1 - losses[:-1] / max(losses[-1], 1e-12)
    return table


def _losses(base: FrozenBase, person: Examples, slots: int, draws: int, at_once: int) -> npt.NDArray[np.float64]:
    """One person's loss under each slot's adapter: the same noisy portraits for all."""
    family, device, latents = base.family, base.device, person.latents.mean
    index = torch.arange(draws) % len(latents)
    noise = torch.randn(latents[index].shape, generator=stream(person.seed, "ownership")).to(device)
    uniform = EDGE + (1 - 2 * EDGE) * (torch.arange(draws) + 0.5) / draws
    noisy = family.corrupt(latents[index].to(device), noise, family.times(uniform).to(device))
    total = torch.zeros(slots, dtype=torch.float64)
    for start in range(0, draws, at_once):
        chosen = torch.arange(start, min(start + at_once, draws))
        seen = noisy.sample[chosen].repeat(slots, 1, 1, 1)
        conditions = person.conditions.rows(index[chosen].repeat(slots)).to(device, base.dtype)
        answer = family.predict(seen, family.times(uniform[chosen]).to(device).repeat(slots), conditions)
        gaps = (answer - noisy.target[chosen].repeat(slots, 1, 1, 1)).square()
        if person.planes is not None:  # what was to be learned is what is looked at
            gaps = gaps * person.planes[index[chosen]].to(device).repeat(slots, 1, 1, 1)
        errors = gaps.flatten(1).mean(1)
        total += errors.view(slots, len(chosen)).double().sum(1).cpu()
    return (total / draws).numpy()


def check_owners(
    base: FrozenBase, trained: Sequence[TrainedAdapter], people: Sequence[LearningPerson], plan: TrainingPlan
) -> list[Owned]:
    """Everybody who was trained, ranked among the people of their group. Whoever is not `sound` is to be doubted."""
    known = {person.id: person for person in people}
    done = [one for one in trained if one.weights is not None and one.person_id in known]
    return [
        Owned(
            one.person_id,
            int((table[:, place] > table[place, place]).sum()) + 1,
            int((table[place] > table[place, place]).sum()) + 1,
            float(table[place, place]),
        )
        for group in groups(done)
        for table in [gains(base, [one.weights or {} for one in group], [known[one.person_id] for one in group], plan)]
        for place, one in enumerate(group)
    ]


def groups(trained: Sequence[TrainedAdapter]) -> Iterator[Sequence[TrainedAdapter]]:
    """Everybody in as few groups of at most `BESIDE` as it takes, as even as can be, so that nobody is left alone.

    Neighbours stay together: they were trained side by side, and a mix-up would be among them.
    """
    number = ceil(len(trained) / BESIDE)
    for at in range(number):
        yield trained[at * len(trained) // number : (at + 1) * len(trained) // number]
