"""What was measured of people's photos, kept sealed until everybody's are in: a killed take-in goes on from it.

It is put down when a person's photos are judged and kept, under that person's own key, since it holds what tells one
face from another; it goes when the take-in is over, with its person, and with whatever else a run left unfinished. It
counts while nothing has changed that the measuring depends on, and the photos that it speaks of are kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import col, select

from tasks.selfies.findings import Finding
from tasks.selfies.look import Look
from tasks.vault.consent import Permit
from tasks.vault.failures import MissingBlob, Unreadable
from tasks.vault.records import Artifact, Selfie
from tasks.vault.store import Vault
from tasks.vision.faces import Around, Lids
from tasks.vision.flaws import Flaws
from tasks.vision.quality import Quality

KIND = "looks"
_PARTS = {"quality": Quality, "flaws": Flaws, "around": Around, "lids": Lids}


class LookedAt:
    """One take-in's people who are done. `state`: all that a look depends on, beside the person and their photos."""

    def __init__(self, vault: Vault, state: object) -> None:
        self._vault, self._state = vault, repr(state)
        with vault.reading() as session:
            self._there = set(session.exec(select(Artifact.key).where(Artifact.kind == KIND)))
        self._used: list[str] = []

    def put(
        self, permit: Permit, photos: Sequence[str], looks: Sequence[Look], said: Sequence[Finding], now: datetime
    ) -> None:
        """Notes that this person is done: their photos (by stamp), what was measured, and what there was to say."""
        whole = {"looks": [_as_json(look) for look in looks], "said": [found.as_json() for found in said]}
        data = json.dumps(whole, default=lambda number: number.item()).encode()
        self._used.append(self._vault.write(permit, KIND, self._name(photos), data, now=now))

    def get(self, permit: Permit, photos: Sequence[str]) -> tuple[tuple[Look, ...], tuple[Finding, ...]] | None:
        """The looks at exactly these photos and what was said of them, where each that was accepted is still kept."""
        key = f"people/{permit.employee_id}/{KIND}/{self._name(photos)}"
        if key not in self._there:
            return None
        self._used.append(key)
        try:
            whole = json.loads(self._vault.read(permit, key))
            return tuple(_look(one) for one in whole["looks"]), tuple(Finding(**one) for one in whole["said"])
        except (MissingBlob, Unreadable, KeyError, TypeError, ValueError):  # looking again is always right
            return None

    def are_kept(self, permit: Permit, digests: set[str]) -> bool:
        """Whether the photos with these digests lie in the vault and are used."""
        mine = select(Selfie.digest, Selfie.blob_key).where(
            Selfie.employee_id == permit.employee_id, col(Selfie.accepted), col(Selfie.replaced_at).is_(None)
        )
        with self._vault.reading() as session:
            kept = {digest for digest, key in session.exec(mine) if key and self._vault.exists(key)}
        return digests <= kept

    def clear(self) -> None:
        """Everybody's photos are in: nothing goes on from here any more."""
        self._vault.delete(*self._used)
        self._used.clear()

    def _name(self, photos: Sequence[str]) -> str:
        return hashlib.sha256(json.dumps([self._state, *photos]).encode()).hexdigest()[:40] + ".json"


def _as_json(look: Look) -> dict[str, Any]:
    vector = None if look.vector is None else base64.b64encode(look.vector.astype(np.float32).tobytes()).decode()
    return {**asdict(look), "vector": vector}


def _look(read: dict[str, Any]) -> Look:
    parts = {name: made(**read[name]) if read[name] is not None else None for name, made in _PARTS.items()}
    vector = None if read["vector"] is None else np.frombuffer(base64.b64decode(read["vector"]), np.float32)
    refused = None if read["refused"] is None else tuple(read["refused"])
    return Look(**{**read, **parts, "vector": vector, "refused": refused})
