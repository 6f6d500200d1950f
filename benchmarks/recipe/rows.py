"""The recipe's rows: what each adds to the plan, what that changes in the batch, and everybody's pictures under it.

Pictures are kept person by person: a run that was killed, or that is asked for more people, goes on. Whoever is learned
beside whom changes no picture, so the order and the company do not matter.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.embedded import STUDIO
from benchmarks.recipe.sitters import SELFIES, Sitter
from tasks.adapters.examples import Examples, LearningPerson, draw, encode_people
from tasks.adapters.lessons import lessons
from tasks.adapters.plan import TrainingPlan, plan_training
from tasks.adapters.slots import TrainingSlots
from tasks.adapters.training import train_cohort
from tasks.headshots.render import RenderJob, plan_render, render
from tasks.vision.diffusion import FrozenBase
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture

PROBED = 6  # updates whose batches are compared
CONTROL = "without an adapter"
Words = dict[str, Any]
Start = dict[str, torch.Tensor]

# What each row adds to the first. `start` and `photos` are no words of the plan: they are taken out before.
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
    "shared start": {"start": True},
    "mask, from the start": {"outside": 0.3, "start": True},
    "all from the start": {
        "captions": "seen", "caption_dropout": 0.05, "outside": 0.3, "crops": "mixed", "average": 0.2, "start": True,
    },
    "2 photos": {"photos": 2},
    "2 photos, mask, crops": {"photos": 2, "outside": 0.1, "crops": "mixed"},
    "2 photos, from the start": {"photos": 2, "start": True},
}  # fmt: skip
PLAIN: Words = {
    "captions": "one", "caption_dropout": 0.0, "outside": 1.0, "crops": "portrait", "average": 0.0, "gaussian": False,
    "start": "", "true_sizes": False,
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

    def plan(self, words: Words) -> TrainingPlan:
        """The card's plan with `updates` and without any word but these."""
        added = {name: value for name, value in words.items() if name not in ("start", "photos")}
        usual = replace(plan_training(self.base.card, "standard", SELFIES), steps=self.updates, **PLAIN)
        return replace(usual, start="measured" if words.get("start") else "", **added)

    def people(self, words: Words, sitters: Sequence[Sitter]) -> list[LearningPerson]:
        plan, card, count = self.plan(words), self.base.card, int(words.get("photos", SELFIES))
        return [lessons(str(s.seed), s.selfies[:count], plan, card, self.eyes.matter, s.seed) for s in sitters]

    def path(self, name: str, sitter: Sitter) -> Path:
        """Where one person's pictures of a row lie: by all that draws them, so that no cut run goes on with others."""
        row = f"{name.replace(' ', '-').replace(',', '')}-{self.updates}-{self.pictures}-{self.base.fingerprint[:8]}"
        drawn = plan_render(self.base)
        row += f"-{drawn.steps}-steps-guided-{drawn.guidance:g}-{drawn.guidance_rescale:g}"
        row += f"-round-{self.round}" if ROWS.get(name, {}).get("start") else ""
        return self.work / row / f"{sitter.seed}.npz"


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
    updates, seconds = [0] * len(group), 0.0
    if name != CONTROL:
        words = ROWS[name]
        people, start = bench.people(words, group), bench.start if words.get("start") else None
        before = time.process_time()
        trained = train_cohort(bench.base, people, bench.plan(words), slots=bench.slots, start=start)
        seconds = (time.process_time() - before) / len(group)
        adapters, updates = [one.weights for one in trained], [one.steps for one in trained]
    drawn = _draw(bench.base, group, adapters, bench.pictures)
    for pictures, count in zip(drawn, updates, strict=True):
        yield Taken(pictures, count, seconds)


def _draw(base: FrozenBase, sitters: Sequence[Sitter], adapters: Sequence[Any], count: int) -> list[list[Picture]]:
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


def what_changed(bench: Bench, name: str) -> list[str]:
    """What of the first updates is other than in the first row: pictures, words, mask, first or last weights.

    RuntimeError where a row changes nothing that is trained on: then it measures nothing.
    """
    words = ROWS[name]
    if not words:
        return []
    plan, usual = bench.plan(words), bench.plan({})
    mine, theirs = _batches(bench, words, plan), _batches(bench, {}, usual)
    pairs = list(zip(mine, theirs, strict=True))
    found = []
    if any(not torch.equal(a.latents, b.latents) for a, b in pairs):
        found.append("pictures")
    if any(not torch.equal(a.conditions.tensors["text"], b.conditions.tensors["text"]) for a, b in pairs):
        found.append("words")
    if any(a.planes is not None and float((a.planes - 1).abs().max()) > 1e-3 for a, _ in pairs):
        found.append("mask")
    start = bench.start if words.get("start") else None
    slots, before = TrainingSlots(bench.base, plan, 1, start), TrainingSlots(bench.base, usual, 1)
    for one in (slots, before):
        one.begin(0, torch.Generator().manual_seed(1))
    if not torch.equal(slots.weights, before.weights):
        found.append("first weights")
    found += ["last weights"] if plan.average else []
    found += ["photos"] if "photos" in words else []
    if not found:
        raise RuntimeError(f"{name} changes nothing that is trained on")
    return found


def _batches(bench: Bench, words: Words, plan: TrainingPlan) -> list[Any]:
    (known,) = encode_people(bench.base, bench.people(words, bench.sitters[:1]), plan)
    assert isinstance(known, Examples)
    return [draw(known, step, plan, None) for step in range(PROBED)]
