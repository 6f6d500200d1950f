"""One dial, and what follows from it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.adapters.plan import CannotLearn, forecast, least_gib, plan_training, slots_for
from tasks.failures import RollcallError
from tasks.vision.diffusion_card import BaseCard, FewCard, load_base_card

BASES = Path(__file__).parents[2] / "base_models"


@pytest.fixture
def sdxl() -> BaseCard:
    return load_base_card("sdxl", BASES)


def test_better_takes_longer(sdxl: BaseCard) -> None:
    steps = [plan_training(sdxl, quality, 10).steps for quality in ("draft", "standard", "best")]
    assert steps == sorted(set(steps))
    assert plan_training(sdxl, "standard", 10).resolution == 768
    assert plan_training(sdxl, "best", 10).resolution == 1024


def test_few_photos_are_learned_gently_and_said_so(sdxl: BaseCard) -> None:
    few, many = plan_training(sdxl, "standard", 3), plan_training(sdxl, "standard", 12)
    assert few.few_photos
    assert not many.few_photos
    assert few.steps < many.steps
    assert "few photos" in few.sentence()
    assert few.digest() != many.digest()
    assert many == plan_training(sdxl, "standard", 40)  # equal plans, equal adapters


def test_a_card_may_say_for_each_small_number_of_photos_how_long_they_are_learned(sdxl: BaseCard) -> None:
    """One share for all of them, or four; what is none of both is refused with the key's name."""
    assert [plan_training(sdxl, "standard", photos).steps for photos in (1, 4, 5)] == [480, 480, 800]
    embedded = load_base_card("embedded", BASES)
    steps = [plan_training(embedded, "standard", photos).steps for photos in (1, 2, 3, 4, 5, 8)]
    assert steps == [30, 45, 60, 90, 150, 150]
    assert plan_training(embedded, "draft", 1).steps == 30, "a draft's few are not shortened to nothing"
    few = FewCard.model_validate({"steps": [0.1, 0.2, 0.3, 0.4], "least": 20})
    assert [few.shortened(100, photos) for photos in (1, 2, 4)] == [20, 20, 40]
    assert few.shortened(10, 1) == 10, "never more than the usual ones"
    for wrong in ([0.1, 0.2], [0.1, 0.2, 0.3, 0.0], 0):
        with pytest.raises(ValidationError, match="steps"):
            FewCard.model_validate({"steps": wrong})


def test_an_unknown_quality_says_what_is_known(sdxl: BaseCard) -> None:
    with pytest.raises(RollcallError, match="draft, standard, best"):
        plan_training(sdxl, "ultra", 10)


def test_memory_decides_slots_before_it_touches_the_result(sdxl: BaseCard) -> None:
    plan = plan_training(sdxl, "best", 10)
    large, small = slots_for(sdxl, plan, 139, 16), slots_for(sdxl, plan, 24, 16)
    assert large == (16, False)
    assert small[0] >= 8
    assert small[1]  # recomputes activations
    with pytest.raises(MemoryError, match="not even one person"):
        slots_for(sdxl, plan, 5, 16)


def test_a_base_that_lies_in_memory_is_not_counted_again(sdxl: BaseCard) -> None:
    """SDXL on a card of 8 GB: 4.8 GiB are the base's, and somebody fits beside it."""
    plan = plan_training(sdxl, "standard", 10)
    with pytest.raises(MemoryError):
        slots_for(sdxl, plan, 8 - 0.6 - 4.8, 16)
    assert slots_for(sdxl, plan, 8 - 0.6 - 4.8, 16, loaded=True)[0] >= 2
    assert slots_for(sdxl, plan, 20, 16) == slots_for(sdxl, plan, 20 - 4.8 / 0.85, 16, loaded=True)
    assert sdxl.memory.base < least_gib(sdxl, plan) < 8


def test_distilled_weights_are_not_learned_on(sdxl: BaseCard) -> None:
    with pytest.raises(CannotLearn, match="choose sdxl"):
        plan_training(sdxl.model_copy(update={"name": "turbo", "trained_from": "sdxl"}), "draft", 8)


def test_a_forecast_says_whether_it_was_measured(sdxl: BaseCard) -> None:
    plan = plan_training(sdxl, "standard", 10)
    guess, known = forecast(32, plan, sdxl), forecast(32, plan, sdxl, 0.03)
    assert not guess.measured
    assert known.measured
    assert known.minutes == pytest.approx(32 * plan.steps * 0.03 / 60)
    assert known.slots == 16
    assert 0 < known.memory_gib < 139
    assert forecast(2, plan, sdxl, 0.03).slots == 2
