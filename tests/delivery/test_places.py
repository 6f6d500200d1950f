"""Places of delivery: second runs write nothing, who withdraws meanwhile is taken out, no half file is left."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from tasks.delivery.destinations import Delivered, DestinationFault, Leaving
from tasks.delivery.handing_over import DeliveryOrder, hand_over
from tasks.delivery.pack import Pack, kit_pack, sort_packs
from tasks.delivery.places import FolderDestination
from tasks.delivery.zips import DownloadDestination
from tasks.headshots.kit import BrandKit
from tasks.vault import sealed_spool
from tasks.vault.records import Consent, Employee
from tasks.vault.store import Vault
from tests.delivery.conftest import build_pack, employee_id

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


@pytest.fixture(scope="module")
def packs() -> dict[str, Pack]:
    return sort_packs(None)[0]


@pytest.fixture(scope="module")
def small(kit: BrandKit) -> BrandKit:
    return kit.model_copy(update={"outputs": kit.outputs[1:2]})


def stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_second_run_writes_nothing_at_all(vault: Vault, small: BrandKit, tmp_path: Path, name: str) -> None:
    place = tmp_path / "to" / name
    build_pack(vault, "b1", small, place, now=NOW)
    before = stamps(tmp_path / "to")
    assert before
    later = build_pack(vault, "b1", small, place, now=NOW + timedelta(days=1))
    assert len(later.files) == 3
    assert stamps(tmp_path / "to") == before


def test_a_zip_loses_who_is_gone_and_keeps_the_others_as_they_were(
    vault: Vault, small: BrandKit, tmp_path: Path
) -> None:
    place = tmp_path / "one.zip"
    first = {file.path: file.sha256 for file in build_pack(vault, "b1", small, place, now=NOW).files}
    withdraw(vault, "1003", NOW)
    later = build_pack(vault, "b1", small, place, now=NOW + timedelta(hours=1), may_remove=True)
    assert {file.path: file.sha256 for file in later.files}.items() < first.items()
    with zipfile.ZipFile(place) as archive:
        assert archive.testzip() is None
        assert not [name for name in archive.namelist() if "1003" in name]
        assert "1003" in archive.read("changes.csv").decode()
        assert "Sam Lee" in archive.read("handover.html").decode()
    assert sorted(tmp_path.glob(".*")) == []


def withdraw(vault: Vault, number: str, at: datetime) -> None:
    with vault.session() as session:
        consent = session.get_one(Consent, f"c{number}")
        consent.withdrawn_at = at
        session.add(consent)


class Watched(FolderDestination):
    """A folder that something happens beside: after each file, `then` is called."""

    def __init__(self, root: Path, then: Callable[[str], None]) -> None:
        super().__init__(root)
        self._then = then

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        there = super().deliver(file, person)
        self._then(person.number)
        return there


@pytest.mark.parametrize(("who", "when"), [("007", "007"), ("1003", "007"), ("007", "1003")])
def test_consent_counts_at_that_second_before_and_after_a_picture_was_written(
    vault: Vault, small: BrandKit, tmp_path: Path, who: str, when: str
) -> None:
    def then(number: str) -> None:
        if number == when:
            withdraw(vault, who, NOW)

    place = Watched(tmp_path / "out", then)
    manifest = hand_over(vault, DeliveryOrder("b1", small, (kit_pack(small),)), lambda: place, lambda: NOW)
    assert who not in {file.number for file in manifest.files}
    assert [one.code for one in manifest.skipped if one.employee == employee_id(who)] == ["consent_withdrawn"]
    assert not list((tmp_path / "out").rglob(f"{who}.*"))
    assert employee_id(who) not in manifest.changes.new
    listed = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert employee_id(who) not in {one["employee"] for one in listed["files"]}


def test_a_download_is_a_zip_that_has_no_name_on_this_machine(vault: Vault, small: BrandKit, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    place = DownloadDestination(scratch)
    manifest = hand_over(vault, DeliveryOrder("b1", small, (kit_pack(small),)), lambda: place, lambda: NOW)
    assert manifest.destination == "download"
    assert list(scratch.iterdir()) == []
    assert place.file is not None
    with place.file:
        data = place.file.read()
    assert len(data) == place.size
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {file.path for file in manifest.files} < set(archive.namelist())


def test_what_lies_on_the_disk_of_a_download_is_sealed(
    vault: Vault, small: BrandKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_spool, "PAGE", 512)  # a large company's download does not fit into memory
    scratch = tmp_path / "scratch"
    place = DownloadDestination(scratch)
    hand_over(vault, DeliveryOrder("b1", small, (kit_pack(small),)), lambda: place, lambda: NOW)
    assert place.file is not None
    with place.file:
        data = place.file.read()
        [lying] = open_without_a_name(scratch)
        noise = lying.read_bytes()
    assert len(noise) > len(data) * 0.9 > 0
    for mark in (b"PK\x03\x04", b"\xff\xd8\xff", b"manifest.csv", b"handover.html"):
        assert mark in data
        assert mark not in noise


def open_without_a_name(folder: Path) -> list[Path]:
    """This process's open files in a folder that have no name any more: what a look at the disk would find."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own
            lies = os.readlink(handle)
            found += [handle] if lies.startswith(str(folder)) and lies.endswith("(deleted)") else []
    return found


def test_a_zip_that_no_delivery_wrote_is_left_alone(vault: Vault, small: BrandKit, tmp_path: Path) -> None:
    place = tmp_path / "theirs.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("letter.txt", "dear")
    before = place.read_bytes()
    with pytest.raises(DestinationFault, match="no delivery wrote"):
        build_pack(vault, "b1", small, place, now=NOW)
    place.write_text("no zip")
    with pytest.raises(DestinationFault, match="is no zip"):
        build_pack(vault, "b1", small, place, now=NOW)
    assert before != place.read_bytes() == b"no zip"


def test_a_hand_written_manifest_leads_nowhere(vault: Vault, small: BrandKit, tmp_path: Path) -> None:
    """It lists a file outside as an earlier delivery's, which the next one would take away."""
    out = tmp_path / "out"
    build_pack(vault, "b1", small, out, now=NOW)
    (tmp_path / "precious").write_text("mine")
    listed = json.loads((out / "manifest.json").read_text())
    listed["files"].append({**listed["files"][0], "path": "../precious", "employee": "pnobody"})
    (out / "manifest.json").write_text(json.dumps(listed))
    build_pack(vault, "b1", small, out, now=NOW, may_remove=True)
    assert (tmp_path / "precious").read_text() == "mine"


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may become longer: writing ends as on a full disk, with an error in the middle."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_full_disk_leaves_no_half_file_and_the_next_run_goes_on(
    vault: Vault, kit: BrandKit, tmp_path: Path, name: str
) -> None:
    large = kit.outputs[0].model_copy(update={"name": "large", "width": 700, "height": 700, "format": "png"})
    both = kit.model_copy(update={"outputs": (kit.outputs[1], large)})
    place = tmp_path / "to" / name
    with room_for(150_000), pytest.raises(DestinationFault, match="cannot be written to: File too large"):
        build_pack(vault, "b1", both, place, now=NOW)
    assert [path for path in (tmp_path / "to").rglob("*") if path.name.startswith(".") or path.suffix == ".png"] == []
    assert not (place / "manifest.json").exists()
    assert len(build_pack(vault, "b1", both, place, now=NOW).files) == 6


def test_what_a_killed_delivery_left_goes_with_the_next(vault: Vault, small: BrandKit, tmp_path: Path) -> None:
    (tmp_path / "slack").mkdir()
    for left in (tmp_path / "slack" / ".007.jpg.aabbccdd.part", tmp_path / ".one.zip.aabbccdd.part"):
        left.write_bytes(os.urandom(10))
    build_pack(vault, "b1", small, tmp_path / "one.zip", now=NOW)
    assert not (tmp_path / ".one.zip.aabbccdd.part").exists()
    build_pack(vault, "b1", small, tmp_path / "slack", now=NOW)
    assert not list(tmp_path.rglob("*.part"))


def test_files_are_called_as_each_directory_wants(
    vault: Vault, kit: BrandKit, packs: dict[str, Pack], tmp_path: Path
) -> None:
    chosen = [packs["active-directory"], packs["workday"]]
    paths = {file.path for file in build_pack(vault, "b1", kit, tmp_path / "a", now=NOW, packs=chosen).files}
    assert "active-directory/lee@acme.example.jpg" in paths  # by sign-in name
    assert "workday/1003.jpg" in paths  # by number
    named = build_pack(vault, "b1", kit, tmp_path / "b", now=NOW, packs=chosen, names="{number}_{name}")
    assert {file.path.split("/")[1] for file in named.files if file.number == "1003"} == {"1003_Sam_Lee.jpg"}


def test_a_signature_is_a_table_that_mail_programs_show(
    vault: Vault, kit: BrandKit, packs: dict[str, Pack], tmp_path: Path
) -> None:
    made = build_pack(vault, "b1", kit, tmp_path, now=NOW, packs=[packs["signature"]])
    assert {file.path for file in made.files if file.number == "1002"} == {"signature/1002.jpg", "signature/1002.htm"}
    text = (tmp_path / "signature" / "1002.htm").read_text("utf-8")
    assert "=Ann &amp; &lt;Co&gt;" in text
    assert '<img src="1002.jpg" width="96" height="96"' in text
    assert [word for word in ("<style", "<script", "data:", "class=", "flex", "@import", "<div") if word in text] == []
    snippet = packs["signature"].snippet
    assert snippet is not None
    hosted = packs["signature"].model_copy(
        update={"snippet": snippet.model_copy(update={"address": "https://pictures.example/{file}"})}
    )
    again = build_pack(vault, "b1", kit, tmp_path, now=NOW, packs=[hosted])
    assert 'src="https://pictures.example/1002.jpg"' in (tmp_path / "signature" / "1002.htm").read_text("utf-8")
    same = {file.path: file.sha256 for file in made.files} | {file.path: file.sha256 for file in again.files}
    assert {file.path for file in made.files if same[file.path] != file.sha256} == {
        file.path for file in made.files if file.format == "html"
    }


def test_the_hand_over_page_says_how_and_whose_pictures_come_down(
    vault: Vault, kit: BrandKit, packs: dict[str, Pack], tmp_path: Path
) -> None:
    chosen = [packs["workday"], packs["website"]]
    build_pack(vault, "b1", kit, tmp_path, now=NOW, packs=chosen)
    page = (tmp_path / "handover.html").read_text("utf-8")
    assert "Put_Worker_Photo" in page
    assert "website/avif-800/" in page
    assert "looked up on 2026-11-28" in page
    assert "To be taken down" not in page
    assert [word for word in ("<script", "http-equiv", "src=") if word in page] == []
    withdraw(vault, "1002", NOW)
    build_pack(vault, "b1", kit, tmp_path, now=NOW, packs=chosen, may_remove=True)
    page = (tmp_path / "handover.html").read_text("utf-8")
    assert "To be taken down" in page
    assert "=Ann &amp; &lt;Co&gt;" in page
    assert "consent withdrawn" in page


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tasks.delivery.handing_over import DeliveryOrder, hand_over
from tasks.delivery.pack import kit_pack
from tasks.delivery.places import FolderDestination
from tasks.delivery.zips import ZipDestination
from tasks.headshots.kit import load_kit
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

home, out, after = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
kind = ZipDestination if out.suffix == ".zip" else FolderDestination
deliver = kind.deliver

def then_die(self, file, person, count=[0]):
    there = deliver(self, file, person)
    count[0] += 1
    if count[0] == after:
        os.kill(os.getpid(), signal.SIGKILL)
    return there

kind.deliver = then_die
kit = load_kit("signal", Path("brand_kits"))
kit = kit.model_copy(update={"outputs": kit.outputs[1:2]})
with open_vault(Settings(home=home)) as vault:
    order, now = DeliveryOrder("b1", kit, (kit_pack(kit),)), datetime(2026, 11, 23, 13, tzinfo=UTC)
    hand_over(vault, order, lambda: kind(out), lambda: now)
"""


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_killed_in_the_middle_the_next_run_ends_as_if_nothing_had_happened(
    vault: Vault, small: BrandKit, tmp_path: Path, name: str
) -> None:
    """With kill -9, after the second of three people's files."""
    place = tmp_path / name
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, str(vault.settings.home), str(place), "2"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not (place / "manifest.json").exists()
    assert not (tmp_path / "out.zip").exists()
    kept = stamps(place) if place.is_dir() else {}
    manifest = build_pack(vault, "b1", small, place, now=NOW)
    assert sorted(file.number for file in manifest.files) == ["007", "1002", "1003"]
    assert manifest.changes.new == tuple(employee_id(number) for number in ("007", "1002", "1003"))
    assert list(tmp_path.rglob("*.part")) == []
    assert len(kept) == (0 if name.endswith(".zip") else 2)
