"""What each ingredient of the training recipe does to likeness, alone and all together, in one table.

    python -m benchmarks.recipe --people 6 --updates 40 --work DIR          (an hour of one busy core)
    python -m benchmarks.recipe --people 40 --updates 150 --pictures 8      (a night)
    python -m benchmarks.recipe --first "mask .3" --rows "looser, .9"       (beside what ships, not beside nothing)
    python -m benchmarks.recipe --people 8 --rows                           (what the judge says of true pictures)

Unseen drawn people, each with 8 selfies as a phone takes them, learned by the product's own engine through its own way
from photo to lesson, then drawn in the studio with the same words and the same noise in each row. Each row adds
its words to the first one's. Differences to the first row are paired by person, with a 95 % interval by bootstrap over
people: one that holds 0 proves nothing. Each row says what it changed in the batches that were trained on; a row that
changed nothing is an error.

rank-1 and cosine: by the judge of the embedded eyes, against the person's true studio pictures. leak: how far wall and
clothes went from the same picture without an adapter towards those of the selfies (0 none, 1 all the way), and how far
from the selfies' they still are, in dE (far is good). yield: raw
renders above the likeness floor. copies: renders that are one of the selfies over again, as the product's judge says;
the first two lines say of how many pictures it says so that cannot be copies: true studio pictures, and selfies that
nobody learned from. With `--work`, everybody's pictures and weights are kept, so that a killed run goes on, and more
people are added to those there are. Drawn people say nothing about real ones.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.embedded import embed
from benchmarks.recipe.rows import CONTROL, ROWS, Bench, Taken, take, what_changed
from benchmarks.recipe.sitters import SELFIES, Sitter, draw_sitter, looks, seeds, towards
from synthetic.dataset import SEEDS
from synthetic.training.progress import load_checkpoint
from tasks.vision.diffusion import open_base
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes

Row = dict[str, Any]
MEASURES = ("rank1", "cosine", "wall", "clothes", "wall dE", "clothes dE", "yield", "copies")
COMPARED = ("cosine", "rank1", "copies")  # with the first row, in pairs


def judge(eyes: Eyes, sitters: Sequence[Sitter], drawn: Sequence[Taken], control: Sequence[Taken]) -> Row:
    """By person: shares and means over their pictures."""
    centroids = np.stack([s.centroid for s in sitters])
    rows: dict[str, list[float]] = {name: [] for name in MEASURES}
    for place, (sitter, mine, plain) in enumerate(zip(sitters, drawn, control, strict=True)):
        scores = np.stack([embed(eyes, picture) for picture in mine.pictures]) @ centroids.T
        leaks = np.stack(
            [towards(looks(a), looks(b), sitter.walls) for a, b in zip(mine.pictures, plain.pictures, strict=True)]
        )
        apart = np.stack([np.linalg.norm(looks(a) - sitter.walls, axis=-1) for a in mine.pictures])
        rows["rank1"].append(float((scores.argmax(1) == place).mean()))
        rows["cosine"].append(float(scores[:, place].mean()))
        rows["wall"].append(float(leaks[:, 0].mean()))
        rows["clothes"].append(float(leaks[:, 1].mean()))
        rows["wall dE"].append(float(apart[:, 0].mean()))
        rows["clothes dE"].append(float(apart[:, 1].mean()))
        rows["yield"].append(float((scores[:, place] >= eyes.thresholds.likeness).mean()))
        rows["copies"].append(float(np.mean([is_copy(eyes, sitter, picture) for picture in mine.pictures])))
    return rows | {
        "seconds": float(np.mean([one.seconds for one in drawn])),
        "updates": float(np.mean([one.updates for one in drawn])),
    }


def is_copy(eyes: Eyes, sitter: Sitter, picture: Picture) -> bool:
    """Whether it is one of the photos over again, as the product's judge says; no face repeats nothing."""
    faces = eyes.finder.find(picture)
    return bool(faces) and sitter.photos.nearest(picture, faces[0]).copied


def interval(mine: Sequence[float], usual: Sequence[float], draws: int = 2000) -> tuple[float, float, float]:
    """The mean paired difference and its 95 % interval, by bootstrap over people with a fixed seed."""
    gaps = np.asarray(mine) - np.asarray(usual)
    chosen = np.random.default_rng(0).integers(0, len(gaps), (draws, len(gaps)))
    low, high = np.percentile(gaps[chosen].mean(1), (2.5, 97.5))
    return float(gaps.mean()), float(low), float(high)


def line(name: str, row: Row, usual: Row, changed: Sequence[str]) -> str:
    mean = {key: float(np.mean(row[key])) for key in MEASURES}
    paired = [_paired(row[key], usual[key], key) if row is not usual else "-" for key in COMPARED]
    return (
        f"{name:<26}{mean['rank1']:>7.0%}{mean['cosine']:>8.3f}  {paired[0]:<24}"
        f"{mean['wall']:>6.2f}{mean['clothes']:>8.2f}{mean['wall dE']:>6.0f}{mean['clothes dE']:>4.0f}"
        f"{mean['yield']:>7.0%}{mean['copies']:>8.0%}{row['updates']:>9.0f}{row['seconds']:>7.1f}  "
        f"{paired[1]:<20}{paired[2]:<20}{', '.join(changed)}"
    )


def _paired(mine: Sequence[float], usual: Sequence[float], measure: str) -> str:
    gap, low, high = interval(mine, usual)
    if measure == "cosine":
        return f"{gap:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"{100 * gap:+.0f} [{100 * low:+.0f}, {100 * high:+.0f}] %"


def honest(eyes: Eyes, sitters: Sequence[Sitter], name: str, pictures: Sequence[Sequence[Picture]]) -> str:
    """A line for pictures that nothing drew: what the judge says of what repeats no photo."""
    scores = [[float(embed(eyes, one) @ s.centroid) for one in own] for s, own in zip(sitters, pictures, strict=True)]
    over = float(np.mean([[score >= eyes.thresholds.likeness for score in own] for own in scores]))
    said = [[is_copy(eyes, s, one) for one in own] for s, own in zip(sitters, pictures, strict=True)]
    return f"{name:<33}{np.mean(scores):>8.3f}{'':<50}{over:>7.0%}{np.mean(said):>8.0%}"


HEAD = (
    f"{'':<26}{'rank-1':>7}{'cosine':>8}  {'its paired difference':<24}"
    f"{'wall':>6}{'clothes':>8}{'in dE':>10}{'yield':>7}{'copies':>8}{'updates':>9}{'CPU s':>7}  "
    f"{'rank-1, paired':<20}{'copies, paired':<20}changed"
)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--pictures", type=int, default=4, help="of each person and row")
    parser.add_argument("--updates", type=int, default=40)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), metavar="ROW", help="all when left out")
    parser.add_argument("--first", choices=list(ROWS), default=next(iter(ROWS)), metavar="ROW", help="what ships")
    parser.add_argument("--start", type=Path, help="checkpoint of synthetic.training.shared_start")
    parser.add_argument("--work", type=Path, help="where everybody's pictures are kept")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    first = ROWS[args.first]
    same = [name for name, words in ROWS.items() if name != args.first and first | words == first]
    if args.rows is None:
        args.rows = [name for name in ROWS if name not in same]
    if wrong := [name for name in args.rows if name in same]:  # now, not when hours have gone by
        parser.error(f"{', '.join(wrong)}: adds nothing to {args.first}, so there is nothing to measure")
    return args


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table, a row as soon as it is measured."""
    args = parsed(arguments)
    torch.set_num_threads(args.threads)
    base, eyes = open_base(load_base_card(args.base, args.bases), device="cpu"), open_eyes("embedded")
    state = load_checkpoint(args.start) if args.start else None
    sitters = [draw_sitter(seed, base, eyes) for seed in seeds(SEEDS["benchmarks"], args.people)]
    with tempfile.TemporaryDirectory() as nowhere:
        bench = Bench(
            base, eyes, sitters, args.updates, args.pictures, args.slots, args.work or Path(nowhere),
            None if state is None else state["start"], 0 if state is None else state["round"],
            args.first,
        )  # fmt: skip
        about = f"{base.card.name} {base.fingerprint[:12]}, {args.people} unseen drawn people, {SELFIES} selfies, "
        about += f"{args.updates} updates of {bench.plan({}).batch}, {args.pictures} pictures each"
        print(f"{about}\n{HEAD}", flush=True)
        print(honest(eyes, sitters, "true studio pictures", [s.true for s in sitters]), flush=True)
        print(honest(eyes, sitters, "selfies nobody learned from", [s.later for s in sitters]), flush=True)
        if not args.rows:  # only what the judge says of what nothing drew
            return
        control = take(bench, CONTROL)
        usual: Row | None = None
        for name in dict.fromkeys([args.first, *args.rows]):
            if bench.words(name).get("start") and state is None:
                print(f"{name:<26}not measured: no --start", flush=True)
                continue
            changed = what_changed(bench, name)
            row = judge(eyes, sitters, take(bench, name), control)
            usual = usual or row
            print(line(name, row, usual, changed), flush=True)


if __name__ == "__main__":
    main()
