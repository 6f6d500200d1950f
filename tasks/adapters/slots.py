"""Training slots: K people's adapters, gradients and moments as rows of flat buffers, each row with its own AdamW.

Every slot has the very optimizer that its person would have alone: own step count, own learning rate, own gradient
norm, own finite check. What happens in one row is invisible in all others, so a person who diverges, finishes or is
replaced changes no bit of the neighbours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.adapters.plan import TrainingPlan
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank

NORM_FLOOR = 1e-6  # as in torch's clip_grad_norm_


@dataclass(frozen=True)
class Snapshot:
    """Everything that training has made of one person so far, on the CPU: enough to go on in any slot."""

    weights: Tensor  # (P,)
    first: Tensor
    second: Tensor
    updates: float  # AdamW's step count
    mean: Tensor | None = None  # of the weights after the last updates, where the plan averages them
    averaged: int = 0  # how many are in that mean


class TrainingSlots:
    """The slot bank plus optimizer state. Slots are filled, stepped, read out and refilled in place."""

    def __init__(
        self, base: FrozenBase, plan: TrainingPlan, slots: int, start: dict[str, Tensor] | None = None
    ) -> None:
        """`start`: first weights shared by everybody, instead of each person's own."""
        self.plan, self.count = plan, slots
        self.bank = SlotBank(base.denoiser, plan.targets, slots=slots, rank=plan.rank, alpha=plan.alpha, train=True)
        assert self.bank.gradients is not None
        self.weights, self.gradients = self.bank.weights, self.bank.gradients
        self.start = None if start is None else self._whole_row(start)
        # made now, not at the first step: running out of memory half way through an update would tear it
        self.first, self.second = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.mean = torch.zeros_like(self.weights) if plan.average else None
        self.averaged = [0] * slots
        self.optimizers = [self._optimizer(slot) for slot in range(slots)]

    def _whole_row(self, start: dict[str, Tensor]) -> Tensor:
        """A start that leaves a layer out would leave it at zero in both halves, where it never learns."""
        row = self.bank.row(start)
        if missing := self.bank.adapter(row).keys() - start.keys():
            raise ValueError(f"the start lacks {len(missing)} adapter tensors, such as {sorted(missing)[0]}")
        return row

    def _optimizer(self, slot: int) -> torch.optim.AdamW:
        row = self.weights[slot]
        row.grad = self.gradients[slot]
        optimizer = torch.optim.AdamW(
            [row], lr=self.plan.learning_rate, weight_decay=self.plan.weight_decay, fused=True
        )
        optimizer.state[row] = {
            "step": torch.zeros((), device=row.device),
            "exp_avg": self.first[slot],
            "exp_avg_sq": self.second[slot],
        }
        return optimizer

    def _state(self, slot: int) -> dict[str, Tensor]:
        state: dict[str, Tensor] = next(iter(self.optimizers[slot].state.values()))
        return state

    def begin(self, slot: int, seed: torch.Generator) -> None:
        """A new person in this slot, with the shared first weights or else that person's own."""
        row = self.bank.fresh_row(seed, gaussian=self.plan.gaussian) if self.start is None else self.start
        nothing = torch.zeros_like(row)
        self.restore(slot, Snapshot(row, nothing, nothing, 0))

    def restore(self, slot: int, snapshot: Snapshot) -> None:
        self.weights[slot].copy_(snapshot.weights)
        self.first[slot].copy_(snapshot.first)
        self.second[slot].copy_(snapshot.second)
        self._state(slot)["step"].fill_(snapshot.updates)
        self.averaged[slot] = snapshot.averaged
        if self.mean is not None and snapshot.mean is not None:
            self.mean[slot].copy_(snapshot.mean)

    def snapshot(self, slot: int) -> Snapshot:
        weights, first, second = (
            rows[slot].detach().to("cpu", copy=True) for rows in (self.weights, self.first, self.second)
        )
        mean = None if self.mean is None else self.mean[slot].detach().to("cpu", copy=True)
        return Snapshot(weights, first, second, float(self._state(slot)["step"]), mean, self.averaged[slot])

    def adapter(self, slot: int) -> dict[str, Tensor]:
        """What this slot has learned: the mean of its last weights, where the plan asks for it and there are some."""
        averaged = self.mean is not None and self.averaged[slot] > 0
        return self.bank.adapter(self.mean[slot] if averaged and self.mean is not None else self.weights[slot])

    def _average(self, slot: int, done: int, total: int) -> None:
        """Takes this slot's weights into its mean, if they are among the last ones."""
        if self.mean is None or done <= total * (1 - self.plan.average):
            return
        self.averaged[slot] += 1
        self.mean[slot] += (self.weights[slot] - self.mean[slot]) / self.averaged[slot]

    @torch.no_grad()
    def update(self, done: Sequence[int | None], totals: Sequence[int]) -> Tensor:
        """One optimizer step per busy slot (`done`: its finished steps; None: idle, untouched). Returns the norms.

        Without a host sync: a slot whose gradient is not finite is skipped by its own optimizer on the device.
        """
        norms: Tensor = torch.linalg.vector_norm(self.gradients, dim=1)
        self.gradients.mul_((self.plan.clip / (norms + NORM_FLOOR)).clamp(max=1.0).unsqueeze(1))
        skip = (~torch.isfinite(norms)).float()
        for slot, optimizer in enumerate(self.optimizers):
            finished = done[slot]
            if finished is None:
                continue
            optimizer.param_groups[0]["lr"] = rate(self.plan, finished, totals[slot])
            optimizer.found_inf = skip[slot]  # type: ignore[attr-defined]
            optimizer.step()
            self._average(slot, finished + 1, totals[slot])
        self.gradients.zero_()
        return norms


def rate(plan: TrainingPlan, done: int, total: int) -> float:
    """The learning rate of step `done` (from 0) of `total`: a short rise, then flat or a half cosine."""
    rise = min(1.0, (done + 1) / (plan.warmup + 1))
    fall = 0.5 * (1 + math.cos(math.pi * done / max(total, 1))) if plan.decay == "cosine" else 1.0
    return plan.learning_rate * rise * fall
