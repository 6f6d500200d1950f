"""From a finished picture to the files that are kept of it: marked, encoded, and in the sizes of pages.

The mark's key stays in the process that has the vault, so this is done there, beside those that finish the next ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.disclosure.installation import marked
from tasks.disclosure.pattern import MarkKey
from tasks.headshots.finish_job import Made
from tasks.vault.seats import Lane
from tasks.vision.images import encode
from tasks.vision.small import LARGE, THUMB, small


@dataclass(frozen=True)
class Developed:
    """What finishing made of a picture, as files; empty where it made nothing."""

    made: Made
    finished: bytes = b""
    thumb: bytes = b""
    large: bytes = b""


def develop(made: Made, key: MarkKey, lane: Lane) -> Developed:
    """A finished picture as it is kept. It is marked once, here, so that whatever leaves by whatever way carries the
    mark: files, pages, copies of copies."""
    if made.picture is None:
        return Developed(made)
    finished = marked(made.picture, key, lane)
    return Developed(made, encode(finished, "jpeg", quality=93), small(finished, THUMB), small(finished, LARGE))
