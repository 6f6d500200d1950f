"""FLUX.2 klein: a flow-matching transformer whose 4B weights are Apache-2.0, so a company may use what it draws.

Latents are the VAE's, patched 2x2 and whitened by its running statistics: (N, 128, h/16, w/16).
"""

from collections.abc import Sequence

import torch
from diffusers import Flux2KleinPipeline
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from torch import Tensor

from tasks.vision.families.family import Conditions, Latents, Sampler
from tasks.vision.families.flow import FlowFamily, FlowSampler

TEXT_LENGTH = 512  # tokens; the stock pipeline pads every prompt to this
TEXT_LAYERS = (9, 18, 27)  # hidden states of the language model that are stacked


class Flux2Klein(FlowFamily):
    """FLUX.2 klein: Qwen3 text, one transformer, KL VAE. Times are 0..1, 1 = noise."""

    stock = Flux2KleinPipeline

    def encode_pictures(self, pixels: Tensor) -> Latents:
        vae = self.pipeline.vae
        posterior = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist
        shift, spread = self._whitening()
        mean, std = (self.pipeline._patchify_latents(part.float()) for part in (posterior.mean, posterior.std))
        return Latents((mean - shift) / spread, std / spread)

    def encode_prompts(self, prompts: Sequence[str]) -> Conditions:
        text, places = self.pipeline.encode_prompt(
            prompt=list(prompts),
            device=self.pipeline.text_encoder.device,
            max_sequence_length=self.card.text_length or TEXT_LENGTH,
            text_encoder_out_layers=self.card.text_layers or TEXT_LAYERS,
        )
        return Conditions({"text": text, "places": places})

    def shown(self, pixels: Tensor) -> Conditions:
        """Each picture as tokens of its own time, as the stock pipeline's `image`."""
        latents = self.encode_pictures(pixels).mean
        places = self.pipeline._prepare_image_ids([latents[:1]]).expand(len(latents), -1, -1)
        return Conditions({"shown": self.pipeline._pack_latents(latents), "shown_places": places})

    def decode(self, latents: Tensor) -> Tensor:
        vae = self.pipeline.vae
        shift, spread = self._whitening()
        plain = self.pipeline._unpatchify_latents(latents.to(shift) * spread + shift)
        pixels: Tensor = vae.decode(plain.to(vae.dtype), return_dict=False)[0]
        return pixels.float()

    def _whitening(self) -> tuple[Tensor, Tensor]:
        vae = self.pipeline.vae
        mean = vae.bn.running_mean.float().view(1, -1, 1, 1)
        return mean, (vae.bn.running_var.float() + vae.config.batch_norm_eps).sqrt().view(1, -1, 1, 1)

    def predict(self, sample: Tensor, times: Tensor, conditions: Conditions) -> Tensor:
        count, channels, height, width = sample.shape
        tokens, places = (
            self.pipeline._pack_latents(sample),
            self.pipeline._prepare_latent_ids(sample).to(sample.device),
        )
        if "shown" in conditions.tensors:
            tokens = torch.cat([tokens, conditions.tensors["shown"].to(tokens)], dim=1)
            places = torch.cat([places, conditions.tensors["shown_places"].to(places)], dim=1)
        answer: Tensor = self.denoiser(
            hidden_states=tokens.to(self.dtype),
            timestep=times.to(self.dtype),
            guidance=None,
            encoder_hidden_states=conditions.tensors["text"],
            txt_ids=conditions.tensors["places"],
            img_ids=places,
            return_dict=False,
        )[0]
        slopes = answer[:, : height * width].float()
        return slopes.transpose(1, 2).reshape(count, channels, height, width)

    def sampler(self, steps: int, size: int) -> Sampler:
        _, height, width = self.latent_shape(size)
        mu = compute_empirical_mu(height * width, steps)
        return FlowSampler(self.pipeline.scheduler.config, steps, mu, self.device)
