"""Whatever a base's card can say is part of what an adapter or a picture is, or is named here as changing neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tasks.adapters.plan import OF_THE_CARD, TrainingPlan, plan_training
from tasks.headshots.kit import BrandKit
from tasks.headshots.photographing import Studio, sittings
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.consent import Permit
from tasks.vault.records import Consent, Employee, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion_card import BaseCard

NOON = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
HASH = "a" * 64
# A card that says everything, so that each word can be another.
SAID: dict[str, Any] = {
    "name": "house", "folder": Path("/nowhere"), "title": "House", "family": "flux2-klein", "path": "house",
    "licence": "Apache-2.0", "commercial_use": True, "resolution": 512, "text_length": 77, "text_layers": (9, 18),
    "lora": {"targets": ("to_q",)},
    "training": {
        "captions": "seen", "prior": "prior.safetensors", "snr_gamma": 5.0,
        "start": {"file": "start.safetensors", "sha256": HASH}, "few": {"outside": 0.5, "crops": "portrait"},
        "steps": {"draft": 300, "standard": 800},
    },
    "render": {"face_wall": {"word": "white", "colour": "#ffffff"}},
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "token": "ohwx", "resolution": 768, "text_length": 128, "text_layers": (9, 18, 27),
    "lora.rank": 8, "lora.alpha": 4.0, "lora.targets": ("to_k",),
    "training.learning_rate": 2e-4, "training.weight_decay": 0.5, "training.clip": 2.0, "training.warmup": 20,
    "training.decay": "constant", "training.batch": 2, "training.snr_gamma": 4.0, "training.patience": 5,
    "training.mirror": True, "training.prior": "other.safetensors", "training.prior_share": 0.5,
    "training.preserve": 1.0, "training.start.sha256": "b" * 64, "training.gaussian": True, "training.average": 0.2,
    "training.captions": "one", "training.caption_dropout": 0.1, "training.outside": 0.5, "training.crops": "mixed",
    "training.few.steps": 0.5, "training.few.least": 799, "training.few.outside": 0.2, "training.few.crops": "mixed",
    "training.steps": {"draft": 301}, "training.ranks": {"draft": 4}, "training.learning_rates": {"draft": 1e-3},
    "training.resolutions": {"draft": 256}, "training.batches": {"draft": 4},
    "render.steps": 4, "render.guidance": 1.0, "render.guidance_rescale": 0.7, "render.negative": "blur",
    "render.grammar": "small", "render.size": 256, "render.face_wall.word": "grey",
    "render.face_wall.colour": "#eeeeee", "render.own_photo": True,
}  # fmt: skip
NEITHER = {
    *("name", "folder", "title", "path", "repository", "revision", "licence", "licence_url", "restrictions"),
    *("commercial_use", "world", "about", "files", "trained_from"),
    # The weights' fingerprint is of these, or the weights fit no other.
    *("family", "variant", "vae", "latent_channels", "latent_factor", "training.start.file", "render.drawn_by"),
    # Together with `prior`, which another test tells apart.
    "training.true_sizes",
}


def leaves(table: BaseModel, prefix: str = "") -> Iterator[str]:
    """Every word of a card, as `training.few.steps`; what costs memory changes no number."""
    for name in type(table).model_fields:
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{prefix}{name}.") if name != "memory" else ()
        else:
            yield prefix + name


def card_with(word: str = "", value: object = None) -> BaseCard:
    table: dict[str, Any] = BaseCard.model_validate(SAID).model_dump()
    place = table
    *path, name = word.split(".")
    for step in path:
        place = place[step]
    if word:
        place[name] = value
    return BaseCard.model_validate(table)


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[tuple[Vault, Permit, Seat]]:
    """Ada agreed, and has an adapter."""
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        batch = open_batch(vault, Order("/drop", "signal", "draft", "house"), NOON)
        with vault.session() as session:
            session.add(Employee(id="p0", number="p0", updated_at=NOON))
            session.add(Consent(id="c", employee_id="p0", given_at=NOON))
            session.add(Seat(batch_id=batch, employee_id="p0", state="trained", adapter_digest=HASH))
        yield vault, vault.permit("p0", now=NOON), seats_of(vault, batch)[0]


def learned(card: BaseCard) -> list[dict[str, Any]]:
    return [plan_training(card, quality, photos).words() for quality in ("draft", "standard") for photos in (3, 8)]


@pytest.fixture
def drawn(seat: tuple[Vault, Permit, Seat], kits: dict[str, BrandKit]) -> Callable[..., list[str]]:
    """The digests of Ada's pictures: learned on one card, drawn by another's, or by the same."""
    vault, permit, row = seat

    def digests(card: BaseCard, drawing: BaseCard | None = None) -> list[str]:
        studio = Studio(vault, row.batch_id, "signal", kits["signal"], None, None, card, None, drawing)  # type: ignore[arg-type]
        return [one.digest for one in sittings(studio, row, permit)]

    return digests


def test_every_word_of_a_card_counts_or_is_said_not_to(drawn: Callable[..., list[str]]) -> None:
    said = card_with()
    assert set(leaves(said)) == OTHERS.keys() | NEITHER

    def made(card: BaseCard) -> tuple[object, object]:
        return learned(card), drawn(card)

    before = made(said)
    assert [word for word, other in OTHERS.items() if made(card_with(word, other)) == before] == []
    assert drawn(card_with("render.size", said.resolution)) == drawn(said), "said aloud, it is the same size"


@pytest.mark.parametrize("word", ["text_length", "text_layers", "render.size", "render.steps", "render.negative"])
def test_how_the_weights_that_draw_for_a_base_read_and_draw_counts_as_well(
    drawn: Callable[..., list[str]], word: str
) -> None:
    card = card_with()
    assert drawn(card, card_with()) == drawn(card)
    assert not set(drawn(card, card_with(word, OTHERS[word]))) & set(drawn(card))


def test_what_differs_in_drawing_alone_is_learned_by_nobody_anew() -> None:
    for word in ("render.steps", "render.guidance", "render.guidance_rescale", "render.size", "render.negative"):
        assert learned(card_with(word, OTHERS[word])) == learned(card_with()), word


def test_older_adapters_and_seeds_know_none_of_the_words_that_count_since() -> None:
    """A person's seed follows from the first words: what was measured with these seeds stays what it was."""
    said = plan_training(card_with(), "draft", 8)
    assert {name for name in OF_THE_CARD if getattr(said, name)} == set(OF_THE_CARD), "each says something here"
    for word in ("token", "text_length", "training.snr_gamma", "training.prior", "render.grammar"):
        other = plan_training(card_with(word, OTHERS[word]), "draft", 8)
        assert other.first_words() == said.first_words(), word
        assert other.digest() != said.digest(), word


def test_a_word_that_says_nothing_is_not_counted() -> None:
    """Class pictures that are never shown, and the captions' grammar where there is one sentence for all."""
    unseen = card_with("training.prior_share", 0.0)
    alone = unseen.model_copy(update={"training": unseen.training.model_copy(update={"prior": "other.safetensors"})})
    assert plan_training(unseen, "draft", 8) == plan_training(alone, "draft", 8)
    plain = plan_training(card_with("training.captions", "one"), "draft", 8)
    assert isinstance(plain, TrainingPlan)
    assert plain.grammar == ""
