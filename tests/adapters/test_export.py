"""Adapter files against the stock pipelines: what we drew is what `load_lora_weights` and a plain call draw."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.random_bases import ARCHITECTURES, Architecture, write_random_base
from tasks.adapters.examples import LearningPerson
from tasks.adapters.export import adapter_bytes, adapter_facts, load_adapter
from tasks.adapters.plan import plan_training
from tasks.adapters.training import TrainedAdapter, train_cohort
from tasks.failures import RollcallError
from tasks.headshots.render import Layout, RenderJob, RenderPlan, denoise, plan_render, render
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base

PROMPT = "studio headshot of a sks person, plain navy background"
STEPS = 3
TARGETS = {
    "sd": ("to_q", "to_k", "to_v", "to_out.0", "conv1", "conv_shortcut", "time_emb_proj", "ff.net.0.proj"),
    "sd-v": ("to_q", "to_out.0", "proj_in", "proj_out", "conv1", "conv2", "ff.net.2"),
    "sdxl": ("to_q", "to_k", "to_v", "to_out.0"),
    "flux2-klein": (
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
        "to_qkv_mlp_proj",
        "add_q_proj",
        "linear_in",
        "single_transformer_blocks.*.attn.to_out",
    ),
    "z-image": ("to_q", "to_k", "to_v", "to_out.0", "feed_forward.w1"),
}


def stock_picture(base: FrozenBase, file: Path, job: RenderJob, plan: RenderPlan) -> torch.Tensor:
    """The same picture by the stock pipeline alone: (3, H, W) in 0..1."""
    pipeline = base.family.pipeline
    pipeline.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name="person")
    sampler = base.sampler(plan.steps, plan.size)
    pipeline.scheduler = type(sampler.scheduler).from_config(sampler.scheduler.config)  # type: ignore[attr-defined]
    shape = base.family.latent_shape(plan.size)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(job.seed))[None]
    call: dict[str, Any] = {
        "prompt": job.prompt, "height": plan.size, "width": plan.size, "num_inference_steps": plan.steps,
        "latents": noise, "output_type": "pt",
    }  # fmt: skip
    if base.card.family == "flux2-klein":
        call |= {"max_sequence_length": base.card.text_length, "text_encoder_out_layers": base.card.text_layers}
        call["guidance_scale"] = 1.0
    elif base.card.family == "z-image":  # whose pipeline counts guidance from 0, and negatives with it
        call |= {"max_sequence_length": base.card.text_length, "guidance_scale": plan.guidance - 1}
    else:
        call |= {"negative_prompt": job.negative, "guidance_scale": plan.guidance}
        call["guidance_rescale"] = plan.guidance_rescale
    try:
        picture: torch.Tensor = pipeline(**call).images[0]
    finally:
        pipeline.unload_lora_weights()
    return picture


def people(base: FrozenBase) -> list[LearningPerson]:
    rng, side = np.random.default_rng(1), base.card.resolution
    return [
        LearningPerson(
            f"p{i}", [rng.integers(0, 256, (side, side, 3), dtype=np.uint8)] * 2, ["a sks person"] * 2, seed=i
        )
        for i in range(2)
    ]


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # in the stock pipeline's own solver
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_family_from_portraits_to_a_file_that_the_stock_pipeline_draws_alike(
    architecture: Architecture, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    write_random_base(tmp_path, "tiny", architecture)
    base = open_base(load_base_card("tiny", tmp_path), device="cpu")
    plan = replace(
        plan_training(base.card, "draft", 8),
        steps=3, rank=4, alpha=2.0, targets=TARGETS[architecture], learning_rate=2e-2, warmup=0,
    )  # fmt: skip
    trained = train_cohort(base, people(base), plan, slots=2)
    assert [one.state for one in trained] == ["done", "done"]
    assert trained[1].weights is not None
    loud = {name: tensor * (30 if "lora_B" in name else 1) for name, tensor in trained[1].weights.items()}
    data = adapter_bytes(loud, plan, base.card, fingerprint=base.fingerprint)
    file = tmp_path / "person.safetensors"
    file.write_bytes(data)
    assert adapter_facts(data) == {"base": "tiny", "fingerprint": base.fingerprint, "plan": plan.digest()}

    drawing = replace(plan_render(base), steps=STEPS, scale=plan.alpha / plan.rank)
    job = RenderJob("p1", load_adapter(data), PROMPT, "", seed=5)
    other = RenderJob("p0", trained[0].weights, PROMPT, "", seed=6)
    layout = Layout([job, other], slots=2, each=1, wanted=[0, 1], places=[0, 1])
    with torch.no_grad():
        prompts = base.encode_prompts([one.prompt for one in layout.jobs] + [one.negative for one in layout.jobs])
        latents = denoise(base, layout, drawing, prompts)
        ours = base.family.decode(latents)[layout.jobs.index(job)] / 2 + 0.5
    theirs = stock_picture(base, file, job, drawing)
    assert float((ours.clamp(0, 1) - theirs).abs().max()) < 1e-3
    bare = RenderJob("p1", None, PROMPT, "", seed=5)
    plain, adapted = render(base, [bare, job], drawing)
    assert np.abs(plain.astype(int) - adapted.astype(int)).max() > 2  # the adapter did something


def test_a_quarantined_person_has_no_file(base: FrozenBase) -> None:
    nobody = TrainedAdapter("p0", "quarantined", None, 0, float("nan"), float("nan"), "no_portraits")
    with pytest.raises(RollcallError, match="quarantined"):
        adapter_bytes(nobody, plan_training(base.card, "draft", 8), base.card)
