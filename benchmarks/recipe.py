"""What each ingredient of the training recipe does to likeness, alone and all together, in one table.

    python -m benchmarks.recipe --people 6 --updates 40 --work DIR          (an hour of one busy core)
    python -m benchmarks.recipe --people 40 --updates 150 --pictures 8      (a night)

Unseen drawn people, each with 8 selfies as a phone takes them, learned by the product's own engine through its own way
from photo to lesson, then drawn in the studio with the same words and the same noise in each row. Differences to the
first row are paired by person, with a 95 % interval by bootstrap over people: one that holds 0 proves nothing.
Each row says what it changed in the batches that were trained on; a row that changed nothing is an error.

rank-1 and cosine: by the judge of the embedded eyes, against the person's true studio pictures. leak: how far wall and
clothes went from the same picture without an adapter towards those of the selfies (0 none, 1 all the way). yield: raw
renders above the likeness floor. copies: renders nearer to one selfie than the person's own 95th percentile of pairs.
With `--work`, rows are kept, so that a killed run goes on. Drawn people say nothing about real ones.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.embedded import STUDIO, corner_colour, embed, mean_unit
from synthetic.dataset import SEEDS
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from synthetic.training.progress import load_checkpoint
from tasks.adapters.examples import Examples, LearningPerson, draw, encode_people
from tasks.adapters.lessons import lessons
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.portraits import Likeness
from tasks.adapters.slots import TrainingSlots
from tasks.adapters.training import train_cohort
from tasks.headshots.render import RenderJob, plan_render, render
from tasks.vision.colour import to_lab
from tasks.vision.diffusion import FrozenBase, open_base
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes
from tasks.vision.portrait import align_portrait

SELFIES, TRUE = 8, 4
NATURAL = 1.25  # the selfie's side, times the base's: heads come nearer than the portrait frame
PROBED = 6  # updates whose batches are compared
Vectors = npt.NDArray[np.float32]
Row = dict[str, Any]

# What each row adds to the first. `start` and `photos` are no words of the plan: they are taken out before.
ROWS: dict[str, Row] = {
    "as it was": {},
    "captions": {"captions": "seen", "caption_dropout": 0.05},
    "mask .3": {"outside": 0.3},
    "crops": {"crops": "mixed"},
    "average": {"average": 0.2},
    "gaussian": {"gaussian": True},
    "captions + mask": {"captions": "seen", "caption_dropout": 0.05, "outside": 0.3},
    "all": {
        "captions": "seen", "caption_dropout": 0.05, "outside": 0.3, "crops": "mixed", "average": 0.2, "gaussian": True,
    },
    "shared start": {"start": True},
    "mask, from the start": {"outside": 0.3, "start": True},
    "all from the start": {
        "captions": "seen", "caption_dropout": 0.05, "outside": 0.3, "crops": "mixed", "average": 0.2, "start": True,
    },
    "2 photos": {"photos": 2},
    "2 photos, mask, crops": {"photos": 2, "outside": 0.1, "crops": "mixed"},
    "2 photos, from the start": {"photos": 2, "start": True},
}  # fmt: skip


@dataclass(frozen=True)
class Sitter:
    """One unseen person: selfies to learn from, and what their studio pictures and selfies look like to the judge."""

    seed: int
    selfies: list[Likeness]
    centroid: Vectors
    own: list[Vectors]  # of the selfies
    walls: Vectors  # (2, 3) Lab of the selfies' walls and clothes, mean


def draw_sitter(seed: int, base: FrozenBase, eyes: Eyes) -> Sitter:
    """From seeds that no training set uses."""
    who, side = draw_identity(seed), base.card.resolution

    def shot(number: int, kind: str, size: int, frame: str) -> Picture:
        return paint(
            who, draw_capture(seed * 64 + number, who, kind, CaptureWish(frontal=0.7)), size, 1.5, frame
        ).picture

    selfies = []
    for number in range(SELFIES):
        picture = shot(number, "selfie", round(side * NATURAL), "natural")
        if faces := eyes.finder.find(picture):
            selfies.append(Likeness(str(number), picture, faces[0]))
    true = [embed(eyes, shot(32 + number, "studio", side, "aligned")) for number in range(TRUE)]
    portraits = [align_portrait(one.picture, one.face.landmarks, side)[0] for one in selfies]
    walls = np.mean([looks(picture) for picture in portraits], axis=0)
    return Sitter(seed, selfies, mean_unit(true), [embed(eyes, p) for p in portraits], np.asarray(walls, np.float32))


def looks(picture: Picture) -> Vectors:
    """(2, 3) Lab: the wall in the upper corners, and what is worn at the lower edge."""
    size = picture.shape[0]
    patch = picture[round(0.92 * size) :, round(0.35 * size) : round(0.65 * size)].reshape(-1, 3)
    return np.stack([corner_colour(picture), np.median(to_lab(patch[None])[0], axis=0)]).astype(np.float32)


def towards(drawn: Vectors, control: Vectors, selfies: Vectors) -> Vectors:
    """How far wall and clothes went from the control's to the selfies', as shares of the way, 0..1."""
    way = selfies - control
    share = ((drawn - control) * way).sum(-1) / np.maximum((way**2).sum(-1), 1.0)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def people_of(
    base: FrozenBase, eyes: Eyes, sitters: Sequence[Sitter], plan: TrainingPlan, photos: int
) -> list[LearningPerson]:
    return [lessons(str(s.seed), s.selfies[:photos], plan, base.card, eyes.matter, s.seed) for s in sitters]


def what_changed(
    base: FrozenBase, plan: TrainingPlan, person: LearningPerson, usual: tuple[TrainingPlan, LearningPerson],
    start: dict[str, torch.Tensor] | None,
) -> list[str]:  # fmt: skip
    """What of the first updates is other than in the usual row: pictures, words, mask, first or last weights."""

    def batches(plan: TrainingPlan, person: LearningPerson) -> list[Any]:
        (known,) = encode_people(base, [person], plan)
        assert isinstance(known, Examples)
        return [draw(known, step, plan, None) for step in range(PROBED)]

    mine, theirs = batches(plan, person), batches(usual[0], usual[1])
    pairs = list(zip(mine, theirs, strict=True))
    found = []
    if any(not torch.equal(a.latents, b.latents) for a, b in pairs):
        found.append("pictures")
    if any(not torch.equal(a.conditions.tensors["text"], b.conditions.tensors["text"]) for a, b in pairs):
        found.append("words")
    if any(a.planes is not None and float((a.planes - 1).abs().max()) > 1e-3 for a, _ in pairs):
        found.append("mask")
    slots, before = TrainingSlots(base, plan, 1, start), TrainingSlots(base, usual[0], 1)
    for one in (slots, before):
        one.begin(0, torch.Generator().manual_seed(1))
    if not torch.equal(slots.weights, before.weights):
        found.append("first weights")
    return [*found, *(["last weights"] if plan.average else [])]


def measure(
    base: FrozenBase, eyes: Eyes, sitters: Sequence[Sitter], words: Row, args: argparse.Namespace,
    usual: tuple[TrainingPlan, LearningPerson] | None, start: dict[str, torch.Tensor] | None,
    control: list[list[Picture]],
) -> Row:  # fmt: skip
    """One row: by person, what was measured."""
    added = {name: value for name, value in words.items() if name not in ("start", "photos")}
    begun = start if words.get("start") else None
    plan = replace(
        plan_training(base.card, "standard", SELFIES), steps=args.updates, start="measured" if begun else "",
        **added,
    )  # fmt: skip
    photos = int(words.get("photos", SELFIES))
    people = people_of(base, eyes, sitters, plan, photos)
    changed = [] if usual is None else what_changed(base, plan, people[0], usual, begun)
    if photos < SELFIES:
        changed.append("photos")
    if usual is not None and not changed:
        raise RuntimeError(f"{words} changes nothing that is trained on")
    cpu = time.process_time()
    adapters = [one.weights for one in train_cohort(base, people, plan, slots=args.slots, start=begun)]
    seconds = (time.process_time() - cpu) / len(people)
    drawn = pictures_of(base, sitters, adapters, args.pictures)
    result = judge(eyes, sitters, drawn, control)
    return result | {"seconds": seconds, "changed": changed}


def pictures_of(
    base: FrozenBase, sitters: Sequence[Sitter], adapters: Sequence[Any], count: int
) -> list[list[Picture]]:
    """`count` studio pictures of each, with the same words and noise in every row."""
    jobs = [
        RenderJob(
            str(s.seed), adapter, f"studio headshot of a {base.card.token} person, plain {STUDIO[k % len(STUDIO)]} "
            "background, softbox light, navy suit", "", s.seed + k,
        )
        for s, adapter in zip(sitters, adapters, strict=True) for k in range(count)
    ]  # fmt: skip
    drawn = render(base, jobs, plan_render(base))
    return [drawn[i : i + count] for i in range(0, len(drawn), count)]


def judge(eyes: Eyes, sitters: Sequence[Sitter], drawn: list[list[Picture]], control: list[list[Picture]]) -> Row:
    """By person: shares and means over their pictures."""
    centroids = np.stack([s.centroid for s in sitters])
    rows: dict[str, list[float]] = {name: [] for name in ("rank1", "cosine", "wall", "clothes", "yield", "copies")}
    for place, (sitter, mine, plain) in enumerate(zip(sitters, drawn, control, strict=True)):
        vectors = np.stack([embed(eyes, picture) for picture in mine])
        scores = vectors @ centroids.T
        pairs = np.stack(sitter.own) @ np.stack(sitter.own).T
        limit = float(np.percentile(pairs[np.triu_indices(len(pairs), 1)], 95))
        leaks = np.stack(
            [towards(looks(a), looks(b), sitter.walls) for a, b in zip(mine, plain, strict=True)]
        )  # fmt: skip
        rows["rank1"].append(float((scores.argmax(1) == place).mean()))
        rows["cosine"].append(float(scores[:, place].mean()))
        rows["wall"].append(float(leaks[:, 0].mean()))
        rows["clothes"].append(float(leaks[:, 1].mean()))
        rows["yield"].append(float((scores[:, place] >= eyes.thresholds.likeness).mean()))
        rows["copies"].append(float(((vectors @ np.stack(sitter.own).T).max(1) > limit).mean()))
    return dict(rows)


def interval(mine: Sequence[float], usual: Sequence[float], draws: int = 2000) -> tuple[float, float, float]:
    """The mean paired difference and its 95 % interval, by bootstrap over people with a fixed seed."""
    gaps = np.asarray(mine) - np.asarray(usual)
    chosen = np.random.default_rng(0).integers(0, len(gaps), (draws, len(gaps)))
    low, high = np.percentile(gaps[chosen].mean(1), (2.5, 97.5))
    return float(gaps.mean()), float(low), float(high)


def line(name: str, row: Row, usual: Row) -> str:
    gap, low, high = interval(row["cosine"], usual["cosine"])
    paired = f"{gap:+.3f} [{low:+.3f}, {high:+.3f}]" if row is not usual else "-"
    mean = {key: float(np.mean(row[key])) for key in ("rank1", "cosine", "wall", "clothes", "yield", "copies")}
    return (
        f"{name:<26}{mean['rank1']:>7.0%}{mean['cosine']:>8.3f}  {paired:<26}"
        f"{mean['wall']:>6.2f}{mean['clothes']:>8.2f}{mean['yield']:>7.0%}{mean['copies']:>8.0%}"
        f"{row['seconds']:>9.1f}  {', '.join(row['changed'])}"
    )


HEAD = (
    f"{'':<26}{'rank-1':>7}{'cosine':>8}  {'paired difference':<26}{'wall':>6}{'clothes':>8}{'yield':>7}{'copies':>8}"
    f"{'CPU s':>9}  changed"
)


def kept(work: Path | None, key: str) -> Row | None:
    path = work / f"{key}.json" if work else None
    if path is None or not path.is_file():
        return None
    row: Row = json.loads(path.read_text())
    return row


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--bases", type=Path, default=Path("base_models"))
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--pictures", type=int, default=4, help="of each person and row")
    parser.add_argument("--updates", type=int, default=40)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--start", type=Path, help="checkpoint of synthetic.training.shared_start")
    parser.add_argument("--work", type=Path, help="where measured rows are kept")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    base, eyes = open_base(load_base_card(args.base, args.bases), device="cpu"), open_eyes("embedded")
    state = load_checkpoint(args.start) if args.start else None
    start = None if state is None else state["start"]
    sitters = [draw_sitter(SEEDS["benchmarks"] + 1000 + n, base, eyes) for n in range(args.people)]
    usual_plan = replace(plan_training(base.card, "standard", SELFIES), steps=args.updates, start="")
    usual_plan = replace(usual_plan, captions="one", caption_dropout=0.0, outside=1.0, crops="portrait", average=0.0,
                         gaussian=False)  # fmt: skip
    usual_person = people_of(base, eyes, sitters[:1], usual_plan, SELFIES)[0]
    about = f"{base.card.name} {base.fingerprint[:12]}, {args.people} unseen drawn people, {SELFIES} selfies, "
    about += f"{args.updates} updates of {usual_plan.batch}, {args.pictures} pictures each"
    print(f"{about}\n{HEAD}", flush=True)
    first: Row | None = None
    control: list[list[Picture]] = []
    for name in [next(iter(ROWS)), *(name for name in args.rows if ROWS[name])]:
        if ROWS[name].get("start") and start is None:
            print(f"{name:<26}not measured: no --start", flush=True)
            continue
        key = f"{name.replace(' ', '-')}-{args.people}-{args.pictures}-{args.updates}-{base.fingerprint[:8]}"
        key += f"-{state['round']}" if ROWS[name].get("start") and state else ""
        row = kept(args.work, key)
        if row is None:
            words = {k: asdict(usual_plan)[k] for k in ("captions", "caption_dropout", "outside", "crops", "average",
                                                        "gaussian")} | ROWS[name]  # fmt: skip
            usual = None if first is None else (usual_plan, usual_person)
            control = control or pictures_of(base, sitters, [None] * len(sitters), args.pictures)
            row = measure(base, eyes, sitters, words, args, usual, start, control)
            if args.work:
                args.work.mkdir(parents=True, exist_ok=True)
                (args.work / f"{key}.json").write_text(json.dumps(row))
        first = first or row
        print(line(name, row, first), flush=True)


if __name__ == "__main__":
    main()
