"""The brand's backdrop as a guide while denoising: blended latents outside the person.

Portraits are drawn in the aligned frame (eye line at 45 % of the height, eyes 18.5 % apart), so where the person
surely is not is known before anything is drawn. There, in the early steps, the state is pulled to the plate at the
same noise level; the late steps are the model's own, so no edge shows.
"""

import numpy as np
import torch
from torch import Tensor

from tasks.vision.diffusion import FrozenBase, pixels
from tasks.vision.families.family import Sampler
from tasks.vision.images import Picture, resize

# The widest person expected, in shares of the frame: hair and head as an ellipse, shoulders from here down.
HEAD_CENTRE, HEAD_RADII = (0.50, 0.46), (0.36, 0.46)
SHOULDERS = 0.68
SOFT = 0.10


def surely_background(side: int) -> Tensor:
    """(1, 1, side, side) 0..1: 1 where only backdrop can be."""
    axis = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(axis, axis)
    away = np.hypot((x - HEAD_CENTRE[0]) / HEAD_RADII[0], (y - HEAD_CENTRE[1]) / HEAD_RADII[1]) - 1
    outside = np.clip(away * min(HEAD_RADII) / SOFT, 0, 1) * np.clip((SHOULDERS - y) / SOFT, 0, 1)
    return torch.from_numpy(outside.astype(np.float32))[None, None]


class Plate:
    """Encoded plates of one batch, with the noise that their pictures start from."""

    def __init__(self, base: FrozenBase, plates: list[Picture | None], size: int, noise: Tensor, share: float) -> None:
        self.noise, self.latents = noise, None
        given = [plate for plate in plates if plate is not None]
        if not given or share <= 0:
            return
        filled = [resize(plate if plate is not None else given[0], size, size) for plate in plates]
        with base.encoders():
            self.latents = base.family.encode_pictures(pixels(filled)).mean.to(noise)
        there = torch.tensor([plate is not None for plate in plates], device=noise.device).view(-1, 1, 1, 1)
        self.mask = surely_background(noise.shape[-1]).to(noise) * there
        self.share = share

    def blend(self, walk: Sampler, state: Tensor, step: int) -> Tensor:
        """The state after `step` steps, pulled to the plate where the backdrop is, while it is early."""
        if self.latents is None or step > self.share * len(walk.times):
            return state
        return torch.lerp(state, walk.level(self.latents, self.noise, step).to(state), self.mask)
