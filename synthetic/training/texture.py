"""Losses and figures for strands and knit that do not mind where exactly each of them lies.

Pixel losses draw the mean of all places where a strand could be, which is a smear. These compare how much fine
structure there is round a place, and in which direction, on hair and cloth only (the painter knows where they are).
`texture_loss` asks for contrast, which a grid of two pixels gives cheapest of all; `spectrum_loss` asks for contrast at
each frequency and in each direction, so that a grid is as wrong as a smear.
"""

import torch
from torch import Tensor
from torch.nn import functional

from synthetic.training.shards import CELL

SMALLEST = 1e-4  # squared contrast that counts as nothing
WINDOW = 8  # px; spectra are of soft windows of this side
STRIDE = 4  # px from window to window
SMALLEST_POWER = 1e-3  # of a window at one frequency, that counts as nothing


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
    return over_rough((fine_structure(made) - fine_structure(true)).abs().mean(1, keepdim=True), rough)


def over_rough(values: Tensor, rough: Tensor) -> Tensor:
    """Mean of (N, 1, cells, cells) over hair and cloth."""
    mean: Tensor = (values * rough).sum() / rough.sum().clamp_min(1.0)
    return mean


def power(pictures: Tensor) -> Tensor:
    """(N, 3, s, s) in -1..1 to (N, WINDOW, WINDOW / 2 + 1, s / CELL, s / CELL): grey power by frequency round a cell.

    Down by all frequencies, across by those from 0 to the finest; the mean of each window is taken away first.
    """
    grey = pictures.float().mean(1, keepdim=True)
    windows = functional.unfold(grey, WINDOW, padding=(WINDOW - STRIDE) // 2, stride=STRIDE)
    windows = windows - windows.mean(1, keepdim=True)
    soft = torch.hann_window(WINDOW + 2, periodic=False, device=grey.device)[1:-1]
    soft = soft[:, None] * soft[None]
    flat = windows.transpose(1, 2).reshape(len(grey), -1, WINDOW, WINDOW) * (soft / soft.norm())
    bins = torch.fft.rfft2(flat).abs().square().flatten(2).transpose(1, 2)
    side = grey.shape[-1] // STRIDE
    cells = functional.avg_pool2d(bins.reshape(len(grey), -1, side, side), CELL // STRIDE)
    return cells.reshape(len(grey), WINDOW, WINDOW // 2 + 1, *cells.shape[2:])


def spectrum_loss(made: Tensor, true: Tensor, rough: Tensor) -> Tensor:
    """Mean difference of amplitude at each frequency over hair and cloth; what lies between two cells is of both."""

    def amplitude(pictures: Tensor) -> Tensor:
        bins = power(pictures).flatten(1, 2)
        return functional.avg_pool2d(bins, 3, 1, 1, count_include_pad=False).add(SMALLEST_POWER).sqrt()

    return over_rough((amplitude(made) - amplitude(true)).abs().mean(1, keepdim=True), rough)


@torch.no_grad()
def kept_structure(made: Tensor, true: Tensor, rough: Tensor) -> float:
    """Energy of the finest structure on hair and cloth, as a share of the truth's: 1 is right, 0 is a smear."""
    energies = [((fine_structure(x)[:, :4] ** 2 - SMALLEST).sum(1, keepdim=True) * rough).sum() for x in (made, true)]
    return float(energies[0] / energies[1].clamp_min(1e-9))


@torch.no_grad()
def kept_bands(made: Tensor, true: Tensor, rough: Tensor) -> list[float]:
    """The same by fineness: lines 8, 4, 2.7 and 2 px apart. A grid shows as a last one far above 1."""
    across = torch.arange(WINDOW // 2 + 1)
    down = torch.arange(WINDOW).sub(WINDOW // 2).abs().roll(WINDOW // 2)
    fineness = torch.maximum(down[:, None], across[None])
    shares = []
    for ring in range(1, WINDOW // 2 + 1):
        chosen = (fineness == ring).float()[None, :, :, None, None]
        energies = [((power(x) * chosen.to(x.device)).sum((1, 2))[:, None] * rough).sum() for x in (made, true)]
        shares.append(float(energies[0] / energies[1].clamp_min(1e-9)))
    return shares
