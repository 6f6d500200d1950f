"""More channels for a trained base, without starting again: in its latents, or inside its autoencoder.

Promise: the widened networks do at first exactly what the narrow ones did. Old latent channels keep their meaning; new
ones carry fresh features of the encoder that neither the decoder nor the UNet looks at yet. Inside the autoencoder a
widened channel is there twice, and whoever reads it reads both by half. Training goes on from there.
"""

import torch
from torch import Tensor

from synthetic.training.networks import Unet, Vae

UNEVEN = 0.5  # of a half: how far apart twins of the decoder are read at most
FIRST_VARIANCE = -4.0  # log variance of new channels before training: they arrive almost without noise


def places(old: int, new: int) -> tuple[list[int], list[int]]:
    """Where `old` moments (means, then log variances) come to lie among `new` ones, and which of them are new."""
    kept = [*range(old), *range(new, new + old)]
    return kept, [n for n in range(2 * new) if n not in kept]


@torch.no_grad()
def widen_vae(narrow: Vae, wide: Vae) -> None:
    """Copies `narrow` into `wide`, which has more latent channels and is the same otherwise."""
    old, new = narrow.config.latent_channels, wide.config.latent_channels
    kept, fresh = places(old, new)
    state, was = wide.state_dict(), narrow.state_dict()
    for name, value in was.items():
        if state[name].shape == value.shape:
            state[name].copy_(value)
    for name in ("encoder.conv_out.weight", "encoder.conv_out.bias"):
        state[name][kept] = was[name]
    moments, drawn = state["quant_conv.weight"], state["post_quant_conv.weight"]
    for mixer in (moments, drawn, state["quant_conv.bias"], state["post_quant_conv.bias"]):
        mixer.zero_()
    moments[torch.tensor(kept)[:, None], torch.tensor(kept)] = was["quant_conv.weight"]
    moments[fresh, fresh] = 1.0
    state["quant_conv.bias"][kept] = was["quant_conv.bias"]
    state["quant_conv.bias"][fresh[new - old :]] = FIRST_VARIANCE
    drawn[:old, :old] = was["post_quant_conv.weight"]
    drawn[range(old, new), range(old, new)] = torch.ones(new - old, 1, 1)
    state["post_quant_conv.bias"][:old] = was["post_quant_conv.bias"]
    state["decoder.conv_in.weight"][:, :old] = was["decoder.conv_in.weight"]
    state["decoder.conv_in.weight"][:, old:] = 0.0
    wide.load_state_dict(state)


@torch.no_grad()
def widen_unet(narrow: dict[str, Tensor], wide: Unet) -> dict[str, Tensor]:
    """The state of `wide` that predicts what `narrow` did for the old channels, and nothing yet for the new ones."""
    state: dict[str, Tensor] = wide.state_dict()
    old = narrow["conv_in.weight"].shape[1]
    for name, value in narrow.items():
        if state[name].shape == value.shape:
            state[name] = value.clone()
    state["conv_in.weight"] = torch.zeros_like(state["conv_in.weight"])
    state["conv_in.weight"][:, :old] = narrow["conv_in.weight"]
    for name in ("conv_out.weight", "conv_out.bias"):
        state[name] = torch.zeros_like(state[name])
        state[name][:old] = narrow[name]
    return state


@torch.no_grad()
def thicken_vae(thin: Vae, thick: Vae, seed: int = 0) -> None:
    """Copies `thin` into `thick`, some of whose levels have twice the channels (Net2Wider, arXiv:1511.05641).

    Twins lie side by side, so that a norm's groups hold what they held. The encoder writes what
    it wrote. In the decoder twins are read unevenly, or they would stay twins for ever. Raises ValueError where a level
    is neither as wide nor twice as wide, or where neighbours are alike in one of the two only.
    """
    random, was = torch.Generator().manual_seed(seed), thin.state_dict()
    state: dict[str, Tensor] = thick.state_dict()
    if was.keys() != state.keys():
        raise ValueError("the levels differ in more than their width")
    for name, value in was.items():
        grown = state[name]
        for axis in (0, 1)[: grown.dim()]:
            if grown.shape[axis] == value.shape[axis]:
                continue
            if grown.shape[axis] != 2 * value.shape[axis]:
                raise ValueError(f"{name}: {tuple(value.shape)} does not double to {tuple(grown.shape)}")
            value = value.repeat_interleave(2, axis)
            if axis == 1:
                value = value / 2
                if name.startswith("decoder."):
                    share = UNEVEN * (2 * torch.rand(value[:, ::2].shape, generator=random) - 1)
                    value[:, ::2], value[:, 1::2] = value[:, ::2] * (1 + share), value[:, 1::2] * (1 - share)
        state[name] = value
    thick.load_state_dict(state)
