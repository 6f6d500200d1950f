"""The kits of one batch: its own, and those of the people who have another one. One broken kit breaks only itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import col, select

from tasks.headshots.kit import BrandKit, KitError, load_kit
from tasks.vault.batches import load_batch
from tasks.vault.records import Seat
from tasks.vault.store import Vault


@dataclass(frozen=True)
class BatchKits:
    """`others`: kits by name that single people or departments have instead of the batch's own."""

    own: BrandKit
    others: Mapping[str, BrandKit] = field(default_factory=dict)

    def of(self, seat: Seat) -> BrandKit | None:
        """The kit this person is photographed under; None when it cannot be used."""
        return self.others.get(seat.kit) if seat.kit else self.own

    def groups(self, seats: Sequence[Seat]) -> list[tuple[BrandKit, list[Seat]]]:
        """The people of each kit, the batch's own first. Whose kit cannot be used is in none."""
        found: dict[str, tuple[BrandKit, list[Seat]]] = {}
        for seat in sorted(seats, key=lambda one: one.kit):
            kit = self.of(seat)
            if kit is not None:
                found.setdefault(seat.kit, (kit, []))[1].append(seat)
        order = {seat.employee_id: place for place, seat in enumerate(seats)}
        return [(kit, sorted(some, key=lambda seat: order[seat.employee_id])) for kit, some in found.values()]


def load_kits(vault: Vault, batch: str, folder: Path) -> BatchKits:
    """The kits of a batch as they are now. Raises KitError when its own cannot be used."""
    own = load_kit(load_batch(vault, batch).kit, folder)
    with vault.reading() as session:
        names = session.exec(select(Seat.kit).where(Seat.batch_id == batch, col(Seat.kit) != "").distinct()).all()
    others = {}
    for name in names:
        try:
            others[name] = load_kit(name, folder)
        except (KitError, OSError):
            continue
    return BatchKits(own, others)
