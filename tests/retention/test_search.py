"""The search that receipts rely on is tried on leaks planted by hand: it must find every one, in every disguise."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import pytest
from PIL import Image, PngImagePlugin

from tasks.retention.search import search_blobs, search_bytes, search_files, spellings
from tasks.vault.blobs_folder import FolderBlobs
from tasks.vault.open_blobs import open_blobs

NAME = "Zoë Quágga-Okapi"
EMAIL = "zoe.quagga@canary.example"
PIXELS = b"\x00\x7fface-of-quagga\xff\x01" * 4
NEEDLES: list[str | bytes] = [NAME, EMAIL, PIXELS]


def _zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def _tar(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("pack/1.jpg")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _jpeg_with_xmp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "jpeg", xmp=f"<x:xmpmeta>{NAME}</x:xmpmeta>".encode(), comment=b"n")
    return out.getvalue()


def _png_with_text() -> bytes:
    out, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", EMAIL, zip=True)
    Image.new("RGB", (8, 8)).save(out, "png", pnginfo=info)
    return out.getvalue()


def _safetensors() -> bytes:
    header = json.dumps({"__metadata__": {"ss_folder": f"/in/{EMAIL}/selfies"}}).encode()
    return struct.pack("<Q", len(header)) + header


def _sqlite_live(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (?)", (NAME,))
    connection.close()


def _sqlite_deleted(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete=OFF")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (?)", (EMAIL,))
    connection.commit()
    connection.execute("DELETE FROM t")
    connection.commit()
    connection.close()


def _sqlite_log(path: Path) -> None:
    """A name that lives only in the write-ahead log of a database somebody has open."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (?)", (NAME,))
    connection.commit()
    log = path.with_name(path.name + "-wal").read_bytes()
    connection.close()
    path.unlink()
    path.with_name(path.name + "-wal").write_bytes(log)


def _attribute(path: Path) -> None:
    path.write_text("nothing inside")
    try:
        os.setxattr(path, "user.owner", EMAIL.encode())
    except OSError:  # a file system without attributes cannot leak through them
        path.write_text(EMAIL)


DATA_URI = b"<img src='data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8" + PIXELS) + b"'>"

LEAKS: dict[str, Callable[[Path], object] | bytes] = {
    "a photo": PIXELS,
    "half a photo": b"prefix" + PIXELS[: len(PIXELS)] + b"suffix",
    "a roster in UTF-8": f"1;{NAME};x".encode(),
    "a roster in Windows' encoding": f"1;{NAME};x".encode("latin-1"),
    "a roster in UTF-16": f"1\t{NAME}\tx".encode("utf-16"),
    "JSON with escapes": json.dumps({"name": NAME}).encode(),
    "HTML with entities": NAME.encode("ascii", "xmlcharrefreplace"),
    "an address in a log": f"GET /?q={quote(NAME)}".encode(),
    "an e-mail in lower case": EMAIL.lower().encode(),
    "hexadecimal in a trace": PIXELS.hex().encode(),
    "a data URI, offset 2": DATA_URI,
    "base64, offset 0": base64.b64encode(PIXELS),
    "base64, offset 1": base64.b64encode(b"x" + PIXELS),
    "base64 for URLs": base64.urlsafe_b64encode(b"xy" + PIXELS),
    "a delivery zip": _zip("1.jpg", PIXELS),
    "a zip in a zip": _zip("inner.zip", _zip("1.jpg", PIXELS)),
    "a name inside a zip": _zip(f"{EMAIL}.jpg", b"x"),
    "a rotated log": gzip.compress(f"INFO {EMAIL}".encode()),
    "a bzip2 backup": bz2.compress(PIXELS),
    "an xz backup": lzma.compress(PIXELS),
    "a tar of a run": _tar(PIXELS),
    "XMP in a JPEG": _jpeg_with_xmp(),
    "compressed text in a PNG": _png_with_text(),
    "a header of weights": _safetensors(),
    "a pickled result": pickle.dumps({"who": EMAIL}),
    "a row in a database": _sqlite_live,
    "a deleted row": _sqlite_deleted,
    "a write-ahead log": _sqlite_log,
    "a file name": lambda path: path.with_name(f"{EMAIL}.tmp").write_text("x"),
    "a folder name": lambda path: path.with_name(EMAIL).mkdir(),
    "a link's target": lambda path: os.symlink(f"/in/{EMAIL}", path),
    "a file's attribute": _attribute,
}


@pytest.mark.parametrize("leak", LEAKS)
def test_planted_leaks_are_found(leak: str, tmp_path: Path) -> None:
    plant, folder = LEAKS[leak], tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    (folder / "innocent.txt").write_text("nobody in particular")
    assert list(search_files([tmp_path], spellings(NEEDLES))) == []
    if isinstance(plant, bytes):
        (folder / "leak.bin").write_bytes(plant)
    else:
        plant(folder / "leak.bin")
    found = list(search_files([tmp_path], spellings(NEEDLES)))
    assert found
    assert all(NAME not in hit.spelling and EMAIL not in hit.spelling for hit in found)


def test_there_are_enough_kinds_of_leaks() -> None:
    assert len(LEAKS) >= 20


def test_damaged_archives_are_searched_as_they_are() -> None:
    broken = _zip("1.txt", b"x" * 1000)[:-30] + EMAIL.encode()
    assert list(search_bytes(broken, spellings([EMAIL]), "here"))
    assert not list(search_bytes(gzip.compress(b"x" * 100)[:-9], spellings([EMAIL]), "here"))
    assert not list(search_bytes(zlib.compress(b"x"), spellings([EMAIL]), "here"))


def test_left_out_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "drops").mkdir()
    (tmp_path / "drops" / "roster.csv").write_text(EMAIL)
    assert not list(search_files([tmp_path], spellings([EMAIL]), skip=[tmp_path / "drops"]))


def test_a_store_is_searched_with_everything_it_hides(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("people/p1/selfies/1", [PIXELS])
    (tmp_path / "people/p1/selfies/.2.ab.part").write_bytes(b"half")
    assert {hit.spelling for hit in search_blobs(blobs, spellings(NEEDLES))} == {"plain", "part"}


@pytest.mark.s3
def test_versions_markers_and_uploads_are_seen(new_bucket: Callable[..., str], kit: ModuleType) -> None:
    blobs = open_blobs(new_bucket())
    client, bucket = blobs.client, blobs.bucket  # type: ignore[attr-defined]
    blobs.put("people/p1/selfies/1", [PIXELS])
    blobs.put("people/p1/selfies/1", [b"replaced"])
    client.delete_object(Bucket=bucket, Key="vault/people/p1/selfies/1")
    client.create_multipart_upload(Bucket=bucket, Key="vault/people/p1/adapter/a")
    found = {hit.spelling for hit in search_blobs(blobs, spellings(NEEDLES))}
    assert found == {"version", "marker", "upload"}
