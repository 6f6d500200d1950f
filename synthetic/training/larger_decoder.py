"""Stage `decoder` of `enlarge`: draws the large picture from the base's own latents.

Promise: it also learns from what the denoiser makes of noised latents, because that is what it will be shown; eyes and
mouth weigh most, as in the small one; hair and cloth may be asked for structure instead of exact strands, by contrast,
by spectrum, or by a judge that learns beside it (`Wishes`). The stage can be cut off at any moment, and prints held-out
figures whenever it saves.
"""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthetic.training.denoiser import read_words
from synthetic.training.figures import figures_of
from synthetic.training.larger import halved
from synthetic.training.losses import Wishes, asked_loss, weight_map
from synthetic.training.muon import Muon
from synthetic.training.networks import Vae, build_scheduler
from synthetic.training.progress import Budget, half_where_it_pays, learning_rate, load_checkpoint, save_checkpoint
from synthetic.training.shards import CELL, Portraits, batch_of, mirror_caption
from synthetic.training.strands import Judging

FULL_FRAMES_FROM = 0.6  # before that, two quarters of each picture: more variety per second
DRAWN_SHARE = 0.25  # of the pictures, at least one: latents that the denoiser drew once
DRAWN_TIMES = (20, 300)  # of 1000; beyond, it draws somebody else
LARGEST_NOISE = 0.1  # on the encoder's latents; a denoiser is never exact
EMA = 0.995


def pick_rows(count: int, frames: int, seed: int, step: int) -> tuple[list[int], npt.NDArray[np.bool_]]:
    """Which pictures a step learns from, and which of them mirrored; the same after a restart."""
    random = np.random.default_rng((seed, step))
    return random.integers(0, count, frames).tolist(), random.random(frames) < 0.5


@torch.no_grad()
def drawn_once(teacher: Any, latents: Tensor, captions: list[str], random: np.random.Generator) -> Tensor:
    """The latents noised to a random step, and what the denoiser takes the clean ones to be."""
    device = latents.device
    times = torch.from_numpy(random.integers(*DRAWN_TIMES, len(latents))).to(device)
    noise = torch.from_numpy(random.standard_normal(latents.shape, dtype=np.float32)).to(device)
    scheduler = build_scheduler()
    words = read_words(teacher.tokenizer, captions).long().to(device)
    noisy = scheduler.add_noise(latents, noise, times)
    with half_where_it_pays(device):
        speed = teacher.unet(noisy, times, teacher.text_encoder(words).last_hidden_state).sample.float()
    alpha = scheduler.alphas_cumprod.to(device)[times].view(-1, 1, 1, 1)
    clean: Tensor = alpha.sqrt() * noisy - (1 - alpha).sqrt() * speed
    return clean


@torch.no_grad()
def latents_to_learn(
    teacher: Any, pictures: Tensor, captions: list[str], random: np.random.Generator
) -> Tensor:  # fmt: skip
    """The base's own latents: the first ones as its denoiser draws them, the others with a little noise."""
    z: Tensor = teacher.vae.encode(halved(pictures)).latent_dist.mean
    drawn = max(1, round(DRAWN_SHARE * len(z)))
    strength = torch.from_numpy(random.uniform(0, LARGEST_NOISE, (len(z) - drawn, 1, 1, 1)).astype(np.float32))
    noise = torch.from_numpy(random.standard_normal((len(z) - drawn, *z.shape[1:]), dtype=np.float32))
    return torch.cat(
        [drawn_once(teacher, z[:drawn], captions[:drawn], random), z[drawn:] + (strength * noise).to(z.device)]
    )


def quarters(
    z: Tensor, pictures: Tensor, weights: Tensor, rough: Tensor, marks: Tensor, random: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two crops of half the side from each, on whole latents; two thirds of them lie on the face."""
    side, factor = z.shape[-1] // 2, pictures.shape[-1] // z.shape[-1]
    out: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for i in [*range(len(z))] * 2:
        place = random.integers(0, side + 1, 2)
        if random.random() < 0.67:
            centre = marks[i, random.integers(0, 5)].numpy() / factor - side / 2 + random.normal(0, 1, 2)
            place = np.clip(centre.round(), 0, side).astype(np.int64)
        if factor < CELL:  # tiny networks of the tests: cells are larger than latents
            place = place // (CELL // factor) * (CELL // factor)
        x, y = int(place[0]), int(place[1])
        top, left, far = y * factor, x * factor, side * factor
        row, column, cells = top // CELL, left // CELL, far // CELL
        out.append((
            z[i, :, y : y + side, x : x + side], pictures[i, :, top : top + far, left : left + far],
            weights[i, :, top : top + far, left : left + far], rough[i, :, row : row + cells, column : column + cells],
        ))  # fmt: skip
    return tuple(torch.stack(part) for part in zip(*out, strict=True))  # type: ignore[return-value]


@torch.no_grad()
def held_out_figures(teacher: Any, vae: Vae, held: Portraits) -> str:
    """Of the decoder alone, on the base's own latents."""
    true, marks, rough = batch_of(held, range(len(held)))
    made = torch.cat(
        [vae.decode(teacher.vae.encode(halved(x)).latent_dist.mean).sample.clamp(-1, 1) for x in torch.split(true, 8)]
    )
    return figures_of(made, true, marks, rough)


def draw_step(
    teacher: Any, vae: Vae, data: Portraits, budget: Budget, *, seed: int, frames: int, eyes: float,
    device: torch.device,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """(drawn, true, their weights, rough) of this step's pictures."""
    rows, flip = pick_rows(len(data), frames, seed, budget.step)
    random = np.random.default_rng((seed, budget.step, 1))
    pictures, marks, rough = batch_of(data, rows, flip)
    captions = [mirror_caption(data.captions[i]) if f else data.captions[i] for i, f in zip(rows, flip, strict=True)]
    weights = weight_map(marks, pictures.shape[-1], eyes)
    z = latents_to_learn(teacher, pictures.to(device), captions, random)
    if budget.fraction < FULL_FRAMES_FROM:
        z, pictures, weights, rough = quarters(z, pictures, weights, rough, marks, random)
    with half_where_it_pays(device):
        made = vae.decode(z).sample.float()
    return made, pictures.to(device), weights.to(device), rough.to(device)


def train_decoder(
    teacher: Any, vae: Vae, data: Portraits, held: Portraits, folder: Path, budget: Budget, *, seed: int, peak: float,
    frames: int, wishes: Wishes, device: torch.device, save_every: float = 3.0,
) -> Vae:  # fmt: skip
    """Trains `vae`'s decoder until the budget is used; returns the whole with the decoder's averaged weights."""
    path = folder / "decoder.pt"
    teacher.to(device)
    vae = vae.to(device)
    vae.encoder.requires_grad_(False)
    trained = {n: p for n, p in vae.named_parameters() if n.startswith(("decoder.", "post_quant_conv."))}
    parameters = list(trained.values())
    averaged, optimiser = copy.deepcopy(vae), Muon(parameters, peak)
    slow = [p for n, p in averaged.named_parameters() if n in trained]
    judging = Judging(wishes.judge, seed, device) if wishes.judge else None
    state = load_checkpoint(path)
    if state:
        vae.load_state_dict(state["vae"], strict=False)
        averaged.load_state_dict(state["ema"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        budget.step, budget.spent = state["step"], state["spent"]
        if judging and state.get("judge"):
            judging.load(state["judge"])
    saved, recent, told = budget.spent, [], []
    while not budget.over:
        made, true, weights, rough = draw_step(
            teacher, vae, data, budget, seed=seed, frames=frames, eyes=wishes.eyes, device=device
        )
        now = wishes if budget.fraction >= wishes.since else Wishes()
        loss = asked_loss(made, true, weights, rough, now)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(peak, budget, warm_up=40)
        optimiser.zero_grad(set_to_none=True)
        if judging and now.judge:
            made.backward(judging.gradient(loss, made, true, rough))  # type: ignore[no-untyped-call]
            told.append(judging.learn(made.detach(), true, rough))
        else:
            loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        budget.tick()
        keep = min(EMA, budget.step / (budget.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(slow, parameters, 1 - keep)
        recent.append(loss.item())
        if budget.spent - saved > save_every or budget.over:
            saved = budget.spent
            drawing, mean = ({n: v for n, v in net.state_dict().items() if n in trained} for net in (vae, averaged))
            save_checkpoint(path, {
                "vae": drawing, "ema": mean, "optimiser": optimiser.state_dict(),
                "step": budget.step, "spent": budget.spent, "judge": judging.state() if judging else None,
            })  # fmt: skip
            figures = held_out_figures(teacher, averaged, held)
            print(
                f"decoder step {budget.step} {budget.spent:.1f} min loss {np.mean(recent[-25:]):.4f}"
                f"{f' judge {np.mean(told[-25:]):.2f}' if told else ''}; {figures}",
                flush=True,
            )
    return averaged
