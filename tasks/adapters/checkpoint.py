"""Checkpoints of a cohort: after a kill, everybody goes on from the last one and ends with the same adapter.

One file for each person (safetensors, with its JSON in the header), under way or done, on a shelf that whoever calls
brings: the vault's seals each under its owner's key, so that any machine goes on where another died, and nobody's
half-learned face outlives them (`tasks.adapters.shelf`). State is matched to a person by a digest of what the result
depends on (portraits, captions, seed, plan, base): anything else is not resumed but learned anew.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.slots import Snapshot


class Shelf(Protocol):
    """Where the files of people stand while a cohort is under way."""

    def put(self, person: str, name: str, data: bytes) -> None:
        """Keep this file of this person in the place of an older one, whole or not at all."""

    def get(self, person: str, name: str) -> bytes | None:
        """The file, or None when there is none that can be read: learning anew is always right."""


@dataclass(frozen=True)
class Progressed:
    """One person under way."""

    person: str
    digest: str
    snapshot: Snapshot
    losses: tuple[float, ...]
    answers: tuple[float, ...] = ()  # to held-out noise


@dataclass(frozen=True)
class LearnedPerson:
    """One person done."""

    person: str
    digest: str
    weights: dict[str, Tensor] | None
    losses: tuple[float, ...]
    reason: str | None


def person_digest(person: LearningPerson, plan: TrainingPlan, fingerprint: str) -> str:
    """Hash of all that a person's adapter depends on."""
    total = hashlib.sha256(f"{fingerprint} {plan.digest()} {person.seed} {person.steps}".encode())
    for picture, caption in zip(person.portraits, person.captions, strict=False):
        total.update(f"{picture.shape} {caption}".encode())
        total.update(picture.tobytes())
    if person.planes or person.originals or person.shares or person.plain is not None:
        total.update(f"{person.originals} {person.shares} {person.plain}".encode())
        total.update(b"".join(plane.tobytes() for plane in person.planes))
    return total.hexdigest()


class Checkpoints:
    """The states of a cohort's people on one shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def save(self, people: Iterable[Progressed]) -> None:
        for one in people:
            state = one.snapshot
            tensors = {"weights": state.weights, "first": state.first, "second": state.second}
            facts: dict[str, Any] = {"digest": one.digest, "updates": state.updates, "losses": list(one.losses)}
            if one.answers:
                facts["answers"] = list(one.answers)
            if state.mean is not None:
                tensors["mean"] = state.mean
                facts["averaged"] = state.averaged
            self._write(one.person, one.digest, tensors, facts)

    def finish(self, one: LearnedPerson) -> None:
        facts = {"digest": one.digest, "losses": list(one.losses), "reason": one.reason, "done": True}
        self._write(one.person, one.digest, one.weights or {}, facts)

    def of(self, person: str, digest: str) -> Progressed | LearnedPerson | None:
        """How far this person is with exactly these portraits, this plan and base; None when not at all."""
        data = self.shelf.get(person, file_name(digest))
        if data is None:
            return None
        try:
            facts = _facts(data)
            tensors = {name: tensor for name, tensor in load(data).items() if name != "nothing"}
            if facts["digest"] != digest:
                return None
            losses = tuple(facts["losses"])
            if facts.get("done"):
                return LearnedPerson(person, digest, tensors or None, losses, facts["reason"])
            snapshot = Snapshot(
                tensors["weights"], tensors["first"], tensors["second"], facts["updates"],
                tensors.get("mean"), int(facts.get("averaged", 0)),
            )  # fmt: skip
            return Progressed(person, digest, snapshot, losses, tuple(facts.get("answers", ())))
        except (SafetensorError, KeyError, TypeError, ValueError):  # damaged: learning anew is always right
            return None

    def _write(self, person: str, digest: str, tensors: dict[str, Tensor], facts: object) -> None:
        if not tensors:
            tensors = {"nothing": torch.zeros(1)}
        self.shelf.put(person, file_name(digest), save(tensors, metadata={"facts": json.dumps(facts)}))


def file_name(digest: str) -> str:
    """The name of a person's file for this state; whose it is stands in where it lies."""
    return f"{digest[:40]}.safetensors"


def _facts(data: bytes) -> dict[str, Any]:
    """What stands beside the tensors: safetensors begins with the length of its header, which is JSON."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    found: dict[str, Any] = json.loads(header["__metadata__"]["facts"])
    return found
