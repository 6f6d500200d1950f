"""What lies in a temporary file while a request arrives is noise on the disk: its key is in this process only.

A browser's form with photos, and an archive inside an archive, are larger than memory should hold.
"""

import io
import os
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

PAGE = 2**20  # bytes; the last, unfinished page stays in memory
_TAG = 16


class SealedSpool(io.RawIOBase):
    """A temporary file that is written once, to its end, and read anywhere."""

    def __init__(self, folder: Path | None = None) -> None:
        self._cipher = AESGCM(os.urandom(32))  # never used for anything else, so a page's number is its nonce
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._pages, self._tail, self._at = 0, bytearray(), 0
        self._open: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Add at the end, wherever reading stands."""
        self._tail += data
        while len(self._tail) >= PAGE:
            self._file = self._file or tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with this one
            self._file.seek(self._pages * (PAGE + _TAG))
            self._file.write(self._cipher.encrypt(_nonce(self._pages), bytes(self._tail[:PAGE]), None))
            self._pages += 1
            del self._tail[:PAGE]
        self._at = self._pages * PAGE + len(self._tail)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = self._pages * PAGE + len(self._tail)
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        page, inside = divmod(self._at, PAGE)
        piece = (self._page(page) if page < self._pages else bytes(self._tail) if page == self._pages else b"")[inside:]
        piece = piece[: len(buffer)]
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
        if self._file is not None:
            self._file.close()
        super().close()

    def _page(self, number: int) -> bytes:
        if self._open[0] != number and self._file is not None:
            self._file.seek(number * (PAGE + _TAG))
            sealed = self._file.read(PAGE + _TAG)
            self._open = (number, self._cipher.decrypt(_nonce(number), sealed, None))
        return self._open[1]


def _nonce(page: int) -> bytes:
    return struct.pack(">4xQ", page)


class _Parser(MultiPartParser):
    """Starlette's, with files that are sealed where its own would lie in a temporary folder in clear."""

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if (upload := self._current_part.file) is not None:
            upload.file.close()
            upload.file = SealedSpool()  # type: ignore[assignment]


@asynccontextmanager
async def sealed_form(request: Request, *, max_files: int, max_fields: int) -> AsyncIterator[FormData]:
    """A form with files; MultiPartException when it did not arrive whole. Its files are gone afterwards."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        async with request.form(max_files=0, max_fields=max_fields) as form:
            yield form
        return
    parser = _Parser(request.headers, request.stream(), max_files=max_files, max_fields=max_fields)
    form = await parser.parse()
    try:
        yield form
    finally:
        await form.close()
