"""While a person is learned, "a person" can stay what the base makes of it: no pictures are needed for that."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tasks.adapters.captions import class_caption, plain_caption
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.training import TrainedAdapter, train_cohort
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_slots import SlotBank

Make = Callable[..., LearningPerson]


@pytest.fixture
def keeping(plan: TrainingPlan) -> TrainingPlan:
    return replace(plan, steps=12, learning_rate=1e-2, preserve=5.0)


def answers(base: FrozenBase, plan: TrainingPlan, trained: TrainedAdapter | None, sentence: str) -> Tensor:
    """The denoiser's answer to one noise, with this adapter or with none."""
    noise = torch.randn(4, *base.family.latent_shape(base.card.resolution), generator=torch.Generator().manual_seed(9))
    times, told = base.family.times(torch.tensor([0.2, 0.4, 0.6, 0.8])), base.encode_prompts([sentence] * 4)
    if trained is None:
        return base.family.predict(noise, times, told)
    assert trained.weights is not None
    bank = SlotBank(base.denoiser, plan.targets, slots=1, rank=plan.rank, alpha=plan.alpha, train=False)
    bank.fill(0, bank.row(trained.weights))
    with torch.no_grad(), bank.attached():
        return base.family.predict(noise, times, told)


def test_the_class_stays_nearer_to_the_bases_own_and_the_person_is_learned(
    base: FrozenBase, keeping: TrainingPlan, person: Make
) -> None:
    own = plain_caption(base.card.token)
    (kept,), (loose,) = (train_cohort(base, [person(1)], one) for one in (keeping, replace(keeping, preserve=0.0)))
    before = {sentence: answers(base, keeping, None, sentence) for sentence in (class_caption(), own)}
    moved = {
        (who, sentence): float((answers(base, keeping, one, sentence) - plain).norm())
        for who, one in (("kept", kept), ("loose", loose)) for sentence, plain in before.items()
    }  # fmt: skip
    assert moved["kept", class_caption()] < 0.8 * moved["loose", class_caption()]
    assert moved["kept", own] > 0


def test_in_company_the_same_as_alone(base: FrozenBase, keeping: TrainingPlan, person: Make) -> None:
    few = replace(keeping, steps=4)
    company = train_cohort(base, [person(1), person(2), person(3, steps=2)], few, slots=3)
    for one, met in zip((person(1), person(2), person(3, steps=2)), company, strict=True):
        (alone,) = train_cohort(base, [one], few)
        assert alone.weights is not None
        assert met.weights is not None
        assert all(torch.allclose(alone.weights[name], met.weights[name], atol=1e-4) for name in alone.weights)


def test_muted_is_the_base_and_afterwards_the_adapters_are_on_again(base: FrozenBase, plan: TrainingPlan) -> None:
    bank = SlotBank(base.denoiser, plan.targets, slots=1, rank=4, alpha=4.0, train=False)
    bank.weights.normal_(generator=torch.Generator().manual_seed(0))
    plain = answers(base, plan, None, "a person")
    with torch.no_grad(), bank.attached():
        adapted = answers(base, plan, None, "a person")
        with bank.muted():
            assert torch.equal(answers(base, plan, None, "a person"), plain)
        assert torch.equal(answers(base, plan, None, "a person"), adapted)
    assert not torch.equal(adapted, plain)


def test_the_class_is_said_without_the_token_and_kept_where_the_card_asks(base: FrozenBase) -> None:
    assert class_caption() == "selfie photo of a person"
    assert plan_training(base.card, "draft", 8).preserve == 0
    asks = base.card.model_copy(update={"training": base.card.training.model_copy(update={"preserve": 1.0})})
    assert plan_training(asks, "draft", 8).preserve == 1
