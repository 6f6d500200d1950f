"""Makes the shared start of a base: first weights that already know how people differ (Reptile over drawn people).

    python -m synthetic.training.shared_start --base embedded --work DIR --rounds 24
    python -m synthetic.training.shared_start --base embedded --work DIR --export    writes it beside the base's weights
                                                                                      and prints the lines for its card

Each round, some drawn people are learned for a few updates from the present start by the product's own cohort engine,
and the start moves a part of the way to the mean of what they became. Promise: no photograph is in it; its people come
from seeds that neither a base's training nor a benchmark uses; a killed run goes on where it was; the same rounds give
the same start.
"""

import argparse
import hashlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synthetic.dataset import SEEDS
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from synthetic.training.progress import load_checkpoint, save_checkpoint
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.start import start_bytes
from tasks.adapters.training import train_cohort
from tasks.vision.diffusion import FrozenBase, open_base
from tasks.vision.diffusion_card import load_base_card

CHECKPOINT, FILE = "start.pt", "start.safetensors"
SELFIES = 8
GENTLER = 0.7  # of the card's rate, and constant: nobody is to be finished
FIRST_MOVE, LAST_MOVE, HALVED_AFTER = 0.6, 0.2, 10  # of the way to the mean; by rounds


def draw_person(base: FrozenBase, seed: int) -> LearningPerson:
    """Somebody with eight selfies, mostly from the front."""
    who, caption = draw_identity(seed), f"selfie photo of a {base.card.token} person"
    shots = [draw_capture(seed * 64 + i, who, "selfie", CaptureWish(frontal=0.7)) for i in range(SELFIES)]
    pictures = [paint(who, shot, base.card.resolution, 1.5, "aligned").picture for shot in shots]
    return LearningPerson(str(seed), pictures, [caption] * SELFIES, seed)


def mean_of(adapters: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([one[name] for one in adapters]).mean(0) for name in adapters[0]}


def first_plan(base: FrozenBase, updates: int) -> TrainingPlan:
    """The card's standard plan, shortened to a few updates at a constant rate, and from nothing."""
    plan = plan_training(base.card, "standard", SELFIES)
    rate = plan.learning_rate * GENTLER
    return replace(plan, steps=updates, decay="constant", warmup=2, learning_rate=rate, start="")


def one_round(
    base: FrozenBase,
    people: list[LearningPerson],
    plan: TrainingPlan,
    start: dict[str, Tensor] | None,
    move: float,
    number: int,
) -> tuple[dict[str, Tensor], float]:
    """(the start moved by `move` of the way, mean last loss). Without a start: the mean of the first learners' own."""
    named = replace(plan, start=f"round {number}") if start is not None else plan
    # The first round's people share one first A: means of random ones would cancel.
    seeds = [replace(p, seed=p.seed + 1_000_003 * number if start is not None else 7) for p in people]
    learned = train_cohort(base, seeds, named, slots=8, start=start)
    became = [one.weights for one in learned if one.weights is not None]
    if not became:
        raise RuntimeError(f"round {number}: nobody could be learned; the rate is too high for this base")
    middle = mean_of(became)
    moved = middle if start is None else {n: start[n] + move * (middle[n] - start[n]) for n in start}
    return moved, float(np.mean([one.loss_last for one in learned]))


def make_start(
    base: FrozenBase, folder: Path, *, rounds: int, each: int = 16, pool: int = 64, updates: int = 25, seed: int = 0
) -> dict[str, Tensor]:
    """All rounds that are still missing in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = load_checkpoint(folder / CHECKPOINT) or {"round": 0, "start": None}
    first, plan, since = SEEDS["benchmarks"] + 500_000, first_plan(base, updates), time.perf_counter()
    people = {number: draw_person(base, first + number) for number in range(pool)} if state["round"] < rounds else {}
    while state["round"] < rounds:
        number = state["round"]
        chosen = np.random.default_rng((seed, number)).choice(pool, min(each, pool), replace=False)
        move = max(LAST_MOVE, FIRST_MOVE / (1 + number / HALVED_AFTER))
        start, loss = one_round(base, [people[int(i)] for i in chosen], plan, state["start"], move, number)
        state = {"round": number + 1, "start": start}
        save_checkpoint(folder / CHECKPOINT, state)
        print(f"round {number + 1} of {rounds}: last loss {loss:.4f}, {time.perf_counter() - since:.0f} s", flush=True)
    done: dict[str, Tensor] = state["start"]
    return done


def export_start(base: FrozenBase, folder: Path) -> str:
    """Writes the start beside the base's weights; returns what its card has to say."""
    state = load_checkpoint(folder / CHECKPOINT)
    if state is None:
        raise FileNotFoundError(f"{folder / CHECKPOINT} is missing: run this without --export first")
    data = start_bytes(state["start"])
    target = base.card.folder / FILE
    fresh = target.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(target)
    return f'[training.start]\nfile = "{FILE}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"'


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="embedded", help="name of a card")
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--each", type=int, default=16, help="people per round")
    parser.add_argument("--pool", type=int, default=64, help="people to choose from")
    parser.add_argument("--updates", type=int, default=25, help="updates per person and round")
    parser.add_argument("--export", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    base = open_base(load_base_card(args.base, args.bases), device="cpu")
    if args.export:
        print(export_start(base, args.work))
    else:
        make_start(base, args.work, rounds=args.rounds, each=args.each, pool=args.pool, updates=args.updates)


if __name__ == "__main__":
    main()
