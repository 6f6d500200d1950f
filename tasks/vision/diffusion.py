"""The frozen base: opened once, never changed, shared by everybody who is fine-tuned or rendered on it.

`open_base` reads a diffusers folder (safetensors only, nothing from the network) through the family that its card
names. Encoders are needed before and after a training loop, not inside: `encoders()` brings them to the device and
puts them away again. The fingerprint is of the weights themselves, because an adapter fits one set of weights only.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import diffusers
import numpy as np
import torch
import transformers
from torch import Tensor

from tasks.vision.diffusion_card import BaseCard, UnknownBase, list_bases, load_base_card
from tasks.vision.families.family import Conditions, Family, Latents, Sampler
from tasks.vision.families.known import class_of
from tasks.vision.images import Picture
from tasks.vision.memory import is_exhaustion, release
from tasks.vision.pulled import why_not_here
from tasks.vision.weights import fingerprint_of

__all__ = ["BaseCard", "FrozenBase", "UnknownBase", "list_bases", "load_base_card", "open_base"]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

Item = TypeVar("Item")


class FrozenBase:
    """A base model ready to train against and to draw with."""

    def __init__(self, card: BaseCard, family: Family, fingerprint: str) -> None:
        self.card, self.family, self.fingerprint = card, family, fingerprint
        self.device, self.dtype = family.device, family.dtype

    @property
    def denoiser(self) -> torch.nn.Module:
        return self.family.denoiser

    @contextmanager
    def encoders(self) -> Iterator[None]:
        """Text encoders and VAE on the device; on a GPU they go back to main memory afterwards, those too that came
        before there was no room for the next."""
        try:
            for module in self.family.encoders:
                module.to(self.device)
            yield
        finally:
            if self.device.type != "cpu":
                for module in self.family.encoders:
                    module.to("cpu")
                torch.cuda.empty_cache()

    @torch.no_grad()
    def encode_pictures(self, pictures: Sequence[Picture], batch: int = 8) -> Latents:
        """Square uint8 pictures, all of one size, to float32 latents on the CPU; fewer at once if memory is short."""
        parts = _fewer_at_once(
            lambda size: [self.family.encode_pictures(pixels(full)) for full in _full_batches(pictures, size)],
            batch, self.device,
        )  # fmt: skip
        mean, std = torch.cat([part.mean.cpu() for part in parts]), torch.cat([part.std.cpu() for part in parts])
        return Latents(mean[: len(pictures)], std[: len(pictures)])

    @torch.no_grad()
    def encode_prompts(self, prompts: Sequence[str], batch: int = 4) -> Conditions:
        """Prompts to conditions on the CPU, each different prompt once."""
        different = list(dict.fromkeys(prompts))
        parts = _fewer_at_once(
            lambda size: [
                self.family.encode_prompts(full).to(torch.device("cpu"), self.dtype)
                for full in _full_batches(different, size)
            ],
            batch,
            self.device,
        )
        return Conditions.join(parts).rows([different.index(prompt) for prompt in prompts])

    @torch.no_grad()
    def show_pictures(self, shown: Sequence[Picture]) -> Conditions:
        """Pictures to have beside the prompts, one row each, on the CPU; one at a time, since few are shown."""
        rows = [self.family.shown(pixels([picture])).to(torch.device("cpu"), torch.float32) for picture in shown]
        return Conditions.join(rows)

    @torch.no_grad()
    def decode(self, latents: Tensor, batch: int = 4) -> list[Picture]:
        """Latents to uint8 pictures; one by one, and in tiles, when the device is short of memory."""
        try:
            parts = [self.family.decode(latents[i : i + batch]).cpu() for i in range(0, len(latents), batch)]
        except RuntimeError as error:
            if not is_exhaustion(error):
                raise
            release(self.device)
            self.family.pipeline.vae.enable_tiling()
            try:
                parts = [self.family.decode(latents[i : i + 1]).cpu() for i in range(len(latents))]
            finally:  # the next people's pictures do not depend on who was short of memory before them
                self.family.pipeline.vae.disable_tiling()
        return pictures(torch.cat(parts))

    def sampler(self, steps: int, size: int) -> Sampler:
        return self.family.sampler(steps, size)


def _fewer_at_once(encode: Callable[[int], list[Item]], size: int, device: torch.device) -> list[Item]:
    """What `encode` gives at this size; out of memory, at half of it, down to one."""
    while True:
        try:
            return encode(size)
        except RuntimeError as error:
            if size == 1 or not is_exhaustion(error):
                raise
        release(device)
        size //= 2


def _full_batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Batches of one size, the last filled up: kernels differ by batch size, and nobody's latents may depend on it."""
    for start in range(0, len(items), size):
        full = items[start : start + size]
        yield [*full, *[full[-1]] * (size - len(full))]


def pixels(batch: Sequence[Picture]) -> Tensor:
    """uint8 (H, W, 3) pictures to float (N, 3, H, W) in -1..1."""
    stacked = torch.from_numpy(np.stack(batch))
    return stacked.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def pictures(batch: Tensor) -> list[Picture]:
    """Float pixels in -1..1 to uint8 pictures; what is not finite becomes grey, never a crash."""
    levels = torch.nan_to_num(batch.float(), nan=0.0).clamp(-1, 1).mul(127.5).add(127.5).round()
    arrays: list[Picture] = list(levels.permute(0, 2, 3, 1).to(torch.uint8).contiguous().numpy())
    return arrays


def open_base(card: BaseCard, device: str = "auto", dtype: str = "auto") -> FrozenBase:
    """Load a base. `auto`: the GPU in bfloat16 when there is one, else the CPU in float32."""
    if wrong := why_not_here(card):
        raise UnknownBase(wrong)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    kind = DTYPES[("bfloat16" if place.type == "cuda" else "float32") if dtype == "auto" else dtype]
    return FrozenBase(card, class_of(card.family).open(card, place, kind), fingerprint_of(card))
