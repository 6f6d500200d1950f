"""klein draws beside the person's own photo: as the stock pipeline does, and never without leave."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.random_bases import write_random_base
from tasks.adapters.examples import LearningPerson
from tasks.adapters.export import adapter_bytes
from tasks.adapters.plan import plan_training
from tasks.adapters.training import train_cohort
from tasks.headshots import photographing
from tasks.headshots.kit import BrandKit
from tasks.headshots.own_photo import own_photo
from tasks.headshots.photographing import Studio, photograph, sittings
from tasks.headshots.render import RenderJob, conditions_of, plan_render, render
from tasks.shipped import SHIPPED
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.failures import NoConsent
from tasks.vault.records import Adapter, Consent, Employee, Seat, Selfie
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tasks.vision.diffusion import FrozenBase, UnknownBase, load_base_card, open_base
from tasks.vision.diffusion_card import FaceWallCard
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

NOW = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
PEOPLE = ("ada", "bea")
WHITE = FaceWallCard(word="white", colour="#eeeff0")


def noise(seed: int, side: int = 64) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def klein(tmp_path_factory: pytest.TempPathFactory) -> FrozenBase:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("bases")
    write_random_base(folder, "tiny", "flux2-klein")
    return open_base(load_base_card("tiny", folder), device="cpu")


def apart(one: Picture, other: Picture) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_what_is_shown_is_drawn_with_as_the_stock_pipeline_draws(klein: FrozenBase) -> None:
    plan = replace(plan_render(klein), steps=3)
    job = RenderJob("p", None, "studio headshot of a sks person", "", 5, shown=noise(1))
    start = torch.randn(klein.family.latent_shape(plan.size), generator=torch.Generator().manual_seed(job.seed))[None]
    pipeline = klein.family.pipeline
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        image=Image.fromarray(noise(1)), prompt=job.prompt, height=plan.size, width=plan.size, latents=start,
        num_inference_steps=plan.steps, guidance_scale=1.0, max_sequence_length=klein.card.text_length,
        text_encoder_out_layers=klein.card.text_layers, output_type="np",
    ).images[0]  # fmt: skip
    (ours,) = render(klein, [job], plan)
    assert apart(ours, np.asarray((theirs * 255).round(), np.uint8)) <= 1
    assert float((ours != render(klein, [replace(job, shown=None)], plan)[0]).mean()) > 0.1


def test_everybody_is_drawn_beside_their_own(klein: FrozenBase) -> None:
    plan = replace(plan_render(klein, guidance=3.0), steps=2)
    photos = [np.full((64, 64, 3), level, np.uint8) for level in (0, 255)]
    jobs = [RenderJob(one, None, "a sks person", "", 1, shown=photo) for one, photo in zip(PEOPLE, photos, strict=True)]
    together = render(klein, jobs, plan)
    assert all(apart(drawn, render(klein, [job], plan)[0]) <= 1 for drawn, job in zip(together, jobs, strict=True))
    told = conditions_of(klein, jobs).tensors["shown"]
    alone = [klein.show_pictures([photo]).tensors["shown"][0] for photo in photos]
    assert not torch.equal(*alone)
    assert [torch.equal(row, alone[place % 2]) for place, row in enumerate(told)] == [True] * 4, "negatives as well"


def test_only_families_that_take_pictures_may_be_asked(tmp_path: Path) -> None:
    write_random_base(tmp_path, "tiny", "sd")
    card = tmp_path / "tiny.toml"
    words = card.read_text()
    card.write_text(words.replace("[render]\n", "[render]\nown_photo = true\n"))
    with pytest.raises(UnknownBase, match="the family sd takes no picture beside the prompt"):
        load_base_card("tiny", tmp_path)


@pytest.fixture
def studio(tmp_path: Path, klein: FrozenBase, kits: dict[str, BrandKit], eyes: Eyes) -> Iterator[Studio]:
    """Two people, learned in one step, with a photo each, on a base that is shown it."""
    kit = kits["northwind"]
    kit = kit.model_copy(update={"candidates": kit.candidates.model_copy(update={"per_person": 1})})
    plan, side = replace(plan_training(klein.card, "draft", 4), steps=1), klein.card.resolution
    card = klein.card.model_copy(
        update={"render": klein.card.render.model_copy(update={"own_photo": True, "steps": 2, "face_wall": WHITE})}
    )
    photos = SHIPPED / "samples" / "northwind" / "selfies"
    folders = sorted(one for one in photos.iterdir() if one.is_dir())
    people = [LearningPerson(one, [noise(at, side)], ["a sks person"], at) for at, one in enumerate(PEOPLE)]
    trained = {one.person_id: adapter_bytes(one, plan, klein.card) for one in train_cohort(klein, people, plan)}
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        batch = open_batch(vault, Order("/drop", "northwind", "draft", "tiny"), NOW)
        for place, (one, folder) in enumerate(zip(PEOPLE, folders, strict=False)):
            with vault.session() as session:
                session.add(Employee(id=one, number=one, updated_at=NOW))
                session.add(Consent(id=f"c{one}", employee_id=one, given_at=NOW))
                session.add(Seat(batch_id=batch, employee_id=one, state="trained", cohort=0, position=place,
                                 adapter_digest=f"a{one}"))  # fmt: skip
            permit, photo = vault.permit(one, now=NOW), min(folder.iterdir())
            key = vault.write(permit, "adapter", "a.safetensors", trained[one])
            seen = vault.write(permit, "selfies", "1.jpg", photo.read_bytes(), now=NOW)
            with vault.session() as session:
                session.add(Adapter(digest=f"a{one}", employee_id=one, base="tiny", base_fingerprint="f",
                                    blob_key=key, created_at=NOW))  # fmt: skip
                session.add(Selfie(id=one, employee_id=one, digest=f"d{one}", blob_key=seen, width=1, height=1,
                                   created_at=NOW))  # fmt: skip
        yield Studio(vault, batch, "northwind", kit, eyes, lambda: klein, card)


def test_a_persons_best_photo_is_shown_and_is_part_of_what_the_picture_is(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RenderJob] = []

    def watched(base: Any, jobs: Any, *rest: Any) -> Any:
        asked.extend(jobs)
        return render(base, jobs, *rest)

    monkeypatch.setattr(photographing, "render", watched)
    seats = seats_of(studio.vault, studio.batch)
    assert photograph(studio, seats) == len(PEOPLE)
    assert [job.person_id for job in asked] == list(PEOPLE)
    assert all("plain white" in job.face and "plain light grey" in job.prompt for job in asked), "the card's wall"
    shown = [job.shown for job in asked]
    assert shown[0] is not None
    assert shown[1] is not None
    assert apart(shown[0], shown[1]) > 10, "each their own"

    def digest(of: Studio) -> str:
        return sittings(of, seats[0], of.vault.permit("ada", now=NOW))[0].digest

    shows_none = studio.card.render.model_copy(update={"own_photo": False})
    unseen = replace(studio, card=studio.card.model_copy(update={"render": shows_none}))
    found = {digest(studio), digest(unseen)}
    with studio.vault.session() as session:
        session.get_one(Selfie, "ada").digest = "another"
    found.add(digest(studio))
    assert len(found) == 3


def test_nobodys_photo_is_shown_after_they_have_withdrawn(studio: Studio) -> None:
    permit = studio.vault.permit("bea", now=NOW)
    assert own_photo(studio.vault, permit, studio.eyes, 16).shape == (16, 16, 3)
    with studio.vault.session() as session:
        session.get_one(Consent, "cbea").withdrawn_at = NOW
    with pytest.raises(NoConsent):
        own_photo(studio.vault, permit, studio.eyes, 16)


def test_an_adapter_weighs_what_it_was_learned_with_whoever_draws(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    scales: list[float] = []

    def watched(base: Any, jobs: Any, plan: Any, *rest: Any) -> Any:
        scales.append(plan.scale)
        return render(base, jobs, plan, *rest)

    monkeypatch.setattr(photographing, "render", watched)
    lora = studio.card.lora
    learned = studio.card.model_copy(update={"lora": lora.model_copy(update={"alpha": 3.0 * lora.rank})})
    photograph(replace(studio, card=learned, drawing=studio.card), seats_of(studio.vault, studio.batch))
    assert scales == [3.0]
