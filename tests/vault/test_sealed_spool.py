"""A temporary file that is noise to everybody else: read and written like any file, under a key that nobody keeps."""

import io
import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from tasks.vault.sealed_spool import PAGE, SealedSpool


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> list[io.BytesIO]:
    """What stands on the disk of each spool, in the order of their first full page."""
    kept: list[io.BytesIO] = []
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: kept.append(io.BytesIO()) or kept[-1])
    return kept


def test_a_spool_is_read_like_any_file() -> None:
    data = os.urandom(2 * PAGE + 1000)
    with SealedSpool() as spool:
        for at in range(0, len(data), 300_000):
            spool.write(data[at : at + 300_000])
        assert spool.tell() == len(data)
        for offset, size in ((0, -1), (PAGE - 5, 10), (2 * PAGE - 1, 5000), (len(data), 5), (17, 0)):
            assert spool.seek(offset) == offset
            assert spool.read(size) == (data[offset:] if size < 0 else data[offset : offset + size])
        assert spool.seek(-10, os.SEEK_END) == len(data) - 10
        assert spool.read() == data[-10:]


def test_every_spool_has_a_key_of_its_own(tmp_path: Path, on_disk: list[io.BytesIO]) -> None:
    """The same photo twice is not the same noise twice: who reads the disk cannot even compare."""
    with SealedSpool(tmp_path) as first, SealedSpool(tmp_path) as second:
        for spool in (first, second):
            spool.write(bytes(PAGE))
        one, other = (file.getvalue() for file in on_disk)
    assert len(one) == len(other) > PAGE
    assert one != other


def test_it_is_written_over_like_any_file() -> None:
    data = bytearray(os.urandom(2 * PAGE + 1000))
    with SealedSpool() as spool:
        spool.write(data)
        for offset, size in ((3, 10), (PAGE - 5, 10), (2 * PAGE + 990, 10), (2 * PAGE + 995, PAGE)):
            piece = os.urandom(size)
            spool.seek(offset)
            assert spool.write(piece) == size
            assert spool.tell() == offset + size
            data[offset : offset + size] = piece
            spool.seek(0)
            assert spool.read() == data
        spool.seek(1, os.SEEK_END)
        with pytest.raises(ValueError, match="no holes"):
            spool.write(b"x")


def test_what_is_written_over_does_not_open_what_stood_there(on_disk: list[io.BytesIO]) -> None:
    """Two texts under one nonce give away what they differ in."""
    with SealedSpool() as spool:
        spool.write(bytes(PAGE))
        before = on_disk[0].getvalue()
        spool.seek(0)
        spool.write(b"\xff" * 16)
        after = on_disk[0].getvalue()
    assert bytes(a ^ b for a, b in zip(before[:16], after[:16], strict=True)) != b"\xff" * 16
    assert sum(a == b for a, b in zip(before, after, strict=True)) < len(before) / 100


def test_a_zip_is_made_in_it(on_disk: list[io.BytesIO]) -> None:
    pictures = {f"{number}.jpg": os.urandom(PAGE // 3) for number in range(8)}
    with SealedSpool() as spool:
        with zipfile.ZipFile(spool, "w") as archive:
            for name, data in pictures.items():
                archive.writestr(name, data)
                assert archive.read(name) == data
        spool.seek(0)
        with zipfile.ZipFile(io.BytesIO(spool.read())) as read:
            assert read.testzip() is None
            assert {name: read.read(name) for name in read.namelist()} == pictures
        assert len(on_disk[0].getvalue()) > PAGE
        assert not any(data[:100] in on_disk[0].getvalue() for data in pictures.values())


def test_closed_it_holds_nothing_any_more() -> None:
    spool = SealedSpool()
    spool.write(b"a face")
    spool.close()
    spool.close()
    for asked in (lambda: spool.seek(0), lambda: spool.read(), lambda: spool.write(b"x")):
        with pytest.raises(ValueError, match="closed"):
            asked()
