"""The contract of a family: everything the training and rendering loops must ask a base model.

Tensors in, tensors out; no state but the frozen modules. Latents are always (N, C, h, w) and scaled to about unit
variance, pixels (N, 3, H, W) in -1..1. Times are one number per sample in the family's own unit. Whatever is random
is handed in, so that a person's training depends on nobody else.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from tasks.vision.diffusion_card import BaseCard
from tasks.vision.families.known import FAMILIES


@dataclass(frozen=True)
class Latents:
    """The posterior of encoded pictures: kept as mean and std, so that sampling noise is not frozen in."""

    mean: Tensor  # (N, C, h, w) float32
    std: Tensor  # the same shape


@dataclass(frozen=True)
class Conditions:
    """Encoded prompts: named tensors whose first dimension is the prompt."""

    tensors: dict[str, Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def rows(self, index: Sequence[int] | Tensor) -> Self:
        chosen = index if isinstance(index, Tensor) else torch.tensor(list(index), dtype=torch.long)
        return type(self)({name: tensor[chosen.to(tensor.device)] for name, tensor in self.tensors.items()})

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """Counted things (token places) stay whole numbers: bfloat16 cannot count beyond 256."""
        return type(self)(
            {
                name: tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)
                for name, tensor in self.tensors.items()
            }
        )

    @classmethod
    def join(cls, parts: Sequence["Conditions"]) -> Self:
        names = parts[0].tensors
        return cls({name: torch.cat([part.tensors[name] for part in parts]) for name in names})


@dataclass(frozen=True)
class Noisy:
    """What the denoiser sees, what it should answer, and how much each sample counts."""

    sample: Tensor
    target: Tensor
    weight: Tensor  # (N,)


class Sampler(ABC):
    """One walk from noise to latents. Stateful like diffusers' schedulers: a fresh one per batch."""

    times: list[Tensor]  # 0-d, from noise to picture

    @abstractmethod
    def start(self, noise: Tensor) -> Tensor:
        """Scale unit noise to the first state."""

    @abstractmethod
    def seen(self, state: Tensor, time: Tensor) -> Tensor:
        """The state as the denoiser wants it."""

    @abstractmethod
    def step(self, answer: Tensor, time: Tensor, state: Tensor) -> Tensor:
        """One step towards the picture."""

    @abstractmethod
    def level(self, latents: Tensor, noise: Tensor, index: int) -> Tensor:
        """Known latents at the noise level of the state before step `index`; past the last step, as they are."""


class Family(ABC):
    """One base model, loaded and frozen."""

    stock: ClassVar[Any]  # the diffusers pipeline of the family
    pipeline: Any  # the stock pipeline around the same modules

    def __init__(self, card: BaseCard, pipeline: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.card, self.pipeline, self.device, self.dtype = card, pipeline, device, dtype
        for module in self.modules():
            module.requires_grad_(False).eval()
        self.denoiser.to(device)

    @classmethod
    def open(cls, card: BaseCard, device: torch.device, dtype: torch.dtype) -> Self:
        """Load the folder of the card; safetensors only, nothing from the network."""
        pipeline = cls.stock.from_pretrained(
            card.folder, dtype=dtype, use_safetensors=True, local_files_only=True, variant=card.variant,
            **cls.extras(card, dtype),
        )  # fmt: skip
        return cls(card, pipeline, device, dtype)

    @classmethod
    def extras(cls, card: BaseCard, dtype: torch.dtype) -> dict[str, Any]:
        """What this family's pipeline is told beside that."""
        return {}

    @property
    def denoiser(self) -> nn.Module:
        """The network that is adapted."""
        network: nn.Module = getattr(self.pipeline, FAMILIES[self.card.family].prefix)
        return network

    @property
    def encoders(self) -> list[nn.Module]:
        """Text encoders and VAE: needed before and after the loop, never inside."""
        return [self.pipeline.text_encoder, self.pipeline.vae]

    def modules(self) -> list[nn.Module]:
        return [self.denoiser, *self.encoders]

    def encode_pictures(self, pixels: Tensor) -> Latents:
        """Pixels to latents, one batch."""
        vae = self.pipeline.vae
        posterior = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist
        scale, shift = self._scaling()
        return Latents((posterior.mean.float() - shift) * scale, posterior.std.float() * scale)

    @abstractmethod
    def encode_prompts(self, prompts: Sequence[str]) -> Conditions:
        """Prompts to what the denoiser reads, one batch."""

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to pixels, one batch."""
        vae = self.pipeline.vae
        scale, shift = self._scaling()
        pixels: Tensor = vae.decode((latents / scale + shift).to(vae.device, vae.dtype), return_dict=False)[0]
        return pixels.float()

    def _scaling(self) -> tuple[float, float]:
        """What brings the VAE's latents to unit variance: one factor and one shift, in most families."""
        config = self.pipeline.vae.config
        return config.scaling_factor, getattr(config, "shift_factor", None) or 0.0

    @abstractmethod
    def times(self, uniform: Tensor) -> Tensor:
        """Uniform numbers in 0..1 to training times, distributed as the family is trained."""

    @abstractmethod
    def corrupt(self, latents: Tensor, noise: Tensor, times: Tensor) -> Noisy:
        """Mix noise into latents, with the target of the family."""

    @abstractmethod
    def predict(self, sample: Tensor, times: Tensor, conditions: Conditions) -> Tensor:
        """The denoiser's answer to noisy latents."""

    @abstractmethod
    def sampler(self, steps: int, size: int) -> Sampler:
        """A fresh sampler for square pictures of `size` pixels."""

    def shown(self, pixels: Tensor) -> Conditions:
        """One picture each to have beside the prompt, for families that take them (`takes_pictures`)."""
        raise TypeError(f"{self.card.family} takes no picture beside the prompt")

    def sizes(self, originals: Sequence[int], side: int) -> dict[str, Tensor]:
        """What to tell the denoiser of square pictures of `side` px that were cut from so many pixels each way.

        A row of whole numbers for each, by the name under which `predict` finds it; nothing in most families.
        """
        return {}

    def latent_shape(self, size: int) -> tuple[int, int, int]:
        cells = size // self.card.latent_factor
        return self.card.latent_channels, cells, cells
