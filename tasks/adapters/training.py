"""Fine-tune many people at once on one frozen base: the loop.

What is promised: a person's adapter is the same whether trained alone or in any company, in any slot, before or after
a crash and resume, with much memory or little. What fails is one person, never a cohort.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import ceil

from torch import Tensor

from tasks.adapters.checkpoint import Checkpoints, LearnedPerson, Progressed, Shelf, person_digest
from tasks.adapters.cohort import READ_EVERY, Cohort, Learner
from tasks.adapters.examples import LearningPerson, encode_people, load_prior, windows
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.slots import Snapshot
from tasks.adapters.start import load_start
from tasks.vision.diffusion import FrozenBase
from tasks.vision.memory import is_exhaustion

WINDOW = 16  # people encoded together
EDGE = 10  # steps whose mean is reported as the first, and as the last, loss


@dataclass(frozen=True)
class TrainedAdapter:
    """What became of one person."""

    person_id: str
    state: str  # "done" | "quarantined"
    weights: dict[str, Tensor] | None
    steps: int
    loss_first: float
    loss_last: float
    reason: str | None = None
    losses: tuple[float, ...] = ()


@dataclass(frozen=True)
class CohortProgress:
    """Where a cohort stands."""

    finished: int  # people, quarantined ones included
    running: tuple[tuple[str, int, int], ...]  # id, steps done, steps in all
    slots: int
    seconds_per_step: float  # one step of the whole cohort, mean since the last report


def train_cohort(
    base: FrozenBase,
    people: Iterable[LearningPerson],
    plan: TrainingPlan,
    *,
    slots: int = 8,
    shelf: Shelf | None = None,
    on_progress: Callable[[CohortProgress], None] | None = None,
    on_done: Callable[[TrainedAdapter], None] | None = None,
    checkpoint_every: int = 100,
    checkpointing: bool = False,
    compiled: bool = False,
    start: dict[str, Tensor] | None = None,
) -> list[TrainedAdapter]:
    """Train everybody; results in the order of `people`. `on_done` is called as each one finishes.

    `people` may be lazy: they are taken and encoded in windows as slots come free. `checkpointing` recomputes
    activations to save memory. `start`: first weights for everybody, where it is not the card's (then `plan.start` has
    to name them, since they decide the result). With a `shelf`, a second call with the same people goes on where
    the first was; what lies there stays until whoever called has put the adapters in a safe place and clears it.
    """
    if isinstance(people, list | tuple):
        slots = max(1, ceil(len(people) / ceil(len(people) / slots))) if people else 1  # even rounds, no idle slots
    checkpoints = Checkpoints(shelf) if shelf is not None else None
    entrance = _Entrance(base, plan, iter(people), checkpoints, max(slots, WINDOW))
    newcomers = entrance.newcomers()
    prior = load_prior(base) if plan.prior_share else None
    first = load_start(base.card, plan) if start is None else start
    cohort = Cohort(base, plan, slots, prior, checkpointing, compiled, first)
    results, steps, since, reported = entrance.results, 0, time.perf_counter(), 0

    def settle(learner: Learner, verdict: str, weights: dict[str, Tensor] | None) -> None:
        reason = verdict if weights is None else None
        if checkpoints is not None:
            checkpoints.finish(
                LearnedPerson(learner.examples.id, learner.digest, weights, tuple(learner.losses), reason)
            )
        entrance.report(learner.digest, _result(learner.examples.id, weights, learner.losses, reason))

    entrance.on_done = on_done
    try:
        while True:
            cohort.admit(newcomers)
            if not cohort.learners:
                break
            if len(cohort.learners) < len(cohort.seats) and not compiled:
                cohort.resize(len(cohort.learners))  # nobody is left to fill the empty slots
            try:
                if not cohort.owing():
                    cohort.step()
                    steps += 1
                cohort.ask()
            except RuntimeError as error:
                if not is_exhaustion(error) or not cohort.halve():
                    raise
                continue
            news = False
            if cohort.due():
                cohort.read_losses()
                for slot, learner in cohort.learners:
                    verdict = cohort.verdict(slot, learner)
                    if verdict is not None:
                        kept = cohort.slots.adapter(slot) if verdict in ("done", "early") else None
                        settle(learner, verdict, kept)
                        cohort.leave(slot)
                        news = True
            if checkpoints is not None and steps % checkpoint_every == 0:
                cohort.read_losses()
                checkpoints.save(_under_way(cohort))
            if on_progress is not None and (news or steps % READ_EVERY == 0):
                now = time.perf_counter()
                running = tuple((one.examples.id, one.done, one.examples.steps) for _, one in cohort.learners)
                on_progress(
                    CohortProgress(len(results), running, len(cohort.seats), (now - since) / max(1, steps - reported))
                )
                since, reported = now, steps
    finally:
        cohort.close()
    return [results[digest] for digest in entrance.order]


def _under_way(cohort: Cohort) -> Iterator[Progressed]:
    for slot, learner in cohort.learners:
        yield Progressed(learner.examples.id, learner.digest, cohort.slots.snapshot(slot), *_read(learner))
    for learner, snapshot in cohort.parked:
        if snapshot is not None:
            yield Progressed(learner.examples.id, learner.digest, snapshot, *_read(learner))


def _read(learner: Learner) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(learner.losses), tuple(learner.answers)


def _result(
    person_id: str, weights: dict[str, Tensor] | None, losses: list[float], reason: str | None
) -> TrainedAdapter:
    first, last = losses[:EDGE], losses[-EDGE:]
    return TrainedAdapter(
        person_id,
        "done" if weights is not None else "quarantined",
        weights,
        len(losses),
        sum(first) / len(first) if first else float("nan"),
        sum(last) / len(last) if last else float("nan"),
        reason,
        tuple(losses),
    )


class _Entrance:
    """Where people come in: encoded in windows, resumed from checkpoints, turned away if nothing can be learned."""

    def __init__(
        self,
        base: FrozenBase,
        plan: TrainingPlan,
        people: Iterator[LearningPerson],
        checkpoints: Checkpoints | None,
        window: int,
    ) -> None:
        self.base, self.plan, self.people, self.window = base, plan, people, window
        self.checkpoints = checkpoints
        self.order: list[str] = []
        self.results: dict[str, TrainedAdapter] = {}
        self.on_done: Callable[[TrainedAdapter], None] | None = None

    def report(self, digest: str, result: TrainedAdapter) -> None:
        self.results[digest] = result
        if self.on_done is not None:
            self.on_done(result)

    def newcomers(self) -> Iterator[tuple[Learner, Snapshot | None]]:
        for window in windows(self.people, self.window):
            fresh: list[tuple[str, LearningPerson, Progressed | None]] = []
            for person in window:
                digest = person_digest(person, self.plan, self.base.fingerprint) + f"-{person.id}"
                self.order.append(digest)
                state = self.checkpoints.of(person.id, digest) if self.checkpoints is not None else None
                if isinstance(state, LearnedPerson):
                    self.report(digest, _result(person.id, state.weights, list(state.losses), state.reason))
                else:
                    fresh.append((digest, person, state))
            encoded = encode_people(self.base, [person for _, person, _ in fresh], self.plan)
            for (digest, person, state), examples in zip(fresh, encoded, strict=True):
                if examples.flaw is not None:
                    self.report(digest, _result(person.id, None, [], examples.flaw))
                    continue
                if state is None:
                    yield Learner(digest, examples), None
                else:
                    losses, answers = list(state.losses), list(state.answers)
                    yield Learner(digest, examples, len(losses), losses, answers), state.snapshot
