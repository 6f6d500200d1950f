"""This installation's own mark: the key that all its machines mark with, and the marking itself."""

from __future__ import annotations

from functools import lru_cache

from tasks.disclosure.finding import carries
from tasks.disclosure.marking import put_mark
from tasks.disclosure.pattern import MarkKey, payload_for
from tasks.vault.keys import Keyring
from tasks.vision.images import Picture


def mark_key(keys: Keyring) -> MarkKey:
    """The key that all machines of an installation mark with, and that its backups of keys hold."""
    return _drawn(keys.secret("mark"))


@lru_cache(maxsize=4)
def _drawn(secret: bytes) -> MarkKey:
    """One key for all pictures of a process: its noise fields take longer to draw than a picture to search."""
    return MarkKey(secret)


def marked(picture: Picture, key: MarkKey, lane: str) -> Picture:
    """The picture with this installation's mark; as it is when it carries the mark already."""
    payload = payload_for(key, lane)
    if carries(picture, key, payload):
        return picture
    return put_mark(picture, key, payload).picture
