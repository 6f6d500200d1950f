"""The loop's promises: nobody's adapter depends on the company, the slot, the memory, or a crash in between."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tasks.adapters.checkpoint import Checkpoints, LearnedPerson, Progressed, Shelf, file_name, person_digest
from tasks.adapters.cohort import READ_EVERY, Cohort, Learner
from tasks.adapters.examples import LearningPerson, encode_people
from tasks.adapters.export import adapter_bytes
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.training import EDGE, CohortProgress, TrainedAdapter, train_cohort
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base
from tasks.vision.families.family import Latents

Make = Callable[..., LearningPerson]


def numbers(trained: TrainedAdapter) -> Tensor:
    assert trained.weights is not None, trained.reason
    return torch.cat([tensor.flatten() for _, tensor in sorted(trained.weights.items())])


def apart(one: TrainedAdapter, other: TrainedAdapter) -> float:
    assert one.person_id == other.person_id
    return float((numbers(one) - numbers(other)).norm() / numbers(other).norm())


def test_whatever_the_slots_everybody_gets_their_own_adapter(
    base: FrozenBase, plan: TrainingPlan, person: Make
) -> None:
    people = [person(number) for number in range(3)]
    straight = {one.person_id: one for one in train_cohort(base, people, plan, slots=3)}
    turned = train_cohort(base, [people[i] for i in (2, 0, 1)], plan, slots=3)
    assert [one.person_id for one in turned] == ["p2", "p0", "p1"]
    for one in turned:
        mine, theirs = numbers(one), [numbers(other) for other in straight.values() if other.person_id != one.person_id]
        assert apart(one, straight[one.person_id]) < 1e-5
        assert min(float((mine - other).norm() / mine.norm()) for other in theirs) > 0.1
    again = train_cohort(base, people, plan, slots=3)
    files = [adapter_bytes(one, plan, base.card) for one in again]
    assert files == [adapter_bytes(one, plan, base.card) for one in straight.values()]


def test_alone_or_in_company_the_adapter_is_the_same(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    people = [person(0), person(1, photos=2), person(2, photos=5), person(3)]
    company = train_cohort(base, people, plan, slots=4)
    assert [one.loss_first for one in company] == pytest.approx([mean(one.losses[:EDGE]) for one in company])
    assert [one.loss_last for one in company] == pytest.approx([mean(one.losses[-EDGE:]) for one in company])
    assert apart(train_cohort(base, [people[2]], plan, slots=1)[0], company[2]) < 1e-5
    refilled = train_cohort(base, iter(people), plan, slots=3)  # the fourth comes into a used slot
    assert max(apart(one, other) for one, other in zip(refilled, company, strict=True)) < 1e-5


def test_who_is_done_early_stays_as_they_were_while_others_go_on(
    base: FrozenBase, plan: TrainingPlan, person: Make
) -> None:
    seen: list[str] = []
    both = train_cohort(
        base, [person(0, steps=3), person(1)], plan, slots=2, on_done=lambda one: seen.append(one.person_id)
    )
    assert seen == ["p0", "p1"]
    assert [one.steps for one in both] == [3, 6]
    assert apart(train_cohort(base, [person(0, steps=3)], plan, slots=1)[0], both[0]) < 1e-5


def test_people_with_nothing_to_learn_from_are_turned_away(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    empty = person(1, portraits=[], captions=[])
    large = person(2, portraits=[np.zeros((32, 32, 3), np.uint8)], captions=["a sks person"])
    muddled = person(3, captions=["only one"])
    trained = train_cohort(base, [person(0), empty, large, muddled], plan, slots=2)
    assert [one.state for one in trained] == ["done", "quarantined", "quarantined", "quarantined"]
    assert [one.reason for one in trained] == [None, "no_portraits", "wrong_size", "captions_do_not_match"]
    assert apart(train_cohort(base, [person(0)], plan, slots=1)[0], trained[0]) < 1e-5
    assert train_cohort(base, [], plan) == []
    assert [one.state for one in train_cohort(base, [empty], plan)] == ["quarantined"]


@pytest.mark.parametrize("where", ["mean", "std"])
def test_portraits_whose_latents_are_no_numbers_teach_nobody(
    base: FrozenBase, plan: TrainingPlan, person: Make, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    encode = FrozenBase.encode_pictures

    def broken(self: FrozenBase, pictures: Any) -> Latents:
        made = encode(self, pictures)
        getattr(made, where)[0, 0, 0, 0] = math.inf
        return made

    monkeypatch.setattr(FrozenBase, "encode_pictures", broken)
    flawed, sound = encode_people(base, [person(0), person(1)], plan)
    assert (flawed.flaw, sound.flaw) == ("latents_not_finite", None)


def test_poison_in_some_slots_changes_no_bit_in_the_others(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    """Latents that no check caught: the neighbours must not notice, and the slots must be found out."""
    examples = encode_people(base, [person(number) for number in range(5)], plan)

    def run(poisons: dict[int, float]) -> tuple[Cohort, list[str | None]]:
        cohort = Cohort(base, plan, 5, None, checkpointing=False, compiled=False)
        people = [
            replace(one, latents=Latents(one.latents.mean * 0 + poisons[i], one.latents.std)) if i in poisons else one
            for i, one in enumerate(examples)
        ]
        cohort.admit(iter([(Learner("", one), None) for one in people]))
        for _ in range(plan.steps):
            cohort.step()
            cohort.read_losses()
        cohort.close()
        return cohort, [cohort.verdict(slot, learner) for slot, learner in cohort.learners]

    healthy, all_well = run({})
    poisoned, found = run({1: float("nan"), 2: float("inf"), 3: 1e6})
    assert all_well == ["done"] * 5
    assert found == ["done", "loss_not_finite", "loss_not_finite", "loss_diverged", "done"]
    for slot in (0, 4):
        assert torch.equal(healthy.slots.weights[slot], poisoned.slots.weights[slot])
        assert torch.equal(healthy.slots.first[slot], poisoned.slots.first[slot])
    assert torch.isfinite(poisoned.slots.weights).all()  # a step that is not finite is not taken


class Exhaustion:
    """A denoiser that runs out of memory at its n-th calls, by way of a forward hook."""

    def __init__(self, module: nn.Module, calls: set[int], error: type[RuntimeError] = torch.OutOfMemoryError) -> None:
        self.calls, self.count, self.error = calls, 0, error
        self.handle = module.register_forward_hook(self)

    def __call__(self, *_: Any) -> None:
        self.count += 1
        if self.count in self.calls:
            raise self.error("CUDA out of memory. Tried to allocate 20.00 MiB")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
def test_out_of_memory_halves_the_slots_and_changes_nothing_else(
    base: FrozenBase, plan: TrainingPlan, person: Make, error: type[RuntimeError]
) -> None:
    people = [person(number) for number in range(4)]
    plenty = train_cohort(base, people, plan, slots=4)
    slots: list[int] = []
    exhaustion = Exhaustion(base.denoiser, {3, 5}, error)  # twice: four slots become two, then one
    try:
        scarce = train_cohort(base, people, plan, slots=4, on_progress=lambda news: slots.append(news.slots))
    finally:
        exhaustion.handle.remove()
    assert set(slots) == {1}
    assert max(apart(one, other) for one, other in zip(scarce, plenty, strict=True)) < 1e-5


def test_out_of_memory_with_one_slot_recomputes_activations(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    exhaustion = Exhaustion(base.denoiser, {2})
    try:
        scarce = train_cohort(base, [person(0)], plan, slots=1)
    finally:
        exhaustion.handle.remove()
    assert apart(scarce[0], train_cohort(base, [person(0)], plan, slots=1)[0]) < 1e-5
    assert not base.denoiser.training
    assert not base.denoiser.is_gradient_checkpointing


def test_hopeless_memory_and_other_errors_are_raised(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    exhaustion = Exhaustion(base.denoiser, {1, 2, 3})
    try:
        with pytest.raises(torch.OutOfMemoryError):
            train_cohort(base, [person(0)], plan, slots=1)
    finally:
        exhaustion.handle.remove()
    assert not any("frozen" in name for name, _ in base.denoiser.named_modules())  # the base is as it was


class Killed(BaseException):
    """Stands for the power going off."""


def test_after_a_crash_everybody_ends_with_the_same_adapter(
    base: FrozenBase, plan: TrainingPlan, person: Make, shelf: Shelf
) -> None:
    plan = replace(plan, steps=8)
    people = [person(0, steps=3), person(1), person(2)]
    whole = train_cohort(base, people, plan, slots=2)

    def people_then_crash() -> Iterator[LearningPerson]:
        yield from people

    steps = 0
    original = base.family.predict

    def counted(*args: Any) -> Tensor:
        nonlocal steps
        steps += 1
        if steps == 6:
            raise Killed
        return original(*args)

    base.family.predict = counted  # type: ignore[method-assign]
    try:
        with pytest.raises(Killed):
            train_cohort(base, people_then_crash(), plan, slots=2, shelf=shelf, checkpoint_every=2)
    finally:
        base.family.predict = original  # type: ignore[method-assign]
    digests = {one.id: person_digest(one, plan, base.fingerprint) + f"-{one.id}" for one in people}
    states = [Checkpoints(shelf).of(*one) for one in digests.items()]
    assert [type(state) for state in states] == [LearnedPerson, Progressed, Progressed]
    steps_again: list[CohortProgress] = []
    resumed = train_cohort(base, people, plan, slots=2, shelf=shelf, checkpoint_every=2, on_progress=steps_again.append)
    assert max(apart(one, other) for one, other in zip(resumed, whole, strict=True)) < 1e-5
    assert [one.steps for one in resumed] == [3, 8, 8]
    states = [Checkpoints(shelf).of(*one) for one in digests.items()]
    assert [type(state) for state in states] == [
        LearnedPerson
    ] * 3  # until whoever called has the adapters in a safe place


def test_other_portraits_are_not_resumed_from_old_state(
    base: FrozenBase, plan: TrainingPlan, person: Make, shelf: Shelf
) -> None:
    old = train_cohort(base, [person(0)], plan)[0]
    digest = person_digest(person(0), plan, base.fingerprint) + "-p0"
    checkpoints = Checkpoints(shelf)
    checkpoints.finish(LearnedPerson("p0", digest, old.weights, old.losses, None))
    assert torch.equal(numbers(train_cohort(base, [person(0)], plan, shelf=shelf)[0]), numbers(old))
    changed = train_cohort(base, [person(0, portraits=person(7).portraits)], plan, shelf=shelf)[0]
    assert not torch.equal(numbers(changed), numbers(old))


def test_a_damaged_checkpoint_costs_time_only(base: FrozenBase, plan: TrainingPlan, person: Make, shelf: Shelf) -> None:
    shelf.put("p0", file_name(person_digest(person(0), plan, base.fingerprint) + "-p0"), b"half a file")
    trained = train_cohort(base, [person(0)], plan, shelf=shelf)
    assert apart(trained[0], train_cohort(base, [person(0)], plan)[0]) == 0


def test_a_person_without_progress_stops_early(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    still = replace(plan, steps=60, learning_rate=1e-12, patience=10)
    stopped = train_cohort(base, [person(0)], still, slots=1)[0]
    assert stopped.state == "done"
    assert stopped.steps in (20, 40)


def test_bfloat16_computes_with_float32_adapters(
    bases: Path, base: FrozenBase, plan: TrainingPlan, person: Make
) -> None:
    half = open_base(load_base_card("tiny", bases), device="cpu", dtype="bfloat16")
    coarse = train_cohort(half, [person(0), person(1)], plan, slots=2)
    fine = train_cohort(base, [person(0), person(1)], plan, slots=2)
    assert all(tensor.dtype == torch.float32 for tensor in (coarse[0].weights or {}).values())
    assert coarse[0].loss_first == pytest.approx(fine[0].loss_first, rel=0.05)
    assert coarse[0].loss_last == pytest.approx(fine[0].loss_last, rel=0.1)


def test_class_pictures_take_their_share_of_the_samples(
    bases: Path, base: FrozenBase, plan: TrainingPlan, person: Make
) -> None:
    import json

    from safetensors.torch import save_file

    from tasks.adapters.examples import draw, load_prior

    card = base.card.model_copy(
        update={"training": base.card.training.model_copy(update={"prior": "prior.safetensors"})}
    )
    save_file(
        {"latents": torch.full((2, 4, 8, 8), 9.0)},
        card.folder / "prior.safetensors",
        {"captions": json.dumps(["a", "b"])},
    )
    with_prior = FrozenBase(card, base.family, base.fingerprint)
    prior = load_prior(with_prior)
    one = encode_people(with_prior, [person(0)], plan)[0]
    shared = replace(plan, prior_share=0.25, batch=2)
    seen = [draw(one, step, shared, prior).latents for step in range(4)]
    assert sum(int((sample == 9.0).all()) for batch in seen for sample in batch) == 2  # of eight
    without = [draw(one, step, replace(shared, prior_share=0.0), prior).latents for step in range(4)]
    assert not any(bool((sample == 9.0).all()) for batch in without for sample in batch)


def test_losses_are_read_at_every_step_here_and_seldom_from_a_card(
    base: FrozenBase, plan: TrainingPlan, person: Make
) -> None:
    """Reading makes a card wait, so it is done when somebody's turn has come, or somebody is through."""
    cohort = Cohort(base, replace(plan, steps=READ_EVERY + 2), 2, None, checkpointing=False, compiled=False)
    examples = encode_people(base, [person(0), person(1)], replace(plan, steps=READ_EVERY + 2))
    learners = [Learner(str(place), one) for place, one in enumerate(examples)]
    cohort.admit(iter([(one, None) for one in learners]))

    def due(*done: int) -> bool:
        for one, steps in zip(learners, done, strict=True):
            one.done = steps
        return cohort.due()

    try:
        assert due(1, 2)
        cohort.base = FrozenBase(base.card, base.family, base.fingerprint)
        cohort.base.device = torch.device("cuda")
        assert not due(1, 2)
        assert due(1, READ_EVERY), "one of two is enough"
        assert not due(READ_EVERY - 1, READ_EVERY + 1)
        assert due(1, READ_EVERY + 2), "who is through is told so at once"
    finally:
        cohort.close()


def test_half_of_the_losses_may_be_no_number_and_no_more(base: FrozenBase, plan: TrainingPlan, person: Make) -> None:
    cohort = Cohort(base, replace(plan, steps=READ_EVERY), 1, None, checkpointing=False, compiled=False)
    try:
        [one] = encode_people(base, [person(0)], plan)
        learner = Learner("digest", one, done=READ_EVERY)
        learner.losses = [math.nan] * (READ_EVERY // 2) + [0.1] * (READ_EVERY - READ_EVERY // 2)
        assert cohort.verdict(0, learner) != "loss_not_finite"
        learner.losses = [math.nan] * (READ_EVERY // 2 + 1) + [0.1] * (READ_EVERY - READ_EVERY // 2 - 1)
        assert cohort.verdict(0, learner) == "loss_not_finite"
    finally:
        cohort.close()
