"""Z-Image: 6 B parameters, text and picture in one stream, Apache-2.0; the undistilled base, since Turbo cannot learn.

Prompts keep their own length, so conditions carry it beside the padded text. The network counts time towards the
picture and answers the slope the other way round; both are turned here, and nowhere else.
"""

from collections.abc import Sequence

import torch
from diffusers import ZImagePipeline
from diffusers.pipelines.z_image.pipeline_z_image import calculate_shift
from torch import Tensor

from tasks.vision.families.family import Conditions, Sampler
from tasks.vision.families.flow import FlowFamily, FlowSampler

TEXT_LENGTH = 512  # tokens at most; the stock pipeline cuts there
PATCH = 2  # latents to a side of one token, as the model was trained


class ZImage(FlowFamily):
    """Qwen3 text, one transformer, KL VAE. Times are 0..1, 1 = noise."""

    stock = ZImagePipeline

    def encode_prompts(self, prompts: Sequence[str]) -> Conditions:
        longest = self.card.text_length or TEXT_LENGTH
        texts, _ = self.pipeline.encode_prompt(
            prompt=list(prompts), device=self.pipeline.text_encoder.device, do_classifier_free_guidance=False,
            max_sequence_length=longest,
        )  # fmt: skip
        padded = texts[0].new_zeros(len(texts), longest, texts[0].shape[-1])
        for row, text in zip(padded, texts, strict=True):
            row[: len(text)] = text
        return Conditions({"text": padded, "length": torch.tensor([len(text) for text in texts])})

    def predict(self, sample: Tensor, times: Tensor, conditions: Conditions) -> Tensor:
        # an idle slot's text has no length; one token of it is as good as none
        lengths = conditions.tensors["length"].clamp(min=1).tolist()
        texts = [text[:length] for text, length in zip(conditions.tensors["text"], lengths, strict=True)]
        pictures = list(sample.to(self.dtype).unsqueeze(2).unbind(0))
        answers: list[Tensor] = self.denoiser(pictures, (1 - times).to(self.dtype), texts, return_dict=False)[0]
        return -torch.stack([answer.float() for answer in answers]).squeeze(2)

    def sampler(self, steps: int, size: int) -> Sampler:
        _, height, width = self.latent_shape(size)
        config = self.pipeline.scheduler.config
        mu = calculate_shift(
            (height // PATCH) * (width // PATCH), config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096), config.get("base_shift", 0.5), config.get("max_shift", 1.15),
        )  # fmt: skip
        return FlowSampler(config, steps, mu, self.device)
