"""The Prefect side of step 6: a batch's number goes in, counts come out."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.delivery.packs import build_pack, newest_approved
from tasks.headshots.kit import load_kit
from tasks.vault.batches import load_batch, note_facts
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault


@task(name="deliver-pack", persist_result=False, cache_policy=NO_CACHE)
def deliver_pack(batch_id: str, destination: str, names: str, outputs: list[str]) -> dict[str, int | str]:
    """Delivers one batch, the newest with approved pictures when `batch_id` is empty. Returns counts."""
    settings = load_settings()
    now = datetime.now(UTC)
    with open_vault(settings) as vault:
        batch_id = batch_id or newest_approved(vault)
        kit = load_kit(load_batch(vault, batch_id).kit, settings.kits)
        manifest = build_pack(vault, batch_id, kit, destination, now=now, names=names, outputs=outputs)
        counts = {"people": manifest.people, "files": len(manifest.files), "skipped": len(manifest.skipped)}
        note_facts(vault, batch_id, delivered={**counts, "at": now.isoformat(), "to": manifest.destination})
    return {"batch": batch_id, "bytes": manifest.bytes, "retired": manifest.retired, **counts}
