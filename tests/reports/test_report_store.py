"""Reports in the blob store: two homes that share records, bucket and keys show the same pages, and forget together."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from reports.desk.app import create_desk
from reports.site_of_batch import rewrite_report
from tasks.retention.erase import forget
from tasks.retention.orphans import sweep_orphans
from tasks.retention.pages_in_store import remove_stored_pictures
from tasks.vault.report_files import files_of
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tests.reports.conftest import NOON, fill_vault, small

BATCH = "b20261123a"
KIT = Path(__file__).resolve().parents[2] / "brand_kits"


def home(place: Path, name: str) -> Settings:
    """A machine of its own: nothing is shared but records, keys, bucket and master key."""
    shared = place / "shared"
    records, keys = (f"sqlite:///{shared / file}" for file in ("records.db", "keys.db"))
    return Settings(
        home=place / name, database_url=records, keys_url=keys,
        blob_url=str(shared / "bucket"), master_key=str(shared / "master.key"), report_files="store", kits=KIT,
    )  # fmt: skip


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Vault]:
    """The desk's worker, which has written the report."""
    (tmp_path / "shared").mkdir()
    with open_vault(home(tmp_path, "worker")) as vault:
        fill_vault(vault, small())
        rewrite_report(vault, BATCH, now=NOON)
        yield vault


@pytest.fixture
def desk(worker: Vault, tmp_path: Path) -> Iterator[TestClient]:
    """The review desk, on another machine."""
    app = create_desk(home(tmp_path, "desk"), clock=lambda: NOON)
    app.state.writing._write = lambda batch: pytest.fail("what another machine wrote is not written once more")
    with TestClient(app, base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5)) as client:
        client.post("/login", data={"name": "Rita"})
        yield client


def test_the_page_that_is_served_is_the_one_that_was_written_elsewhere(
    worker: Vault, desk: TestClient, tmp_path: Path
) -> None:
    files, person = files_of(worker, BATCH), small().people[0]
    assert desk.get(f"/batches/{BATCH}/").status_code == 200
    assert person.name in desk.get(f"/batches/{BATCH}/people/{person.id}.html").text
    pictures = [name for name in files.names(f"people/{person.id}/") if name.endswith(".webp")]
    assert pictures
    for name in pictures:
        answer = desk.get(f"/batches/{BATCH}/{name}")
        assert answer.content == files.read(name)
        assert answer.headers["content-type"] == "image/webp"
    for name in ("worker", "desk"):
        left = [path for path in (tmp_path / name).rglob("*") if path.suffix in {".html", ".webp"}]
        assert left == [], "no machine's disk holds a page or a picture"


def test_what_lies_in_the_bucket_is_sealed(worker: Vault, tmp_path: Path) -> None:
    files = [path for path in (tmp_path / "shared" / "bucket" / "reports").rglob("*") if path.is_file()]
    assert len(files) > 10
    names = {one.name.encode() for one in small().people}
    for path in files:
        data = path.read_bytes()
        assert not data.startswith((b"<!doctype", b"RIFF"))
        assert not any(name in data for name in names)


def test_a_second_writing_draws_no_picture_again(worker: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_of(worker, BATCH).names()
    monkeypatch.setattr("reports.pictures.fit", lambda *_: pytest.fail("drawn again"))
    rewrite_report(worker, BATCH, now=NOON)
    assert files_of(worker, BATCH).names() == before


def test_forgetting_on_one_machine_takes_the_person_out_of_what_another_shows(
    worker: Vault, desk: TestClient, tmp_path: Path
) -> None:
    person = small().people[0]
    other = next(one for one in small().people if one.headshots and one.id != person.id)
    with open_vault(home(tmp_path, "third")) as keeper:
        receipt = forget(keeper, person.id, "request", NOON)
        assert not receipt.residue
        files = files_of(keeper, BATCH)
        assert files.names(f"people/{person.id}/") == []
        for name in files.names():
            assert person.id not in name
            if name.endswith(".html"):
                text = (files.read(name) or b"").decode()
                assert person.name not in text
                assert person.id not in text
        rewrite_report(keeper, BATCH, now=NOON)
    assert desk.get(f"/batches/{BATCH}/people/{person.id}.html").status_code == 410
    wall = desk.get(f"/batches/{BATCH}/").text
    assert person.name not in wall
    assert other.name in wall
    assert worker.keys.existing_key(person.id, "pages") is None, "copies elsewhere are noise"


def test_forgetting_one_leaves_the_pages_of_the_others_and_minds_none_that_cannot_be_opened(worker: Vault) -> None:
    person = small().people[0]
    other = next(one for one in small().people if one.headshots and one.id != person.id)
    files = files_of(worker, BATCH)
    page, mine = f"people/{other.id}.html", f"people/{person.id}.html"
    files.write(page, f"<p>{other.name}</p>".encode())
    files.write("looked-at.html", f"<p>{person.name}</p>".encode())
    worker.blobs.put(f"reports/{BATCH}/closing.html", [b"neither sealed nor a page"])
    receipt = forget(worker, person.id, "request", NOON)
    assert not receipt.residue
    left = files.names()
    assert {page, "closing.html"} <= set(left)
    assert mine not in left
    assert "looked-at.html" not in left, "whose page it is does not matter: it speaks of them"


def test_pictures_whose_time_is_up_go_and_pages_stay(worker: Vault) -> None:
    person, files = small().people[0], files_of(worker, BATCH)
    assert remove_stored_pictures(worker, [person.id]) == (BATCH,)
    assert files.names(f"people/{person.id}/") == []
    assert files.read(f"people/{person.id}.html") is not None
    assert remove_stored_pictures(worker, [person.id]) == ()


def test_the_sweep_for_orphans_leaves_reports_and_takes_pages_of_nobody(worker: Vault) -> None:
    files = files_of(worker, BATCH)
    before = files.names()
    sweep_orphans(worker, NOON, NOON)
    assert files.names() == before, "pages have no intents, and are no orphans for that"
    assert files.read("index.html") is not None, "nor is the key that opens them"
    files.write("people/p404/h-1-1x1.webp", b"x")
    worker.blobs.put("reports/bgone/index.html", [b"x"])
    found = sweep_orphans(worker, NOON, NOON).found
    assert found["page_of_nobody"] == 2
    assert files.names() == before
    assert list(worker.blobs.keys("reports/bgone/")) == []


def test_a_folder_that_machines_share_is_the_other_way(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    one = Settings(home=tmp_path / "one", report_files=str(volume))
    assert (one.reports, one.reports_in_store) == (volume, False)
