"""Makes a shipped base draw pictures twice as wide at the same price, stage by stage:

    python -m synthetic.training.enlarge encoder --base base_models/embedded --data DIR --work DIR --minutes 6
    python -m synthetic.training.enlarge decoder --base base_models/embedded --data DIR --work DIR --minutes 60
    python -m synthetic.training.enlarge measure --base base_models/embedded --data DIR --work DIR
    python -m synthetic.training.enlarge export  --base base_models/embedded --work DIR --out base_models/embedded

Promise: the denoiser, its latents and so every adapter's shape stay as they are; only the autoencoder gets one level
more. `encoder` learns to write what the base's own encoder writes of the picture halved, `decoder` learns to draw the
large picture from that, and also from what the denoiser makes of it. `export` keeps the smaller autoencoder beside the
larger one; a base's card says which of them draws (`vae = "vae-128"`). Every stage is bounded (`--minutes` or
`--steps`) and goes on after being killed when it is started again with the same folder. DIR holds pictures of twice
the base's side.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline

from synthetic.training import larger_decoder, larger_encoder
from synthetic.training.autoencoder import measured
from synthetic.training.export import export_vae
from synthetic.training.larger import grow_vae
from synthetic.training.losses import TEXTURE_FROM, Wishes
from synthetic.training.networks import SIZES, Sizes, Vae, build_vae
from synthetic.training.progress import Budget, load_checkpoint, pick_device
from synthetic.training.shards import read_portraits

STAGES = ("encoder", "decoder", "measure", "export")


def open_teacher(folder: Path, sizes: Sizes) -> Any:
    """The shipped base in single precision, with its smaller autoencoder where it has two; nothing of it is trained."""
    pipeline: Any = StableDiffusionPipeline.from_pretrained(  # type: ignore[no-untyped-call]
        folder, local_files_only=True, safety_checker=None, requires_safety_checker=False
    )
    smaller = folder / f"vae-{sizes.pixels // 2}"
    if smaller.is_dir():  # the larger one was exported already, and training goes on
        pipeline.vae = AutoencoderKL.from_pretrained(smaller, local_files_only=True)  # type: ignore[no-untyped-call]
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder):
        part.float().eval().requires_grad_(False)
    return pipeline


def grown(teacher: Any, sizes: Sizes) -> Vae:
    """The larger autoencoder as it is before training: always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = build_vae(sizes)
    grow_vae(teacher.vae, vae)
    return vae


def shipped(base: Path, sizes: Sizes) -> Vae | None:
    """The larger autoencoder that the base draws with already, in single precision; None: it has only the smaller."""
    vae: Any = AutoencoderKL.from_pretrained(base / "vae", local_files_only=True).float()  # type: ignore[no-untyped-call]
    return vae if vae.config.sample_size == sizes.pixels else None


def begun(base: Path, teacher: Any, sizes: Sizes) -> Vae:
    """What training starts from: the larger autoencoder that ships, or the smaller one with one level more."""
    return shipped(base, sizes) or grown(teacher, sizes)


def finished(base: Path, teacher: Any, sizes: Sizes, work: Path) -> Vae:
    """With the averaged weights of the stages that were run; a base that draws large needs no `encoder`."""
    there = shipped(base, sizes)
    vae = there or grown(teacher, sizes)
    for part, name in ((vae.encoder, "encoder.pt"), (vae, "decoder.pt")):
        state = load_checkpoint(work / name)
        if state is None and there is not None and part is vae.encoder:
            continue
        if state is None:
            raise FileNotFoundError(f"{work / name} is missing: run the stage `{name.removesuffix('.pt')}` first")
        part.load_state_dict(state["ema"], strict=part is not vae)
    return vae.eval()


def run_stage(args: argparse.Namespace) -> None:
    """One stage."""
    torch.set_num_threads(args.threads)
    sizes, device = SIZES[args.sizes], pick_device(args.device)
    teacher = open_teacher(args.base, sizes)
    args.work.mkdir(parents=True, exist_ok=True)
    budget = Budget(minutes=args.minutes, steps=args.steps)
    if args.stage == "export":
        if args.out is None:
            raise SystemExit("export: give --out, the folder of the larger base")
        vae = finished(args.base, teacher, sizes, args.work)
        size = export_vae(vae, args.base, args.out)
        print(f"export: {size / 1e6:.1f} MB of weights", flush=True)
        return
    held = read_portraits(args.data, held_out=True, limit=args.held)
    if args.stage == "measure":
        print(f"{len(held)} held-out pictures", flush=True)
        there = [("as it ships", vae)] if (vae := shipped(args.base, sizes)) is not None else []
        now = finished(args.base, teacher, sizes, args.work)
        for name, vae in (("enlarged", teacher.vae), *there, ("trained", now)):
            print(f"{name + ':':<13}{measured(vae.eval(), held)}", flush=True)
        return
    data = read_portraits(args.data, held_out=False, limit=args.limit)
    vae = begun(args.base, teacher, sizes)
    if args.stage == "encoder":
        larger_encoder.train_encoder(
            teacher.vae, vae, data, held, args.work, budget, seed=args.seed, peak=args.rate or 1e-3,
            frames=args.frames, device=device,
        )  # fmt: skip
        return
    larger_decoder.train_decoder(
        teacher, vae, data, held, args.work, budget, seed=args.seed, peak=args.rate or 2e-3, frames=args.frames,
        wishes=Wishes(args.texture, args.spectrum, args.judge, args.eyes, args.since), device=device,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--base", type=Path, required=True, help="folder of the shipped base")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders with shards of synthetic.dataset")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--out", type=Path, help="export: folder of the larger base")
    parser.add_argument("--sizes", choices=("crisp", "tiny-crisp"), default="crisp")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--frames", type=int, default=4, help="pictures per step")
    parser.add_argument("--rate", type=float, help="peak learning rate")
    parser.add_argument(
        "--texture", type=float, default=0.0, help="decoder: weight of fine structure on hair and cloth"
    )
    parser.add_argument("--spectrum", type=float, default=0.0, help="decoder: the same, frequency by frequency")
    parser.add_argument(
        "--judge", type=float, default=0.0, help="decoder: say of a judge of hair and cloth, 1: as pixels"
    )
    parser.add_argument("--eyes", type=float, default=1.0, help="decoder: eyes and mouth this much heavier than usual")
    parser.add_argument("--since", type=float, default=TEXTURE_FROM, help="decoder: share of the stage without these")
    parser.add_argument("--limit", type=int, help="pictures to learn from")
    parser.add_argument("--held", type=int, default=64, help="held-out pictures to measure on (whole shards)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    run_stage(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
