"""The shared start: everybody begins from it, it decides the result, and another one is never taken for it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from synthetic.training import shared_start
from tasks.adapters.checkpoint import Shelf, person_digest
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.start import load_start, start_bytes
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import FrozenBase, open_base
from tasks.vision.diffusion_card import BaseCard, StartCard, UnknownBase, load_base_card


@pytest.fixture
def start(base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]) -> dict[str, Tensor]:
    """What somebody became: any whole adapter can be a start."""
    (learned,) = train_cohort(base, [person(9)], replace(plan, steps=3))
    assert learned.weights is not None
    return learned.weights


def with_start(card: BaseCard, data: bytes) -> BaseCard:
    named = StartCard(file="start.safetensors", sha256=hashlib.sha256(data).hexdigest())
    return card.model_copy(update={"training": card.training.model_copy(update={"start": named})})


def test_everybody_begins_there(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson], start: dict[str, Tensor]
) -> None:
    """Without a step taken that counts, the adapters are the start itself, for every seed, in every slot."""
    still = replace(plan, steps=1, learning_rate=1e-12, weight_decay=0.0, start="named")
    for learned in train_cohort(base, [person(n) for n in range(3)], still, slots=2, start=start):
        assert learned.weights is not None
        assert all(torch.allclose(learned.weights[name], start[name], atol=1e-6) for name in start)
    (alone,) = train_cohort(base, [person(0)], replace(still, start=""))
    assert alone.weights is not None
    assert any(not torch.allclose(alone.weights[name], start[name], atol=1e-4) for name in start)


def test_who_was_cut_off_goes_on_from_where_they_were_and_not_from_the_start(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson], start: dict[str, Tensor], shelf: Shelf
) -> None:
    named = replace(plan, start="named")

    class Killed(Exception):
        pass

    def kill(_: object) -> None:
        raise Killed

    (whole,) = train_cohort(base, [person(1)], named, start=start)
    with pytest.raises(Killed):
        train_cohort(
            base, [person(1), person(2)], named, slots=1, start=start, shelf=shelf, checkpoint_every=2,
            on_done=kill,
        )  # fmt: skip
    again, _ = train_cohort(base, [person(1), person(2)], named, slots=1, start=start, shelf=shelf)
    assert whole.weights is not None
    assert again.weights is not None
    assert all(torch.equal(whole.weights[name], again.weights[name]) for name in whole.weights)


def test_another_start_is_another_plan_and_another_adapter(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson]
) -> None:
    named = replace(plan, start="a" * 64)
    assert named.digest() != plan.digest()
    assert person_digest(person(1), named, base.fingerprint) != person_digest(person(1), plan, base.fingerprint)


def test_the_card_names_it_and_a_quality_with_another_rank_does_without(base: FrozenBase) -> None:
    card = with_start(base.card, b"any")
    assert plan_training(base.card, "standard", 8).start == ""
    assert plan_training(card, "standard", 8).start == hashlib.sha256(b"any").hexdigest()
    ranks = card.training.model_copy(update={"ranks": {"best": card.lora.rank * 2}})
    assert plan_training(card.model_copy(update={"training": ranks}), "best", 8).start == ""


def test_only_the_very_file_that_the_card_names_is_taken(
    base: FrozenBase, plan: TrainingPlan, start: dict[str, Tensor], tmp_path: Path
) -> None:
    data = start_bytes(start)
    card = with_start(base.card, data).model_copy(update={"folder": tmp_path})
    named = replace(plan, start=hashlib.sha256(data).hexdigest())
    assert load_start(card, plan) is None
    with pytest.raises(UnknownBase, match="is not there"):
        load_start(card, named)
    (tmp_path / "start.safetensors").write_bytes(data)
    loaded = load_start(card, named)
    assert loaded is not None
    assert all(torch.allclose(loaded[name], start[name], atol=1e-3) for name in start)
    (tmp_path / "start.safetensors").write_bytes(data[:-1] + b"x")
    with pytest.raises(UnknownBase, match="the plan wants"):
        load_start(card, named)
    with pytest.raises(UnknownBase, match="names no start"):
        load_start(base.card, named)


def test_half_a_start_is_refused(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson], start: dict[str, Tensor]
) -> None:
    """A layer that is left out would stay at zero in both halves and never learn."""
    del start[next(iter(start))]
    with pytest.raises(ValueError, match="lacks 1 adapter tensors"):
        train_cohort(base, [person(1)], replace(plan, start="named"), start=start)


def test_a_start_is_no_part_of_the_base(bases: Path, base: FrozenBase, start: dict[str, Tensor]) -> None:
    """Its adapters were learned with it, but fit the base with or without."""
    data = start_bytes(start)
    path = base.card.folder / "start.safetensors"
    path.write_bytes(data)
    try:
        assert open_base(with_start(base.card, data), device="cpu").fingerprint == base.fingerprint
    finally:
        path.unlink()


def test_rounds_that_were_cut_off_make_the_same_start(
    bases: Path, base: FrozenBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command line, with drawn people; the card takes the lines that it prints."""
    monkeypatch.setattr(shared_start, "SELFIES", 2)

    def run(folder: Path, *rounds: int) -> dict[str, Tensor]:
        for number in rounds:
            made = shared_start.make_start(base, folder, rounds=number, each=2, pool=3, updates=2)
        return made

    whole, resumed = run(tmp_path / "a", 3), run(tmp_path / "b", 1, 3)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    state = torch.load(tmp_path / "a" / "start.pt", weights_only=True)
    assert state["round"] == 3
    one = shared_start.make_start(base, tmp_path / "c", rounds=1, each=2, pool=3, updates=2)
    assert any(not torch.equal(one[name], whole[name]) for name in one)
    folder = tmp_path / "weights"
    folder.mkdir()
    lines = shared_start.export_start(
        FrozenBase(base.card.model_copy(update={"folder": folder}), base.family, ""), tmp_path / "a"
    )
    text = (bases / "tiny.toml").read_text()
    (tmp_path / "tiny.toml").write_text(f"{text}\n{lines}\n")
    card = load_base_card("tiny", tmp_path).model_copy(update={"folder": folder})
    assert load_start(card, plan_training(card, "standard", 8)) is not None
