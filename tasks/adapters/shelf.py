"""Where half-learned faces wait: in the vault, each sealed under its owner's key and gone with it.

Any machine that shares the vault goes on where another died. A person who is being forgotten loses theirs at once, and
nothing new of them is put down; the cohort goes on for everybody else.
"""

from collections.abc import Iterable

from tasks.vault.consent import Permit
from tasks.vault.failures import MissingBlob, NoConsent, StoreFault, Unreadable
from tasks.vault.store import Vault

KIND = "checkpoints"


class VaultShelf:
    """One cohort's shelf; `permits` of those who learn."""

    def __init__(self, vault: Vault, permits: Iterable[Permit]) -> None:
        self.vault = vault
        self.permits = {permit.employee_id: permit for permit in permits}
        self._used: set[str] = set()

    def put(self, person: str, name: str, data: bytes) -> None:
        try:
            self._used.add(self.vault.write(self.permits[person], KIND, name, data))
        except (NoConsent, StoreFault):
            # Whoever is being forgotten gets nothing more written, and a store that refuses now costs a later run its
            # time, not this one its end: what is learned is refused or kept when it is an adapter.
            return

    def get(self, person: str, name: str) -> bytes | None:
        key = f"people/{person}/{KIND}/{name}"
        try:
            data = self.vault.read(self.permits[person], key)
        except (MissingBlob, Unreadable, NoConsent):
            return None
        self._used.add(key)
        return data

    def clear(self) -> None:
        """Take away what this cohort put down or went on from: its adapters are in a safe place."""
        for key in sorted(self._used):
            self.vault.delete(key)
        self._used.clear()
