"""SDXL: two text encoders, a pooled embedding, and the picture's size told to the UNet."""

from collections.abc import Sequence
from typing import Self

import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor, nn

from tasks.vision.diffusion_card import BaseCard
from tasks.vision.families.family import Conditions, Latents
from tasks.vision.families.stable_diffusion import StableDiffusion


class StableDiffusionXL(StableDiffusion):
    """Noise, targets and sampler are Stable Diffusion's; prompts and the UNet's extra conditions are not."""

    @classmethod
    def open(cls, card: BaseCard, device: torch.device, dtype: torch.dtype) -> Self:
        pipeline = StableDiffusionXLPipeline.from_pretrained(  # type: ignore[no-untyped-call]
            card.folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            variant=card.variant,
            add_watermarker=False,
        )
        return cls(card, pipeline, device, dtype)

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
        """The SDXL VAE overflows in half precision; its own config says so (`force_upcast`). bfloat16 has the range."""
        vae = self.pipeline.vae
        if vae.config.force_upcast and vae.dtype == torch.float16:
            vae.to(torch.float32)

    def predict(self, sample: Tensor, times: Tensor, conditions: Conditions) -> Tensor:
        side = sample.shape[-1] * self.card.latent_factor
        # original size, crop corner, target size: square, uncropped
        sizes = sample.new_tensor([side, side, 0, 0, side, side], dtype=self.dtype).expand(len(sample), 6)
        answer: Tensor = self.pipeline.unet(
            sample.to(self.dtype),
            times,
            encoder_hidden_states=conditions.tensors["text"],
            added_cond_kwargs={"text_embeds": conditions.tensors["pooled"], "time_ids": sizes},
            return_dict=False,
        )[0]
        return answer.float()
