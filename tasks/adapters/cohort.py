"""A cohort under way: who sits in which slot, one step for all of them, and what to do when memory runs out.

A step takes b samples of everybody, runs the frozen base once, and gives each person an optimizer step of their own:
the loss is a mean inside a person and a sum over people, so nobody's gradient depends on how many others there are.
"""

import math
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tasks.adapters.examples import Draw, Examples, Prior, draw, stream
from tasks.adapters.held_out import held_out, settled
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.slots import Snapshot, TrainingSlots
from tasks.vision.diffusion import FrozenBase
from tasks.vision.families.family import Conditions
from tasks.vision.memory import release

READ_EVERY = 20  # own steps between two looks at a person's losses; reading more often would stall a GPU
HUGE_LOSS = 100.0  # targets have unit variance: a network that answers nothing at all has about 1


@dataclass
class Learner:
    """One person under way."""

    digest: str
    examples: Examples
    done: int = 0  # steps taken
    losses: list[float] = field(default_factory=list)  # read so far
    answers: list[float] = field(default_factory=list)  # mean errors on held-out noise, one every READ_EVERY steps

    @property
    def complete(self) -> bool:
        return self.done >= self.examples.steps


def _all_planes(rows: Sequence[Draw]) -> Tensor | None:
    """Everybody's masks; who has none counts everywhere alike. A mask's mean is one, so nobody's loss is scaled."""
    if all(row.planes is None for row in rows):
        return None
    shape = (1, *rows[0].latents.shape[2:])
    return torch.cat([torch.ones(len(r.latents), *shape) if r.planes is None else r.planes for r in rows])


class Cohort:
    """Learners in slots on one base. Slots are refilled in place; the number of slots only ever falls."""

    def __init__(
        self, base: FrozenBase, plan: TrainingPlan, slots: int, prior: Prior | None,
        checkpointing: bool, compiled: bool, start: dict[str, Tensor] | None = None,
    ) -> None:  # fmt: skip
        self.base, self.plan, self.prior, self.compiled, self.start = base, plan, prior, compiled, start
        self.parked: deque[tuple[Learner, Snapshot | None]] = deque()
        self.pending: list[tuple[Tensor, list[Learner | None]]] = []
        self.stack = ExitStack()
        self.recompute = False
        self._build(slots)
        if checkpointing:
            self._recompute_activations()

    def _build(self, slots: int) -> None:
        self.seats: list[Learner | None] = [None] * slots
        self.slots = TrainingSlots(self.base, self.plan, slots, self.start)
        self.stack.enter_context(self.slots.bank.attached())
        if self.compiled:
            self.base.denoiser.compile()
            self.stack.callback(setattr, self.base.denoiser, "_compiled_call_impl", None)

    def _recompute_activations(self) -> None:
        """Trade a third more time for a fifth of the activations; changes no number of the result."""
        denoiser = self.base.denoiser
        denoiser.enable_gradient_checkpointing()  # type: ignore[operator]
        denoiser.train()
        self.recompute = True

    def close(self) -> None:
        """The base as it was."""
        self.stack.close()
        if self.recompute:
            self.base.denoiser.disable_gradient_checkpointing()  # type: ignore[operator]
            self.base.denoiser.eval()

    @property
    def learners(self) -> list[tuple[int, Learner]]:
        return [(slot, learner) for slot, learner in enumerate(self.seats) if learner is not None]

    def admit(self, newcomers: Iterator[tuple[Learner, Snapshot | None]]) -> None:
        """Fill empty slots: first with people parked for want of memory, then with new ones."""
        for slot, seated in enumerate(self.seats):
            if seated is not None:
                continue
            entering = self.parked.popleft() if self.parked else next(newcomers, None)
            if entering is None:
                return
            learner, snapshot = entering
            self.seats[slot] = learner
            if snapshot is None:
                self.slots.begin(slot, stream(learner.examples.seed, "start"))
            else:
                self.slots.restore(slot, snapshot)

    def step(self) -> None:
        """One optimizer step for everybody seated. Raises before any weight has changed, or not at all."""
        seen = self._batch([self._drawn(one) for one in self.seats])
        people = self._errors(seen)
        with warnings.catch_warnings():
            # a person is one row of the flat buffer, so a layer's gradient is a strided view: meant to be
            warnings.filterwarnings("ignore", message="grad and param do not obey")
            people.sum().backward()  # type: ignore[no-untyped-call]
            if self.plan.preserve:  # a pass of its own, so that one pass's activations are in memory at a time
                (self.plan.preserve * self._drift(seen)).sum().backward()  # type: ignore[no-untyped-call]
        done = [None if learner is None else learner.done for learner in self.seats]
        totals = [0 if learner is None else learner.examples.steps for learner in self.seats]
        self.slots.update(done, totals)
        for _, learner in self.learners:
            learner.done += 1
        self.pending.append((people.detach(), list(self.seats)))

    def _errors(self, seen: Draw) -> Tensor:
        """(slots,): each person's mean error in answering this noise."""
        family, device = self.base.family, self.base.device
        latents, noise = seen.latents.to(device), seen.noise.to(device)
        times = family.times(seen.uniform).to(device)
        noisy = family.corrupt(latents, noise, times)
        answer = family.predict(noisy.sample, times, seen.conditions.to(device, self.base.dtype))
        errors = (answer - noisy.target).square()
        if seen.planes is not None:
            errors = errors * seen.planes.to(device)
        samples = errors.flatten(1).mean(1) * noisy.weight
        return samples.view(len(self.seats), self.plan.batch).mean(1)

    def _drift(self, seen: Draw) -> Tensor:
        """(slots,): how far each adapter takes "a person" from what the base makes of it, in the same noise."""
        family, device = self.base.family, self.base.device
        times = family.times(seen.uniform).to(device)
        noisy = family.corrupt(seen.latents.to(device), seen.noise.to(device), times)
        known = next(one.examples.anybody for _, one in self.learners)
        assert known is not None
        told = known.rows([0] * len(seen.latents))  # the sentence names nobody, so it is everybody's
        conditions = Conditions(seen.conditions.tensors | told.tensors).to(device, self.base.dtype)
        with torch.no_grad(), self.slots.bank.muted():
            before = family.predict(noisy.sample, times, conditions)
        errors = (family.predict(noisy.sample, times, conditions) - before).square()
        return (errors.flatten(1).mean(1) * noisy.weight).view(len(self.seats), self.plan.batch).mean(1)

    def _drawn(self, learner: Learner | None) -> Draw | None:
        return None if learner is None else draw(learner.examples, learner.done, self.plan, self.prior)

    def owing(self) -> list[tuple[int, Learner]]:
        """Who is to be asked about held-out noise before the next step, where the plan stops by that."""
        if not self.plan.patience:
            return []
        return [
            (slot, one) for slot, one in self.learners
            if one.done % READ_EVERY == 0 and len(one.answers) < one.done // READ_EVERY
        ]  # fmt: skip

    @torch.no_grad()
    def ask(self) -> None:
        """How well those who owe it answer noise that was never trained on. Out of memory, nobody has answered."""
        owing = self.owing()
        if not owing:
            return
        asked = {slot: list(held_out(one.examples, self.plan)) for slot, one in owing}
        rounds = [
            self._errors(self._batch([asked[slot][turn] if slot in asked else None for slot in range(len(self.seats))]))
            for turn in range(len(next(iter(asked.values()))))
        ]
        means = torch.stack(rounds).mean(0).cpu().tolist()
        for slot, one in owing:
            one.answers.append(means[slot])

    def _batch(self, draws: Sequence[Draw | None]) -> Draw:
        """Everybody's samples, slot after slot; an idle slot gets zeros and is not updated."""
        known = next(drawn for drawn in draws if drawn is not None)
        blank = Draw(
            torch.zeros_like(known.latents),
            Conditions({name: torch.zeros_like(tensor) for name, tensor in known.conditions.tensors.items()}),
            torch.zeros_like(known.noise),
            torch.full_like(known.uniform, 0.5),
            None if known.planes is None else torch.ones_like(known.planes),
        )
        rows = [drawn or blank for drawn in draws]
        return Draw(
            torch.cat([row.latents for row in rows]),
            Conditions.join([row.conditions for row in rows]),
            torch.cat([row.noise for row in rows]),
            torch.cat([row.uniform for row in rows]),
            _all_planes(rows),
        )

    def due(self) -> bool:
        """Whether somebody's losses should be read now."""
        if self.base.device.type == "cpu":
            return True
        return any(learner.complete or learner.done % READ_EVERY == 0 for _, learner in self.learners)

    def read_losses(self) -> None:
        """Bring the losses of the last steps to the people they belong to: one transfer for all."""
        if not self.pending:
            return
        table = torch.stack([losses for losses, _ in self.pending]).cpu().tolist()
        for row, (_, seats) in zip(table, self.pending, strict=True):
            for value, learner in zip(row, seats, strict=True):
                if learner is not None:
                    learner.losses.append(value)
        self.pending.clear()

    def verdict(self, slot: int, learner: Learner) -> str | None:
        """Why this person leaves the slot now: "done", "early", a reason for quarantine, or None to go on.

        Judged at fixed steps of the person's own count, so that the answer depends on nobody else.
        """
        if not learner.complete and learner.done % READ_EVERY:
            return None
        window = learner.losses[-READ_EVERY:]
        if sum(not math.isfinite(loss) for loss in window) * 2 > len(window):
            return "loss_not_finite"
        if sum(loss > HUGE_LOSS for loss in window) * 2 > len(window):
            return "loss_diverged"
        if learner.complete:
            return "done" if bool(torch.isfinite(self.slots.weights[slot]).all()) else "weights_not_finite"
        return "early" if settled(learner.answers, math.ceil(self.plan.patience / READ_EVERY)) else None

    def leave(self, slot: int) -> None:
        self.seats[slot] = None

    def resize(self, slots: int) -> None:
        """Fewer slots. Nobody loses a step: those without a seat wait with their state and go on later."""
        waiting = [(learner, self.slots.snapshot(slot)) for slot, learner in self.learners]
        self.stack.close()
        del self.slots
        release(self.base.device)
        self._build(slots)
        self.parked.extendleft(reversed(waiting))
        self.admit(iter(()))

    def halve(self) -> bool:
        """After running out of memory: half the slots; with one left, recompute activations. False: no way left."""
        self.slots.gradients.zero_()
        if len(self.seats) == 1:
            if self.recompute:
                return False
            self._recompute_activations()
            return True
        self.resize(len(self.seats) // 2)
        return True
