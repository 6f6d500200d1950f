"""The real step that learns faces, without nets: a face is a colour, and what would train carries it over.

It may be killed after anybody has learned, and before anybody's adapter is in the vault. Nobody learns twice for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.adapters import learning
from tasks.adapters.ownership import Owned
from tasks.adapters.portraits import accepted_selfies
from tasks.adapters.training import TrainedAdapter
from tasks.vault import leaving, store
from tasks.vault.consent import Permit
from tasks.vault.records import Seat
from tasks.vault.store import Vault
from tasks.vision.images import read_picture

Learned = tuple[str, int]  # person, and the seed of what they learned


class Classroom:
    """`tick` is called after each step and may raise: then the process died there. `colour_of` reads a picture's."""

    def __init__(self, vault: Vault, card: Any, tick: Callable[[], None], colour_of: Callable[..., Any]) -> None:
        self.vault, self.tick, self.colour_of = vault, tick, colour_of
        self.base: Any = SimpleNamespace(card=card, fingerprint="tiny")
        self.unfinished: set[Learned] = set()  # learned, and not in the vault yet
        self.dies_among_owners = False

    def learn(self, batch: str, seats: Sequence[Seat], now: datetime) -> None:
        """Everybody of these who lacks an adapter."""
        with self._without_nets(now):
            pupils = learning.missing(self.vault, self.base, seats, batch, "draft")
            nets: Any = SimpleNamespace(matter=None)
            learning.learn(self.vault, self.base, nets, pupils, batch, slots=4)
        self.unfinished -= {(pupil.id, pupil.seed) for pupil in pupils}

    @contextmanager
    def _without_nets(self, now: datetime) -> Iterator[None]:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return now

        with pytest.MonkeyPatch.context() as patch:
            for module in (learning, leaving, store):
                patch.setattr(module, "datetime", Clock)
            patch.setattr(learning, "open_selfies", self._open)
            patch.setattr(learning, "lessons", self._lesson)
            patch.setattr(learning, "train_cohort", self._train)
            patch.setattr(learning, "check_owners", self._check)
            patch.setattr(learning, "adapter_bytes", lambda trained, *_, **__: trained.weights["colour"])
            yield

    def _open(self, vault: Vault, permit: Permit, eyes: Any) -> list[bytes]:
        rows = accepted_selfies(vault, permit.employee_id)
        return [bytes(self.colour_of(read_picture(vault.read(permit, row.blob_key)).picture)) for row in rows]

    def _lesson(self, person: str, photos: list[bytes], plan: Any, card: Any, matter: Any, seed: int, look: Any) -> Any:
        return SimpleNamespace(id=person, plan=plan, colour=photos[0], seed=seed)

    def _train(self, base: Any, group: Sequence[Any], plan: Any, *, shelf: Any, on_done: Any, **_: Any) -> Any:
        trained = []
        for one in group:
            if shelf.get(one.id, f"{one.seed}.bin") is None:
                assert (one.id, one.seed) not in self.unfinished, "it was learned before the kill, and lost with it"
                shelf.put(one.id, f"{one.seed}.bin", one.colour)
                self.unfinished.add((one.id, one.seed))
            self.tick()
            adapter = TrainedAdapter(one.id, "done", {"colour": one.colour}, 1, 1.0, 0.1)
            on_done(adapter)
            trained.append(adapter)
        return trained

    def _check(self, base: Any, trained: Sequence[TrainedAdapter], group: Any, plan: Any) -> list[Owned]:
        self.tick()
        if self.dies_among_owners:
            raise MemoryError
        return [Owned(one.person_id, 1, 1, 0.5) for one in trained]
