"""The Prefect side of step 6: a batch's number goes in, counts come out."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.delivery.changes import Changes, say_reasons
from tasks.delivery.packs import TooManyGo, build_pack
from tasks.delivery.sitters import newest_approved
from tasks.headshots.kit import load_kit
from tasks.vault.batches import load_batch, note_facts
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step


@step
def deliver_pack(
    batch_id: str, destination: str, names: str, outputs: list[str], may_remove: bool = False
) -> dict[str, int | str]:
    """Delivers one batch, the one reviewed last when `batch_id` is empty. Returns counts.

    Whose picture is new, changed or removed is noted in the batch, by id, for its pages; so is whose would be removed
    where a person has to be asked first (TooManyGo).
    """
    settings = load_settings()
    now = datetime.now(UTC)
    with open_vault(settings) as vault:
        batch_id = batch_id or newest_approved(vault)
        ordered = load_batch(vault, batch_id)
        kit = load_kit(ordered.kit, settings.kits)
        try:
            manifest = build_pack(
                vault, batch_id, kit, destination, now=now, names=names, outputs=outputs, may_remove=may_remove
            )
        except TooManyGo as asks:
            note_facts(vault, batch_id, delivery_asks={"at": now.isoformat(), **_by_id(asks.changes)})
            raise
        counts = {"people": manifest.people, "files": len(manifest.own), "skipped": len(manifest.skipped)}
        noted = {**counts, "at": now.isoformat(), "to": manifest.destination, **_by_id(manifest.changes)}
        note_facts(vault, batch_id, delivered=noted, delivery_asks={})
    changes = manifest.changes
    return {
        "batch": batch_id, "bytes": sum(file.bytes for file in manifest.own), "retired": manifest.retired, **counts,
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
