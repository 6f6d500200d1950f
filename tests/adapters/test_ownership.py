"""The check that would find one person's face in another's file, on the shipped base and the sample company.

A random network cannot tell one portrait from another, so this one promise is tried on a trained one.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tasks.adapters.examples import LearningPerson
from tasks.adapters.ownership import EDGE, Owned, check_owners, gains
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base
from tasks.vision.images import Picture, read_picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.portrait import align_portrait

ROOT = Path(__file__).resolve().parents[2]
SELFIES = ROOT / "samples" / "northwind" / "selfies"


def portraits_of(folder: str, size: int) -> list[Picture]:
    eyes = open_eyes("embedded")
    pictures = [read_picture(path.read_bytes()).picture for path in sorted((SELFIES / folder).glob("*.jpg"))[:4]]
    return [align_portrait(picture, eyes.finder.find(picture)[0].landmarks, size)[0] for picture in pictures]


@pytest.mark.slow
def test_every_adapter_fits_its_owner_best_and_swapped_ones_are_found() -> None:
    base = open_base(load_base_card("embedded", ROOT / "base_models"), device="cpu")
    plan = replace(plan_training(base.card, "draft", 8), steps=30)
    people = []
    for number, folder in enumerate(("NW-1001", "NW-1004", "NW-1006")):
        pictures = portraits_of(folder, base.card.resolution)
        people.append(LearningPerson(f"p{number}", pictures, ["selfie photo of a sks person"] * len(pictures), number))
    trained = train_cohort(base, people, plan, slots=3)
    standing = check_owners(base, trained, people, plan)
    assert [one.person_id for one in standing] == ["p0", "p1", "p2"]
    assert [one.rank_among_adapters for one in standing] == [1, 1, 1]
    assert all(one.gain > 0 for one in standing)

    swapped = [replace(trained[0], weights=trained[1].weights), replace(trained[1], weights=trained[0].weights)]
    found = check_owners(base, [*swapped, trained[2]], people, plan)
    assert [one.rank_among_adapters > 1 for one in found] == [True, True, False]


def test_who_has_no_adapter_is_not_ranked(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    empty = person(1, portraits=[], captions=[])
    trained = train_cohort(base, [empty], plan)
    assert check_owners(base, trained, [empty], plan) == []


def test_an_adapter_gains_the_same_wherever_it_stands_among_the_others(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    people = [person(0), person(1)]
    mine, other = (one.weights or {} for one in train_cohort(base, people, plan, slots=2))
    table = gains(base, [mine, other, mine], people, plan, draws=4)
    assert table[0] == pytest.approx(table[2], abs=1e-6)
    assert abs(table).min(axis=1).all(), "each has been looked at"
    assert table[0] != pytest.approx(table[1], abs=1e-6)


@pytest.mark.parametrize(("adapters", "people", "sound"), [(1, 1, True), (2, 1, False), (1, 2, False), (2, 2, False)])
def test_sound_is_what_fits_its_owner_best_both_ways(adapters: int, people: int, sound: bool) -> None:
    assert Owned("p", adapters, people, 0.5).sound is sound


def test_the_noise_that_is_looked_through_lies_evenly_between_the_edges(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, times = [], base.family.times

    def spy(uniform: torch.Tensor) -> torch.Tensor:
        asked.append(uniform)
        return times(uniform)

    monkeypatch.setattr(base.family, "times", spy)
    adapter = train_cohort(base, [person(0)], plan, slots=1)[0].weights or {}
    asked.clear()
    gains(base, [adapter], [person(0)], plan, draws=4)
    assert asked[0].tolist() == pytest.approx([EDGE + (1 - 2 * EDGE) * part for part in (0.125, 0.375, 0.625, 0.875)])
