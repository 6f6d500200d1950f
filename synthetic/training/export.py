"""Stage `export`: the trained networks as a folder that the stock Stable Diffusion pipeline loads.

Promise: half precision, safetensors only, shards of at most 15 MB, no code of ours; rows of words that training never
saw mean "some person" and not noise; the folder is replaced file by file only after it was written whole.
"""

import copy
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from synthetic.training.denoiser import Denoiser
from synthetic.training.latents import LatentSet
from synthetic.training.networks import build_scheduler
from synthetic.training.vocabulary import RARE, write_tokenizer

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


def write_prior(data: LatentSet, path: Path, count: int = 64) -> None:
    """Latents of people in general, three studio pictures to one selfie: beside an employee's eight selfies they keep
    a LoRA from forgetting what a studio is. Instead of pictures that would have to be drawn first."""
    plain = data.only(torch.tensor(["of a person," in caption for caption in data.captions]))
    rows: list[int] = []
    for studio, share in ((True, count * 3 // 4), (False, count // 4)):
        kind = (plain.studio == studio).nonzero()[:, 0].tolist()
        rows += kind[:: max(1, len(kind) // share)][:share]
    captions = [plain.captions[i] for i in rows]
    save_file({"latents": plain.latents[rows].contiguous()}, path, metadata={"captions": json.dumps(captions)})


def export(model: Denoiser, vae: AutoencoderKL, tokenizer: CLIPTokenizer, seen: set[int], folder: Path) -> int:
    """Writes the folder; returns the bytes of all weights."""
    model = copy.deepcopy(model)
    settle_rare_words(model, tokenizer, seen)
    model.unet.set_default_attn_processor()
    pipeline = StableDiffusionPipeline(
        vae=copy.deepcopy(vae).half(), text_encoder=model.text.half(), tokenizer=tokenizer, unet=model.unet.half(),
        scheduler=build_scheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline.save_pretrained(fresh, safe_serialization=True, max_shard_size=SHARD)
    write_tokenizer(fresh / "tokenizer")  # vocab.json and merges.txt too, for older readers
    for weights in (*fresh.rglob("*.safetensors"), *folder.glob("*.safetensors")):
        weights.chmod(0o644)
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:  # README, card and sheets stay
        old = folder / part
        if old.is_dir():
            shutil.rmtree(old)
        (fresh / part).replace(old)
    shutil.rmtree(fresh)
    return sum(p.stat().st_size for p in folder.rglob("*.safetensors"))
