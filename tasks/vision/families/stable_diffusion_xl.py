"""SDXL: two text encoders, a pooled embedding, and the picture's size told to the UNet."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor, nn

from tasks.vision.diffusion_card import BaseCard
from tasks.vision.families.family import Conditions, Latents
from tasks.vision.families.stable_diffusion import StableDiffusion


class StableDiffusionXL(StableDiffusion):
    """Noise and targets are Stable Diffusion's; prompts, the UNet's extra conditions and the last steps are not."""

    stock = StableDiffusionXLPipeline
    # Below 50 steps plain DPM++ leaves artefacts on SDXL, by diffusers' own page; these two words are its cure.
    solver: ClassVar[dict[str, Any]] = {"use_karras_sigmas": True, "euler_at_final": True}

    @classmethod
    def extras(cls, card: BaseCard, dtype: torch.dtype) -> dict[str, Any]:
        return {"add_watermarker": False}

    @property
    def encoders(self) -> list[nn.Module]:
        return [self.pipeline.text_encoder, self.pipeline.text_encoder_2, self.pipeline.vae]

    def encode_pictures(self, pixels: Tensor) -> Latents:
        self._widen()
        return super().encode_pictures(pixels)

    def encode_prompts(self, prompts: Sequence[str]) -> Conditions:
        device = self.pipeline.text_encoder.device
        text, _, pooled, _ = self.pipeline.encode_prompt(
            prompt=list(prompts), device=device, do_classifier_free_guidance=False
        )
        return Conditions({"text": text, "pooled": pooled})

    def decode(self, latents: Tensor) -> Tensor:
        self._widen()
        return super().decode(latents)

    def _widen(self) -> None:
        """The SDXL VAE overflows in half precision; its own config says so (`force_upcast`), and the official script
        keeps it in float32 whatever the rest computes in. It costs a moment per picture."""
        vae = self.pipeline.vae
        if vae.config.force_upcast and vae.dtype != torch.float32:
            vae.to(torch.float32)

    def sizes(self, originals: Sequence[int], side: int) -> dict[str, Tensor]:
        """Original size, crop corner, target size: square, from the corner. Small photos are known to be blurred."""
        return {"sizes": torch.tensor([[original, original, 0, 0, side, side] for original in originals])}

    def predict(self, sample: Tensor, times: Tensor, conditions: Conditions) -> Tensor:
        side = sample.shape[-1] * self.card.latent_factor
        told = conditions.tensors.get("sizes")
        sizes = self.sizes([side] * len(sample), side)["sizes"] if told is None else told
        sizes = sizes.to(sample.device, self.dtype)
        answer: Tensor = self.pipeline.unet(
            sample.to(self.dtype),
            times,
            encoder_hidden_states=conditions.tensors["text"],
            added_cond_kwargs={"text_embeds": conditions.tensors["pooled"], "time_ids": sizes},
            return_dict=False,
        )[0]
        return answer.float()
