"""Stage `vae`: learns to write a portrait as 16x16 latents and to draw it again.

Promise: eyes and mouth weigh far more than the rest, because they decide whether a small face looks alive;
the stage can be cut off at any moment and goes on where it was. `decoder_only` keeps the encoder as it is, so that a
denoiser that was trained on its latents stays valid while the drawing still improves.
"""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthetic.training.muon import Muon
from synthetic.training.networks import Sizes, Vae, build_vae
from synthetic.training.progress import Budget, half_where_it_pays, learning_rate, load_checkpoint, save_checkpoint
from synthetic.training.shards import Portraits
from synthetic.training.together import average, is_first, join_processes

FULL_FRAMES_FROM = 0.55  # before that, crops of half the side: four times the variety per second
KL_WEIGHT = 1e-4
ANCHOR_WEIGHT = 0.05  # of the old channels' drift, while a widened autoencoder learns to use its new ones
EMA = 0.995


def weight_map(landmarks: Tensor, size: int) -> Tensor:
    """(B, 1, s, s): 1 everywhere, 10 at the eyes and 4 at the mouth corners. Landmarks in pixels, (B, 5, 2).

    The two eyes are 1.5 % of the picture: with less weight they are the last thing to become sharp.
    """
    axis = torch.arange(size, device=landmarks.device, dtype=torch.float32)
    spots = landmarks[:, [0, 1, 3, 4]]
    across = (axis[None, None, :] - spots[..., 0:1]) ** 2 / (2 * (0.04 * size) ** 2)
    down = (axis[None, None, :] - spots[..., 1:2]) ** 2 / (2 * (0.025 * size) ** 2)
    bumps = torch.exp(-(down[..., :, None] + across[..., None, :]))
    strength = torch.tensor([9.0, 9.0, 3.0, 3.0], device=landmarks.device).view(1, 4, 1, 1)
    return 1 + (strength * bumps).amax(1, keepdim=True)


def draw_batch(data: Portraits, frames: int, crop: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Pictures in -1..1 and their weights: whole frames, or crops of which two thirds lie on the face."""
    size = data.pictures.shape[1]
    rows = random.integers(0, len(data), frames)
    pictures = torch.from_numpy(data.pictures[rows]).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    marks = torch.from_numpy(data.landmarks[rows])
    flip = random.random(frames) < 0.5
    pictures[flip] = pictures[flip].flip(3)
    marks[flip, :, 0] = size - 1 - marks[flip, :, 0]
    weights = weight_map(marks, size)
    if crop >= size:
        return pictures, weights
    out, out_weights = [], []
    for i in range(frames):
        if random.random() < 0.67:
            centre = marks[i, random.integers(0, 5)].numpy() + random.normal(0, size / 16, 2)
            x, y = (int(np.clip(c - crop / 2, 0, size - crop)) for c in centre)
        else:
            x, y = (int(v) for v in random.integers(0, size - crop + 1, 2))
        out.append(pictures[i, :, y : y + crop, x : x + crop])
        out_weights.append(weights[i, :, y : y + crop, x : x + crop])
    return torch.stack(out), torch.stack(out_weights)


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and to the lower neighbour."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def reconstruction_loss(made: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1, squares and edges; the edges keep eyelids and glasses from melting."""
    error = made - true
    loss = ((error.abs() + error**2) * weight).sum() / weight.sum() / 3
    for e, w in zip(edges(error), (weight[..., 1:], weight[..., 1:, :]), strict=True):
        loss = loss + 0.25 * (e.abs() * w).sum() / w.sum() / 3
    return loss


def step_loss(
    vae: Vae, pictures: Tensor, weights: Tensor, noise: Tensor, *, frozen: bool, anchor: Vae | None = None
) -> Tensor:
    """One forward pass. `noise` is standard normal in the shape of the latents.

    `anchor` is the narrower autoencoder that `vae` was widened from: its channels keep their meaning.
    """
    with torch.set_grad_enabled(not frozen), half_where_it_pays(pictures.device):
        moments = vae.quant_conv(vae.encoder(pictures)).float()
    mean, log_variance = moments.chunk(2, 1)
    log_variance = log_variance.clamp(-14, 8)
    latents = mean + torch.exp(0.5 * log_variance) * noise
    with half_where_it_pays(pictures.device):
        made = vae.decode(latents).sample.float()
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    loss: Tensor = reconstruction_loss(made, pictures, weights) + KL_WEIGHT * divergence
    if anchor is not None:
        with torch.no_grad(), half_where_it_pays(pictures.device):
            kept = anchor.quant_conv(anchor.encoder(pictures)).float().chunk(2, 1)[0]
        loss = loss + ANCHOR_WEIGHT * ((mean[:, : kept.shape[1]] - kept) ** 2).mean()
    return loss


def train_vae(
    data: Portraits, sizes: Sizes, folder: Path, budget: Budget, *, seed: int, peak: float, frames: int,
    device: torch.device, start: Vae | None = None, anchor: Vae | None = None, decoder_only: bool = False,
    save_every: float = 3.0,
) -> Vae:  # fmt: skip
    """Trains until the budget is used and returns the averaged weights. `start` gives the first weights."""
    rank, _ = join_processes()
    torch.manual_seed(seed)
    path = folder / ("decoder.pt" if decoder_only else "vae.pt")
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
    if state:
        averaged.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        budget.step, budget.spent = state["step"], state["spent"]
    saved, recent = budget.spent, []
    while not budget.over:
        random = np.random.default_rng((seed, rank, budget.step))
        whole = decoder_only or budget.fraction >= FULL_FRAMES_FROM
        crop = sizes.pixels if whole else sizes.pixels // 2
        pictures, weights = draw_batch(data, max(1, frames // 4) if whole else frames, crop, random)
        side = crop * sizes.latent_size // sizes.pixels
        noise = torch.from_numpy(
            random.standard_normal((len(pictures), sizes.latent_channels, side, side), dtype=np.float32)
        )
        loss = step_loss(
            vae, pictures.to(device), weights.to(device), noise.to(device), frozen=decoder_only, anchor=anchor
        )
        rate = learning_rate(peak, budget, warm_up=40)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        budget.tick()
        average(parameters, budget)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        keep = min(EMA, (budget.step + 1) / (budget.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(vae.parameters()), 1 - keep)
        recent.append(loss.item())
        if is_first() and budget.step % 25 == 0:
            print(f"vae step {budget.step} {budget.spent:.1f} min loss {np.mean(recent[-25:]):.4f}", flush=True)
        if is_first() and (budget.spent - saved > save_every or budget.over):
            save_checkpoint(path, checkpoint(vae, averaged, optimiser, budget))
            saved = budget.spent
    return averaged


def checkpoint(vae: Vae, averaged: Vae, optimiser: Any, budget: Budget) -> dict[str, Any]:
    """All that a restart needs."""
    return {
        "vae": vae.state_dict(), "ema": averaged.state_dict(), "optimiser": optimiser.state_dict(),
        "step": budget.step, "spent": budget.spent,
    }  # fmt: skip


@torch.no_grad()
def reconstruct(vae: Vae, pictures: Tensor) -> Tensor:
    """Through the latents' means and back; -1..1."""
    out = [vae.decode(vae.encode(p).latent_dist.mean).sample.clamp(-1, 1) for p in torch.split(pictures, 16)]
    return torch.cat(out)


def peak_signal(made: Tensor, true: Tensor, boxes: Tensor | None = None) -> float:
    """Mean PSNR in dB over pictures; inside `boxes` (B, 1, s, s of 0/1) where given. Pictures in -1..1."""
    error = ((made - true) / 2) ** 2
    mask = torch.ones_like(error[:, :1]) if boxes is None else boxes
    mean = (error * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))
    return float((-10 * torch.log10(mean.clamp_min(1e-10))).mean())


def eye_boxes(landmarks: Tensor, size: int) -> Tensor:
    """(B, 1, s, s): 1 in a box round each eye, 11 % of the frame wide and 7 % high."""
    axis = torch.arange(size, dtype=torch.float32)
    out = torch.zeros(len(landmarks), 1, size, size)
    for k in (0, 1):
        inside_x = (axis[None] - landmarks[:, k, 0:1]).abs() <= 0.055 * size
        inside_y = (axis[None] - landmarks[:, k, 1:2]).abs() <= 0.035 * size
        out[:, 0] = torch.maximum(out[:, 0], (inside_y[:, :, None] & inside_x[:, None, :]).float())
    return out
