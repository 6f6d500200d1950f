"""Carries out one order from anywhere: form, desk and command line say the same few words and get counts back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.delivery.changes import Changes, say_reasons
from tasks.delivery.destinations import Destination
from tasks.delivery.handing_over import DeliveryOrder, TooManyGo, hand_over
from tasks.delivery.manifest import Manifest
from tasks.delivery.pack import choose_packs
from tasks.headshots.batch_kits import load_kits
from tasks.vault.batches import note_facts
from tasks.vault.store import Vault


@dataclass(frozen=True)
class DeliveryWish:
    """What somebody asked for, in their words."""

    batch: str
    packs: Sequence[str] = ()  # the kit's own sizes when empty
    names: str = ""  # a template; each pack's own when empty
    may_remove: bool = False
    actor: str = "delivery"


def deliver_wish(
    vault: Vault, wish: DeliveryWish, place: Callable[[], Destination], clock: Callable[[], datetime]
) -> dict[str, int | str]:
    """Delivers one batch. Returns counts.

    Whose picture is new, changed or removed is noted in the batch, by id, for its pages; so is whose would be removed
    where a person has to be asked first (TooManyGo).
    """
    settings = vault.settings
    kits = load_kits(vault, wish.batch, settings.kits)
    packs = tuple(choose_packs(kits.own, settings.packs, wish.packs))
    order = DeliveryOrder(wish.batch, kits.own, packs, wish.names, wish.may_remove, wish.actor, kits.others)
    try:
        manifest = hand_over(vault, order, place, clock)
    except TooManyGo as asks:
        note_facts(vault, wish.batch, delivery_asks={"at": clock().isoformat(), **_by_id(asks.changes)})
        raise
    counts = {"people": manifest.people, "files": len(manifest.own), "skipped": len(manifest.skipped)}
    noted = {
        **counts, "at": clock().isoformat(), "to": manifest.destination, "packs": [pack.name for pack in packs],
        **_by_id(manifest.changes),
    }  # fmt: skip
    note_facts(vault, wish.batch, delivered=noted, delivery_asks={})
    return {"batch": wish.batch, **counts, **_counted(manifest)}


def _counted(manifest: Manifest) -> dict[str, int | str]:
    changes = manifest.changes
    return {
        "bytes": sum(file.bytes for file in manifest.own), "retired": manifest.retired,
        "new": len(changes.new), "changed": len(changes.changed), "unchanged": len(changes.unchanged),
        "removed": len(changes.removed), "why": say_reasons([one for one in changes.going if one.why != "replaced"]),
    }  # fmt: skip


def _by_id(changes: Changes) -> dict[str, list[list[str]]]:
    """For the batch's facts: opaque ids and codes, as lists."""
    return {
        "new": [[one, ""] for one in changes.new],
        "changed": [[one, ""] for one in changes.changed],
        "removed": [[one, why] for one, why in changes.removed],
    }
