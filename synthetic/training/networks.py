"""The networks of the embedded base, in sizes that fit the machine they are trained on.

Promise: every part is a stock diffusers or transformers class, so the exported folder needs no code of ours. The
sizes were chosen by measurement on two CPU cores (`small`, 128 px) and by count for one large GPU (`full`, 256 px).
An eye is 12 x 6 px at 128: one and a half cells of the latents, which need many channels to tell it (the model card has
figures for 8 and for 32).
"""

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

TOKENS = 48

# diffusers ships no types: to the checker its networks are modules that can do anything.
Vae: TypeAlias = Any
Unet: TypeAlias = Any
Text: TypeAlias = Any
Scheduler: TypeAlias = Any


@dataclass(frozen=True)
class Sizes:
    """Everything that decides the shape of the weights."""

    pixels: int
    latent_channels: int
    vae_channels: tuple[int, ...]
    unet_channels: tuple[int, ...]
    unet_attention: tuple[bool, ...]  # per level: cross attention or plain convolutions
    unet_layers: int
    text_width: int
    text_layers: int

    @property
    def latent_size(self) -> int:
        """Side of the latent square."""
        return self.pixels >> (len(self.vae_channels) - 1)

    def facts(self) -> dict[str, object]:
        """For checkpoints and the model card."""
        return asdict(self)


SIZES = {
    "tiny": Sizes(32, 4, (8, 16), (16, 32), (True, True), 1, 32, 1),  # tests only
    "small": Sizes(128, 32, (16, 32, 96, 128), (128, 192), (False, True), 1, 192, 2),
    # `small` with one level more in the autoencoder: the same latents and denoiser, for a picture twice as wide
    "crisp": Sizes(256, 32, (16, 16, 32, 96, 128), (128, 192), (False, True), 1, 192, 2),
    # `crisp` with room for what 256 px add: an encoder that sees them, and as many latent channels again
    "wide": Sizes(256, 64, (16, 16, 32, 96, 128), (128, 192), (False, True), 1, 192, 2),
    "tiny-crisp": Sizes(64, 4, (16, 16, 16), (16, 32), (True, True), 1, 32, 1),  # tests only
    "full": Sizes(256, 16, (32, 64, 128, 128), (64, 128, 192, 224), (False, True, True, False), 1, 192, 3),
}


def build_vae(sizes: Sizes) -> Vae:
    """Without attention in the middle: its cost grows with the square of the picture and it gained nothing here."""
    levels = len(sizes.vae_channels)
    return AutoencoderKL(  # type: ignore[no-untyped-call]
        in_channels=3, out_channels=3, latent_channels=sizes.latent_channels, sample_size=sizes.pixels,
        down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=sizes.vae_channels, layers_per_block=1, norm_num_groups=8,
        mid_block_add_attention=False, scaling_factor=1.0,
    )  # fmt: skip


def build_unet(sizes: Sizes) -> Unet:
    """Captions act twice: by cross attention, and pooled into the time embedding, which is learned far sooner."""
    down = tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in sizes.unet_attention)
    up = tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(sizes.unet_attention))
    return UNet2DConditionModel(  # type: ignore[no-untyped-call]
        sample_size=sizes.latent_size, in_channels=sizes.latent_channels, out_channels=sizes.latent_channels,
        block_out_channels=sizes.unet_channels, layers_per_block=sizes.unet_layers,
        down_block_types=down, up_block_types=up, cross_attention_dim=sizes.text_width,
        attention_head_dim=4,  # in diffusers this number is the count of heads
        norm_num_groups=16, resnet_time_scale_shift="scale_shift",
        addition_embed_type="text", addition_embed_type_num_heads=4,
    )  # fmt: skip


def build_text(sizes: Sizes, vocabulary: int, start: int, end: int) -> Text:
    """A small CLIP text model, trained together with the UNet."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary, hidden_size=sizes.text_width, intermediate_size=2 * sizes.text_width,
            num_hidden_layers=sizes.text_layers, num_attention_heads=4, max_position_embeddings=TOKENS,
            bos_token_id=start, eos_token_id=end, pad_token_id=end,
        )
    )  # fmt: skip


def build_scheduler() -> Scheduler:
    """v-prediction and a schedule that ends in pure noise: plain bright and dark backgrounds need both.

    The cosine schedule leaves more steps at middle noise than SD's own, which was made for latents 16 times larger.
    """
    return DDIMScheduler(  # type: ignore[no-untyped-call]
        num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction",
        rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True,
        steps_offset=1,
    )  # fmt: skip
