"""The canary sweep: marks planted wherever software hides things, a forgetting, and a sweeper that finds none of them.

The sweeper here shares no code with the product's search, and is tried first: before the forgetting it has to find
every mark where it was planted. After it, nothing in the home but the opaque id may speak of the person.
"""

from __future__ import annotations

import base64
import io
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from sqlmodel import select

from reports.site_of_batch import rewrite_report
from tasks.adapters.portraits import open_selfies
from tasks.adapters.shelf import VaultShelf
from tasks.retention.case import Surroundings
from tasks.retention.erase import forget
from tasks.retention.left import read_list
from tasks.retention.rules import load_rules
from tasks.roster.consents import read_consents
from tasks.roster.intake import admit, note_roster, seat_everybody
from tasks.roster.open_drop import open_drop
from tasks.roster.read import read_roster
from tasks.selfies.intake import take_photos
from tasks.shipped import SHIPPED
from tasks.vault.batches import Order, open_batch
from tasks.vault.records import Decision, Employee, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.faces import Eyes
from tasks.vision.open_eyes import open_eyes

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
SELFIES = SHIPPED / "samples" / "northwind" / "selfies"
NAME, EMAIL, NUMBER, PHONE = "Zyxquark Vellichor", "zyxquark@canary.example", "CANRY-7001", "+44 7700 900123"
MARKS = {
    "name": NAME, "e-mail": EMAIL, "number": NUMBER, "phone": PHONE, "EXIF": "exif-canary-91", "serial": "SN-CANARY-55",
    "XMP": "xmp-canary-17", "comment": "jpeg-comment-canary", "PNG text": "png-text-canary",
    "tail": "after-the-end-canary", "note": "note-about-canary",
}  # fmt: skip
ROSTER = (
    f"Employee ID,Name,Email,Phone\n{NUMBER},{NAME},{EMAIL},{PHONE}\nCANRY-8002,Bystander Plain,by@canary.example,\n"
)
CONSENTS = f"Employee ID,Given at\n{NUMBER},2026-10-01\nCANRY-8002,2026-10-01\n"


def _photo(path: Path, *, png: bool) -> bytes:
    """A selfie with a mark in every place that formats have for one."""
    out = io.BytesIO()
    with Image.open(path) as image:
        if png:
            info = PngImagePlugin.PngInfo()
            info.add_text("Comment", MARKS["PNG text"])
            image.save(out, "png", pnginfo=info)
        else:
            exif = image.getexif()
            exif[0x010E], exif[0x013B] = MARKS["EXIF"], NAME
            exif.get_ifd(0x8769)[0xA431] = MARKS["serial"]
            exif.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
            xmp = f"<x:xmpmeta>{MARKS['XMP']}</x:xmpmeta>".encode()
            image.save(out, "jpeg", quality=92, exif=exif, xmp=xmp, comment=MARKS["comment"].encode())
    return out.getvalue() + MARKS["tail"].encode()


def _spelled(mark: str) -> Iterator[bytes]:
    raw = mark.encode()
    yield from (
        raw,
        raw.lower(),
        mark.encode("utf-16-le"),
        mark.encode("utf-16-be"),
        raw.hex().encode(),
        quote(mark).encode(),
    )
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        yield encoded[(0, 2, 3)[offset] : (offset + len(raw)) // 3 * 4]


def _windows(data: bytes) -> Iterator[bytes]:
    """Windows of 20 bytes from all over a picture, a vector or a key."""
    for start in range(0, max(len(data) - 20, 1), max(len(data) // 12, 1)):
        window = data[start : start + 20]
        if len(set(window)) > 6:  # a run of one value is in every file
            yield window


def sweep(home: Path, needles: dict[str, list[bytes]]) -> dict[str, set[str]]:
    """What was found where, in names and contents of every file."""
    found: dict[str, set[str]] = {}
    for path in sorted(home.rglob("*")):
        data = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        for what, spelled in needles.items():
            if any(one in data for one in spelled):
                found.setdefault(what, set()).add(path.relative_to(home).as_posix())
    return found


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return open_eyes("embedded")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


def _upload(vault: Vault) -> tuple[Path, list[bytes]]:
    folder = vault.settings.home / "drops" / "20261128-canary"
    photos = []
    for owner, source in ((NUMBER, "NW-1001"), ("CANRY-8002", "NW-1004")):
        for place, path in enumerate(sorted((SELFIES / source).glob("*.jpg"))[:4]):
            data = _photo(path, png=place == 3) if owner == NUMBER else path.read_bytes()
            target = (
                folder
                / "selfies"
                / owner
                / f"{NAME if owner == NUMBER else 'by'} {place}.{'png' if place == 3 else 'jpg'}"
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            photos += [data] if owner == NUMBER else []
    (folder / "roster.csv").write_text(ROSTER)
    (folder / "consents.csv").write_text(CONSENTS)
    return folder, photos


def _take(vault: Vault, folder: Path, eyes: Eyes) -> str:
    batch = open_batch(vault, Order(str(folder), "harbour", "draft", "embedded"), NOW)
    roster = read_roster((folder / "roster.csv").read_bytes(), "roster.csv")
    register = read_consents((folder / "consents.csv").read_bytes(), "consents.csv")
    seat_everybody(vault, batch, admit(vault, roster, register, NOW), roster)
    note_roster(vault, batch, roster, register)
    take_photos(vault, batch, open_drop(str(folder), vault), lambda: eyes, "embedded", NOW)
    return batch


def _prefects(home: Path, identity: str) -> None:
    """Prefect's database as it is while it runs: ids in rows, and its log beside it."""
    (home / "prefect").mkdir()
    connection = sqlite3.connect(home / "prefect" / "prefect.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE log (message)")
    connection.execute("INSERT INTO log VALUES (?)", (f"learned {identity}",))
    connection.commit()
    connection.close()


def test_after_forgetting_no_mark_is_left_anywhere(vault: Vault, eyes: Eyes) -> None:
    home = vault.settings.home
    folder, photos = _upload(vault)
    stray = folder / "selfies" / f"{NAME} holiday.jpg"  # a photo that intake does not take, with marks in it
    needles = {what: list(_spelled(mark)) for what, mark in MARKS.items()}
    needles["photo"] = [window for photo in photos for window in _windows(photo[400:])]
    before = sweep(home, needles)
    assert {
        "name",
        "e-mail",
        "number",
        "phone",
        "EXIF",
        "serial",
        "XMP",
        "comment",
        "PNG text",
        "tail",
        "photo",
    } <= before.keys()

    batch = _take(vault, folder, eyes)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(photos[0])
    with vault.reading() as session:
        identity = session.exec(select(Employee.id).where(Employee.number == NUMBER)).one()
        other = session.exec(select(Employee.id).where(Employee.number == "CANRY-8002")).one()
        assert session.get_one(Seat, (batch, identity)).accepted > 1
    permit = vault.permit(identity, now=NOW)
    selfies = open_selfies(vault, permit, eyes)
    vectors = [np.asarray(eyes.judge.embed(one.picture, one.face)) for one in selfies]
    kept = [vault.read(permit, key) for key in vault.blobs.keys(f"people/{identity}/")]
    VaultShelf(vault, [permit]).put(identity, "half.safetensors", b"half-learned-" + bytes(range(200)))
    left = vault.settings.scratch / batch / "cohort-0" / "under-way.safetensors"  # as 0.1 left it
    left.parent.mkdir(parents=True)
    left.write_bytes(kept[0])
    with vault.session() as session:
        for number, (by, note) in enumerate(((NAME, ""), ("Hannah Roth", f"{MARKS['note']}: beside {NAME}"))):
            session.add(
                Decision(id=f"d{number}", employee_id=other, batch_id=batch, verdict="redo", by=by, at=NOW, note=note)
            )
    rewrite_report(vault, batch, now=NOW)
    _prefects(home, identity)
    needles["kept photo"] = [window for data in kept for window in _windows(data[400:])]
    needles["vector"] = [
        w for vector in vectors for kind in ("<f4", "<f8") for w in _windows(vector.astype(kind).tobytes())
    ]
    needles["wrapped key"] = vault.keys.wrapped_bytes([identity])[identity]
    needles["checkpoint"] = [bytes(range(60, 120))]
    there = sweep(home, needles)
    assert {"wrapped key", "kept photo", "name", "note"} <= there.keys()
    assert not {"vector", "checkpoint"} & there.keys(), "these are never written in clear"

    around = Surroundings(load_rules(), "test", lambda which: rewrite_report(vault, which, now=NOW))
    receipt = forget(vault, identity, "requested", NOW, around)
    assert receipt.state == "provisional", (receipt.residue, read_list(home, receipt.id))
    assert sweep(home, needles) == {}
    with vault.reading() as session:
        assert session.get_one(Employee, other).name == "Bystander Plain"
        assert session.get_one(Seat, (batch, other)).accepted > 1, "the other one is as they were"
    where = sweep(home, {"id": [identity.encode()]})["id"]
    assert {place.split("/")[0] for place in where} <= {"audit", "receipts", "keys", "prefect"} | {
        "rollcall.db", "rollcall.db-wal", "rollcall.db-shm",
    }  # fmt: skip
