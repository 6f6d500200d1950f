"""After somebody was forgotten: is their name still in any file here, in any spelling?

Only for one person at a time, and only where reading everything takes seconds. Uploads waiting in `drops` are HR's own
words about many people; they go by their own date, and every receipt names them among what it does not vouch for.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from tasks.retention.search import search_files, spellings

_SEARCHABLE = 1 << 28  # bytes; a larger home is not read through after every single forgetting
UPLOADS = "drops"


def places_with(words: Sequence[str], home: Path, elsewhere: Sequence[Path]) -> int | None:
    """In how many places these words are found; None when there are no words or too much to read."""
    if not words or _size(home) > _SEARCHABLE:
        return None
    hits = search_files((home, *elsewhere), spellings(words), skip=(home / UPLOADS,))
    return len({hit.where for hit in hits})


def _size(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base) / name
            total += path.stat().st_size if path.exists() else 0
    return total
