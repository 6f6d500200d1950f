"""Before anybody's photo is looked at: the base can learn, and it and whoever draws for it are here."""

from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.random_bases import write_random_base
from flows.headshots import base_is_here
from tasks.vault.failures import NotLikeThis
from tasks.vault.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_random_base(tmp_path / "bases", "tiny")
    return Settings(home=tmp_path / "home", bases=tmp_path / "bases", base="tiny")


def test_a_base_that_lies_there_is_enough(settings: Settings) -> None:
    base_is_here(settings, "draft")


def test_a_shared_start_that_is_missing_or_another_is_said_before_a_photo_is_opened(settings: Settings) -> None:
    path, start = settings.bases / "tiny.toml", settings.bases / "tiny" / "start.safetensors"
    named = f'[training.start]\nfile = "{start.name}"\nsha256 = "{sha256(b"a start").hexdigest()}"\n'
    path.write_text(f"{path.read_text()}\n{named}")
    with pytest.raises(NotLikeThis, match=r"the shared start that its card names, start.safetensors, is missing"):
        base_is_here(settings, "draft")
    start.write_bytes(b"another")
    with pytest.raises(NotLikeThis, match=r"start.safetensors is another shared start than its card names"):
        base_is_here(settings, "draft")
    start.write_bytes(b"a start")
    base_is_here(settings, "draft")


def test_class_pictures_that_are_missing_are_said_before_a_photo_is_opened(settings: Settings) -> None:
    path, prior = settings.bases / "tiny.toml", settings.bases / "tiny" / "prior.safetensors"
    card = path.read_text()
    path.write_text(card.replace("[training]\n", f'[training]\nprior = "{prior.name}"\n'))
    with pytest.raises(NotLikeThis, match=r"the class pictures that its card names, prior.safetensors, are missing"):
        base_is_here(settings, "draft")
    path.write_text(card.replace("[training]\n", f'[training]\nprior = "{prior.name}"\nprior_share = 0.0\n'))
    base_is_here(settings, "draft")  # never shown, never missed
    path.write_text(card.replace("[training]\n", f'[training]\nprior = "{prior.name}"\n'))
    prior.write_bytes(b"class pictures")
    base_is_here(settings, "draft")


def test_who_draws_must_be_here_too_and_be_distilled_from_the_base(settings: Settings) -> None:
    path = settings.bases / "tiny.toml"
    card = path.read_text()
    (settings.bases / "turbo.toml").write_text(
        'trained_from = "tiny"\n' + card.replace('path = "tiny"', 'path = "turbo"')
    )
    path.write_text(card.replace("[render]\n", '[render]\ndrawn_by = "turbo"\n'))
    with pytest.raises(NotLikeThis, match="turbo is not whole"):
        base_is_here(settings, "draft")
    (settings.bases / "turbo.toml").write_text(card)
    with pytest.raises(NotLikeThis, match="Only weights distilled from tiny take its adapters"):
        base_is_here(settings, "draft")


def test_distilled_weights_are_refused_with_the_name_of_the_base(settings: Settings) -> None:
    path = settings.bases / "tiny.toml"
    path.write_text('trained_from = "the-base"\n' + path.read_text())
    with pytest.raises(NotLikeThis, match="cannot learn a face: choose the-base"):
        base_is_here(settings, "draft")
