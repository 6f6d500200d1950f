"""Does every adapter fit its owner best? The check after each training, before anything is kept.

An index error in a cohort engine would put one person's face into another's file, which is worse than any crash. So
every adapter's denoising loss is measured on everybody's portraits, with the same noise and times for all adapters,
against the base without an adapter: the owner's portraits must gain most from the owner's adapter, both among all
adapters and among all people. No face reader is needed, only a few forward passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tasks.adapters.examples import Person, encode_people, stream
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.training import TrainedAdapter
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank
from tasks.vision.families.family import Conditions

DRAWS = 8  # noisy portraits per person; the same for every adapter
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


@torch.no_grad()
def gains(
    base: FrozenBase,
    adapters: Sequence[dict[str, Tensor]],
    people: Sequence[Person],
    plan: TrainingPlan,
    *,
    draws: int = DRAWS,
    together: int = 8,
) -> npt.NDArray[np.float64]:
    """(adapter, person): 1 - loss with the adapter / loss without any, on that person's portraits."""
    examples = encode_people(base, people, plan)
    table = np.zeros((len(adapters), len(people)))
    for start in range(0, len(adapters), together):
        chosen = adapters[start : start + together]
        # one more slot, without an adapter: the measure
        bank = SlotBank(
            base.denoiser, plan.targets, slots=len(chosen) + 1, rank=plan.rank, alpha=plan.alpha, train=False
        )
        for slot, adapter in enumerate(chosen):
            bank.fill(slot, bank.row(adapter))
        with bank.attached():
            for column, person in enumerate(examples):
                generator = stream(person.seed, "ownership")
                losses = _losses(base, person.latents.mean, person.conditions, bank.slots, draws, generator)
                table[start : start + len(chosen), column] = 1 - losses[:-1] / max(losses[-1], 1e-12)
    return table


def _losses(
    base: FrozenBase, latents: Tensor, conditions: Conditions, slots: int, draws: int, generator: torch.Generator
) -> npt.NDArray[np.float64]:
    """One person's loss under each slot's adapter: the same noisy portraits for all."""
    family, device = base.family, base.device
    index = torch.arange(draws) % len(latents)
    clean = latents[index].to(device)
    noise = torch.randn(latents[index].shape, generator=generator).to(device)
    uniform = EDGE + (1 - 2 * EDGE) * (torch.arange(draws) + 0.5) / draws
    noisy = family.corrupt(clean, noise, family.times(uniform).to(device))
    seen, times = noisy.sample.repeat(slots, 1, 1, 1), family.times(uniform).to(device).repeat(slots)
    answer = family.predict(seen, times, conditions.rows(index.repeat(slots)).to(device, base.dtype))
    errors = (answer - noisy.target.repeat(slots, 1, 1, 1)).square().flatten(1).mean(1)
    return errors.view(slots, draws).mean(1).double().cpu().numpy()


def check_owners(
    base: FrozenBase, trained: Sequence[TrainedAdapter], people: Sequence[Person], plan: TrainingPlan
) -> list[Owned]:
    """Everybody who was trained, ranked. Whoever is not `sound` must not be kept."""
    known = {person.id: person for person in people}
    done = [one for one in trained if one.weights is not None and one.person_id in known]
    if not done:
        return []
    table = gains(base, [one.weights or {} for one in done], [known[one.person_id] for one in done], plan)
    return [
        Owned(
            one.person_id,
            int((table[:, place] > table[place, place]).sum()) + 1,
            int((table[place] > table[place, place]).sum()) + 1,
            float(table[place, place]),
        )
        for place, one in enumerate(done)
    ]
