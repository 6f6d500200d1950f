"""Bases with random weights, saved in their stock folder format: speed does not depend on what the weights say.

Tiny ones carry the tests (exactly the classes of the real model, a hundredth of the size); full ones carry the GPU
measurements on machines where no real weights can be had.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

Architecture = Literal["sd", "sd-v", "sdxl", "flux2-klein", "z-image"]
ARCHITECTURES: tuple[Architecture, ...] = ("sd", "sd-v", "sdxl", "flux2-klein", "z-image")
Size = Literal["tiny", "embedded", "full"]

SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def write_random_base(
    folder: Path, name: str, architecture: Architecture = "sd-v", size: Size = "tiny", seed: int = 0
) -> Path:
    """Write `folder/name/` (diffusers format, safetensors) and `folder/name.toml`; returns the card's path."""
    torch.manual_seed(seed)
    build = {
        "sd": _stable_diffusion, "sd-v": _stable_diffusion, "sdxl": _sdxl, "flux2-klein": _klein, "z-image": _z_image,
    }[architecture]  # fmt: skip
    pipeline, card = build(architecture, size, folder / name)
    pipeline.save_pretrained(folder / name, safe_serialization=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in card.head.items()]
    for table, values in card.tables.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True)
class _Card:
    head: dict[str, Any]
    tables: dict[str, dict[str, Any]]


def _card(family: str, name: str, resolution: int, channels: int, factor: int, **tables: dict[str, Any]) -> _Card:
    head = {
        "title": f"Random {family}",
        "family": family,
        "path": name,
        "licence": "CC0-1.0",
        "commercial_use": True,
        "world": "drawn",  # with the embedded eyes and the people of synthetic/
        "resolution": resolution,
        "latent_channels": channels,
        "latent_factor": factor,
    }
    return _Card(head, tables)


def _character_vocabulary() -> list[str]:
    """Every byte as byte-level BPE writes it: printable ones as themselves, the others moved beyond 255."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [256 + index for index in range(256 - len(printable))]
    return [chr(code) for code in printable + moved]


def _clip_tokenizer(folder: Path, length: int) -> Any:
    """A CLIP tokenizer that spells: one token per character, no merges."""
    from transformers import CLIPTokenizer

    letters = _character_vocabulary()
    vocabulary = {token: index for index, token in enumerate([*letters, *(c + "</w>" for c in letters), *SPECIAL])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    tokenizer = CLIPTokenizer.from_pretrained(str(folder), model_max_length=length, pad_token=SPECIAL[1])
    for path in (folder / "vocab.json", folder / "merges.txt"):
        path.unlink()
    return tokenizer


def _clip_text(width: int, layers: int, length: int, vocabulary: int, projection: int | None = None) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=width * 4,
        num_hidden_layers=layers,
        num_attention_heads=max(width // 64, 2),
        max_position_embeddings=length,
        projection_dim=projection or width,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )
    return CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)


def _vae(widths: tuple[int, ...], channels: int, layers: int, groups: int) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        layers_per_block=layers,
        latent_channels=channels,
        norm_num_groups=groups,
        sample_size=8 * 2 ** (len(widths) - 1),
        mid_block_add_attention=False,
    )


def _stable_diffusion(architecture: Architecture, size: Size, folder: Path) -> tuple[Any, _Card]:
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    # (UNet widths, layers, heads, groups), text (width, layers, length), VAE (widths, channels, layers, groups)
    unet, text, vae, resolution = {
        "tiny": (((16, 32), 1, 2, 4), (32, 1, 77), ((8, 16), 4, 1, 4), 16),
        "embedded": (((64, 128, 192, 224), 1, 4, 16), (192, 3, 77), ((32, 64, 128, 128), 8, 1, 8), 128),
        "full": (((320, 640, 1280, 1280), 2, 8, 32), (768, 12, 77), ((128, 256, 512, 512), 4, 2, 32), 512),
    }[size]
    # attention everywhere but at one end, as the real one; the small ones skip it where it is dearest
    attention = [True, True, True, False] if size == "full" else [False, True, True, False][: len(unet[0])]
    attention = [False, True] if size == "tiny" else attention
    velocity = architecture == "sd-v"
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=velocity,
        steps_offset=1,  # what the stock pipeline insists on; trailing spacing does not use it
        prediction_type="v_prediction" if velocity else "epsilon",
        rescale_betas_zero_snr=velocity,
        timestep_spacing="trailing" if velocity else "leading",
    )
    denoiser = UNet2DConditionModel(
        sample_size=resolution // 2 ** (len(vae[0]) - 1),
        in_channels=vae[1],
        out_channels=vae[1],
        block_out_channels=unet[0],
        layers_per_block=unet[1],
        attention_head_dim=unet[2],
        norm_num_groups=unet[3],
        cross_attention_dim=text[0],
        down_block_types=tuple("CrossAttnDownBlock2D" if on else "DownBlock2D" for on in attention),
        up_block_types=tuple("CrossAttnUpBlock2D" if on else "UpBlock2D" for on in reversed(attention)),
    )
    tokenizer = _clip_tokenizer(folder / "tokenizer", text[2])
    pipeline = StableDiffusionPipeline(
        vae=_vae(vae[0], vae[1], vae[2], vae[3]),
        text_encoder=_clip_text(text[0], text[1], text[2], len(tokenizer)),
        tokenizer=tokenizer,
        unet=denoiser,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    factor = 2 ** (len(vae[0]) - 1)
    training = {"learning_rate": 1e-3 if velocity else 1e-4, "snr_gamma": 5.0} if velocity else {}
    render = {"steps": 20, "guidance": 3.5, "guidance_rescale": 0.7} if velocity else {}
    return pipeline, _card("sd", folder.name, resolution, vae[1], factor, training=training, render=render)


def _sdxl(architecture: Architecture, size: Size, folder: Path) -> tuple[Any, _Card]:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    tiny = size == "tiny"
    widths, depth, heads = ((32, 64), [1, 2], [2, 4]) if tiny else ((320, 640, 1280), [1, 2, 10], [5, 10, 20])
    first, second = (32, 32) if tiny else (768, 1280)
    vae = ((8, 16), 4, 1, 4) if tiny else ((128, 256, 512, 512), 4, 2, 32)
    resolution = 16 if tiny else 1024
    crossed = len(widths) - 1
    tokenizer = _clip_tokenizer(folder / "tokenizer", 77)
    denoiser = UNet2DConditionModel(
        sample_size=resolution // 2 ** (len(vae[0]) - 1),
        block_out_channels=widths,
        layers_per_block=1 if tiny else 2,
        norm_num_groups=8 if tiny else 32,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * crossed),
        up_block_types=(*["CrossAttnUpBlock2D"] * crossed, "UpBlock2D"),
        transformer_layers_per_block=depth,
        attention_head_dim=heads,
        cross_attention_dim=first + second,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8 if tiny else 256,
        projection_class_embeddings_input_dim=second + 6 * (8 if tiny else 256),
    )
    pipeline = StableDiffusionXLPipeline(
        vae=_vae(vae[0], vae[1], vae[2], vae[3]),
        text_encoder=_clip_text(first, 2 if tiny else 12, 77, len(tokenizer)),
        text_encoder_2=_clip_text(second, 2 if tiny else 32, 77, len(tokenizer), second),
        tokenizer=tokenizer,
        tokenizer_2=_clip_tokenizer(folder / "tokenizer_2", 77),
        unet=denoiser,
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
        ),
        add_watermarker=False,
    )
    return pipeline, _card("sdxl", folder.name, resolution, vae[1], 2 ** (len(vae[0]) - 1))


def _qwen_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2TokenizerFast

    ends = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    spelling = Tokenizer(models.BPE({token: i for i, token in enumerate([*_character_vocabulary(), *ends])}, []))
    spelling.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spelling.decoder = decoders.ByteLevel()
    plain = PreTrainedTokenizerFast(
        tokenizer_object=spelling, eos_token=ends[2], pad_token=ends[0], additional_special_tokens=ends[1:]
    )
    template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    plain.chat_template = template + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    return plain, Qwen2TokenizerFast


def _qwen_text(vocabulary: int, tiny: bool) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    width = 32 if tiny else 2560
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=width * 3,
            num_hidden_layers=3 if tiny else 36,
            num_attention_heads=2 if tiny else 32,
            num_key_value_heads=2 if tiny else 8,
            head_dim=16 if tiny else 128,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=2,
            pad_token_id=0,
        )
    )


def _klein(architecture: Architecture, size: Size, folder: Path) -> tuple[Any, _Card]:
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )

    tiny = size == "tiny"
    plain, fast = _qwen_tokenizer()
    plain.save_pretrained(folder / "tokenizer")
    tokenizer = fast.from_pretrained(folder / "tokenizer")
    width = 32 if tiny else 2560
    text = _qwen_text(len(tokenizer), tiny)
    widths = (8, 16) if tiny else (128, 256, 512, 512)
    channels = 4 if tiny else 32
    transformer = Flux2Transformer2DModel(
        patch_size=1,
        in_channels=channels * 4,
        num_layers=1 if tiny else 5,
        num_single_layers=2 if tiny else 20,
        attention_head_dim=16 if tiny else 128,
        num_attention_heads=2 if tiny else 24,
        joint_attention_dim=3 * width,
        timestep_guidance_channels=32 if tiny else 256,
        axes_dims_rope=(4, 4, 4, 4) if tiny else (32, 32, 32, 32),
        guidance_embeds=False,
    )
    vae = AutoencoderKLFlux2(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        layers_per_block=1 if tiny else 2,
        latent_channels=channels,
        norm_num_groups=4 if tiny else 32,
        sample_size=16 if tiny else 1024,
        mid_block_add_attention=not tiny,
    )
    # running statistics that differ from 0 and 1, so that a forgotten whitening shows
    vae.bn.running_mean.normal_(0, 0.1)
    vae.bn.running_var.uniform_(0.5, 1.5)
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    pipeline = Flux2KleinPipeline(scheduler, vae, text, tokenizer, transformer, is_distilled=True)
    card = _card(
        "flux2-klein", folder.name, 16 if tiny else 1024, channels * 4, 2 ** len(widths),
        render={"steps": 4, "guidance": 1.0},
    )  # fmt: skip
    if tiny:
        card.head.update(text_length=96, text_layers=[1, 2, 3])
    return pipeline, card


def _z_image(architecture: Architecture, size: Size, folder: Path) -> tuple[Any, _Card]:
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel

    tiny = size == "tiny"
    plain, fast = _qwen_tokenizer()
    plain.save_pretrained(folder / "tokenizer")
    tokenizer = fast.from_pretrained(folder / "tokenizer")
    vae = _vae((8, 16), 4, 1, 4) if tiny else _vae((128, 256, 512, 512), 16, 2, 32)
    vae.register_to_config(scaling_factor=0.3611, shift_factor=0.1159)
    transformer = ZImageTransformer2DModel(
        in_channels=4 if tiny else 16,
        dim=32 if tiny else 3840,
        n_layers=2 if tiny else 30,
        n_refiner_layers=1 if tiny else 2,
        n_heads=2 if tiny else 30,
        n_kv_heads=2 if tiny else 30,
        cap_feat_dim=32 if tiny else 2560,
        axes_dims=[4, 6, 6] if tiny else [32, 48, 48],
        axes_lens=[1024, 64, 64] if tiny else [1024, 512, 512],
    )
    for parameter in transformer.parameters():  # pad tokens are made empty, and what is not a number passes on
        torch.nn.init.normal_(parameter, 0, 0.1) if not bool(torch.isfinite(parameter).all()) else None
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=False, shift=3.0)
    pipeline = ZImagePipeline(scheduler, vae, _qwen_text(len(tokenizer), tiny), tokenizer, transformer)
    card = _card(
        "z-image", folder.name, 16 if tiny else 1024, 4 if tiny else 16, 2 if tiny else 8,
        render={"steps": 4, "guidance": 2.0},
    )  # fmt: skip
    if tiny:
        card.head.update(text_length=96)
    return pipeline, card
