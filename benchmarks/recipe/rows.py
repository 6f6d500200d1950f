"""The recipe's rows: what each adds to the plan, what that changes in the batch, and everybody's pictures under it.

Pictures and learned weights are kept person by person: a run that was killed, or that is asked for more people, goes
on, and rows that only draw otherwise learn nothing again. Whoever is learned beside whom changes no picture, so the
order and the company do not matter.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from benchmarks.embedded import STUDIO, studio_job
from benchmarks.recipe.sitters import SELFIES, Sitter
from tasks.adapters.examples import Examples, LearningPerson, draw, encode_people
from tasks.adapters.lessons import lessons
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.portraits import Likeness
from tasks.adapters.slots import TrainingSlots
from tasks.adapters.training import train_cohort
from tasks.headshots.render import plan_render, render, weighing
from tasks.vision.diffusion import FrozenBase
from tasks.vision.faces import Eyes, Vector
from tasks.vision.images import Picture
from tasks.vision.looks import PhotoLooks, read_looks

PROBED = 6  # updates whose batches are compared
CONTROL = "without an adapter"
Words = dict[str, Any]
Start = dict[str, torch.Tensor]

# What each row adds to the first. These are no words of the plan, and are taken out before: whether the start is
# shared, of how many photos, whether as many updates as for few of them, what share of them, what the adapter weighs.
APART = ("start", "photos", "few", "share", "strength")
ROWS: dict[str, Words] = {
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
    "stop by held-out noise": {"patience": 40},
    "class kept": {"preserve": 1.0},
    "shared start": {"start": True},
    "mask, from the start": {"outside": 0.3, "start": True},
    "all from the start": {
        "captions": "seen", "caption_dropout": 0.05, "outside": 0.3, "crops": "mixed", "average": 0.2, "start": True,
    },
    "looser, .9": {"strength": 0.9},
    "looser, .8": {"strength": 0.8},
    ".4 of the updates": {"share": 0.4},
    ".4 of them, from the start": {"share": 0.4, "start": True},
    ".6 of them, from the start": {"share": 0.6, "start": True},
    "1 photo": {"photos": 1},
    "1 photo, plan for few": {"photos": 1, "few": True},
    "3 photos": {"photos": 3},
    "3 photos, plan for few": {"photos": 3, "few": True},
    "1 photo, .4 of the updates": {"photos": 1, "share": 0.4},
    "1 photo, .2 of the updates": {"photos": 1, "share": 0.2},
    "3 photos, .4 of the updates": {"photos": 3, "share": 0.4},
    "2 photos": {"photos": 2},
    "2 photos, .4 of the updates": {"photos": 2, "share": 0.4},
    "2 photos, .3 of the updates": {"photos": 2, "share": 0.3},
    "2 photos, .2 of the updates": {"photos": 2, "share": 0.2},
    "4 photos": {"photos": 4},
    "4 photos, .6 of the updates": {"photos": 4, "share": 0.6},
    "4 photos, .4 of the updates": {"photos": 4, "share": 0.4},
    "2 photos, plan for few": {"photos": 2, "few": True},
    "2 photos, mask, crops": {"photos": 2, "outside": 0.1, "crops": "mixed"},
    "2 photos, from the start": {"photos": 2, "start": True},
    "2 photos, few, the start": {"photos": 2, "few": True, "start": True},
    # Twice the embedded card's rate, which few updates can do with.
    ".4, twice the rate": {"share": 0.4, "learning_rate": 8e-3},
    ".4, start, twice the rate": {"share": 0.4, "learning_rate": 8e-3, "start": True},
    ".2, start, twice the rate": {"share": 0.2, "learning_rate": 8e-3, "start": True},
    "start, twice the rate": {"learning_rate": 8e-3, "start": True},
    "2 photos, few, .4, the start": {"photos": 2, "few": True, "share": 0.4, "learning_rate": 8e-3, "start": True},
}  # fmt: skip
PLAIN: Words = {
    "captions": "one", "caption_dropout": 0.0, "outside": 1.0, "crops": "portrait", "average": 0.0, "gaussian": False,
    "start": "", "true_sizes": False, "patience": 0, "preserve": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """One person's pictures under one row, the updates that they took, and the processor's seconds for these."""

    pictures: list[Picture]
    updates: int
    seconds: float


@dataclass(frozen=True)
class Bench:
    """What all rows share."""

    base: FrozenBase
    eyes: Eyes
    sitters: Sequence[Sitter]
    updates: int
    pictures: int
    slots: int
    work: Path
    start: Start | None = None
    round: int = 0  # of the start
    first: str = next(iter(ROWS))  # what each row adds to, and is compared with

    def words(self, name: str) -> Words:
        """All that differs from a card that says nothing."""
        return ROWS[self.first] | ROWS[name]

    def plan(self, words: Words) -> TrainingPlan:
        """The card's plan with `updates` and without any word but these."""
        added = {name: value for name, value in words.items() if name not in APART}
        few, usual_steps = self.base.card.training.few, self.updates * words.get("share", 1.0)
        steps = ceil(few.shortened(usual_steps, words["photos"]) if words.get("few") else usual_steps)
        usual = replace(plan_training(self.base.card, "standard", SELFIES), steps=steps, **PLAIN)
        return replace(usual, start="measured" if words.get("start") else "", **added)

    def people(self, words: Words, sitters: Sequence[Sitter]) -> list[LearningPerson]:
        plan, card, count = self.plan(words), self.base.card, int(words.get("photos", SELFIES))
        eyes = self.eyes

        def look(selfie: Likeness, alpha: Vector) -> PhotoLooks:
            return read_looks(eyes, selfie.picture, selfie.face, alpha)

        return [lessons(str(s.seed), s.selfies[:count], plan, card, eyes.matter, s.seed, look) for s in sitters]

    def path(self, name: str, sitter: Sitter) -> Path:
        """Where one person's pictures of a row lie: by all that draws them, so that no cut run goes on with others."""
        row = f"{name.replace(' ', '-').replace(',', '')}-{self.updates}-{self.pictures}-{self.base.fingerprint[:8]}"
        drawn = plan_render(self.base)
        row += f"-{drawn.steps}-steps-guided-{drawn.guidance:g}-{drawn.guidance_rescale:g}"
        face = self.base.card.render.face_wall
        row += f"-{face.word.replace(' ', '-')}-{face.colour[1:]}-in-the-face" if face else ""
        row += f"-{self._learned(self.words(name))}" if name != CONTROL else ""
        return self.work / row / f"{sitter.seed}.npz"

    def weights(self, words: Words, sitter: Sitter) -> Path:
        """Where one person's learned weights lie: by all that learns them."""
        folder = f"learned-{self.base.fingerprint[:8]}-{self._learned(words)}"
        return self.work / folder / f"{sitter.seed}.safetensors"

    def _learned(self, words: Words) -> str:
        start = f"-round-{self.round}" if words.get("start") else ""
        return f"{self.plan(words).digest()[:8]}-of-{words.get('photos', SELFIES)}{start}"


def take(bench: Bench, name: str) -> list[Taken]:
    """Everybody's pictures under this row: those that lie there, and the others taken now, some people at a time."""
    waiting = [sitter for sitter in bench.sitters if not bench.path(name, sitter).is_file()]
    for group in (waiting[i : i + bench.slots] for i in range(0, len(waiting), bench.slots)):
        for sitter, taken in zip(group, _take(bench, name, group), strict=True):
            path = bench.path(name, sitter)
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".half.npz")
            np.savez_compressed(half, np.stack(taken.pictures), np.array([taken.updates, taken.seconds]))
            half.replace(path)
    return [_read(bench.path(name, sitter)) for sitter in bench.sitters]


def _read(path: Path) -> Taken:
    with np.load(path) as file:
        updates, seconds = file["arr_1"]
        return Taken(list(file["arr_0"]), int(updates), float(seconds))


def _take(bench: Bench, name: str, group: Sequence[Sitter]) -> Iterator[Taken]:
    adapters: list[Any] = [None] * len(group)
    took = [(0, 0.0)] * len(group)
    if name != CONTROL:
        words = bench.words(name)
        learned = learn(bench, words, group)
        adapters = [weighing(weights, words.get("strength", 1.0)) for weights, _, _ in learned]
        took = [(updates, seconds) for _, updates, seconds in learned]
    drawn = _draw(bench.base, group, adapters, bench.pictures)
    for pictures, (updates, seconds) in zip(drawn, took, strict=True):
        yield Taken(pictures, updates, seconds)


def learn(bench: Bench, words: Words, group: Sequence[Sitter]) -> list[tuple[Start, int, float]]:
    """Everybody's weights, updates and processor's seconds: kept ones, and the others learned now and kept."""
    waiting = [sitter for sitter in group if not bench.weights(words, sitter).is_file()]
    if waiting:
        people, start = bench.people(words, waiting), bench.start if words.get("start") else None
        before = time.process_time()
        trained = train_cohort(bench.base, people, bench.plan(words), slots=bench.slots, start=start)
        seconds = (time.process_time() - before) / len(waiting)
        for sitter, one in zip(waiting, trained, strict=True):
            if one.weights is None:
                raise RuntimeError(f"{sitter.seed} could not be learned")
            path = bench.weights(words, sitter)
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".half")
            save_file(one.weights, half, {"updates": str(one.steps), "seconds": str(seconds)})
            half.replace(path)
    found = []
    for sitter in group:
        with safe_open(bench.weights(words, sitter), "pt") as file:
            told = file.metadata()
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        found.append((weights, int(told["updates"]), float(told["seconds"])))
    return found


def _draw(base: FrozenBase, sitters: Sequence[Sitter], adapters: Sequence[Any], count: int) -> list[list[Picture]]:
    """`count` studio pictures of each, with the same words and noise in every row."""
    jobs = [
        studio_job(base, str(s.seed), adapter, STUDIO[k % len(STUDIO)], s.seed + k)
        for s, adapter in zip(sitters, adapters, strict=True)
        for k in range(count)
    ]
    drawn = render(base, jobs, plan_render(base))
    return [drawn[i : i + count] for i in range(0, len(drawn), count)]


def what_changed(bench: Bench, name: str) -> list[str]:
    """What of the first updates is other than in the first row: pictures, words, mask, first or last weights.

    RuntimeError where a row changes nothing that is trained on: then it measures nothing.
    """
    if name == bench.first:
        return []
    words, first = bench.words(name), ROWS[bench.first]
    plan, usual = bench.plan(words), bench.plan(first)
    mine, theirs = _known(bench, words, plan), _known(bench, first, usual)
    pairs = [(draw(mine, step, plan, None), draw(theirs, step, usual, None)) for step in range(PROBED)]
    found = []
    if any(not torch.equal(a.latents, b.latents) for a, b in pairs):
        found.append("pictures")
    if any(not torch.equal(a.conditions.tensors["text"], b.conditions.tensors["text"]) for a, b in pairs):
        found.append("words")
    if any(_masked(a.planes, b.planes) for a, b in pairs):
        found.append("mask")
    start = bench.start if words.get("start") else None
    slots, before = TrainingSlots(bench.base, plan, 1, start), TrainingSlots(bench.base, usual, 1)
    for one in (slots, before):
        one.begin(0, torch.Generator().manual_seed(1))
    if not torch.equal(slots.weights, before.weights):
        found.append("first weights")
    found += ["last weights"] if plan.average else []
    found += ["what a person is"] if mine.anybody is not None else []
    # how many is a column of the table
    found += ["updates"] if plan.patience or plan.steps != usual.steps else []
    found += ["photos"] if "photos" in words else []
    found += ["weight of the adapter"] if words.get("strength", 1.0) != 1 else []
    if not found:
        raise RuntimeError(f"{name} changes nothing that is trained on")
    return found


def _masked(mine: torch.Tensor | None, usual: torch.Tensor | None) -> bool:
    """Whether parts of the pictures count otherwise than usual."""
    if mine is None:
        return usual is not None
    return float((mine - (1 if usual is None else usual)).abs().max()) > 1e-3


def _known(bench: Bench, words: Words, plan: TrainingPlan) -> Examples:
    return encode_people(bench.base, bench.people(words, bench.sitters[:1]), plan)[0]
