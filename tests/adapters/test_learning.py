"""One cohort learned from the records: whose adapter is which, and what is left when something goes wrong afterwards.

Selfies of the sample company, the embedded eyes, and a tiny random base, trained for a few steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load

from tasks.adapters import ownership
from tasks.adapters.learning import (
    Pupil,
    adapter_digest,
    kept,
    learn,
    missing,
    older_digests,
    seed_of,
    someone_elses,
)
from tasks.adapters.ownership import BESIDE, Owned, check_owners, gains, groups
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.portraits import accepted_selfies
from tasks.adapters.training import TrainedAdapter, train_cohort
from tasks.retention.erase import forget
from tasks.shipped import SHIPPED
from tasks.vault.batches import Order, move_seat, open_batch, seats_of, try_again
from tasks.vault.failures import StoreFault
from tasks.vault.records import Adapter, Consent, Employee, Seat, Selfie
from tasks.vault.scratch import clear_half_learned
from tasks.vault.sealing import is_sealed
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion import FrozenBase
from tasks.vision.faces import Eyes
from tasks.vision.open_eyes import open_eyes

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SELFIES = SHIPPED / "samples" / "northwind" / "selfies"
PEOPLE = ("NW-1001", "NW-1004", "NW-1006")
EXHAUSTED = "CUDA out of memory. Tried to allocate 20.00 MiB"


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return open_eyes("embedded")


@dataclass(frozen=True)
class School:
    """Three people with two selfies each, seated in one batch."""

    vault: Vault
    batch: str
    pupils: list[Pupil]

    def learn(self, base: FrozenBase, eyes: Eyes) -> int:
        return learn(self.vault, base, eyes, self.pupils, self.batch, slots=3)

    def stands(self) -> list[tuple[str, str | None]]:
        return [(seat.state, seat.reason) for seat in seats_of(self.vault, self.batch)]

    def half_learned(self) -> int:
        """Files in the vault that are neither nothing nor an adapter yet."""
        return sum(1 for key in self.vault.blobs.keys("people/") if "/checkpoints/" in key)

    def adapters(self) -> dict[str, dict[str, torch.Tensor]]:
        return {
            pupil.id: load(self.vault.read(pupil.permit, f"people/{pupil.id}/adapter/{pupil.digest}.safetensors"))
            for pupil in self.pupils
            if kept(self.vault, pupil.digest, pupil.id)
        }


@pytest.fixture
def school(tmp_path: Path, plan: TrainingPlan) -> Iterator[School]:
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        batch = open_batch(vault, Order("/drop", "northwind", "draft", "tiny"), NOW)
        pupils = []
        for number, folder in enumerate(PEOPLE):
            identity = f"p{number}"
            with vault.session() as session:
                session.add(Employee(id=identity, number=identity, updated_at=NOW))
                session.add(Consent(id=f"c{identity}", employee_id=identity, given_at=NOW))
                session.add(Seat(batch_id=batch, employee_id=identity, state="ready", cohort=0, position=number))
            permit = vault.permit(identity, now=NOW)
            names = [path.name for path in sorted((SELFIES / folder).glob("*.jpg"))[:2]]
            for name in names:
                key = vault.write(permit, "selfies", name, (SELFIES / folder / name).read_bytes(), now=NOW)
                with vault.session() as session:
                    session.add(
                        Selfie(
                            id=f"{identity}-{name}", employee_id=identity, digest=f"{identity}-{name}", blob_key=key,
                            width=1, height=1, created_at=NOW,
                        )
                    )  # fmt: skip
            mine = replace(plan, steps=3)
            digest = adapter_digest(identity, [f"{identity}-{name}" for name in names], "tiny", mine)
            pupils.append(Pupil(permit, mine, digest, seed_of(digest)))
        yield School(vault, batch, pupils)


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random network cannot tell one portrait from another, so here everybody is taken for their own."""
    monkeypatch.setattr("tasks.adapters.learning.someone_elses", lambda checked: set())


class Exhaustion:
    """Memory that is never enough for more than so many samples at once, while the owners are checked."""

    def __init__(self, base: FrozenBase, most: int) -> None:
        self.sizes: list[int] = []
        self.most = most
        self.handle = base.denoiser.register_forward_pre_hook(self)

    def __call__(self, _module: Any, inputs: tuple[Any, ...]) -> None:
        if torch.is_grad_enabled():  # training is not what is tried here
            return
        self.sizes.append(len(inputs[0]))
        assert len(self.sizes) < 500, "it asks for ever"
        if len(inputs[0]) > self.most:
            raise torch.OutOfMemoryError(EXHAUSTED)


def test_everybodys_adapter_is_kept_and_nothing_is_left_beside_the_vault(
    school: School, base: FrozenBase, eyes: Eyes, trusting: None
) -> None:
    assert school.learn(base, eyes) == 3
    assert school.stands() == [("trained", None)] * 3
    assert len(school.adapters()) == 3
    assert school.half_learned() == 0  # faces do not stay behind


def test_when_the_owner_check_fails_for_good_no_step_of_training_is_lost(
    school: School, base: FrozenBase, eyes: Eyes, trusting: None
) -> None:
    """As it was, the checkpoints went before the check: out of memory there lost the cohort, for ever."""
    exhaustion = Exhaustion(base, most=0)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            school.learn(base, eyes)
    finally:
        exhaustion.handle.remove()
    assert school.adapters() == {}
    assert school.half_learned() == 3

    trained: list[bool] = []
    handle = base.denoiser.register_forward_pre_hook(lambda *_: trained.append(torch.is_grad_enabled()))
    try:
        school.learn(base, eyes)
    finally:
        handle.remove()
    assert trained
    assert not any(trained)  # the check alone was made again
    assert len(school.adapters()) == 3
    assert school.half_learned() == 0


def test_another_machine_goes_on_where_this_one_died(
    school: School, base: FrozenBase, eyes: Eyes, trusting: None, tmp_path: Path
) -> None:
    exhaustion = Exhaustion(base, most=0)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            school.learn(base, eyes)
    finally:
        exhaustion.handle.remove()
    here = school.vault.settings
    there = Settings(
        home=tmp_path / "there", database_url=here.records_url, blob_url=here.blobs_location,
        keys_url=here.wrapped_keys_url, master_key=here.master_key_location,
    )  # fmt: skip
    trained: list[bool] = []
    handle = base.denoiser.register_forward_pre_hook(lambda *_: trained.append(torch.is_grad_enabled()))
    try:
        with open_vault(there) as vault:
            pupils = [replace(one, permit=vault.permit(one.id, now=NOW)) for one in school.pupils]
            School(vault, school.batch, pupils).learn(base, eyes)
    finally:
        handle.remove()
    assert trained
    assert not any(trained)
    assert len(school.adapters()) == 3
    assert school.half_learned() == 0


def test_a_half_learned_face_is_sealed_and_goes_with_its_owner(
    school: School, base: FrozenBase, eyes: Eyes, trusting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.adapters.learning.train_cohort", partial(train_cohort, checkpoint_every=1))
    steps: list[int] = []

    def forgotten_at_the_second_checkpoint(*_: Any) -> None:
        steps.append(1)
        if len(steps) == 3:
            stored = {key: school.vault.blobs.get(key) for key in school.vault.blobs.keys("people/p2/checkpoints/")}
            assert len(stored) == 1
            assert all(is_sealed(data) for data in stored.values())
            forget(school.vault, "p2", "requested", NOW)

    handle = base.denoiser.register_forward_pre_hook(forgotten_at_the_second_checkpoint)
    try:
        school.learn(base, eyes)
    finally:
        handle.remove()
    assert len(steps) > 3
    assert school.vault.blobs.remains("people/p2/") == []
    assert list(school.adapters()) == ["p0", "p1"]
    assert [state for state, _ in school.stands()] == ["trained", "trained", "blocked"]
    assert school.half_learned() == 0


def test_what_an_older_rollcall_left_half_learned_in_clear_goes(school: School) -> None:
    """Up to 0.1 it lay in folders that named nobody, and forgetting passed them by."""
    left = school.vault.settings.scratch / "b1" / "cohort-0" / "under-way.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a face")
    forget(school.vault, "p0", "requested", NOW)
    assert not left.exists()
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"half a face")
    assert clear_half_learned(school.vault.settings.scratch) == 0
    assert not left.exists()


def test_when_the_vault_cannot_take_one_adapter_its_checkpoint_stays(
    school: School, base: FrozenBase, eyes: Eyes, trusting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, refused = school.vault.write, school.pupils[1].id

    def full(permit: Any, kind: str, name: str, data: bytes, **more: Any) -> str:
        if permit.employee_id == refused and kind == "adapter":
            raise StoreFault("disk_full")
        return write(permit, kind, name, data, **more)

    monkeypatch.setattr(school.vault, "write", full)
    school.learn(base, eyes)
    assert school.stands() == [("trained", None), ("failed", "broke_down"), ("trained", None)]
    assert school.half_learned() == 3
    monkeypatch.undo()
    monkeypatch.setattr("tasks.adapters.learning.someone_elses", lambda checked: set())
    school.learn(base, eyes)
    assert school.stands() == [("trained", None)] * 3
    assert school.half_learned() == 0


def test_whose_face_is_learned_already_stands_where_they_stood_or_is_ready_for_pictures(
    school: School, base: FrozenBase
) -> None:
    """A batch that is carried on, or a new one of the same people: who has pictures is not sent back to the start."""
    everybody = seats_of(school.vault, school.batch)
    unlearned = missing(school.vault, base, everybody, school.batch, "draft")
    assert [one.id for one in unlearned] == ["p0", "p1", "p2"]
    for pupil in unlearned:
        key = school.vault.write(pupil.permit, "adapter", f"{pupil.digest}.safetensors", b"weights", now=NOW)
        with school.vault.session() as session:
            session.add(
                Adapter(
                    digest=pupil.digest,
                    employee_id=pupil.id,
                    blob_key=key,
                    base="tiny",
                    base_fingerprint="tiny",
                    created_at=NOW,
                )
            )
    for state in ("trained", "rendered"):
        move_seat(school.vault, school.batch, "p1", state)
    for state in ("trained", "rendered", "done"):
        move_seat(school.vault, school.batch, "p2", state)
    assert missing(school.vault, base, seats_of(school.vault, school.batch), school.batch, "draft") == []
    assert [state for state, _ in school.stands()] == ["trained", "rendered", "done"]


def test_who_took_their_consent_back_meanwhile_is_blocked_and_not_failed(
    school: School, base: FrozenBase, eyes: Eyes, trusting: None
) -> None:
    def withdraw(*_: Any) -> None:
        with school.vault.session() as session:
            session.get_one(Consent, "cp2").withdrawn_at = NOW

    handle = base.denoiser.register_forward_pre_hook(withdraw)
    try:
        school.learn(base, eyes)
    finally:
        handle.remove()
    assert school.stands()[2][0] == "blocked"
    assert list(school.adapters()) == ["p0", "p1"]
    assert school.half_learned() == 0


def test_a_mixed_up_adapter_is_not_kept(
    school: School, base: FrozenBase, eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the check says is what happens: the second best of three is somebody else's."""
    ranks = {"p0": 1, "p1": 2, "p2": 3}
    monkeypatch.setattr(
        "tasks.adapters.learning.check_owners",
        lambda base, trained, people, plan: [Owned(one.person_id, ranks[one.person_id], 1, 0.1) for one in trained],
    )
    school.learn(base, eyes)
    assert school.stands() == [("trained", None), ("failed", "not_their_own"), ("failed", "not_their_own")]
    assert list(school.adapters()) == ["p0"]
    assert school.half_learned() == 0  # learned again from the beginning, as it must be


def test_what_came_to_nothing_is_not_learned_again_but_by_a_persons_order(
    school: School, base: FrozenBase, eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that goes on by itself would train the same weights from the same photos, for the same end."""
    monkeypatch.setattr(
        "tasks.adapters.learning.plan_training", lambda *a, **k: replace(plan_training(*a, **k), steps=3)
    )
    school = replace(school, pupils=waiting(school, base))
    monkeypatch.setattr("tasks.adapters.learning.someone_elses", lambda checked: {"p1"})
    school.learn(base, eyes)
    assert school.stands()[1] == ("failed", "not_their_own")
    assert waiting(school, base) == []

    try_again(school.vault, school.batch)
    assert school.stands()[1] == ("failed", "not_their_own")
    again = waiting(school, base)
    assert [one.id for one in again] == ["p1"]
    assert [one.id for one in waiting(school, base)] == ["p1"]  # that order's run died before it came to them
    replace(school, pupils=again).learn(base, eyes)
    assert waiting(school, base) == []

    with school.vault.session() as session:  # another photo makes another adapter
        session.get_one(Selfie, accepted_selfies(school.vault, "p1")[0].id).digest = "another"
    assert [one.id for one in waiting(school, base)] == ["p1"]


def test_what_broke_on_our_side_is_learned_again_by_itself(school: School, base: FrozenBase) -> None:
    digest = waiting(school, base)[0].digest
    for reason in ("broke_down", "interrupted"):
        move_seat(school.vault, school.batch, "p0", "failed", reason, adapter_digest=digest)
        assert "p0" in [one.id for one in waiting(school, base)]
    move_seat(school.vault, school.batch, "p0", "failed", "training_failed", adapter_digest=digest)
    assert "p0" not in [one.id for one in waiting(school, base)]


@pytest.mark.parametrize("age", [0, 1])
def test_what_an_older_version_learned_is_found_again_by_its_owner(school: School, base: FrozenBase, age: int) -> None:
    """0.1 left the owner out of the digest, and for a while words of the card were left out that change an adapter."""
    first, second = waiting(school, base)[:2]
    plan = plan_training(base.card, "draft", 2)
    photos = [row.digest for row in accepted_selfies(school.vault, first.id)]
    digest = older_digests(first.id, photos, base.fingerprint, plan)[age]
    assert first.seed == seed_of(older_digests(first.id, photos, base.fingerprint, plan)[0])
    key = school.vault.write(first.permit, "adapter", "older.safetensors", b"weights", now=NOW)
    with school.vault.session() as session:
        session.add(
            Adapter(
                digest=digest, employee_id=first.id, base="tiny", base_fingerprint=base.fingerprint, blob_key=key,
                created_at=NOW,
            )
        )  # fmt: skip
    assert second.id in [one.id for one in waiting(school, base)]
    assert first.id not in [one.id for one in waiting(school, base)]
    assert (
        next(one for one in seats_of(school.vault, school.batch) if one.employee_id == first.id).adapter_digest
        == digest
    )


def waiting(school: School, base: FrozenBase) -> list[Pupil]:
    return missing(school.vault, base, seats_of(school.vault, school.batch), school.batch, "draft")


@pytest.mark.parametrize(("rank", "strangers"), [(1, set()), (2, {"p0"}), (9, {"p0"})])
def test_only_the_first_rank_is_ones_own(rank: int, strangers: set[str]) -> None:
    """Whom the adapter gains most may be somebody easier to draw; whose portraits it fits best may not."""
    assert someone_elses([Owned("p0", rank, 3, 0.1)]) == strangers


@pytest.mark.parametrize("most", [40, 16, 7, 2])
def test_a_check_that_is_short_of_memory_is_halved_and_says_the_same(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., Any], most: int
) -> None:
    people = [person(number) for number in range(3)]
    adapters = [one.weights or {} for one in train_cohort(base, people, plan, slots=3)]
    plenty = gains(base, adapters, people, plan)
    exhaustion = Exhaustion(base, most)
    try:
        scarce = gains(base, adapters, people, plan)
    finally:
        exhaustion.handle.remove()
    assert scarce == pytest.approx(plenty, abs=1e-5)
    assert max(size for size in exhaustion.sizes if size <= most) > most / 2 - 1  # no smaller than it had to be


def test_a_check_for_which_one_portrait_is_too_much_says_so(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., Any]
) -> None:
    people = [person(0)]
    adapters = [one.weights or {} for one in train_cohort(base, people, plan, slots=1)]
    exhaustion = Exhaustion(base, 0)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            gains(base, adapters, people, plan)
    finally:
        exhaustion.handle.remove()


def test_the_cost_of_the_check_grows_with_the_people_and_not_with_their_square(
    base: FrozenBase, plan: TrainingPlan, person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "BESIDE", 2)
    people = [person(number) for number in range(5)]
    trained = train_cohort(base, people, replace(plan, steps=1), slots=5)
    pairs: list[tuple[int, int]] = []
    measured = ownership.gains

    def counted(base: FrozenBase, adapters: Any, among: Any, plan: TrainingPlan) -> Any:
        pairs.append((len(adapters), len(among)))
        return measured(base, adapters, among, plan)

    monkeypatch.setattr(ownership, "gains", counted)
    assert [one.person_id for one in check_owners(base, trained, people, plan)] == [one.id for one in people]
    assert pairs == [(1, 1), (2, 2), (2, 2)]


@pytest.mark.parametrize("people", [0, 1, 2, 16, 17, 33, 100])
def test_groups_are_full_even_and_hold_everybody_once(people: int) -> None:
    everybody = [TrainedAdapter(f"p{i}", "done", {}, 1, 0.0, 0.0) for i in range(people)]
    found = list(groups(everybody))
    assert [one for group in found for one in group] == everybody
    sizes = [len(group) for group in found]
    assert max(sizes, default=0) <= BESIDE
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    if people > 1:
        assert min(sizes) > 1  # compared with nobody, everybody is the first


def test_another_plan_other_photos_or_another_base_is_another_adapter(plan: TrainingPlan) -> None:
    digest = adapter_digest("p1", ["a", "b"], "base", plan)
    assert adapter_digest("p1", ["b", "a"], "base", plan) == digest
    others = {
        adapter_digest("p1", ["a", "b"], "base", replace(plan, steps=plan.steps + 1)),
        adapter_digest("p1", ["a", "b"], "base", replace(plan, rank=plan.rank + 1)),
        adapter_digest("p1", ["a"], "base", plan),
        adapter_digest("p1", ["a", "b"], "other", plan),
        adapter_digest("p2", ["a", "b"], "base", plan),
    }
    assert len(others | {digest}) == 6


def test_seeds_and_older_digests_know_nothing_of_the_words_that_came_since(plan: TrainingPlan) -> None:
    """Else everybody's noise would be another one from today on, and nothing older would be found."""
    since = replace(plan, token="other", grammar="small", reading=(77, 9), snr_gamma=1.0, prior="other")
    older = older_digests("p1", ["a", "b"], "base", plan)
    assert older_digests("p1", ["a", "b"], "base", since) == older
    assert adapter_digest("p1", ["a", "b"], "base", since) not in {
        *older,
        adapter_digest("p1", ["a", "b"], "base", plan),
    }
    assert older_digests("p2", ["a", "b"], "base", plan)[0] == older[0], "0.1 left the owner out"
    assert older_digests("p2", ["a", "b"], "base", plan)[1] != older[1]


def test_first_weights_are_each_persons_own(school: School, base: FrozenBase, eyes: Eyes, trusting: None) -> None:
    """At a rate of next to nothing an adapter is still what its owner's seed began with."""
    still = [replace(pupil, plan=replace(pupil.plan, learning_rate=1e-12, steps=1)) for pupil in school.pupils]
    replace(school, pupils=still).learn(base, eyes)
    first, second, third = school.adapters().values()
    name = next(name for name in first if "lora_A" in name)
    assert not torch.allclose(first[name], second[name])
    assert not torch.allclose(second[name], third[name])
