"""Stopping by held-out noise: each person by their own answers, whoever sits beside them, and over any cut."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tasks.adapters.checkpoint import Shelf
from tasks.adapters.cohort import READ_EVERY
from tasks.adapters.examples import LearningPerson, draw, encode_people
from tasks.adapters.held_out import HELD_OUT, held_out, settled
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.training import TrainedAdapter, train_cohort
from tasks.vision.diffusion import FrozenBase

Make = Callable[..., LearningPerson]


@pytest.fixture
def stopping(plan: TrainingPlan, monkeypatch: pytest.MonkeyPatch) -> TrainingPlan:
    """Pictures of noise are learned a little better for a long time: here a gain below 4 % is none."""
    monkeypatch.setattr("tasks.adapters.held_out.LEAST", 0.04)
    return replace(plan, steps=140, decay="constant", patience=READ_EVERY)


def test_nothing_gained_in_the_latest_answers_is_settled() -> None:
    assert not settled([1.0], 1)
    assert not settled([1.0, 0.9], 1)
    assert settled([1.0, 0.998], 1), "less than half a per cent is no progress"
    assert not settled([1.0, 0.99], 1), "one per cent is"
    assert not settled([1.0, 1.1, 0.9], 2), "one of the latest two brought something"
    assert settled([0.5, 1.0, 0.9], 2)
    assert not settled([0.5, 1.0, 0.9], 0)


def test_the_samples_are_the_persons_own_and_never_those_of_a_step(
    base: FrozenBase, plan: TrainingPlan, person: Make
) -> None:
    one, other = encode_people(base, [person(1), person(2)], plan)
    first = list(held_out(one, plan))
    assert sum(len(batch.noise) for batch in first) == HELD_OUT
    again = list(held_out(one, plan))
    assert all(torch.equal(a.noise, b.noise) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].noise, next(iter(held_out(other, plan))).noise)
    trained = {tuple(draw(one, step, plan, None).noise.flatten()[:3].tolist()) for step in range(20)}
    assert not trained & {tuple(batch.noise.flatten()[:3].tolist()) for batch in first}
    spread = sorted(float(value) for batch in first for value in batch.uniform)
    assert spread == pytest.approx([(place + 0.5) / HELD_OUT for place in range(HELD_OUT)])


def numbers(one: TrainedAdapter) -> torch.Tensor:
    assert one.weights is not None
    return torch.cat([tensor.flatten() for _, tensor in sorted(one.weights.items())])


def test_who_stops_when_depends_on_nobody_else_and_on_no_cut(
    base: FrozenBase, stopping: TrainingPlan, person: Make, shelf: Shelf
) -> None:
    people = [person(0), person(1), person(2, steps=30)]
    alone = [train_cohort(base, [one], stopping)[0] for one in people]
    counts = [one.steps for one in alone]
    assert counts[2] == 30
    assert all(count % READ_EVERY == 0 and count < stopping.steps for count in counts[:2]), counts
    company = train_cohort(base, people, stopping, slots=2)
    assert [one.steps for one in company] == counts
    assert all(torch.allclose(numbers(a), numbers(b), atol=1e-4) for a, b in zip(alone, company, strict=True))

    class Killed(BaseException):
        """Stands for the power going off."""

    cut, original = 0, base.family.predict

    def counted(*args: Any) -> torch.Tensor:
        nonlocal cut
        cut += 1
        if cut == READ_EVERY + 10:
            raise Killed
        return original(*args)

    base.family.predict = counted  # type: ignore[method-assign]
    try:
        with pytest.raises(Killed):
            train_cohort(base, people[:1], stopping, shelf=shelf, checkpoint_every=READ_EVERY)
    finally:
        base.family.predict = original  # type: ignore[method-assign]
    (resumed,) = train_cohort(base, people[:1], stopping, shelf=shelf, checkpoint_every=READ_EVERY)
    assert resumed.steps == counts[0]
    assert torch.equal(numbers(resumed), numbers(alone[0]))


def test_out_of_memory_while_asking_costs_nobody_a_step(base: FrozenBase, stopping: TrainingPlan, person: Make) -> None:
    plenty = train_cohort(base, [person(0), person(1)], stopping, slots=2)
    calls, original = 0, base.family.predict

    def short(*args: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == READ_EVERY + 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(*args)

    base.family.predict = short  # type: ignore[method-assign]
    try:
        scarce = train_cohort(base, [person(0), person(1)], stopping, slots=2)
    finally:
        base.family.predict = original  # type: ignore[method-assign]
    assert [one.steps for one in scarce] == [one.steps for one in plenty]


def test_the_card_says_whether_anybody_stops(base: FrozenBase) -> None:
    assert plan_training(base.card, "draft", 8).patience == 0
    stops = base.card.model_copy(update={"training": base.card.training.model_copy(update={"patience": 40})})
    assert plan_training(stops, "draft", 8).patience == 40
