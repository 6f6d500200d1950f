"""What HR uploads is sealed from its first byte on: the raw bytes of a home hold no name, no address, no picture."""

import io
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from reports.desk.app import create_desk
from reports.uploads.arriving import Arriving
from reports.uploads.parts import Arrival, take_part
from reports.uploads.receiving import add_photos, keep_upload
from tasks.retention.orphans import sweep_orphans
from tasks.retention.sweep import run_retention
from tasks.roster.open_drop import open_drop, upload_in, uploads
from tasks.selfies.picks import FILE, Answers, read_answers
from tasks.vault.sealed_spool import PAGE
from tasks.vault.settings import Settings
from tasks.vault.store import UPLOAD, Vault, open_vault
from tests.reports.conftest import PASSWORD
from tests.reports.uploads.test_uploads import archive, checked, sent, token

NAME, EMAIL = "Zyxquark Vellichor", "zyx@canary.example"
ROSTER = f"Employee ID,Name,Email,Consent\n7,{NAME},{EMAIL},yes\n8,Bystander Plain,by@canary.example,no\n".encode()
PNG = b"\x89PNG\r\n\x1a\n"


def picture(kind: str, *, noisy: bool = False) -> bytes:
    out = io.BytesIO()
    size = (900, 700)
    made = Image.frombytes("RGB", size, os.urandom(size[0] * size[1] * 3)) if noisy else Image.new("RGB", size)
    made.save(out, kind, quality=100)
    return out.getvalue()


JPEG = picture("JPEG")[:20]


def in_clear(*roots: Path) -> list[str]:
    """Where a raw byte of a name, an address or a picture stands, in contents or in names."""
    marks = {"name": NAME.encode(), "part of a name": b"Vellichor", "address": EMAIL.encode(), "JPEG": JPEG, "PNG": PNG}
    found = []
    for path in (path for root in roots for path in root.rglob("*")):
        there = os.fsencode(path.name) + (path.read_bytes() if path.is_file() else b"")
        found += [f"{what} in {path.name}" for what, mark in marks.items() if mark in there]
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def vault(home: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=home)) as opened:
        yield opened


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Python puts temporary files, kept with their names so that a test can read them."""
    place = tmp_path / "temporary"
    place.mkdir()

    def named(*_: object, **kwargs: object) -> object:
        return tempfile.NamedTemporaryFile(dir=place, delete=False)

    monkeypatch.setattr(tempfile, "TemporaryFile", named)
    return place


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr("reports.uploads.checks.eyes_at_hand", lambda _: None)
    app = create_desk(Settings(home=home, desk_password=PASSWORD, prefect_ui_url="http://127.0.0.1:9"))
    with TestClient(app, base_url="http://127.0.0.1:4280", follow_redirects=False) as client:
        client.post("/login", data={"name": "Ada", "password": PASSWORD})
        yield client
    app.state.vault.close()


def test_nothing_is_in_clear_during_and_after_an_upload(
    desk: TestClient, home: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form with large photos, an archive within an archive, parts, an answer, another roster."""
    seen: list[list[str]] = []
    take_in = Arriving.take_in

    def looking(self: Arriving, folder: str, *, durable: bool) -> int:
        seen.append(in_clear(home, temporary))
        assert len(self.files) > 0
        repeated = take_in(self, folder, durable=durable)
        seen.append(in_clear(home, temporary))
        return repeated

    monkeypatch.setattr(Arriving, "take_in", looking)
    large = picture("JPEG", noisy=True)
    assert len(large) > PAGE
    inner = archive(**{f"{NAME}/1.jpg": large, "2.png": picture("PNG")})
    files = [
        ("roster", ("Export.csv", ROSTER)),
        ("photos", (f"{NAME}/a.jpg", large)),
        ("photos", (f"{NAME}/b.png", picture("PNG"))),
        ("photos", ("all.zip", archive(**{f"more of {NAME}.zip": inner}))),
    ]
    answer = desk.post("/drops", data={"token": token(desk)}, files=files)
    assert answer.status_code == 303
    address, identity = answer.headers["location"], answer.headers["location"].rsplit("/", 1)[1]
    assert any(temporary.iterdir()), "what was too large for memory was on the disk"
    assert len(seen) == 2
    assert f"{NAME}" in checked(desk, address)

    headers = {"X-Rollcall-Token": token(desk), "X-Rollcall-Parts": "yes"}
    whole = archive(**{f"{NAME}/c.jpg": picture("JPEG"), f"{NAME}/d.png": picture("PNG")})
    query: dict[str, str | int] = {"name": f"{NAME}.zip", "size": len(whole), "stamp": "17"}
    for at in range(0, len(whole), 300):
        sent_part = desk.post(
            f"{address}/parts", params={**query, "at": at}, content=whole[at : at + 300], headers=headers
        )
        assert sent_part.json() == {"have": min(at + 300, len(whole))}
        seen.append(in_clear(home))
    assert len(seen) > 6
    upload = upload_in(home / "drops" / identity, desk.app.state.vault)  # type: ignore[attr-defined]
    upload.write(FILE, Answers({f"{NAME}/": "7"}).as_json())
    more = desk.post(f"{address}/more", data={"token": token(desk)}, files=[("roster", ("r.csv", ROSTER + b"9,X,,\n"))])
    assert more.status_code == 303
    seen.append(in_clear(home, temporary))
    assert [found for found in seen if found] == []
    assert upload.files() == [
        "roster.csv", f"selfies/{NAME}/a.jpg", f"selfies/{NAME}/b.png", f"selfies/{NAME}/c.jpg",
        f"selfies/{NAME}/d.png", f"selfies/more of {NAME}/2.png", f"selfies/more of {NAME}/{NAME}/1.jpg",
    ]  # fmt: skip
    assert upload.read(f"selfies/{NAME}/a.jpg") == upload.read(f"selfies/more of {NAME}/{NAME}/1.jpg") == large
    assert upload.read(f"selfies/{NAME}/d.png") == picture("PNG")


def older(home: Path, name: str = "20261101-old") -> Path:
    """An upload as an older version left it."""
    folder = home / "drops" / name
    (folder / "selfies" / NAME).mkdir(parents=True)
    (folder / "roster.csv").write_bytes(ROSTER)
    (folder / "selfies" / NAME / "a.jpg").write_bytes(picture("JPEG"))
    (folder / FILE).write_bytes(Answers({f"{NAME}/": "7"}).as_json())
    return folder


def test_an_upload_of_an_older_version_is_read_and_sealed_at_the_next_start(
    home: Path, vault: Vault, request: pytest.FixtureRequest
) -> None:
    folder = older(home)
    drop = open_drop(str(folder), vault)
    before = (drop.files(), drop.read("roster.csv"), drop.stamp("roster.csv"), read_answers(drop))
    assert in_clear(folder)
    desk = request.getfixturevalue("desk")
    assert in_clear(folder) == []
    again = open_drop(str(folder), vault)
    assert (again.files(), again.read("roster.csv"), again.stamp("roster.csv"), read_answers(again)) == before
    assert NAME in checked(desk, f"/drops/{folder.name}")


def test_killed_while_sealing_it_is_read_once(home: Path, vault: Vault) -> None:
    upload = upload_in(older(home), vault)
    upload.sealed.write(f"selfies/{NAME}/a.jpg", picture("JPEG"))  # sealed, and not yet removed in clear
    assert upload.files() == ["roster.csv", f"selfies/{NAME}/a.jpg"]
    assert upload.seal_clear() == 3
    assert upload.files() == ["roster.csv", f"selfies/{NAME}/a.jpg"]
    assert in_clear(upload.folder) == []


def test_the_sweep_seals_too_and_a_key_goes_with_its_upload(home: Path, vault: Vault) -> None:
    now = datetime.now(UTC)
    kept, gone = (upload_in(older(home, name), vault) for name in ("20261101-kept", "20261101-gone"))
    old = (now - timedelta(days=31)).timestamp()
    for path in gone.folder.rglob("*"):
        os.utime(path, (old, old))
    run_retention(vault.settings, now)
    assert in_clear(home) == []
    assert [upload.location for upload in uploads(vault)] == [kept.location]
    held = [one for one in vault.keys.holders() if one.startswith(f"{UPLOAD}-")]
    assert len(held) == 1, "the key of what is gone is gone, in every backup too"
    sweep_orphans(vault, now, now)
    assert upload_in(kept.folder, vault).read("roster.csv") == ROSTER, "and nobody's key is not an orphan's"


def test_a_folder_of_hrs_own_stays_as_it_is(home: Path, vault: Vault, tmp_path: Path) -> None:
    theirs = older(tmp_path / "hr")
    before = {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file()}
    assert open_drop(str(theirs), vault).read("roster.csv") == ROSTER
    run_retention(vault.settings, datetime.now(UTC))
    assert {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file()} == before


def test_a_cut_upload_leaves_noise_only(home: Path, vault: Vault) -> None:
    upload = upload_in(home / "drops" / "20261128-cut", vault)
    keep_upload(upload, sent("r.csv", ROSTER), None, [])
    take_part(upload, Arrival(f"{NAME}/a.jpg", 100_000, "1"), 0, picture("JPEG")[:5_000])

    def breaks() -> Iterator[object]:
        yield sent(f"{NAME}/b.jpg", picture("JPEG"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_photos(upload, breaks())  # type: ignore[arg-type]
    assert in_clear(home) == []


def test_one_more_photo_costs_no_look_at_all_that_are_there(
    home: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's photos come one by one: a listing with each would take hours."""
    upload = upload_in(home / "drops" / "20261128-many", vault)
    keep_upload(upload, sent("r.csv", ROSTER), None, [sent(f"8/{n}.jpg", b"x") for n in range(3)])

    def listed(_: object) -> list[str]:
        raise AssertionError("listed")

    with monkeypatch.context() as patched:
        patched.setattr(type(upload), "files", listed)
        patched.setattr(type(upload.sealed), "names", listed)
        assert add_photos(upload, [sent("8/0.jpg", b"x"), sent("8/1.jpg", b"other")], lift=False) == (1, 1)
    assert [path for path in upload.files() if "/1" in path] == ["selfies/8/1-2.jpg", "selfies/8/1.jpg"]
