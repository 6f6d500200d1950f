"""The families of base models there are: one line each, for everything that must be known before torch is loaded.

A new family is its class beside this file, a line here, a card in `base_models/`, and a tiny base in
`benchmarks/random_bases.py`, which the tests of all families then take up. What differs between two bases of one
family is a word of their cards.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")


@dataclass(frozen=True)
class KnownFamily:
    """`targets`: what adapters touch when a card does not say, which is what the official scripts train."""

    module: str
    cls: str
    prefix: str  # what the stock pipeline calls the denoiser; its keys in an adapter file begin with it
    targets: tuple[str, ...] = ATTENTION
    takes_pictures: bool = False  # beside the prompt, while drawing


FAMILIES = {
    "sd": KnownFamily("stable_diffusion", "StableDiffusion", "unet"),
    "sdxl": KnownFamily("stable_diffusion_xl", "StableDiffusionXL", "unet"),
    "flux2-klein": KnownFamily(
        "flux2_klein", "Flux2Klein", "transformer",
        (*ATTENTION, "to_qkv_mlp_proj", "single_transformer_blocks.*.attn.to_out"), takes_pictures=True,
    ),
    "z-image": KnownFamily("z_image", "ZImage", "transformer"),
}  # fmt: skip


def class_of(family: str) -> Any:
    """The class of a family; loads torch and diffusers."""
    known = FAMILIES[family]
    return getattr(import_module(f"tasks.vision.families.{known.module}"), known.cls)
