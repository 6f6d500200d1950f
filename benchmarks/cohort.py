"""Employees per hour: one process per person as people do today, our engine one by one, and cohorts.

    python -m benchmarks.cohort                                   # CPU, the embedded base (or a random one like it)
    python -m benchmarks.cohort --device cuda --architecture sdxl --resolution 1024 --slots 1 4 8 16 --compile

All rows of a table come from one run with the same base, rank, targets, steps, samples, resolution and precision, in
interleaved rounds, because ratios survive a busy machine and absolute figures do not. Wall and processor time are
both printed. The loss beside each row shows that nobody bought speed with quality.

*today*: a fresh process per person, diffusers and plain PEFT, VAE and text encoder run again in every step, export.
*alone*: this engine with one slot, encoding once, one process for everybody. *cohort K*: K people per step.

    python -m benchmarks.cohort --likeness 8 --steps 150 --batch 4    # learned alone and in a cohort: same pictures?
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median

import numpy as np
import torch

from benchmarks.random_bases import write_random_base
from synthetic.dataset import SEEDS
from tasks.adapters.examples import LearningPerson
from tasks.adapters.export import adapter_bytes, lora_config
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.training import TrainedAdapter, train_cohort
from tasks.vision.diffusion import FrozenBase, load_base_card, open_base, pixels
from tasks.vision.open_eyes import open_eyes

HOUSE = Path(__file__).resolve().parents[1] / "base_models"
PHOTOS = 8


@dataclass(frozen=True)
class Round:
    """One measured round of one way."""

    way: str
    people: int
    seconds: float  # wall
    processor: float  # seconds, children included
    loss_first: float
    loss_last: float


@dataclass(frozen=True)
class Setting:
    """Where the base lies, and how it is opened and trained."""

    folder: Path
    base: str
    device: str
    dtype: str
    plan: TrainingPlan

    def open(self) -> FrozenBase:
        return open_base(load_base_card(self.base, self.folder), self.device, self.dtype)


def people(count: int, side: int, first: int = 0) -> list[LearningPerson]:
    """Portraits of nobody: smooth noise, different for everyone. Speed does not depend on what they show."""
    group = []
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 256, (PHOTOS, side // 8, side // 8, 3), dtype=np.uint8)
        portraits = list(coarse.repeat(8, axis=1).repeat(8, axis=2))
        group.append(LearningPerson(f"p{number}", portraits, ["selfie photo of a sks person"] * PHOTOS, seed=number))
    return group


def clocks() -> tuple[float, float]:
    used = os.times()
    return time.perf_counter(), used.user + used.system + used.children_user + used.children_system


def today(setting: Setting, person: LearningPerson) -> list[float]:
    """One person as a DreamBooth script would: everything encoded in every step. Returns the losses."""
    base, plan = setting.open(), setting.plan
    denoiser, family = base.denoiser, base.family
    denoiser.add_adapter(lora_config(plan))  # type: ignore[operator]
    if plan.rank and base.dtype != torch.float32:
        for parameter in denoiser.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    learned = [parameter for parameter in denoiser.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    generator, losses = torch.Generator().manual_seed(person.seed), []
    for module in family.encoders:
        module.to(base.device)
    for _ in range(plan.steps):
        chosen = torch.randint(PHOTOS, (plan.batch,), generator=generator).tolist()
        with torch.no_grad():
            latents = family.encode_pictures(pixels([person.portraits[i] for i in chosen]))
            conditions = family.encode_prompts([person.captions[i] for i in chosen])
        clean = latents.mean + latents.std * torch.randn(latents.mean.shape, generator=generator).to(latents.mean)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        times = family.times(torch.rand(plan.batch, generator=generator)).to(base.device)
        noisy = family.corrupt(clean, noise, times)
        with torch.autocast(base.device.type, base.dtype, enabled=base.dtype != torch.float32):
            answer = family.predict(noisy.sample, times, conditions)
        loss = ((answer - noisy.target).square().flatten(1).mean(1) * noisy.weight).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, plan.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss))
    family.pipeline.save_lora_weights(
        tempfile.mkdtemp(),
        **{
            f"{family.prefix}_lora_layers": {
                n: p.detach().cpu() for n, p in denoiser.named_parameters() if p.requires_grad
            }
        },
    )
    return losses


def measure_today(setting: Setting, count: int, first: int) -> Round:
    """`count` processes, one after another: the start of each is part of what a person costs."""
    facts = json.dumps(asdict(setting), default=str)
    begun, used, losses = *clocks(), []
    for number in range(first, first + count):
        command = [sys.executable, "-m", "benchmarks.cohort", "--one", facts, "--first", str(number)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HOUSE.parent)
        losses.append(json.loads(done.stdout.splitlines()[-1]))
    ended, spent = clocks()
    first_loss, last_loss = (mean(mean(one[part]) for one in losses) for part in (slice(0, 5), slice(-5, None)))
    return Round("today", count, ended - begun, spent - used, first_loss, last_loss)


def measure_engine(setting: Setting, base: FrozenBase, slots: int, count: int, first: int, compiled: bool) -> Round:
    """Our engine, from decoded portraits to adapter files. The base is open: a worker opens it once for thousands."""
    group = people(count, setting.plan.resolution, first)
    begun, used = clocks()
    trained = train_cohort(base, group, setting.plan, slots=slots, compiled=compiled)
    for one in trained:
        adapter_bytes(one, setting.plan, base.card)
    ended, spent = clocks()
    way = "alone" if slots == 1 else f"cohort {slots}"
    return Round(way, count, ended - begun, spent - used, *_losses(trained))


def _losses(trained: list[TrainedAdapter]) -> tuple[float, float]:
    first = mean(mean(one.losses[:5]) for one in trained)
    return first, mean(mean(one.losses[-5:]) for one in trained)


def table(rounds: list[Round]) -> str:
    """Medians per way, and ratios to today's way and to the engine alone."""
    ways = list(dict.fromkeys(one.way for one in rounds))
    rate = {way: median(3600 * one.people / one.seconds for one in rounds if one.way == way) for way in ways}
    cost = {way: median(one.processor / one.people for one in rounds if one.way == way) for way in ways}
    lines = [
        f"{'way':<11}{'people/h':>10}{'cpu s/person':>14}{'x today':>9}{'x alone':>9}{'x alone, cpu':>14}"
        f"{'loss, first':>13}{'last':>8}{'rounds':>8}"
    ]
    for way in ways:
        own = [one for one in rounds if one.way == way]
        against = f"{rate[way] / rate['today']:>9.2f}" if "today" in rate else f"{'':>9}"
        alone = f"{rate[way] / rate['alone']:>9.2f}" if "alone" in rate else f"{'':>9}"
        processor = f"{cost['alone'] / cost[way]:>14.2f}" if "alone" in cost else f"{'':>14}"
        lines.append(
            f"{way:<11}{rate[way]:>10.1f}{cost[way]:>14.2f}{against}{alone}{processor}"
            f"{median(one.loss_first for one in own):>13.4f}{median(one.loss_last for one in own):>8.4f}{len(own):>8}"
        )
    return "\n".join(lines)


def likeness(setting: Setting, base: FrozenBase, count: int) -> str:
    """Unseen drawn people, learned alone and in one cohort from the same selfies: do their pictures differ?"""
    from benchmarks.embedded import draw, draw_subject, embed, mean_unit, rank_one

    subjects = [draw_subject(SEEDS["benchmarks"] + i, setting.plan.resolution) for i in range(count)]
    caption, eyes = f"selfie photo of a {base.card.token} person", open_eyes("embedded")
    group = [LearningPerson(str(s.seed), [x.picture for x in s.selfies], [caption] * PHOTOS, s.seed) for s in subjects]
    centroids = np.stack([mean_unit([embed(eyes, shot.picture) for shot in s.studio]) for s in subjects])
    lines, alone = [f"{'way':<11}{'rank-1':>8}{'cosine':>8}{'PSNR to alone':>15}"], None
    for slots in (1, count):
        trained = train_cohort(base, group, setting.plan, slots=slots)
        drawn, _ = draw(base, subjects, [one.weights for one in trained])
        pictures, _, own, _ = rank_one([[embed(eyes, p) for p in row] for row in drawn], centroids)
        levels = np.asarray(drawn, np.float64)
        gap = "" if alone is None else f"{10 * np.log10(255**2 / max(((levels - alone) ** 2).mean(), 1e-9)):.1f} dB"
        alone = levels if alone is None else alone
        lines.append(f"{'alone' if slots == 1 else f'cohort {slots}':<11}{pictures:>8.0%}{own:>8.2f}{gap:>15}")
    return "\n".join(lines)


def gpu_facts(setting: Setting, base: FrozenBase, slots: int) -> str:
    """Operators of one cohort step by device time, and the share of the card's measured matmul rate. CUDA only."""
    from torch.profiler import ProfilerActivity, profile
    from torch.utils.flop_counter import FlopCounterMode

    group = people(slots, setting.plan.resolution)
    few = replace(setting.plan, steps=4)
    train_cohort(base, group, few, slots=slots)
    torch.cuda.reset_peak_memory_stats()
    with FlopCounterMode(display=False) as flops:
        train_cohort(base, group, replace(few, steps=1), slots=slots)
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        train_cohort(base, group, few, slots=slots)
        torch.cuda.synchronize()
    square = torch.randn(8192, 8192, device=base.device, dtype=base.dtype)
    begun, repeats = time.perf_counter(), 50
    for _ in range(repeats):
        square @ square
    torch.cuda.synchronize()
    peak = repeats * 2 * 8192**3 / (time.perf_counter() - begun)
    begun = time.perf_counter()
    train_cohort(base, group, few, slots=slots)
    torch.cuda.synchronize()
    reached = flops.get_total_flops() * few.steps / (time.perf_counter() - begun)
    memory = torch.cuda.max_memory_allocated() / 2**30
    top = seen.key_averages().table(sort_by="cuda_time_total", row_limit=15)
    return f"{top}\nmatmul rate {peak / 1e12:.0f} TFLOP/s, reached {reached / peak:.0%}; peak {memory:.1f} GiB\n"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--architecture", default="embedded", choices=["embedded", "sd", "sdxl", "flux2-klein"])
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--rank", type=int)
    parser.add_argument("--targets", nargs="+", help="adapted layers; the base's own when left out")
    parser.add_argument("--steps", type=int, default=12, help="per person; rates scale with it, ratios hardly")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--today", type=int, default=1, help="people per round that are trained today's way; 0 leaves it out"
    )
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--likeness", type=int, default=0, help="instead: this many people, alone and together")
    parser.add_argument("--profile", action="store_true", help="operators and share of the matmul rate (CUDA)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def prepare(chosen: argparse.Namespace, scratch: Path) -> Setting:
    """The embedded base where there is one, else random weights of the asked architecture."""
    folder, base = HOUSE, "embedded"
    if chosen.architecture != "embedded" or not (HOUSE / "embedded" / "model_index.json").is_file():
        folder, base = scratch, "random"
        if chosen.architecture == "embedded":
            write_random_base(scratch, base, "sd-v", "embedded")
        else:
            write_random_base(scratch, base, chosen.architecture, "full")
    card = load_base_card(base, folder)
    plan = plan_training(card, "standard", PHOTOS)
    plan = replace(
        plan,
        steps=chosen.steps,
        batch=chosen.batch,
        rank=chosen.rank or plan.rank,
        alpha=float(chosen.rank or plan.rank),
        resolution=chosen.resolution or plan.resolution,
        targets=tuple(chosen.targets or plan.targets),
        prior_share=0.0,
    )
    return Setting(folder, base, chosen.device, chosen.dtype, plan)


def main(arguments: list[str] | None = None) -> None:
    """Print one table."""
    chosen = parse(arguments)
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        facts = json.loads(chosen.one)
        plan = TrainingPlan(**(facts["plan"] | {"targets": tuple(facts["plan"]["targets"])}))
        setting = Setting(Path(facts["folder"]), facts["base"], facts["device"], facts["dtype"], plan)
        print(json.dumps(today(setting, people(1, plan.resolution, chosen.first)[0])))
        return
    if chosen.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no CUDA device here")
    with tempfile.TemporaryDirectory() as scratch:
        setting = prepare(chosen, Path(scratch))
        base = setting.open()
        size = sum(parameter.numel() for parameter in base.denoiser.parameters()) / 1e6
        print(f"{base.card.title}: {size:.1f} M parameters, {base.dtype}, {base.device}, {chosen.threads} thread(s)")
        print(setting.plan.sentence(), "targets", " ".join(setting.plan.targets), flush=True)
        if chosen.likeness:
            print(likeness(setting, base, chosen.likeness))
            return
        measure_engine(setting, base, 2, 2, 900, chosen.compile)  # warm: allocator, kernels
        rounds: list[Round] = []
        for number in range(chosen.rounds):
            if chosen.today:
                rounds.append(measure_today(setting, chosen.today, number * chosen.today))
            for slots in chosen.slots:
                count = max(slots, 2)
                rounds.append(measure_engine(setting, base, slots, count, 100 * number, chosen.compile))
            print(f"round {number + 1} of {chosen.rounds}", file=sys.stderr, flush=True)
        print(table(rounds))
        if chosen.profile and chosen.device == "cuda":
            print(gpu_facts(setting, base, max(chosen.slots)))


if __name__ == "__main__":
    main()
