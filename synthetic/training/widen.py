"""More latent channels for a trained base, without starting again.

Promise: the widened networks do at first exactly what the narrow ones did: old latent channels keep their meaning,
new ones carry fresh features of the encoder that neither the decoder nor the UNet looks at yet. Training goes on from
there and fills them with what 8 channels had no room for: lids, irises, strands.
"""

import torch
from torch import Tensor

from synthetic.training.networks import Unet, Vae

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
