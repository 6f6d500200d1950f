"""What drawn pictures are held to: their pixels, eyes first, and what hair and cloth are asked for beside them.

Hair and cloth may be asked for structure instead of exact strands: by contrast, by spectrum, or by a judge that learns
beside the networks (`strands.py`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from synthetic.training.texture import spectrum_loss, texture_loss

TEXTURE_FROM = 0.3


@dataclass(frozen=True)
class Wishes:
    """What a decoder is asked for beside pixels. Weights; 0 asks for nothing."""

    texture: float = 0.0  # contrast of hair and cloth
    spectrum: float = 0.0  # the same at each frequency and in each direction
    judge: float = 0.0  # how strong the judge's say is on hair and cloth; 1: as strong as the pixels'
    eyes: float = 1.0  # how much heavier eyes and mouth are than usual
    since: float = TEXTURE_FROM  # of the stage; before that, pixels alone


def weight_map(landmarks: Tensor, size: int, eyes: float = 1.0) -> Tensor:
    """(B, 1, s, s): 1 everywhere, 10 at the eyes and 4 at the mouth corners, or `eyes` times what is above 1 there.
    Landmarks in pixels, (B, 5, 2).

    The two eyes are 1.5 % of the picture: with less weight they are the last thing to become sharp.
    """
    axis = torch.arange(size, device=landmarks.device, dtype=torch.float32)
    spots = landmarks[:, [0, 1, 3, 4]]
    across = (axis[None, None, :] - spots[..., 0:1]) ** 2 / (2 * (0.04 * size) ** 2)
    down = (axis[None, None, :] - spots[..., 1:2]) ** 2 / (2 * (0.025 * size) ** 2)
    bumps = torch.exp(-(down[..., :, None] + across[..., None, :]))
    strength = torch.tensor([9.0, 9.0, 3.0, 3.0], device=landmarks.device).view(1, 4, 1, 1)
    return 1 + eyes * (strength * bumps).amax(1, keepdim=True)


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


def asked_loss(made: Tensor, true: Tensor, weights: Tensor, rough: Tensor, wishes: Wishes) -> Tensor:
    """Pixels, and what hair and cloth are asked for without a judge."""
    loss = reconstruction_loss(made, true, weights)
    if wishes.texture:
        loss = loss + wishes.texture * texture_loss(made, true, rough)
    if wishes.spectrum:
        loss = loss + wishes.spectrum * spectrum_loss(made, true, rough)
    return loss
