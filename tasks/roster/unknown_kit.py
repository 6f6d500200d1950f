"""A kit that a line of the roster names and that is not there: asked about before any photo is opened.

Pictures under another kit would all have to be taken again, so none is guessed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tasks.roster.rows import RosterRow, shape_of
from tasks.sentences import tell


def unknown_kit(row: RosterRow, kits: Collection[str]) -> list[dict[str, Any]]:
    """The finding about this line's kit, as JSON; none where it names no kit or one of `kits`."""
    if not row.kit or row.kit in kits:
        return []
    sentence = tell("line.unknown_kit", where=row.where, kits=", ".join(sorted(kits)))
    return [{"code": "unknown_kit", "measured": shape_of(row.kit), "limit": "", "sentence": sentence,
             "severity": "block", "photo": None}]  # fmt: skip
