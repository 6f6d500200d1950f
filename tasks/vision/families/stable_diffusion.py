"""Stable Diffusion 1.x and 2.x, and everything saved in their format: noise prediction and v-prediction.

The embedded base is one of these: v-prediction with zero terminal SNR, which is what lets a small model paint a
plain, evenly lit brand background.
"""

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, StableDiffusionPipeline
from torch import Tensor

from tasks.vision.diffusion_card import BaseCard
from tasks.vision.families.family import Conditions, Family, Noisy, Sampler

# Added to the min-SNR weight of v-prediction, so that the pure-noise end (SNR 0), where the background's
# brightness is decided, still counts.
V_FLOOR = 0.3


class SchedulerSampler(Sampler):
    """A diffusers scheduler as a sampler. Deterministic: nothing is drawn after the first noise."""

    def __init__(self, scheduler: Any, steps: int, device: torch.device) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="__array__ implementation")  # diffusers' solver under numpy 2
            scheduler.set_timesteps(steps, device=device)
        self.scheduler, self.times = scheduler, list(scheduler.timesteps)

    def start(self, noise: Tensor) -> Tensor:
        scaled: Tensor = noise * self.scheduler.init_noise_sigma
        return scaled

    def seen(self, state: Tensor, time: Tensor) -> Tensor:
        seen: Tensor = self.scheduler.scale_model_input(state, time)
        return seen

    def step(self, answer: Tensor, time: Tensor, state: Tensor) -> Tensor:
        after: Tensor = self.scheduler.step(answer, time, state, return_dict=False)[0]
        return after

    def level(self, latents: Tensor, noise: Tensor, index: int) -> Tensor:
        if index >= len(self.times):
            return latents
        share: Tensor = self.scheduler.alphas_cumprod[int(self.times[index])].to(latents)
        return share.sqrt() * latents + (1 - share).sqrt() * noise


class StableDiffusion(Family):
    """SD 1.x/2.x: CLIP text, UNet, KL VAE."""

    stock: ClassVar[Any] = StableDiffusionPipeline
    solver: ClassVar[dict[str, Any]] = {}  # what the solver is told beside its order

    def __init__(self, card: BaseCard, pipeline: Any, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(card, pipeline, device, dtype)
        # of this scheduler, only the tables are used, for training
        scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)  # type: ignore[no-untyped-call]
        self.shares: Tensor = scheduler.alphas_cumprod.to(device=device, dtype=torch.float32)  # signal variance
        self.velocity = scheduler.config.prediction_type == "v_prediction"
        self.zero_end = bool(scheduler.config.rescale_betas_zero_snr)

    @classmethod
    def extras(cls, card: BaseCard, dtype: torch.dtype) -> dict[str, Any]:
        plain = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        if card.vae == "vae":
            return plain
        vae = AutoencoderKL.from_pretrained(  # type: ignore[no-untyped-call]
            card.folder / card.vae, dtype=dtype, use_safetensors=True, local_files_only=True
        )
        return {"vae": vae, **plain}

    def encode_prompts(self, prompts: Sequence[str]) -> Conditions:
        device = self.pipeline.text_encoder.device
        text, _ = self.pipeline.encode_prompt(list(prompts), device, 1, False)
        return Conditions({"text": text})

    def times(self, uniform: Tensor) -> Tensor:
        return (uniform * len(self.shares)).long().clamp(0, len(self.shares) - 1)

    def corrupt(self, latents: Tensor, noise: Tensor, times: Tensor) -> Noisy:
        share = self.shares[times]
        signal, spread = (part.sqrt().view(-1, 1, 1, 1) for part in (share, 1 - share))
        target = signal * noise - spread * latents if self.velocity else noise
        return Noisy(signal * latents + spread * noise, target, self._weight(share))

    def _weight(self, share: Tensor) -> Tensor:
        """Min-SNR weights (arXiv 2303.09556), flat when the card names no gamma."""
        gamma = self.card.training.snr_gamma
        if gamma is None:
            return torch.ones_like(share)
        snr = share / (1 - share).clamp(min=1e-8)
        if self.velocity:
            return (snr.clamp(max=gamma) + V_FLOOR) / (snr + 1)
        return snr.clamp(max=gamma) / snr.clamp(min=1e-8)

    def predict(self, sample: Tensor, times: Tensor, conditions: Conditions) -> Tensor:
        answer: Tensor = self.pipeline.unet(
            sample.to(self.dtype), times, encoder_hidden_states=conditions.tensors["text"], return_dict=False
        )[0]
        return answer.float()

    def sampler(self, steps: int, size: int) -> Sampler:
        config = self.pipeline.scheduler.config
        if self.zero_end:  # higher-order solvers divide by the signal share, which is 0 at the start here
            plain = DDIMScheduler.from_config(config, timestep_spacing="trailing", clip_sample=False)  # type: ignore[no-untyped-call]
            return SchedulerSampler(plain, steps, self.device)
        words = {"algorithm_type": "dpmsolver++", "solver_order": 2} | self.solver
        solver = DPMSolverMultistepScheduler.from_config(config, **words)  # type: ignore[no-untyped-call]
        return SchedulerSampler(solver, steps, self.device)
