"""This installation's own means of disclosure: the key of its mark, and who signs for it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from tasks.disclosure.chain import SigningChain, company_chain, own_test_chain
from tasks.disclosure.finding import carries
from tasks.disclosure.marking import put_mark
from tasks.disclosure.pattern import MarkKey, payload_for
from tasks.vault.failures import BadSetting
from tasks.vault.keys import Keyring
from tasks.vault.settings import Settings
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


def signing_chain(settings: Settings, now: datetime) -> SigningChain:
    """The company's chain, or the installation's own test chain when the settings name none."""
    certificates, key = settings.signing_chain, settings.signing_key_file
    if (certificates is None) != (key is None):
        raise BadSetting("ROLLCALL_SIGNING_CHAIN and ROLLCALL_SIGNING_KEY_FILE belong together: set both or neither.")
    if certificates is None or key is None:
        return own_test_chain(credentials_folder(settings), now, settings.time_stamps)
    return company_chain(certificates, key, settings.time_stamps)


def photo_roots(settings: Settings) -> bytes:
    """The roots (PEM) whose signatures on people's photos are believed; nothing when the settings name none."""
    if settings.photo_roots is None:
        return b""
    try:
        return settings.photo_roots.read_bytes()
    except OSError as fault:
        raise BadSetting(f"ROLLCALL_PHOTO_ROOTS names a file that cannot be read ({fault.strerror}).") from None


def own_root(settings: Settings) -> bytes:
    """The root of the test chain (PEM), for our own reader; nothing when there is none."""
    root = credentials_folder(settings) / "test-root.pem"
    return root.read_bytes() if root.exists() else b""


def credentials_folder(settings: Settings) -> Path:
    """Where the test chain lies: beside the installation's other keys."""
    return settings.home / "keys" / "credentials"
