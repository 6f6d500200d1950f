"""The unmodified official DreamBooth-LoRA script beside the engine: processor seconds per person, at the same batch.

    python -m benchmarks.official PATH/train_dreambooth_lora.py                   # batch 1 and the product's own 4
    python -m benchmarks.official PATH/train_dreambooth_lora.py -- --report_to none    # more words for the script

The script is not ours to ship: bring the one of the installed diffusers release. Both train attention only, at the same
rate, rank, size and number of updates, each in a process of its own, with start-up counted; the script runs once per
person and the engine once for all. Ratios survive a busy machine, seconds do not: the ways take turns.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from PIL import Image

from benchmarks.cohort import people
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import open_base
from tasks.vision.diffusion_card import BaseCard, load_base_card

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
RATE, RANK = 1e-3, 16


def plan_of(card: BaseCard, updates: int, batch: int) -> TrainingPlan:
    """What the script trains too."""
    plan = replace(plan_training(card, "draft", 8), steps=updates, batch=batch, rank=RANK, alpha=float(RANK))
    return replace(
        plan, targets=ATTENTION, learning_rate=RATE, outside=1.0, warmup=0, decay="constant", prior_share=0.0
    )


def learn(card: BaseCard, updates: int, batch: int, count: int) -> None:
    """The engine's process: everybody at once."""
    torch.set_num_threads(1)
    plan = plan_of(card, updates, batch)
    train_cohort(open_base(card, device="cpu"), people(count, card.resolution), plan, slots=count)


def seconds_of(command: Sequence[str]) -> float:
    """Processor seconds of this command and all that it starts. SystemExit where it fails, with its last words."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        check=False,
    )  # fmt: skip
    if run.returncode:
        raise SystemExit(f"{command[1]} ended with {run.returncode}:\n{run.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def official(script: Path, card: BaseCard, photos: Path, batch: int, updates: int, more: Sequence[str]) -> list[str]:
    """The script's command for one person."""
    told = {
        "pretrained_model_name_or_path": card.folder, "instance_data_dir": photos,
        "instance_prompt": f"selfie photo of a {card.token} person", "resolution": card.resolution,
        "train_batch_size": batch, "max_train_steps": updates, "rank": RANK, "learning_rate": RATE,
        "lr_scheduler": "constant", "lr_warmup_steps": 0, "seed": 0,
        "output_dir": photos.parent / "out",  # not among the photos: the script opens whatever lies there
    }  # fmt: skip
    return [sys.executable, str(script), *(part for n, v in told.items() for part in (f"--{n}", str(v))), *more]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one line for each batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path, help="the official train_dreambooth_lora.py")
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--engine", type=int, help=argparse.SUPPRESS)  # this process learns so many people, and ends
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, more = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    args = parser.parse_args(own)
    card = load_base_card(args.base, args.bases)
    if args.engine:
        learn(card, args.updates, args.batch[0], args.engine)
        return
    if not args.script.is_file():
        parser.error(f"{args.script} is not there: the script comes with diffusers' sources, in examples/dreambooth")
    with tempfile.TemporaryDirectory() as scratch:
        photos = Path(scratch) / "photos"
        photos.mkdir()
        for place, picture in enumerate(people(1, card.resolution)[0].portraits):
            Image.fromarray(picture).save(photos / f"{place}.png")
        print(f"{args.base}, {args.updates} updates, attention only, {args.rounds} rounds: processor seconds a person")
        for batch in args.batch:
            ours = [sys.executable, "-m", "benchmarks.official", str(args.script), "--base", args.base,
                    "--bases", str(args.bases), "--batch", str(batch), "--updates", str(args.updates)]  # fmt: skip
            taken = [
                (
                    seconds_of(official(args.script, card, photos, batch, args.updates, more)),
                    seconds_of([*ours, "--engine", "1"]),
                    seconds_of([*ours, "--engine", str(args.people)]) / args.people,
                )
                for _ in range(args.rounds)
            ]
            script, alone, together = (median(column) for column in zip(*taken, strict=True))
            print(
                f"batch {batch}: script {script:.1f}, engine alone {alone:.1f} (x{script / alone:.2f}), "
                f"{args.people} at once {together:.1f} (x{script / together:.2f})", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
