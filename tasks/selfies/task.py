"""The Prefect side of step 2: ids and counts go in and out, people and pixels stay in the vault."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.progress import tell
from tasks.roster.open_drop import find_drop
from tasks.selfies.intake import take_photos
from tasks.selfies.size import Frames
from tasks.vault.batches import load_batch
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.open_eyes import open_eyes
from tasks.vision.worlds import BaseWorld


@step
def take_selfies(batch_id: str, frames: Frames = ()) -> dict[str, int]:
    """Examines and keeps the photos of everybody in the batch who agreed. Returns counts.

    `frames`: what each kit shows round a head, by name. Does nothing when neither people, consents nor photos have
    changed since the last time.
    """
    settings = load_settings()
    with open_vault(settings) as vault:
        batch = load_batch(vault, batch_id)
        drop = find_drop(batch.drop, vault)
        card = load_base_card(batch.base, settings.bases)
        taken = take_photos(
            vault,
            batch_id,
            drop,
            lambda: open_eyes(settings.eyes, settings.models),
            settings.eyes,
            datetime.now(UTC),
            lambda done, total: tell("photos", done, total),
            BaseWorld(card.world, settings.mixed_worlds, card.render_size),
            frames,
        )
    return {"people": taken.people, "ready": taken.ready, "blocked": taken.blocked, "photos": taken.photos}
