"""What lies in a temporary file while a request arrives or a ZIP waits is noise on the disk: its key is in this process
only.

A browser's form with photos, an archive inside an archive, and a download are larger than memory should hold.
"""

import io
import os
import struct
import tempfile
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PAGE = 2**20  # bytes; the last, unfinished page stays in memory
_TAG = 16  # bytes, of AES-GCM


class SealedSpool(io.RawIOBase):
    """A temporary file like any other, but that what stands on the disk of it can be read by nobody else."""

    def __init__(self, folder: Path | None = None) -> None:
        self._cipher = AESGCM(os.urandom(32))  # never used for anything else: `_nonce` never repeats under it
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._times: list[int] = []  # that each page on the disk was written
        self._tail, self._at = bytearray(), 0
        self._open: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """At the place where the file stands; ValueError behind its end, where nothing of ours ever writes."""
        self._must_be_open()
        left = memoryview(data).cast("B")
        if self._at > self._end:
            raise ValueError("a sealed file has no holes")
        while left:
            page, inside = divmod(self._at, PAGE)
            piece = left[: PAGE - inside]
            if page < len(self._times):  # a ZIP's header is written again once its file's size is known
                before = self._page(page)
                self._seal(page, before[:inside] + bytes(piece) + before[inside + len(piece) :])
            else:
                self._tail[inside : inside + len(piece)] = piece
                if len(self._tail) == PAGE:
                    self._seal(page, bytes(self._tail))
                    self._tail.clear()
            self._at += len(piece)
            left = left[len(piece) :]
        return len(data)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._must_be_open()
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._must_be_open()
        page, inside = divmod(self._at, PAGE)
        written = len(self._times)
        whole = self._page(page) if page < written else bytes(self._tail) if page == written else b""
        piece = whole[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def read(self, size: int | None = -1) -> bytes:
        """As many bytes as are asked for, as long as there are any: pages are nobody's business."""
        found = bytearray()
        while size is None or size < 0 or len(found) < size:
            wanted = PAGE if size is None or size < 0 else size - len(found)
            piece = bytearray(wanted)
            got = self.readinto(memoryview(piece))
            if not got:
                break
            found += piece[:got]
        return bytes(found)

    def close(self) -> None:
        self._tail.clear()
        self._open = (-1, b"")
        super().close()
        if self._file is not None:
            self._file.close()

    def _must_be_open(self) -> None:
        if self.closed:
            raise ValueError("this file is closed, and what it held is gone")

    @property
    def _end(self) -> int:
        return len(self._times) * PAGE + len(self._tail)

    def _seal(self, number: int, page: bytes) -> None:
        if number == len(self._times):
            self._times.append(0)
        self._times[number] += 1
        self._file = self._file or tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with this one
        self._file.seek(number * (PAGE + _TAG))
        self._file.write(self._cipher.encrypt(_nonce(number, self._times[number]), page, None))
        self._open = (number, page)

    def _page(self, number: int) -> bytes:
        if self._open[0] != number and self._file is not None:
            self._file.seek(number * (PAGE + _TAG))
            sealed = self._file.read(PAGE + _TAG)
            self._open = (number, self._cipher.decrypt(_nonce(number, self._times[number]), sealed, None))
        return self._open[1]


def _nonce(page: int, time: int) -> bytes:
    """Another one for each time that a page is written: two texts under one nonce would open each other."""
    return struct.pack(">IQ", time, page)
