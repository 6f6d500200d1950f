"""Stage `unet`: learns to draw latents from noise and words.

Promise: UNet and text encoder learn together from cached latents; studio pictures are drawn more often, because
headshots are the product; a fixed held-out loss is printed as it goes; the stage can be cut off at any moment.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTokenizer

from synthetic.training.latents import LatentSet
from synthetic.training.muon import Muon
from synthetic.training.networks import (
    TOKENS,
    Scheduler,
    Sizes,
    Text,
    Unet,
    build_scheduler,
    build_text,
    build_unet,
)
from synthetic.training.progress import Budget, half_where_it_pays, learning_rate, load_checkpoint, save_checkpoint
from synthetic.training.together import average, is_first, join_processes

STUDIO_SHARE = 0.7
DROP_WORDS = 0.1  # of captions, for classifier-free guidance
SHORT_WORDS = 0.15  # of captions end at the first comma: employees are learned as "selfie photo of a sks person"
EMA = 0.998


@dataclass(frozen=True)
class Denoiser:
    """What draws: the two networks that are trained together."""

    unet: Unet
    text: Text

    def parameters(self) -> list[Tensor]:
        return [*self.unet.parameters(), *self.text.parameters()]


def build_denoiser(sizes: Sizes, tokenizer: CLIPTokenizer) -> Denoiser:
    """Fresh weights. The plain attention is a third faster than the fused one at 64 places on a CPU."""
    unet = build_unet(sizes)
    if not torch.cuda.is_available():
        unet.set_attn_processor(AttnProcessor())
    return Denoiser(unet, build_text(sizes, len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id))


def read_words(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> Tensor:
    """(N, TOKENS) token numbers; equal captions are looked up once."""
    unique = list(dict.fromkeys(captions))
    ids = tokenizer(unique, padding="max_length", max_length=TOKENS, truncation=True)["input_ids"]
    place = {c: i for i, c in enumerate(unique)}
    return torch.tensor(ids, dtype=torch.int32)[[place[c] for c in captions]]


def loss_of(
    model: Denoiser, scheduler: Scheduler, latents: Tensor, words: Tensor, noise: Tensor, times: Tensor
) -> Tensor:
    """v-prediction, weighted so that neither the noisiest nor the cleanest steps dominate (min-SNR 5)."""
    noisy = scheduler.add_noise(latents, noise, times)
    target = scheduler.get_velocity(latents, noise, times)
    with half_where_it_pays(latents.device):
        states = model.text(words).last_hidden_state
        made = model.unet(noisy, times, states).sample.float()
    alphas = scheduler.alphas_cumprod.to(latents.device)[times]
    ratio = alphas / (1 - alphas + 1e-8)
    weight = (ratio.clamp(max=5) + 0.3) / (ratio + 1)
    loss: Tensor = (((made - target) ** 2).mean((1, 2, 3)) * weight).mean()
    return loss


class RowSampler:
    """Draws training rows: `STUDIO_SHARE` studio pictures, some without words, noise and times from the step."""

    def __init__(self, data: LatentSet, tokenizer: CLIPTokenizer, seed: int, rank: int) -> None:
        self.data = data
        self.words = read_words(tokenizer, data.captions)
        self.short_words = read_words(tokenizer, [caption.partition(",")[0] for caption in data.captions])
        self.no_words = read_words(tokenizer, [""])[0]
        self.studio = data.studio.nonzero()[:, 0].numpy()
        self.selfies = (~data.studio).nonzero()[:, 0].numpy()
        self.seed, self.rank = seed, rank

    def draw(self, step: int, batch: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(latents, words, noise, times). Times are spread evenly over the batch: less noise in the gradient."""
        random = np.random.default_rng((self.seed, self.rank, step))
        from_studio = random.random(batch) < STUDIO_SHARE
        if not len(self.selfies) or not len(self.studio):
            from_studio[:] = bool(len(self.studio))
        rows = np.array([random.choice(self.studio if s else self.selfies) for s in from_studio])
        words = self.words[rows].clone()
        kind = torch.from_numpy(random.random(batch))
        words[kind > 1 - SHORT_WORDS] = self.short_words[rows][kind > 1 - SHORT_WORDS]
        words[kind < DROP_WORDS] = self.no_words
        latents = self.data.latents[rows].float()
        noise = torch.from_numpy(random.standard_normal(latents.shape, dtype=np.float32))
        times = torch.from_numpy(((random.permutation(batch) + random.random(batch)) / batch * 1000).astype(np.int64))
        return latents.to(device), words.long().to(device), noise.to(device), times.to(device)


@torch.no_grad()
def held_out_loss(model: Denoiser, scheduler: Scheduler, sampler: RowSampler, device: torch.device) -> float:
    """The same 64 people, noise and times every time."""
    draws = [sampler.draw(step, 16, device) for step in range(4)]
    return float(np.mean([float(loss_of(model, scheduler, z, w, n, t)) for z, w, n, t in draws]))


def train_unet(
    data: LatentSet, tokenizer: CLIPTokenizer, sizes: Sizes, folder: Path, budget: Budget, *, seed: int, peak: float,
    batch: int, device: torch.device, save_every: float = 4.0, hold: float = 0.35,
    reread: Callable[[], LatentSet] | None = None,
) -> Denoiser:  # fmt: skip
    """Trains until the budget is used and returns the averaged networks.

    `reread` is asked after every checkpoint, so that people who were painted meanwhile are learned too.
    """
    rank, _ = join_processes()
    torch.manual_seed(seed)
    path = folder / "unet.pt"
    model, scheduler = build_denoiser(sizes, tokenizer), build_scheduler()
    model.unet.to(device)
    model.text.to(device)
    parameters = model.parameters()
    optimiser = Muon(parameters, peak, plain=model.text.get_input_embeddings().parameters())
    averaged = copy.deepcopy(model)
    state = load_checkpoint(path) or load_checkpoint(folder / "warm-unet.pt")
    if state:
        model.unet.load_state_dict(state["unet"])
        model.text.load_state_dict(state["text"])
        averaged.unet.load_state_dict(state["ema_unet"])
        averaged.text.load_state_dict(state["ema_text"])
    if state and "optimiser" in state:  # not there when a shipped base was adopted
        optimiser.load_state_dict(state["optimiser"])
        budget.step, budget.spent = state["step"], state["spent"]
    sampler, rest = RowSampler(data.training(), tokenizer, seed, rank), data.held_out()
    held = RowSampler(rest, tokenizer, 7, 0) if len(rest) else sampler
    saved, recent = budget.spent, []
    while not budget.over:
        latents, words, noise, times = sampler.draw(budget.step, batch, device)
        loss = loss_of(model, scheduler, latents, words, noise, times)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(peak, budget, warm_up=60, hold=hold)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        budget.tick()
        average(parameters, budget)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        keep = min(EMA, (budget.step + 1) / (budget.step + 12))
        with torch.no_grad():
            torch._foreach_lerp_(averaged.parameters(), parameters, 1 - keep)
        recent.append(loss.item())
        if is_first() and budget.step % 50 == 0:
            print(f"unet step {budget.step} {budget.spent:.1f} min loss {np.mean(recent[-50:]):.4f}", flush=True)
        if is_first() and (budget.spent - saved > save_every or budget.over):
            held_loss = held_out_loss(averaged, scheduler, held, device)
            print(f"unet step {budget.step} {budget.spent:.1f} min held-out loss {held_loss:.4f}", flush=True)
            save_checkpoint(path, {
                "unet": model.unet.state_dict(), "text": model.text.state_dict(),
                "ema_unet": averaged.unet.state_dict(), "ema_text": averaged.text.state_dict(),
                "optimiser": optimiser.state_dict(), "step": budget.step, "spent": budget.spent,
            })  # fmt: skip
        if budget.spent - saved > save_every:
            saved = budget.spent
            if reread is not None and len(fresh := reread().training()) > len(sampler.data):
                sampler = RowSampler(fresh, tokenizer, seed, rank)
                print(f"unet: now {len(fresh)} latents", flush=True)
    return averaged
