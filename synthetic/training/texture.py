"""A loss for strands and knit that does not mind where exactly each of them lies.

Pixel losses draw the mean of all places where a strand could be, which is a smear. This one compares how much fine
structure there is round a place, and in which direction, on hair and cloth only (the painter knows where they are).
"""

import torch
from torch import Tensor
from torch.nn import functional

from synthetic.training.shards import CELL

SMALLEST = 1e-4  # squared contrast that counts as nothing


def fine_structure(pictures: Tensor) -> Tensor:
    """(N, 3, s, s) in -1..1 to (N, 5, s / CELL, s / CELL): contrast in four directions at one pixel, and once at two.

    Of the grey picture: coloured noise is no strand.
    """
    grey = pictures.mean(1, keepdim=True)
    half = functional.avg_pool2d(grey, 2)
    bands = [
        grey - grey.roll(1, 3),
        grey - grey.roll(1, 2),
        grey - grey.roll((1, 1), (2, 3)),
        grey - grey.roll((1, -1), (2, 3)),
    ]
    fine = [functional.avg_pool2d(band**2, CELL) for band in bands]
    coarse = functional.avg_pool2d((half - functional.avg_pool2d(half, 3, 1, 1)) ** 2, CELL // 2)
    return torch.cat([*fine, coarse], 1).add(SMALLEST).sqrt()


def texture_loss(made: Tensor, true: Tensor, rough: Tensor) -> Tensor:
    """Mean difference of contrast over hair and cloth; `rough` (N, 1, s / CELL, s / CELL) in 0..1."""
    gap = (fine_structure(made) - fine_structure(true)).abs().mean(1, keepdim=True)
    loss: Tensor = (gap * rough).sum() / rough.sum().clamp_min(1.0)
    return loss


@torch.no_grad()
def kept_structure(made: Tensor, true: Tensor, rough: Tensor) -> float:
    """Energy of the finest structure on hair and cloth, as a share of the truth's: 1 is right, 0 is a smear."""
    energies = [((fine_structure(x)[:, :4] ** 2 - SMALLEST).sum(1, keepdim=True) * rough).sum() for x in (made, true)]
    return float(energies[0] / energies[1].clamp_min(1e-9))
