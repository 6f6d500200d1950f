"""Whose half-learned state this is: everything that an adapter depends on is in the digest it is found by."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.adapters.checkpoint import person_digest
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan
from tasks.vision.diffusion import FrozenBase

PICTURES = [np.zeros((4, 6, 3), np.uint8), np.ones((4, 6, 3), np.uint8)]
SOMEBODY = LearningPerson("p", PICTURES, ["a", "b"], seed=7)

CHANGES: dict[str, dict[str, Any]] = {
    "a caption": {"captions": ["a", "c"]},
    "a picture": {"portraits": [PICTURES[0], PICTURES[0]]},
    "the same bytes in another shape": {"portraits": [one.reshape(6, 4, 3) for one in PICTURES]},
    "the order": {"portraits": PICTURES[::-1]},
    "the seed": {"seed": 8},
    "steps of their own": {"steps": 5},
    "a mask": {"planes": (np.ones((4, 6), np.float32),) * 2},
    "what the photo measured": {"originals": (256, 256)},
    "how often each is seen": {"shares": (0.25, 0.75)},
    "a plain caption": {"plain": "a person"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_is_learned_from_is_in_the_digest(plan: TrainingPlan, change: dict[str, Any]) -> None:
    assert person_digest(replace(SOMEBODY, **change), plan, "f") != person_digest(SOMEBODY, plan, "f")


def test_so_are_the_plan_and_the_base(plan: TrainingPlan, base: FrozenBase) -> None:
    found = {person_digest(SOMEBODY, one, name) for one in (plan, replace(plan, steps=9)) for name in ("f", "g")}
    assert len(found) == 4


def test_somebody_elses_id_alone_makes_no_other_lesson(plan: TrainingPlan, person: Callable[..., Any]) -> None:
    """Who it is stands beside the digest, where the state is looked for."""
    assert person_digest(replace(SOMEBODY, id="q"), plan, "f") == person_digest(SOMEBODY, plan, "f")
