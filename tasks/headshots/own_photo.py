"""The person's own photo beside the prompt, for bases that take pictures too (`[render] own_photo` on the card).

It is opened with the person's permit when it is needed, and stays in memory: who has withdrawn by then is not drawn.
"""

from tasks.adapters.portraits import accepted_selfies, open_selfies, portraits
from tasks.vault.consent import Permit
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture


def photo_shown(vault: Vault, employee_id: str) -> str | None:
    """Which photos it is taken from, as part of what a picture is; None where there are none."""
    rows = accepted_selfies(vault, employee_id)
    return rows[0].digest if rows else None


def own_photo(vault: Vault, permit: Permit, eyes: Eyes, size: int) -> Picture:
    """The best of a person's photos in the portrait frame. NoConsent without leave; LookupError where none is left."""
    opened = open_selfies(vault, permit, eyes)
    if not opened:
        raise LookupError(f"no photo of {permit.employee_id} can be shown")
    return portraits(opened[:1], size)[0]
