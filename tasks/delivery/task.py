"""The Prefect side of step 6: a batch's number goes in, counts come out."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from tasks.delivery.exports import place_for_hr, place_for_shell
from tasks.delivery.ordering import DeliveryWish, deliver_wish
from tasks.delivery.places import open_destination
from tasks.delivery.sitters import newest_approved
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault
from tasks.vault.task import step


@step
def deliver_pack(
    batch_id: str, destination: str, names: str, packs: list[str], may_remove: bool = False, at_shell: bool = False
) -> dict[str, int | str]:
    """Delivers one batch, the one reviewed last when `batch_id` is empty. Returns counts. `at_shell`: the destination
    was typed on this machine, and may be any folder of it."""
    settings = load_settings()
    with open_vault(settings) as vault:
        batch = batch_id or newest_approved(vault)
        where = place_for_shell(destination, settings) if at_shell else place_for_hr(destination, settings, batch)
        wish = DeliveryWish(batch, packs, names, may_remove, "command" if at_shell else "delivery")
        return deliver_wish(vault, wish, partial(open_destination, where), lambda: datetime.now(UTC))
