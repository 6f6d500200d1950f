"""What is measured of drawn pictures: how near they are, how near the eyes are, and whether hair is as fine."""

import torch
from torch import Tensor

from synthetic.training.texture import kept_bands, kept_structure


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


def figures_of(made: Tensor, true: Tensor, marks: Tensor, rough: Tensor) -> str:
    """One line: dB of the whole and of the eye boxes, what is left of hair's and cloth's structure, and how fine."""
    whole, eyes = peak_signal(made, true), peak_signal(made, true, eye_boxes(marks, true.shape[-1]))
    bands = " ".join(f"{share:.2f}" for share in kept_bands(made, true, rough))
    return (
        f"whole {whole:.2f} dB, eyes {eyes:.2f} dB, structure {kept_structure(made, true, rough):.2f}"
        f" (lines 8, 4, 2.7, 2 px apart: {bands})"
    )
