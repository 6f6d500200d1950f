"""Encrypts one blob as a stream of chunks that cannot be reordered, cut short, extended or moved to another key.

The construction is the well-known STREAM one with a key per file: HKDF derives the file's key from the data key, 16
random bytes and the blob's own key (name), so nonces never repeat across files and a blob cannot stand in for another;
each chunk's nonce holds its number and whether it is the last, so chunks authenticate only in their place.

    "RCV1" | salt 16 | nonce prefix 7 | chunk, chunk, ..., last chunk      (chunk = up to 1 MiB + 16 bytes of tag)
"""

import os
import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.vault.failures import Unreadable

MAGIC = b"RCV1"
CHUNK = 1 << 20  # bytes of plain text per chunk
_TAG = 16  # bytes, of AES-GCM
_SALT = 16  # bytes: no two blobs share a key
_PREFIX = 7  # bytes of the nonce; the rest is the piece's number and whether it is the last
_HEADER = len(MAGIC) + _SALT + _PREFIX


def seal(data_key: bytes, name: str, data: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """The encrypted form of `data`, or of what comes in chunks; at least one chunk, even for nothing."""
    salt, prefix = os.urandom(_SALT), os.urandom(_PREFIX)
    yield MAGIC + salt + prefix
    cipher = _cipher(data_key, salt, name)
    pieces = _pieces(data) if isinstance(data, bytes) else _gathered(data)
    piece, number = next(pieces, b""), 0
    for following in pieces:
        yield cipher.encrypt(_nonce(prefix, number, False), piece, MAGIC)
        piece, number = following, number + 1
    yield cipher.encrypt(_nonce(prefix, number, True), piece, MAGIC)


def _pieces(data: bytes) -> Iterator[bytes | memoryview]:
    view = memoryview(data)
    return (view[start : start + CHUNK] for start in range(0, len(view), CHUNK))


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """The same bytes in chunks of the one size that a reader expects."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= CHUNK:
            yield bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
    if waiting:
        yield bytes(waiting)


def plain_size(sealed: int) -> int:
    """How many bytes lie in a sealed form of this many."""
    body = sealed - _HEADER
    return body - _TAG * max(1, -(-body // (CHUNK + _TAG)))


def unseal(data_key: bytes, name: str, sealed: bytes) -> bytes:
    """The plain bytes; Unreadable when a single bit, the order, the length or the name is not what was sealed."""
    if not is_sealed(sealed):
        raise Unreadable(f"not a sealed blob: {name}")
    salt = sealed[len(MAGIC) : len(MAGIC) + _SALT]
    prefix = sealed[len(MAGIC) + _SALT : _HEADER]
    cipher = _cipher(data_key, salt, name)
    return b"".join(_open_chunks(cipher, prefix, memoryview(sealed)[_HEADER:], name))


def is_sealed(data: bytes) -> bool:
    """Whether this looks like something `seal` made."""
    return data.startswith(MAGIC) and len(data) >= _HEADER + _TAG


def _open_chunks(cipher: AESGCM, prefix: bytes, body: memoryview, name: str) -> Iterable[bytes]:
    size = CHUNK + _TAG
    last = max(0, (len(body) - 1) // size)
    for number in range(last + 1):
        piece = body[number * size : (number + 1) * size]
        try:
            yield cipher.decrypt(_nonce(prefix, number, number == last), piece, MAGIC)
        except InvalidTag as error:
            raise Unreadable(f"altered, cut short or moved: {name}") from error


def _cipher(data_key: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"rollcall blob " + name.encode()).derive(data_key))


def _nonce(prefix: bytes, number: int, is_last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, is_last)
