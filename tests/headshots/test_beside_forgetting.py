"""Somebody is forgotten while pictures are taken, at every one that is kept: one seat is blocked, the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from sqlmodel import col, select

from benchmarks.random_bases import write_random_base
from tasks.adapters.examples import LearningPerson
from tasks.adapters.export import adapter_bytes
from tasks.adapters.plan import plan_training
from tasks.adapters.training import train_cohort
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit
from tasks.headshots.photographing import Studio, photograph
from tasks.likeness.judging import judge
from tasks.retention.erase import forget
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.failpoints import listening
from tasks.vault.records import Adapter, Consent, Employee, Headshot, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base
from tasks.vision.faces import Eyes

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PEOPLE = ("p1", "p2", "p3")
GONE = "p2"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> FrozenBase:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("bases")
    write_random_base(folder, "tiny", "sd-v")
    return open_base(load_base_card("tiny", folder), device="cpu")


@pytest.fixture(scope="module")
def learned(base: FrozenBase) -> dict[str, bytes]:
    """An adapter each, of one step: what is drawn is noise, and noise is kept, and flagged, like any picture."""
    plan = replace(plan_training(base.card, "draft", 4), steps=1, warmup=0)
    side = base.card.resolution
    people = [
        LearningPerson(one, [np.full((side, side, 3), 90 + 20 * place, np.uint8)], ["a person"], place)
        for place, one in enumerate(PEOPLE)
    ]
    trained = train_cohort(base, people, plan)
    return {one.person_id: adapter_bytes(one, plan, base.card, fingerprint=base.fingerprint) for one in trained}


@pytest.fixture
def studio(
    tmp_path: Path,
    base: FrozenBase,
    learned: dict[str, bytes],
    kits: dict[str, BrandKit],
    eyes: Eyes,
) -> Iterator[Studio]:
    kit = kits["northwind"]
    kit = kit.model_copy(update={"candidates": kit.candidates.model_copy(update={"per_person": 1})})
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        batch = open_batch(vault, Order("/drop", "northwind", "draft", "tiny"), NOW)
        for place, one in enumerate(PEOPLE):
            with vault.session() as session:
                session.add(Employee(id=one, number=one, updated_at=NOW))
                session.add(Consent(id=f"c{one}", employee_id=one, given_at=NOW))
                session.add(
                    Seat(
                        batch_id=batch,
                        employee_id=one,
                        state="trained",
                        cohort=0,
                        position=place,
                        adapter_digest=f"a{one}",
                    )
                )
            key = vault.write(vault.permit(one, now=NOW), "adapter", "a.safetensors", learned[one])
            with vault.session() as session:
                session.add(
                    Adapter(digest=f"a{one}", employee_id=one, base="tiny", base_fingerprint=base.fingerprint,
                            blob_key=key, created_at=NOW)
                )  # fmt: skip
        yield Studio(vault, batch, "northwind", kit, eyes, lambda: base, base.card)


class Forgetting:
    """Forgets somebody when a blob of theirs, or of anybody, is about to be kept for the n-th time."""

    def __init__(self, vault: Vault, at: int, place: str) -> None:
        self.vault, self.at, self.place, self.reached = vault, at, place, 0

    def __call__(self, reached: str) -> None:
        if reached != self.place:
            return
        self.reached += 1
        if self.reached == self.at:
            assert forget(self.vault, GONE, "requested", NOW).state == "provisional"


@pytest.mark.parametrize("place", ["write.intent.before", "write.put.before", "write.put.done"])
@pytest.mark.parametrize("at", range(1, 4))
def test_forgetting_at_every_picture_that_is_kept_blocks_one_seat(studio: Studio, at: int, place: str) -> None:
    listener = Forgetting(studio.vault, at, place)
    with listening(listener):
        photograph(studio, seats_of(studio.vault, studio.batch))
    assert listener.reached >= at, "the moment that is tried was reached"
    seats = {seat.employee_id: (seat.state, seat.reason) for seat in seats_of(studio.vault, studio.batch)}
    assert seats == {"p1": ("rendered", None), GONE: ("blocked", "erased"), "p3": ("rendered", None)}
    assert studio.vault.blobs.remains(f"people/{GONE}/") == []
    with studio.vault.reading() as session:
        owners = list(session.exec(select(Headshot.employee_id).where(col(Headshot.employee_id) != GONE)))
    assert sorted(owners) == ["p1", "p3"]


def test_who_takes_their_consent_back_is_blocked_for_that_reason(studio: Studio) -> None:
    def withdraw(reached: str) -> None:
        if reached == "write.put.before":
            with studio.vault.session() as session:
                session.get_one(Consent, f"c{GONE}").withdrawn_at = NOW

    with listening(withdraw):
        photograph(studio, seats_of(studio.vault, studio.batch))
    seats = {seat.employee_id: (seat.state, seat.reason) for seat in seats_of(studio.vault, studio.batch)}
    assert seats[GONE] == ("blocked", "consent_withdrawn")
    assert seats["p1"] == seats["p3"] == ("rendered", None)


def test_a_judge_who_finds_somebody_gone_judges_the_others(studio: Studio, eyes: Eyes) -> None:
    photograph(studio, seats_of(studio.vault, studio.batch))
    seats = seats_of(studio.vault, studio.batch)
    forget(studio.vault, GONE, "requested", NOW)
    judge(studio.vault, studio.batch, BatchKits(studio.kit), eyes, seats)
    after = {seat.employee_id: (seat.state, seat.reason) for seat in seats_of(studio.vault, studio.batch)}
    assert after[GONE] == ("blocked", "erased")


def test_what_is_gone_although_its_owner_is_here_is_a_defect(studio: Studio) -> None:
    with studio.vault.session() as session:
        session.delete(session.get_one(Adapter, "ap1"))
    with pytest.raises(LookupError, match="has no record"):
        photograph(studio, seats_of(studio.vault, studio.batch))
