"""Contact sheets: the fixed prompts by which a person judges the base at a glance.

Promise: the same prompts and noise every time, so that two sheets show what training changed and nothing else.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from synthetic.training.denoiser import Denoiser, read_words
from synthetic.training.networks import Vae, build_scheduler
from synthetic.training.progress import half_where_it_pays

PROMPTS = (
    "studio headshot of a man with short brown hair, plain blue background, softbox light, navy suit",
    "studio headshot of a woman with long blonde hair and glasses, plain teal background, softbox light, white shirt",
    "studio headshot of a man with a bald head and a full beard, plain light grey background, softbox light, grey suit",
    "studio headshot of a woman with curly black hair, plain white background, softbox light, navy suit, smiling",
    "studio headshot of a woman with bob auburn hair, plain dark grey background, rembrandt light, black suit",
    "studio headshot of a person, plain orange background, rembrandt light, charcoal suit",
    "studio headshot of a person, plain light blue background, softbox light from the right, navy blazer",
    "studio headshot of a person, plain beige background, softbox light, white turtleneck",
    "selfie photo of a woman with long dark brown hair, kitchen background, window light from the left, red t-shirt",
    "selfie photo of a man with short black hair and glasses, park background, soft daylight, green hoodie",
    "selfie photo of a person, office background, overhead light, blue shirt",
    "selfie photo of a person, cafe background, warm lamp light, black turtleneck",
)


@torch.no_grad()
def draw(
    model: Denoiser, vae: Vae, tokenizer: CLIPTokenizer, prompts: Sequence[str], *, seed: int,
    steps: int = 20, guidance: float = 3.5, rescale: float = 0.7,
) -> npt.NDArray[np.uint8]:  # fmt: skip
    """(N, s, s, 3). Rescaled guidance, as the stock pipeline does with `guidance_rescale`."""
    device = next(model.unet.parameters()).device
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps, device=device)
    words = read_words(tokenizer, [*([""] * len(prompts)), *prompts]).long().to(device)
    states = model.text(words).last_hidden_state
    shape = (len(prompts), model.unet.config.in_channels, model.unet.config.sample_size, model.unet.config.sample_size)
    z: Tensor = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device)
    for time in scheduler.timesteps:
        with half_where_it_pays(device):
            plain, guided = model.unet(torch.cat([z, z]), time, states).sample.float().chunk(2)
        made = plain + guidance * (guided - plain)
        even = made * guided.std((1, 2, 3), keepdim=True) / made.std((1, 2, 3), keepdim=True)
        z = scheduler.step(rescale * even + (1 - rescale) * made, time, z).prev_sample
    pictures = vae.decode(z / vae.config.scaling_factor).sample.clamp(-1, 1)
    done: npt.NDArray[np.uint8] = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return done


def tile(pictures: npt.NDArray[np.uint8], columns: int) -> npt.NDArray[np.uint8]:
    """(N, h, w, 3) as one picture, row by row; the last row is filled with white."""
    n, h, w, _ = pictures.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, h, w, 3), 255, np.uint8)
    sheet[:n] = pictures
    return sheet.reshape(rows, columns, h, w, 3).transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, 3)


def save_sheet(pictures: npt.NDArray[np.uint8], path: Path, columns: int, scale: int = 1) -> None:
    """PNG or JPEG by suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.fromarray(tile(pictures, columns))
    if scale > 1:
        sheet = sheet.resize((sheet.width * scale, sheet.height * scale), Image.Resampling.LANCZOS)
    sheet.save(path, quality=88)
