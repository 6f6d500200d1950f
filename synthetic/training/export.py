"""Stage `export`: the trained networks as a folder that the stock Stable Diffusion pipeline loads.

Promise: half precision, safetensors only, shards of at most 15 MB, no code of ours; rows of words that training never
saw mean "some person" and not noise; the folder is replaced file by file only after it was written whole.
"""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from synthetic.training.denoiser import Denoiser
from synthetic.training.networks import Sizes, Vae, build_scheduler, build_unet
from synthetic.training.progress import save_checkpoint
from synthetic.training.vocabulary import RARE, write_tokenizer
from synthetic.training.widen import widen_unet

SHARD = "14MB"
PARTS = ("model_index.json", "scheduler", "text_encoder", "tokenizer", "unet", "vae")


@torch.no_grad()
def settle_rare_words(model: Denoiser, tokenizer: CLIPTokenizer, seen: set[int]) -> None:
    """Words that training never saw start at the word "person": a LoRA moves from there to the employee."""
    table = model.text.get_input_embeddings().weight
    person = table[tokenizer("person")["input_ids"][1]].clone()
    unseen = [i for i in range(len(table)) if i not in seen]
    table[unseen] = table[sorted(seen)].mean(0)
    for word in RARE:
        table[tokenizer(word)["input_ids"][1]] = person


def export(model: Denoiser, vae: Vae, tokenizer: CLIPTokenizer, seen: set[int], folder: Path) -> int:
    """Writes the folder; returns the bytes of all weights."""
    model = copy.deepcopy(model)
    settle_rare_words(model, tokenizer, seen)
    model.unet.set_default_attn_processor()
    # The words' encoder stays in single precision: transformers loads a net in the type it was saved in, diffusers in
    # single precision unless told otherwise, and the two must meet.
    pipeline: Any = StableDiffusionPipeline(  # type: ignore[no-untyped-call]
        vae=copy.deepcopy(vae).half(), text_encoder=model.text.float(), tokenizer=tokenizer, unet=model.unet.half(),
        scheduler=build_scheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline.save_pretrained(fresh, safe_serialization=True, max_shard_size=SHARD)
    write_tokenizer(fresh / "tokenizer")  # vocab.json and merges.txt too, for older readers
    for weights in fresh.rglob("*.safetensors"):
        weights.chmod(0o644)
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:  # README, card and sheets stay
        old = folder / part
        if old.is_dir():
            shutil.rmtree(old)
        (fresh / part).replace(old)
    for other in folder.glob("vae-*"):  # of the denoiser before this one: it would be shown latents it never learned
        shutil.rmtree(other)
    shutil.rmtree(fresh)
    return sum(p.stat().st_size for p in folder.rglob("*.safetensors"))


def export_vae(vae: Vae, base: Path, folder: Path) -> int:
    """The base in `base` with another autoencoder, in `folder` (which may be `base`); returns the bytes of all weights.

    The one before stays beside it under its picture's side (`vae-128`), which a card can name. Whatever else lies there
    stays as it is, so that adapters keep fitting.
    """
    if folder.resolve() != base.resolve():
        shutil.copytree(base, folder, dirs_exist_ok=True)
    fresh, now = folder / "vae.new", folder / "vae"
    shutil.rmtree(fresh, ignore_errors=True)
    copy.deepcopy(vae).half().save_pretrained(fresh, safe_serialization=True, max_shard_size=SHARD)
    for weights in fresh.glob("*.safetensors"):
        weights.chmod(0o644)
    side = json.loads((now / "config.json").read_text(encoding="utf-8"))["sample_size"]
    before = folder / f"vae-{side}"
    if side == vae.config.sample_size or before.exists():  # exported before: what is there now is no other one
        shutil.rmtree(now)
    else:
        now.replace(before)
    fresh.replace(now)
    return sum(p.stat().st_size for p in folder.rglob("*.safetensors"))


def adopt(folder: Path, work: Path, sizes: Sizes) -> None:
    """Puts an exported base into a work folder, so that the stages go on from it with a fresh optimiser.

    Where `sizes` has more latent channels than the base, the next stage is `vae`, which learns to use them.
    """
    work.mkdir(parents=True, exist_ok=True)
    kinds: tuple[Any, ...] = (AutoencoderKL, UNet2DConditionModel, CLIPTextModel)
    vae, unet, text = (
        kind.from_pretrained(folder / part, local_files_only=True).float()
        for kind, part in zip(kinds, ("vae", "unet", "text_encoder"), strict=True)
    )
    wider = vae.config.latent_channels < sizes.latent_channels
    torch.save(vae.state_dict(), work / ("narrow.pt" if wider else "settled.pt"))
    drawing = widen_unet(unet.state_dict(), build_unet(sizes)) if wider else unet.state_dict()
    networks = {"unet": drawing, "text": text.state_dict()}
    save_checkpoint(work / "warm-unet.pt", networks | {"ema_unet": networks["unet"], "ema_text": networks["text"]})
