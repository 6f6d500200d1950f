"""A trained autoencoder with one level more: pictures twice as wide, the same latents, without starting again.

Promise: before any training the larger decoder draws what the smaller one drew, enlarged, and the larger encoder writes
what the smaller one wrote of the picture halved, but for the outer half of one tap. The denoiser costs with the latents
and not with the picture, so it and every adapter stay as they are.
"""

import torch
from torch import Tensor
from torch.nn import functional

from synthetic.training.networks import Vae

COPIES = 4  # of each colour that the first new convolution keeps: averaged or shifted, in x and in y


def halved(pictures: Tensor) -> Tensor:
    """(N, 3, s, s) to (N, 3, s/2, s/2): means of 2 x 2 pixels, as the smaller encoder is shown them."""
    return functional.avg_pool2d(pictures, 2)


@torch.no_grad()
def grow_vae(small: Vae, large: Vae) -> None:
    """Warm start of `large`, whose `block_out_channels` are those of `small` behind one more level at the front."""
    widths, inner = tuple(large.config.block_out_channels), tuple(small.config.block_out_channels)
    if widths[1:] != inner or widths[0] != widths[1] or widths[0] < 3 * COPIES:
        raise ValueError(f"{widths} is not {inner} behind one more level of the same width, {3 * COPIES} at least")
    state = large.state_dict()
    levels = len(inner)
    for name, value in small.state_dict().items():
        target = name
        if name.startswith("encoder.down_blocks."):
            number = int(name.split(".")[2])
            target = name.replace(f"down_blocks.{number}.", f"down_blocks.{number + 1}.")
        if target != "encoder.conv_in.weight":
            state[target].copy_(value)
    _first_level(small.encoder.conv_in.weight, state)
    _quiet(state, "encoder.down_blocks.0.")
    # The decoder's new level: enlarged by the stock repetition of pixels and smoothed; resnets that do nothing yet.
    smooth = torch.tensor([1.0, 2.0, 1.0])
    kernel = (smooth[:, None] * smooth[None]) / 16
    upper = state[f"decoder.up_blocks.{levels - 1}.upsamplers.0.conv.weight"]
    upper.zero_()
    upper[range(len(upper)), range(len(upper))] = kernel
    state[f"decoder.up_blocks.{levels - 1}.upsamplers.0.conv.bias"].zero_()
    _quiet(state, f"decoder.up_blocks.{levels}.")
    large.load_state_dict(state)


def _first_level(old: Tensor, state: dict[str, Tensor]) -> None:
    """Writes `old` (C, 3, 3, 3), which saw means of 2 x 2 pixels, as two convolutions that see the pixels.

    The first keeps every colour averaged over a pixel and its right (lower) neighbour, or taken from the left (upper)
    one; the second steps by two and reaches the mean in the middle and on the right, and on the left its inner pixel.
    """
    taps = torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])  # averaged, shifted
    first, second = state["encoder.conv_in.weight"], state["encoder.down_blocks.0.downsamplers.0.conv.weight"]
    first.zero_()
    second.zero_()
    for colour in range(3):
        for down in range(2):
            for across in range(2):
                place = (colour * 2 + down) * 2 + across
                first[place, colour] = taps[down][:, None] * taps[across][None]
                # An averaged copy serves the middle tap (at 0) and the right one (at 2), a shifted one the left.
                rows = [(0, 0)] if down else [(1, 0), (2, 2)]
                columns = [(0, 0)] if across else [(1, 0), (2, 2)]
                for tap_y, y in rows:
                    for tap_x, x in columns:
                        second[:, place, y, x] = old[:, colour, tap_y, tap_x]
    state["encoder.down_blocks.0.downsamplers.0.conv.bias"].copy_(state["encoder.conv_in.bias"])
    state["encoder.conv_in.bias"].zero_()


def _quiet(state: dict[str, Tensor], block: str) -> None:
    """Resnets that pass their input on: the last convolution of each is zero."""
    for name, value in state.items():
        if name.startswith(block) and ".conv2." in name:
            value.zero_()
