"""Photos of a drop that HR has given to somebody, or said to show somebody else. Bytes are compared, none is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from tasks.roster.drop import Drop
from tasks.roster.whose_photos import not_theirs
from tasks.selfies.keep import take_back
from tasks.selfies.match import Matching
from tasks.vault.store import Vault


def take_back_moved(vault: Vault, ids: Mapping[str, str], matching: Matching, drop: Drop) -> None:
    """Photos that HR has given to somebody, or to nobody, leave everybody else. `ids`: number to employee id."""
    for stray in matching.strays:
        if stray.picked:
            digests = {_digest(drop, path) for path in stray.files}
            take_back(vault, digests, ids.get(stray.picked))


def without_others_photos(vault: Vault, ids: Mapping[str, str], matching: Matching, drop: Drop) -> Matching:
    """The matching without photos of which HR has said that they show somebody else than they came for."""
    wrong = not_theirs(vault, ids.values())
    left = {
        number: tuple(path for path in paths if vault.keys.pseudonym(_digest(drop, path)) not in photos)
        if (photos := wrong.get(ids.get(number, "")))
        else paths
        for number, paths in matching.by_number.items()
    }
    return replace(matching, by_number=left)


def _digest(drop: Drop, path: str) -> str:
    return hashlib.sha256(drop.read(path)).hexdigest()
