"""One training step as the official diffusers scripts take it, beside ours: the same loss and the same gradients.

Twice: against what the unmodified scripts themselves computed, written down by `benchmarks.official_step`; and against
their formulas, written out here with the stock scheduler, the stock pipeline's own helpers and PEFT's layers, for
any numbers. Neither shares a line with the families. Ours runs alone, and as slot 5 of 8 beside seven strangers. A
wrong time id, sign, shift or order of axes is a difference of per cents.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDPMScheduler
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmarks.official import ATTENTION
from benchmarks.official_step import PROMPT
from benchmarks.official_step import RANK as THEIR_RANK
from benchmarks.random_bases import ARCHITECTURES, Architecture, write_random_base
from tasks.adapters.export import lora_config
from tasks.adapters.plan import plan_training
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base
from tasks.vision.diffusion_slots import SlotBank
from tasks.vision.families.family import Conditions

PROMPTS = ["selfie photo of a sks person", "another one, in the kitchen"]
RANK, SLOT, SLOTS = 4, 5, 8
Official = Callable[[Any, nn.Module, Tensor, Tensor, Tensor], Tensor]


def stable_diffusion(pipeline: Any, net: nn.Module, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """train_dreambooth_lora.py"""
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)  # type: ignore[no-untyped-call]
    noisy = scheduler.add_noise(latents, noise, times)
    text, _ = pipeline.encode_prompt(PROMPTS, "cpu", 1, False)
    answer = net(noisy, times, text, return_dict=False)[0]
    velocity = scheduler.config.prediction_type == "v_prediction"
    target = scheduler.get_velocity(latents, noise, times) if velocity else noise
    return torch.nn.functional.mse_loss(answer.float(), target.float(), reduction="mean")


def stable_diffusion_xl(pipeline: Any, net: nn.Module, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """train_dreambooth_lora_sdxl.py"""
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)  # type: ignore[no-untyped-call]
    noisy = scheduler.add_noise(latents, noise, times)
    text, _, pooled, _ = pipeline.encode_prompt(PROMPTS, do_classifier_free_guidance=False, device="cpu")
    side = latents.shape[-1] * 2 ** (len(pipeline.vae.config.block_out_channels) - 1)
    ids = torch.cat([torch.tensor([[side, side, 0, 0, side, side]], dtype=torch.float32) for _ in PROMPTS])
    answer = net(noisy, times, text, added_cond_kwargs={"time_ids": ids, "text_embeds": pooled}, return_dict=False)[0]
    return torch.nn.functional.mse_loss(answer.float(), noise.float(), reduction="mean")


def klein(pipeline: Any, net: nn.Module, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """train_dreambooth_lora_flux2_klein.py, without weighting"""
    sigmas = times.view(-1, 1, 1, 1)
    noisy = (1.0 - sigmas) * latents + sigmas * noise
    text, text_ids = pipeline.encode_prompt(
        prompt=PROMPTS, device="cpu", max_sequence_length=96, text_encoder_out_layers=(1, 2, 3)
    )
    ids = pipeline._prepare_latent_ids(latents)
    answer = net(
        hidden_states=pipeline._pack_latents(noisy), timestep=times, guidance=None, encoder_hidden_states=text,
        txt_ids=text_ids, img_ids=ids, return_dict=False,
    )[0]  # fmt: skip
    answer = pipeline._unpack_latents_with_ids(answer[:, : ids.shape[1]], ids)
    return ((answer.float() - (noise - latents).float()) ** 2).reshape(len(latents), -1).mean(1).mean()


def z_image(pipeline: Any, net: nn.Module, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """train_dreambooth_lora_z_image.py, without weighting"""
    sigmas = times.view(-1, 1, 1, 1)
    noisy = (1.0 - sigmas) * latents + sigmas * noise
    texts, _ = pipeline.encode_prompt(
        prompt=list(PROMPTS), device="cpu", do_classifier_free_guidance=False, max_sequence_length=96
    )
    ticks = times * 1000
    answers = net(list(noisy.unsqueeze(2).unbind(0)), (1000 - ticks) / 1000, texts, return_dict=False)[0]
    answer = -torch.stack(answers, dim=0).squeeze(2)
    return ((answer.float() - (noise - latents).float()) ** 2).reshape(len(latents), -1).mean(1).mean()


OFFICIAL: dict[Architecture, Official] = {
    "sd": stable_diffusion, "sd-v": stable_diffusion, "sdxl": stable_diffusion_xl, "flux2-klein": klein,
    "z-image": z_image,
}  # fmt: skip


def ours(base: FrozenBase, adapters: list[dict[str, Tensor]], inputs: list[tuple[Tensor, Tensor, Tensor]],
         conditions: Conditions, targets: tuple[str, ...], alpha: float = 2.0,
) -> tuple[Tensor, list[dict[str, Tensor]]]:  # fmt: skip
    """Every slot's loss, and its gradients by PEFT's names."""
    bank = SlotBank(base.denoiser, targets, slots=len(adapters), rank=RANK, alpha=alpha, train=True)
    for slot, adapter in enumerate(adapters):
        bank.fill(slot, bank.row(adapter))
    latents, noise, times = (torch.cat([one[at] for one in inputs]) for at in range(3))
    with bank.attached():
        noisy = base.family.corrupt(latents, noise, times)
        answer = base.family.predict(noisy.sample, times, Conditions.join([conditions] * len(adapters)))
        losses = (answer - noisy.target).square().flatten(1).mean(1).view(len(adapters), -1).mean(1)
        losses.sum().backward()  # type: ignore[no-untyped-call]
    assert bank.gradients is not None
    return losses.detach(), [bank.adapter(row) for row in bank.gradients]


@pytest.mark.filterwarnings("ignore:grad and param do not obey")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loss_and_gradients_are_the_official_ones(architecture: Architecture, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    write_random_base(tmp_path, "tiny", architecture)
    base = open_base(load_base_card("tiny", tmp_path), device="cpu")
    targets = base.card.targets
    plan = replace(plan_training(base.card, "draft", 8), rank=RANK, alpha=2.0, targets=targets)
    stream = torch.Generator().manual_seed(3)
    shape = (len(PROMPTS), *base.family.latent_shape(base.card.resolution))

    def drawn() -> tuple[Tensor, Tensor, Tensor]:
        times = base.family.times(torch.rand(len(PROMPTS), generator=stream))
        return torch.randn(shape, generator=stream), torch.randn(shape, generator=stream), times

    empty = SlotBank(base.denoiser, targets, slots=1, rank=RANK, alpha=2.0, train=False)
    adapters = [empty.adapter(torch.randn(empty.width, generator=stream) * 0.1) for _ in range(SLOTS)]
    inputs = [drawn() for _ in range(SLOTS)]

    net = copy.deepcopy(base.denoiser)
    net.add_adapter(lora_config(plan, list(empty.layers)))  # type: ignore[operator]
    set_peft_model_state_dict(net, adapters[SLOT])
    loss = OFFICIAL[architecture](base.family.pipeline, net, *inputs[SLOT])
    loss.backward()  # type: ignore[no-untyped-call]
    theirs = {name.replace(".default", ""): one.grad for name, one in net.named_parameters() if "lora_" in name}

    conditions = base.encode_prompts(PROMPTS)
    for chosen, at in (([SLOT], 0), (list(range(SLOTS)), SLOT)):
        losses, gradients = ours(base, [adapters[i] for i in chosen], [inputs[i] for i in chosen], conditions, targets)
        assert float(losses[at]) == pytest.approx(float(loss.detach()), rel=2e-6)
        assert apart(gradients[at], theirs) < 2e-5  # float32's rounding, in another order of sums


def apart(gradients: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """How long the difference is, as a share of theirs."""
    assert gradients.keys() == theirs.keys()
    wrong = sum(float((gradients[name] - theirs[name]).square().sum()) for name in theirs)
    whole = sum(float(one.square().sum()) for one in theirs.values())
    assert whole > 0
    return float((wrong / whole) ** 0.5)


def part(heard: dict[str, Tensor], of: str) -> dict[str, Tensor]:
    return {name.removeprefix(of): one for name, one in heard.items() if name.startswith(of)}


# How each family's script hands its times to the denoiser, and as what the family knows them.
TIMES: dict[Architecture, Callable[[Tensor], Tensor]] = {
    "sd": Tensor.long, "sd-v": Tensor.long, "sdxl": Tensor.long, "flux2-klein": lambda times: times,
    "z-image": lambda times: 1 - times,
}  # fmt: skip


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loss_and_gradients_are_those_that_the_script_itself_computed(
    architecture: Architecture, tmp_path: Path
) -> None:
    """Its third update, after two of its own: adapter, latents, noise and times as the script had them."""
    torch.set_num_threads(1)
    write_random_base(tmp_path, "tiny", architecture)
    base = open_base(load_base_card("tiny", tmp_path), device="cpu")
    heard = load_file(Path(__file__).parent / "official" / f"{architecture}.safetensors")

    encoded = base.family.encode_pictures(heard["pixels"])
    strayed = (heard["latents"] - encoded.mean) / encoded.std
    drawn = architecture in {"sd", "sd-v", "sdxl"}  # from the encoder's distribution; the others take its middle
    assert float(strayed.square().mean().sqrt()) == pytest.approx(1.0 if drawn else 0.0, abs=0.1 if drawn else 1e-4)

    inputs = [(heard["latents"], heard["noise"], TIMES[architecture](heard["times"]))]
    conditions = base.encode_prompts([PROMPT] * 2)
    losses, gradients = ours(base, [part(heard, "adapter.")], inputs, conditions, ATTENTION, alpha=float(THEIR_RANK))
    assert float(losses[0]) == pytest.approx(float(heard["loss"]), rel=2e-6)
    assert apart(gradients[0], part(heard, "gradient.")) < 2e-5
