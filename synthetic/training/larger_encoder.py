"""Stage `encoder` of `enlarge`: the larger encoder learns to write the base's own latents.

Promise: it sees the large picture and is held to what the base's encoder writes of that picture halved, so that the
denoiser and everybody's adapter read it as they always did; it can be cut off at any moment.
"""

import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synthetic.training.larger import halved
from synthetic.training.larger_decoder import pick_rows
from synthetic.training.muon import Muon
from synthetic.training.networks import Vae
from synthetic.training.progress import Budget, half_where_it_pays, learning_rate, load_checkpoint, save_checkpoint
from synthetic.training.shards import Portraits, batch_of

EMA = 0.99


def means(vae: Vae, pictures: Tensor) -> Tensor:
    """What the encoder writes, without its noise."""
    with half_where_it_pays(pictures.device):
        moments = vae.quant_conv(vae.encoder(pictures))
    latents: Tensor = moments.float().chunk(2, 1)[0]
    return latents


@torch.no_grad()
def gap(teacher: Vae, vae: Vae, data: Portraits) -> float:
    """Mean squared difference of the latents, as a share of the latents' own mean square."""
    pictures = batch_of(data, range(len(data)))[0]
    theirs = torch.cat([teacher.encode(halved(x)).latent_dist.mean for x in torch.split(pictures, 8)])
    ours = torch.cat([vae.encode(x).latent_dist.mean for x in torch.split(pictures, 8)])
    return float(((ours - theirs) ** 2).mean() / (theirs**2).mean())


def train_encoder(
    teacher: Vae, vae: Vae, data: Portraits, held: Portraits, folder: Path, budget: Budget, *, seed: int, peak: float,
    frames: int, device: torch.device, save_every: float = 3.0,
) -> Vae:  # fmt: skip
    """Trains `vae`'s encoder until the budget is used; returns the whole with the encoder's averaged weights."""
    path = folder / "encoder.pt"
    teacher, vae = teacher.to(device), vae.to(device)
    parameters = list(vae.encoder.parameters())
    averaged, optimiser = copy.deepcopy(vae.encoder), Muon(parameters, peak)
    state = load_checkpoint(path)
    if state:
        vae.encoder.load_state_dict(state["encoder"])
        averaged.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        budget.step, budget.spent = state["step"], state["spent"]
    saved, recent = budget.spent, []
    while not budget.over:
        rows, flip = pick_rows(len(data), frames, seed, budget.step)
        pictures = batch_of(data, rows, flip)[0].to(device)
        with torch.no_grad():
            wanted = means(teacher, halved(pictures))
        loss = ((means(vae, pictures) - wanted) ** 2).mean()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(peak, budget, warm_up=40)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        budget.tick()
        keep = min(EMA, budget.step / (budget.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), parameters, 1 - keep)
        recent.append(loss.item())
        if budget.spent - saved > save_every or budget.over:
            saved = budget.spent
            save_checkpoint(path, {
                "encoder": vae.encoder.state_dict(), "ema": averaged.state_dict(), "optimiser": optimiser.state_dict(),
                "step": budget.step, "spent": budget.spent,
            })  # fmt: skip
            print(f"encoder step {budget.step} {budget.spent:.1f} min loss {np.mean(recent[-25:]):.5f}", flush=True)
    vae.encoder.load_state_dict(averaged.state_dict())
    print(f"encoder: held-out latents differ by {gap(teacher, vae.eval(), held):.4%} of their energy", flush=True)
    return vae
