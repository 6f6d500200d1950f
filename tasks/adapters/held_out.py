"""Whether a person is learned, by noise that was never trained on: the same few samples of theirs, asked now and then.

The loss of training steps says little, since each has another noise and another time. These samples are a pure function
of the person's seed, so that who stops when depends on nobody else, and on no cut in between.
"""

from collections.abc import Iterator, Sequence

import torch

from tasks.adapters.examples import Draw, Examples, stream
from tasks.adapters.plan import TrainingPlan
from tasks.vision.families.family import Conditions

HELD_OUT = 8  # samples of each person
LEAST = 0.005  # of the best answer so far: what is gained by less is no progress


def held_out(examples: Examples, plan: TrainingPlan) -> Iterator[Draw]:
    """At least `HELD_OUT` samples in batches as training takes them, at times spread evenly over all there are."""
    batches = -(-HELD_OUT // plan.batch)
    count = batches * plan.batch
    generator = stream(examples.seed, "held out")
    places = torch.arange(count) % len(examples.latents.mean)
    clean = examples.latents.mean[places]
    noise = torch.randn(clean.shape, generator=generator)
    uniform = (torch.randperm(count, generator=generator) + 0.5) / count
    planes = None if examples.planes is None else examples.planes[places]
    for at in range(0, count, plan.batch):
        rows = slice(at, at + plan.batch)
        told: Conditions = examples.conditions.rows(places[rows])
        yield Draw(clean[rows], told, noise[rows], uniform[rows], None if planes is None else planes[rows])


def settled(answers: Sequence[float], latest: int) -> bool:
    """Whether the `latest` of these mean errors brought nothing beyond the best before them."""
    if latest < 1 or len(answers) <= latest:
        return False
    return min(answers[-latest:]) > (1 - LEAST) * min(answers[:-latest])
