"""Checkpoints of a cohort: after a kill, everybody goes on from the last one and ends with the same adapter.

One file holds everybody who is under way (safetensors, with its JSON in the header, so that both are replaced by one
atomic rename); one small file each holds those who are done. State is matched to a person by a digest of what the
result depends on (portraits, captions, seed, plan, base): anything else is not resumed but learned anew. All files
are faces, in a way, and go when everybody's adapter has been checked and is in the vault, and not before.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from tasks.adapters.examples import Person
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.slots import Snapshot
from tasks.vault.files import replace_file

UNDER_WAY = "under-way.safetensors"
DONE = "done-"


@dataclass(frozen=True)
class Progressed:
    """One person under way."""

    digest: str
    snapshot: Snapshot
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Finished:
    """One person done."""

    digest: str
    weights: dict[str, Tensor] | None
    losses: tuple[float, ...]
    reason: str | None


def person_digest(person: Person, plan: TrainingPlan, fingerprint: str) -> str:
    """Hash of all that a person's adapter depends on."""
    total = hashlib.sha256(f"{fingerprint} {plan.digest()} {person.seed} {person.steps}".encode())
    for picture, caption in zip(person.portraits, person.captions, strict=False):
        total.update(f"{picture.shape} {caption}".encode())
        total.update(picture.tobytes())
    return total.hexdigest()


class Checkpoints:
    """A folder with a cohort's state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, people: Iterable[Progressed]) -> None:
        tensors: dict[str, Tensor] = {}
        facts = []
        for index, person in enumerate(people):
            state = person.snapshot
            tensors[f"{index}.weights"] = state.weights
            tensors[f"{index}.first"] = state.first
            tensors[f"{index}.second"] = state.second
            facts.append({"digest": person.digest, "updates": state.updates, "losses": list(person.losses)})
        self._write(UNDER_WAY, tensors, {"people": facts})

    def finish(self, person: Finished) -> None:
        facts = {"digest": person.digest, "losses": list(person.losses), "reason": person.reason}
        self._write(f"{DONE}{person.digest}.safetensors", person.weights or {}, facts)

    def under_way(self) -> dict[str, Progressed]:
        read = self._read(self.folder / UNDER_WAY)
        if read is None:
            return {}
        tensors, facts = read
        found: dict[str, Progressed] = {}
        for index, person in enumerate(facts["people"]):
            weights, first, second = (tensors[f"{index}.{part}"] for part in ("weights", "first", "second"))
            snapshot = Snapshot(weights, first, second, person["updates"])
            found[person["digest"]] = Progressed(person["digest"], snapshot, tuple(person["losses"]))
        return found

    def finished(self, digest: str) -> Finished | None:
        read = self._read(self.folder / f"{DONE}{digest}.safetensors")
        if read is None:
            return None
        tensors, facts = read
        return Finished(digest, tensors or None, tuple(facts["losses"]), facts["reason"])

    def clear(self) -> None:
        for path in [*self.folder.glob(f"{DONE}*"), *self.folder.glob(f"{UNDER_WAY}*")]:
            path.unlink(missing_ok=True)

    def _write(self, name: str, tensors: dict[str, Tensor], facts: object) -> None:
        """Beside, flushed, then renamed: a kill leaves the old file or the new one, never a torn one."""
        if not tensors:
            tensors = {"nothing": torch.zeros(1)}
        replace_file(self.folder / name, save(tensors, metadata={"facts": json.dumps(facts)}))

    @staticmethod
    def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What a file holds; a damaged one counts as missing, since learning anew is always right."""
        if not path.is_file():
            return None
        try:
            with safe_open(path, "pt") as file:
                facts = json.loads(file.metadata()["facts"])
                return {name: file.get_tensor(name) for name in file.keys() if name != "nothing"}, facts  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError):
            return None
