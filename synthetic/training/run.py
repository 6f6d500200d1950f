"""Trains the embedded base, stage by stage:

    python -m synthetic.training.run vae     --data DIR --work DIR --minutes 25
    python -m synthetic.training.run latents --data DIR --work DIR
    python -m synthetic.training.run unet    --data DIR --work DIR --minutes 85
    python -m synthetic.training.run decoder --data DIR --work DIR --minutes 10    (the encoder stays as it is)
    python -m synthetic.training.run export  --work DIR --out base_models/embedded
    python -m synthetic.training.run adopt   --work DIR --out base_models/embedded    (go on from a shipped base; from
                                                                       one with fewer latent channels, by stage vae)

Promise: every stage is bounded (`--minutes` or `--steps`), goes on after being killed when it is started again with
the same folder, and is the same command on two CPU cores (`torchrun --nproc-per-node 2 -m ...`) and on a GPU
(`--sizes full --batch 512`).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from transformers import CLIPTokenizer

from synthetic.training import autoencoder, denoiser, export, latents, sheets
from synthetic.training.losses import Wishes
from synthetic.training.networks import SIZES, Vae, build_vae
from synthetic.training.progress import Budget, load_checkpoint, pick_device
from synthetic.training.shards import read_portraits
from synthetic.training.together import is_first, join_processes, wait_for_all
from synthetic.training.vocabulary import write_tokenizer
from synthetic.training.widen import widen_vae

HELD = 48  # pictures that the figures of stage `vae` are of (whole shards)
STAGES = ("vae", "latents", "unet", "decoder", "sheet", "export", "adopt")


def settled_vae(args: argparse.Namespace) -> Vae:
    """The autoencoder that latents are made with: fixed the first time it is asked for."""
    vae = build_vae(SIZES[args.sizes])
    path: Path = args.work / "settled.pt"
    if not path.exists():
        trained = load_checkpoint(args.work / "vae.pt")
        if trained is None:
            raise FileNotFoundError("no trained autoencoder: run the stage `vae` first")
        vae.load_state_dict(trained["ema"])
        sample = read_portraits(args.data, held_out=False, limit=600)
        narrow = narrow_vae(args)
        print("settling the latent channels", flush=True)
        latents.settle_channels(
            vae, latents.encode(vae, sample, torch.device("cpu"), mirrored=False),
            kept=narrow.config.latent_channels if narrow else 0,
        )  # fmt: skip
        torch.save(vae.state_dict(), path)
    vae.load_state_dict(torch.load(path, weights_only=True))
    return vae


def narrow_vae(args: argparse.Namespace) -> Vae | None:
    """The autoencoder with fewer latent channels that this one goes on from, where there is one."""
    path: Path = args.work / "narrow.pt"
    if not path.exists():
        return None
    state = torch.load(path, weights_only=True)
    vae = build_vae(replace(SIZES[args.sizes], latent_channels=len(state["post_quant_conv.bias"])))
    vae.load_state_dict(state)
    return vae.eval()


def first_vae(args: argparse.Namespace) -> tuple[Vae | None, Vae | None]:
    """(first weights, anchor) of the stages `vae` and `decoder`: none, the settled ones, or narrower ones widened."""
    narrow = narrow_vae(args)
    if args.stage == "decoder":
        return settled_vae(args), None
    if narrow is None:
        return None, None
    wide = build_vae(SIZES[args.sizes])
    widen_vae(narrow, wide)
    return wide, narrow


def finished_vae(args: argparse.Namespace) -> Vae:
    """The settled autoencoder, with the later decoder where there is one."""
    vae = settled_vae(args)
    later = load_checkpoint(args.work / "decoder.pt")
    if later is not None:
        vae.load_state_dict(later["ema"])
    return vae.eval()


def trained_denoiser(args: argparse.Namespace, tokenizer: CLIPTokenizer) -> denoiser.Denoiser:
    """The averaged networks of the last checkpoint."""
    state = load_checkpoint(args.work / "unet.pt")
    if state is None:
        raise FileNotFoundError("no trained UNet: run the stage `unet` first")
    model = denoiser.build_denoiser(SIZES[args.sizes], tokenizer)
    model.unet.load_state_dict(state["ema_unet"])
    model.text.load_state_dict(state["ema_text"])
    model.unet.eval()
    model.text.eval()
    return model


def run_stage(args: argparse.Namespace) -> None:
    """One stage."""
    rank, count = join_processes()
    device, sizes = pick_device(args.device), SIZES[args.sizes]
    if args.threads:
        torch.set_num_threads(args.threads)
    budget = Budget(minutes=args.minutes, steps=args.steps)
    args.work.mkdir(parents=True, exist_ok=True)
    if args.stage == "adopt":
        export.adopt(args.out, args.work, sizes)
        return
    if args.stage != "vae":
        if is_first():
            settled_vae(args)
        wait_for_all()
    if args.stage in ("vae", "decoder"):
        data = read_portraits(args.data, held_out=False, limit=args.limit)
        held = read_portraits(args.data, held_out=True, limit=HELD) if is_first() else None
        start, anchor = first_vae(args)
        autoencoder.train_vae(
            data, sizes, args.work, budget, seed=args.seed, peak=args.rate or 2e-3, frames=args.batch or 8,
            device=device, start=start, anchor=anchor, decoder_only=args.stage == "decoder", held=held,
            wishes=Wishes(spectrum=args.spectrum, judge=args.judge, eyes=args.eyes, since=0.0),
        )  # fmt: skip
        return
    if args.stage == "latents":
        vae, out = settled_vae(args).to(device), args.work / "latents"
        done = latents.encode_shards(vae, args.data, out, device, (rank, count), mirrored=args.mirrored)
        print(f"latents: {done} shards encoded", flush=True)
        return
    tokenizer = write_tokenizer(args.work / f"tokenizer-{rank}")
    if args.stage == "unet":
        vae = settled_vae(args)

        def reread() -> latents.LatentSet:
            return latents.read_latents(vae, args.work / "latents")

        denoiser.train_unet(
            reread(), tokenizer, sizes, args.work, budget, seed=args.seed, peak=args.rate or 1e-3,
            batch=args.batch or 16, device=device, reread=reread,
        )  # fmt: skip
        return
    model = trained_denoiser(args, tokenizer)
    vae = finished_vae(args)
    if args.stage == "sheet":
        sheets.save_sheet(sheets.draw(model, vae, tokenizer, sheets.PROMPTS, seed=args.seed), args.out, 4, 2)
        return
    data_set = latents.read_latents(settled_vae(args), args.work / "latents")
    seen = set(denoiser.read_words(tokenizer, [*data_set.captions, ""]).flatten().tolist())
    size = export.export(model, vae, tokenizer, seen, args.out)
    print(f"export: {size / 1e6:.1f} MB of weights", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders with shards of synthetic.dataset")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and latents")
    parser.add_argument("--out", type=Path, help="folder of the base (export) or file of the sheet")
    parser.add_argument("--sizes", choices=sorted(SIZES), default="small")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, help="samples per process and step")
    parser.add_argument("--rate", type=float, help="peak learning rate")
    parser.add_argument("--limit", type=int, help="pictures to read")
    parser.add_argument("--spectrum", type=float, default=0.0, help="vae: how fine hair and cloth are, by frequency")
    parser.add_argument("--judge", type=float, default=0.0, help="vae: say of a judge of hair and cloth, 1: as pixels")
    parser.add_argument("--eyes", type=float, default=1.0, help="vae: eyes and mouth this much heavier than usual")
    parser.add_argument("--mirrored", action="store_true", help="latents: mirrored copies instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    run_stage(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
