"""The base as it ships: the stock pipeline loads it offline, its files are small, its card is understood."""

from pathlib import Path

import numpy as np
import pytest

from synthetic.painter.caption import vocabulary
from tasks.vision.diffusion_card import load_base_card

BASES = Path(__file__).resolve().parents[2] / "base_models"
FOLDER = BASES / "embedded"
pytestmark = pytest.mark.skipif(
    not (FOLDER / "model_index.json").exists(), reason="the embedded base is not here: train and export it first"
)


def test_no_file_is_over_15_mb_and_all_are_under_60() -> None:
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert max(sizes) <= 15_000_000
    assert sum(sizes) <= 60_000_000


def test_weights_are_safetensors_only() -> None:
    assert not [p for p in FOLDER.rglob("*") if p.suffix in (".bin", ".pt", ".ckpt", ".pkl")]


def test_its_card_agrees_with_its_folder() -> None:
    import json

    card = load_base_card("embedded", BASES)
    unet = json.loads((FOLDER / "unet" / "config.json").read_text())
    assert unet["in_channels"] == card.latent_channels
    assert unet["sample_size"] * card.latent_factor == card.resolution
    if card.training.prior is not None:
        assert (FOLDER / card.training.prior).is_file()


def test_the_card_of_the_model_says_what_must_be_said() -> None:
    text = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    for heading in ("Data", "Method", "Cost", "Figures", "Limits", "Licence"):
        assert f"## {heading}" in text


@pytest.mark.slow
def test_the_stock_pipeline_loads_it_offline_and_draws_a_finite_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from diffusers import StableDiffusionPipeline

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pipeline = StableDiffusionPipeline.from_pretrained(FOLDER, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    unknown = [w for w in vocabulary() if pipeline.tokenizer.unk_token_id in pipeline.tokenizer(w)["input_ids"][1:-1]]
    assert not unknown
    drawn = pipeline(
        "studio headshot of a person, plain white background, softbox light, navy suit", num_inference_steps=6,
        guidance_scale=3.5, guidance_rescale=0.7, generator=torch.Generator().manual_seed(0), output_type="np",
    ).images[0]  # fmt: skip
    side = load_base_card("embedded", BASES).resolution
    assert drawn.shape == (side, side, 3)
    assert np.isfinite(drawn).all()
    assert drawn[:16, :16].mean() > 0.5  # white was asked for
    assert drawn.std() > 0.05  # and somebody stands in front of it
