"""The backdrop while denoising: the brand's as a guide outside the person, and another one that the face is told of.

Portraits are drawn in the aligned frame (eye line at 45 % of the height, eyes 18.5 % apart), so where the person
surely is not is known before anything is drawn. There, in the early steps, the state is pulled to the plate at the
same noise level; the late steps are the model's own, so no edge shows.

A small base lets a strong wall pull skin along, though its training pictures do not: before teal or blue a face comes
out darker than before light grey. So its card may ask for one wall inside all faces, whatever the brand's is: a pass of
its own is told of that wall and sees it where the backdrop is, and its answer counts inside the face alone.
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
FACE_CENTRE, FACE_RADII, FACE_SOFT = (0.50, 0.52), (0.18, 0.26), 0.06


def surely_background(side: int) -> Tensor:
    """(1, 1, side, side) 0..1: 1 where only backdrop can be."""
    axis = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(axis, axis)
    away = np.hypot((x - HEAD_CENTRE[0]) / HEAD_RADII[0], (y - HEAD_CENTRE[1]) / HEAD_RADII[1]) - 1
    outside = np.clip(away * min(HEAD_RADII) / SOFT, 0, 1) * np.clip((SHOULDERS - y) / SOFT, 0, 1)
    return torch.from_numpy(outside.astype(np.float32))[None, None]


def surely_face(side: int) -> Tensor:
    """(1, 1, side, side) 0..1: 1 where only face can be, of narrow and turned heads too: wider, and the wall beside
    those is told of the other one, and shines round them."""
    axis = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(axis, axis)
    within = 1 - np.hypot((x - FACE_CENTRE[0]) / FACE_RADII[0], (y - FACE_CENTRE[1]) / FACE_RADII[1])
    inside = np.clip(within * min(FACE_RADII) / FACE_SOFT, 0, 1)
    return torch.from_numpy(inside.astype(np.float32))[None, None]


def plain_wall(colour: str | None) -> Picture | None:
    """A backdrop of one sRGB colour, "#rrggbb"."""
    return None if colour is None else np.array([[[int(colour[at : at + 2], 16) for at in (1, 3, 5)]]], np.uint8)


class Plate:
    """Encoded plates of one batch, with the noise that their pictures start from."""

    def __init__(self, base: FrozenBase, plates: list[Picture | None], size: int, noise: Tensor, share: float) -> None:
        self.noise, self.latents = noise, None
        given = [plate for plate in plates if plate is not None]
        if not given or share <= 0:
            return
        different = list({id(plate): plate for plate in given}.values())  # one backdrop for all is encoded once
        with base.encoders():
            encoded = base.family.encode_pictures(pixels([resize(plate, size, size) for plate in different])).mean
        places = {id(plate): place for place, plate in enumerate(different)}
        self.latents = encoded[[places.get(id(plate), 0) for plate in plates]].to(noise)
        there = torch.tensor([plate is not None for plate in plates], device=noise.device).view(-1, 1, 1, 1)
        self.mask = surely_background(noise.shape[-1]).to(noise) * there
        self.share = share

    def blend(self, walk: Sampler, state: Tensor, step: int) -> Tensor:
        """The state after `step` steps, pulled to the plate where the backdrop is, while it is early."""
        if self.latents is None or step > self.share * len(walk.times):
            return state
        return torch.lerp(state, walk.level(self.latents, self.noise, step).to(state), self.mask)
