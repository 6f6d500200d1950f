"""The master key, wherever it is kept: it wraps everybody's data keys, and does nothing else.

    a path                                32 bytes in base64 in a file that only its owner reads; made on first use
    kms:alias/rollcall?region=eu-west-1   a key management service, which never hands the master key out
    kms:arn:aws:kms:eu-west-1:...         the same, by its full name; `endpoint=` in the query for a service of your own

What is wrapped is bound to the person and the kind it is for: a wrapped key that was moved to somebody else does not
open. Destroying a wrapped key needs no master key, so forgetting works while the service is down.
"""

import base64
import hmac
import os
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tasks.vault.failures import Unreadable, VaultError
from tasks.vault.secrets_on_disk import create_secret
from tasks.vault.settings import KMS

_NONCE = 12  # bytes


class MasterKeyMissing(VaultError):
    """There are wrapped keys but not the master key that opens them; making a new one would lose every blob."""


class MasterKey(Protocol):
    """What the keyring needs of a master key."""

    def wrap(self, key: bytes, employee_id: str, kind: str) -> bytes:
        """The data key (32 bytes), wrapped for this person and kind."""

    def fingerprint(self) -> str:
        """A short name of this master key that says nothing about it. A service is asked for it."""

    def unwrap(self, wrapped: bytes, employee_id: str, kind: str) -> bytes:
        """The data key; Unreadable when this master key, person and kind are not the ones it was wrapped for."""


class MasterKeyInFile:
    """A master key of our own, in memory while the process lives."""

    def __init__(self, path: Path, *, may_create: bool) -> None:
        key = _load(path, may_create)
        self._cipher = AESGCM(key)
        self._fingerprint = hmac.new(key, b"rollcall master key", sha256).hexdigest()[:16]

    def fingerprint(self) -> str:
        return self._fingerprint

    def wrap(self, key: bytes, employee_id: str, kind: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, f"{employee_id}|{kind}".encode())

    def unwrap(self, wrapped: bytes, employee_id: str, kind: str) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], f"{employee_id}|{kind}".encode())
        except InvalidTag as error:
            raise Unreadable(f"the master key does not open the key of {employee_id} {kind}") from error


def open_master(location: str, *, may_create: bool) -> MasterKey:
    """The master key at this location. `may_create`: nothing was wrapped yet, so a missing file may be made."""
    if location.startswith(KMS):
        # boto3 takes a second to import, and most installations keep a file.
        from tasks.vault.master_kms import MasterKeyInKms

        return MasterKeyInKms(location)
    return MasterKeyInFile(Path(location), may_create=may_create)


def _load(path: Path, may_create: bool) -> bytes:
    """Made once, by whoever comes first."""
    if not path.exists():
        if not may_create:
            raise MasterKeyMissing(
                f"no master key at {path.name}, yet wrapped keys exist: restore the file, or set ROLLCALL_MASTER_KEY "
                "to where it is. No key was made"
            )
        create_secret(path, base64.b64encode(os.urandom(32)) + b"\n")
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise VaultError(f"the master key in {path.name} is not 32 bytes in base64")
    return key
