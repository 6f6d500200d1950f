"""A folder whose files and their names are sealed under one key: what strangers' eyes find there are sizes and times.

Each file stands alone, so nothing beside it has to be kept in step. It is called by a keyed digest of its name, holds
the name in a block of one size, and then its content as a sealed stream:

    nonce 12 | name's block, sealed | RCV1 stream       (the block: 16 random bytes, the name's length, the name, zeros)

The block is bound to the file's place and the stream to the block's random bytes, so no file stands in for another.
Files become visible whole, by one rename.
"""

import hmac
import os
import re
import struct
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.vault.failures import Unreadable
from tasks.vault.files import PART, make_folders, put_in_place
from tasks.vault.sealing import MAGIC, plain_size, seal, unseal

LONGEST = 960  # bytes of a name
_BLOCK = 16 + 2 + LONGEST  # random start, length, and the name filled up: a file's size does not tell its name's
_HEAD = 12 + _BLOCK + 16  # nonce, block, tag of AES-GCM
_SEALED = re.compile("[0-9a-f]{32}")


class SealedFolder:
    """Reads and writes one such folder. Names are any text of up to LONGEST bytes; slashes are letters like others."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._key = key
        self._places = _derive(key, b"places")
        self._blocks = AESGCM(_derive(key, b"names"))

    def place(self, name: str) -> Path:
        """Where a file of this name lies, or would."""
        return self.folder / hmac.new(self._places, name.encode(), sha256).hexdigest()[:32]

    def names(self) -> list[str]:
        """Every sealed file's name, sorted. Unreadable when one was not sealed under this key."""
        try:
            entries = [entry for entry in os.scandir(self.folder) if _SEALED.fullmatch(entry.name)]
        except FileNotFoundError:
            return []
        found = []
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                with _opened(Path(entry.path)) as file:
                    found.append(self._name(entry.name, file.read(_HEAD))[1])
        return sorted(found)

    def holds(self, name: str) -> bool:
        return self.place(name).is_file()

    def size(self, name: str) -> int:
        """Bytes of its content; FileNotFoundError."""
        return plain_size(self.place(name).stat().st_size - _HEAD)

    def read(self, name: str) -> bytes:
        """Its content; FileNotFoundError, or Unreadable when a bit of it is not what was sealed."""
        path = self.place(name)
        with _opened(path) as file:
            sealed = file.read()
        mark, _ = self._name(path.name, sealed[:_HEAD])
        return unseal(self._key, mark, sealed[_HEAD:])

    def write(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Put a file in the place of whatever had this name, whole or not at all."""
        part = self.begin(data)
        try:
            self.finish(part, name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def begin(self, data: bytes | Iterable[bytes], inside: Path | None = None) -> Path:
        """Seal a content into a file that has no name yet; `inside`: a folder on the same disk to wait in."""
        waiting = inside or self.folder
        make_folders(waiting)
        mark = os.urandom(16)
        part = waiting / f".{mark.hex()}{PART}"
        try:
            with open(part, "xb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW, 0o600)) as file:
                file.write(mark.ljust(_HEAD, b"\0"))
                for chunk in seal(self._key, _stream(mark), data):
                    file.write(chunk)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return part

    def finish(self, part: Path, name: str, *, durable: bool = True) -> None:
        """Give a file that was begun its name. Not `durable`: many at once, in a folder that is not anybody's yet."""
        raw = name.encode()
        if len(raw) > LONGEST:
            raise ValueError(f"a name of {len(raw)} bytes; {LONGEST} is the most")
        path = self.place(name)
        nonce = os.urandom(12)
        with open(part, "r+b") as file:
            block = (file.read(16) + struct.pack(">H", len(raw)) + raw).ljust(_BLOCK, b"\0")
            file.seek(0)
            file.write(nonce + self._blocks.encrypt(nonce, block, path.name.encode()))
        if durable:
            put_in_place(part, path)
        else:
            part.rename(path)

    def remove(self, name: str) -> bool:
        """Whether there was one."""
        try:
            self.place(name).unlink()
        except FileNotFoundError:
            return False
        return True

    def _name(self, place: str, head: bytes) -> tuple[str, str]:
        """(what the stream is bound to, the file's name)."""
        try:
            block = self._blocks.decrypt(head[:12].ljust(12), head[12:], place.encode())
        except InvalidTag:
            raise Unreadable("altered, cut short, or sealed under another key") from None
        (length,) = struct.unpack(">H", block[16:18])
        return _stream(block[:16]), block[18 : 18 + length].decode()


def is_sealed_place(name: str) -> bool:
    """Whether a file of this name in such a folder is one of its sealed files."""
    return _SEALED.fullmatch(name) is not None


def is_sealed_file(path: str) -> bool:
    """Whether this file is a sealed stream, with or without a name's block before it."""
    with open(path, "rb") as file:
        head = file.read(_HEAD + len(MAGIC))
    return head.startswith(MAGIC) or head[_HEAD:] == MAGIC


def _stream(mark: bytes) -> str:
    return f"sealed folder {mark.hex()}"


def _derive(key: bytes, what: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"rollcall folder " + what).derive(key)


def _opened(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(handle, "rb")
