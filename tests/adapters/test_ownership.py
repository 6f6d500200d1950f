"""The check that would find one person's face in another's file."""

from collections.abc import Callable
from dataclasses import replace

from tasks.adapters.examples import Person
from tasks.adapters.ownership import check_owners
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import FrozenBase


def test_every_adapter_fits_its_owner_best_and_swapped_ones_are_found(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., Person]
) -> None:
    plan = replace(plan, steps=40, learning_rate=1e-2)
    people = [person(number, photos=1) for number in range(3)]
    trained = train_cohort(base, people, plan, slots=3)
    standing = check_owners(base, trained, people, plan)
    assert [one.person_id for one in standing] == ["p0", "p1", "p2"]
    assert all(one.sound for one in standing), standing
    assert all(one.gain > 0 for one in standing)

    swapped = [replace(trained[0], weights=trained[1].weights), replace(trained[1], weights=trained[0].weights)]
    found = check_owners(base, [*swapped, trained[2]], people, plan)
    assert [one.sound for one in found] == [False, False, True]


def test_who_has_no_adapter_is_not_ranked(base: FrozenBase, plan: TrainingPlan, person: Callable[..., Person]) -> None:
    empty = person(1, portraits=[], captions=[])
    trained = train_cohort(base, [empty], plan)
    assert check_owners(base, trained, [empty], plan) == []
