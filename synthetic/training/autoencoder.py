"""Stage `vae`: learns to write a portrait as 16x16 latents and to draw it again.

Promise: eyes and mouth weigh far more than the rest, because they decide whether a small face looks alive; hair and
cloth may be asked for structure as well (`losses.Wishes`); the stage can be cut off at any moment and goes on where it
was, with held-out figures whenever it saves. `decoder_only` keeps the encoder as it is, so that a denoiser that was
trained on its latents stays valid while the drawing still improves.
"""

import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from synthetic.training.figures import figures_of
from synthetic.training.larger import halved
from synthetic.training.losses import Wishes, asked_loss, weight_map
from synthetic.training.muon import Muon
from synthetic.training.networks import Sizes, Vae, build_vae
from synthetic.training.progress import Budget, half_where_it_pays, learning_rate, load_checkpoint, save_checkpoint
from synthetic.training.shards import CELL, Portraits, batch_of
from synthetic.training.strands import Judging
from synthetic.training.together import average, is_first, join_processes

FULL_FRAMES_FROM = 0.55  # before that, crops of half the side: four times the variety per second
KL_WEIGHT = 1e-4
ANCHOR_WEIGHT = 0.05  # of the old channels' drift, while a widened autoencoder learns to use its new ones
EMA = 0.995


def draw_batch(
    data: Portraits, frames: int, crop: int, random: np.random.Generator, eyes: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """(pictures in -1..1, weights, rough) of whole frames, or of crops of which two thirds lie on the face."""
    size = data.pictures.shape[1]
    rows = random.integers(0, len(data), frames)
    pictures, marks, rough = batch_of(data, rows, random.random(frames) < 0.5)
    weights = weight_map(marks, size, eyes)
    if crop >= size:
        return pictures, weights, rough
    out: list[tuple[Tensor, Tensor, Tensor]] = []
    for i in range(frames):
        if random.random() < 0.67:
            centre = marks[i, random.integers(0, 5)].numpy() + random.normal(0, size / 16, 2)
            corner = np.clip(centre - crop / 2, 0, size - crop)
        else:
            corner = random.integers(0, size - crop + 1, 2).astype(np.float64)
        column, row = (int(c) // CELL for c in corner)  # hair and cloth are known by the cell
        left, top, cells = column * CELL, row * CELL, crop // CELL
        out.append((
            pictures[i, :, top : top + crop, left : left + crop], weights[i, :, top : top + crop, left : left + crop],
            rough[i, :, row : row + cells, column : column + cells],
        ))  # fmt: skip
    return tuple(torch.stack(part) for part in zip(*out, strict=True))  # type: ignore[return-value]


def there_and_back(vae: Vae, pictures: Tensor, noise: Tensor, *, frozen: bool) -> tuple[Tensor, Tensor, Tensor]:
    """(drawn, means, log variances). `noise` is standard normal in the shape of the latents."""
    with torch.set_grad_enabled(not frozen), half_where_it_pays(pictures.device):
        moments = vae.quant_conv(vae.encoder(pictures)).float()
    mean, log_variance = moments.chunk(2, 1)
    log_variance = log_variance.clamp(-14, 8)
    with half_where_it_pays(pictures.device):
        made = vae.decode(mean + torch.exp(0.5 * log_variance) * noise).sample.float()
    return made, mean, log_variance


def latents_loss(mean: Tensor, log_variance: Tensor, pictures: Tensor, anchor: Vae | None) -> Tensor:
    """What the latents are held to. `anchor` is the narrower autoencoder: its channels keep their meaning."""
    loss: Tensor = KL_WEIGHT * 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    if anchor is not None:
        with torch.no_grad(), half_where_it_pays(pictures.device):
            kept = anchor.quant_conv(anchor.encoder(pictures)).float().chunk(2, 1)[0]
        loss = loss + ANCHOR_WEIGHT * ((mean[:, : kept.shape[1]] - kept) ** 2).mean()
    return loss


def train_vae(
    data: Portraits, sizes: Sizes, folder: Path, budget: Budget, *, seed: int, peak: float, frames: int,
    device: torch.device, start: Vae | None = None, anchor: Vae | None = None, decoder_only: bool = False,
    wishes: Wishes | None = None, held: Portraits | None = None, save_every: float = 3.0,
) -> Vae:  # fmt: skip
    """Trains until the budget is used and returns the averaged weights. `start` gives the first weights."""
    rank, _ = join_processes()
    torch.manual_seed(seed)
    wishes, path = wishes or Wishes(), folder / ("decoder.pt" if decoder_only else "vae.pt")
    vae = build_vae(sizes).to(device)
    if start is not None:
        vae.load_state_dict(start.state_dict())
    state = load_checkpoint(path)
    if state:
        vae.load_state_dict(state["vae"])
    trained = [vae.decoder, vae.post_quant_conv] if decoder_only else [vae]
    parameters = [p for part in trained for p in part.parameters()]
    averaged = copy.deepcopy(vae)
    optimiser = Muon(parameters, peak)
    judging = Judging(wishes.judge, seed, device) if wishes.judge else None
    if state:
        averaged.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        budget.step, budget.spent = state["step"], state["spent"]
        if judging and state.get("judge"):
            judging.load(state["judge"])
    saved, recent = budget.spent, []
    while not budget.over:
        random = np.random.default_rng((seed, rank, budget.step))
        whole = decoder_only or budget.fraction >= FULL_FRAMES_FROM
        crop = sizes.pixels if whole else sizes.pixels // 2
        batch = draw_batch(data, max(1, frames // 4) if whole else frames, crop, random, wishes.eyes)
        pictures, weights, rough = (part.to(device) for part in batch)
        side = crop * sizes.latent_size // sizes.pixels
        noise = random.standard_normal((len(pictures), sizes.latent_channels, side, side), dtype=np.float32)
        made, mean, log_variance = there_and_back(
            vae, pictures, torch.from_numpy(noise).to(device), frozen=decoder_only
        )
        now = wishes if budget.fraction >= wishes.since else Wishes()
        loss = asked_loss(made, pictures, weights, rough, now)
        rest = latents_loss(mean, log_variance, pictures, anchor)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(peak, budget, warm_up=40)
        optimiser.zero_grad(set_to_none=True)
        if judging and now.judge:
            told = judging.gradient(loss, made, pictures, rough)  # of the pictures alone, by this process's own judge
            ((made * told).sum() + rest).backward()  # type: ignore[no-untyped-call]
            judging.learn(made.detach(), pictures, rough)
        else:
            (loss + rest).backward()  # type: ignore[no-untyped-call]
        budget.tick()
        average(parameters, budget)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        keep = min(EMA, (budget.step + 1) / (budget.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(vae.parameters()), 1 - keep)
        recent.append((loss + rest).item())
        if is_first() and budget.step % 25 == 0:
            print(f"vae step {budget.step} {budget.spent:.1f} min loss {np.mean(recent[-25:]):.4f}", flush=True)
        if is_first() and (budget.spent - saved > save_every or budget.over):
            save_checkpoint(path, {
                "vae": vae.state_dict(), "ema": averaged.state_dict(), "optimiser": optimiser.state_dict(),
                "step": budget.step, "spent": budget.spent, "judge": judging.state() if judging else None,
            })  # fmt: skip
            saved = budget.spent
            if held is not None:
                print(f"vae step {budget.step}: {measured(averaged, held)}", flush=True)
    return averaged


@torch.no_grad()
def measured(vae: Vae, data: Portraits) -> str:
    """Figures over all of `data`, there and back; what draws smaller is shown them halved, and enlarged."""
    true, marks, rough = batch_of(data, range(len(data)))
    small = vae.config.sample_size < true.shape[-1]
    made = torch.cat(
        [vae.decode(vae.encode(halved(x) if small else x).latent_dist.mean).sample for x in torch.split(true, 8)]
    )
    made = functional.interpolate(made, size=true.shape[-1], mode="bicubic") if small else made
    return figures_of(made.clamp(-1, 1), true, marks, rough)
