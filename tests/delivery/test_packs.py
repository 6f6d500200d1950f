"""Deliveries: only what was approved, marked and verified, everybody accounted for, to every kind of place."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from tasks.delivery.destinations import PAPERS, DeliveryFault
from tasks.delivery.names import BadTemplate
from tasks.delivery.sitters import newest_approved
from tasks.disclosure.installation import mark_key
from tasks.disclosure.source import read_origin
from tasks.disclosure.trust import own_root
from tasks.disclosure.verify import DisclosureVerdict, examine
from tasks.failures import RollcallError
from tasks.headshots.kit import BrandKit
from tasks.vault.records import AuditEntry, Decision, Employee, Headshot, Question
from tasks.vault.store import Vault
from tests.delivery.conftest import build_pack

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_approved_pictures_leave_and_everybody_is_accounted_for(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    manifest = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    sizes = len(kit.outputs)
    assert (manifest.people, len(manifest.files)) == (3, 3 * sizes)
    assert [one.code for one in manifest.skipped] == ["not_approved", "no_photos", "consent_withdrawn"]
    for file in manifest.files:
        data = (tmp_path / "out" / file.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
        origin = read_origin(data)
        assert origin is not None
        assert origin.source_type == file.source_type
    assert {f.number: f.source_type for f in manifest.files} == {
        "007": "trainedAlgorithmicMedia",
        "1002": "composite",
        "1003": "trainedAlgorithmicMedia",
    }
    assert {f.path.rsplit("/", 1)[1].split(".")[0] for f in manifest.files} == {"007", "1002", "1003"}


def test_manifests_are_for_people_and_for_machines(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "manifest.csv").read_text("utf-8-sig"))))
    assert rows[0]["Employee ID"] == "007"
    assert {row["Name"] for row in rows} == {"José Núñez", "'=Ann & <Co>", "Sam Lee"}
    text = (tmp_path / "out" / "manifest.json").read_text()
    assert not [name for name in ("José", "Ann", "Sam", "acme", "1002") if f'"{name}' in text]
    assert len(json.loads(text)["files"]) == len(rows)


def test_delivering_again_replaces_and_takes_away(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = build_pack(vault, "b1", kit, out, now=NOW)
    (out / "slack").mkdir(exist_ok=True)
    (out / "notes.txt").write_text("somebody else's")
    with vault.session() as session:
        approval = session.exec(select(Decision).where(Decision.employee_id == "p000000000001003")).one()
        later = {"id": "dx", "verdict": "reject", "at": NOW + timedelta(hours=1)}
        session.add(Decision(**{**approval.model_dump(), **later}))
    second = build_pack(vault, "b1", kit, out, now=NOW, may_remove=True)
    assert second.retired == len(kit.outputs)
    assert [f for f in second.files if f.number == "007"] == [f for f in first.files if f.number == "007"]
    assert not list(out.rglob("1003.*"))
    assert (out / "notes.txt").exists()


def test_a_second_delivery_writes_nothing_and_what_was_damaged_is_written_anew(
    vault: Vault, kit: BrandKit, tmp_path: Path
) -> None:
    first = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    before = {file.path: (tmp_path / "out" / file.path).stat().st_mtime_ns for file in first.files}
    assert build_pack(vault, "b1", kit, tmp_path / "out", now=NOW).files == first.files
    assert {path: (tmp_path / "out" / path).stat().st_mtime_ns for path in before} == before
    damaged = tmp_path / "out" / first.files[0].path
    damaged.write_bytes(damaged.read_bytes()[:-1])
    build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    changed = {path for path in before if (tmp_path / "out" / path).stat().st_mtime_ns != before[path]}
    assert changed == {first.files[0].path}


def test_every_file_is_signed_and_says_so_to_any_reader(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    for file in build_pack(vault, "b1", kit, tmp_path / "out", now=NOW).files:
        found = examine((tmp_path / "out" / file.path).read_bytes(), [mark_key(vault.keys)], own_root(vault.settings))
        assert found.verdict is DisclosureVerdict.DISCLOSED
        assert found.credentials is not None
        assert (found.credentials.trusted, found.credentials.source_type) == (True, file.source_type)
        if min(file.width, file.height) >= 200:
            assert found.lane == file.lane


def test_a_file_keeps_its_limit_with_the_signature_in_it(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    tight = kit.outputs[0].model_copy(update={"format": "jpeg", "width": 300, "height": 300, "max_bytes": 24_000})
    manifest = build_pack(vault, "b1", kit.model_copy(update={"outputs": (tight,)}), tmp_path / "out", now=NOW)
    assert [file.bytes <= 24_000 for file in manifest.files] == [True] * 3


def test_a_label_is_drawn_where_an_output_asks_for_it_and_changes_that_file_only(
    vault: Vault, kit: BrandKit, tmp_path: Path
) -> None:
    first = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    labelled = (kit.outputs[0].model_copy(update={"label": True}), *kit.outputs[1:])
    second = build_pack(vault, "b1", kit.model_copy(update={"outputs": labelled}), tmp_path / "out", now=NOW)
    changed = {a.output for a, b in zip(first.files, second.files, strict=True) if a.sha256 != b.sha256}
    assert changed == {kit.outputs[0].name}


def test_a_zip_holds_the_same_files(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    folder = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    packed = build_pack(vault, "b1", kit, tmp_path / "one.zip", now=NOW)
    assert [(f.path, f.headshot, f.recipe) for f in packed.files] == [
        (f.path, f.headshot, f.recipe) for f in folder.files
    ]
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f.path for f in packed.files} | set(PAPERS)


def test_of_two_approved_pictures_the_last_one_approved_leaves(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    from sqlmodel import col

    with vault.session() as session:
        shot = session.exec(select(Headshot).where(Headshot.digest == "h007-0")).one()
        session.add(Headshot(**{**shot.model_dump(), "digest": "later"}))
        before = session.exec(select(Decision).where(col(Decision.headshot_digest) == "h007-0")).one()
        later = {**before.model_dump(), "id": "dx", "headshot_digest": "later", "at": NOW}
        session.add(Decision(**later))
    manifest = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    assert {f.headshot for f in manifest.files if f.number == "007"} == {"later"}


def test_the_audit_knows_what_was_handed_over_and_names_nobody(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    with vault.reading() as session:
        entries = [entry for entry in session.exec(select(AuditEntry)) if entry.action == "delivered"]
    assert [entry.subject for entry in entries] == [f"p{n:015d}" for n in (7, 1002, 1003)]
    assert entries[0].object == "b1"
    assert entries[0].result == {"files": len(kit.outputs), "to": "folder", "headshot": "h007-0"}


def test_leavers_and_the_forgotten_stay_behind(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    with vault.session() as session:
        for number, field, value in (("007", "status", "left"), ("1003", "state", "erasing")):
            employee = session.exec(select(Employee).where(Employee.number == number)).one()
            setattr(employee, field, value)
            session.add(employee)
    manifest = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    assert {f.number for f in manifest.files} == {"1002"}
    assert {"left_company", "erasing"} < {one.code for one in manifest.skipped}


def test_a_destination_that_alters_files_is_found_out(
    vault: Vault, kit: BrandKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.delivery.places import FolderDestination

    put = FolderDestination._put
    monkeypatch.setattr(FolderDestination, "_put", lambda self, path, data: put(self, path, data[:-1]))
    with pytest.raises(DeliveryFault, match="not what was written"):
        build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)


@pytest.mark.parametrize("destination", ["", "file"])
def test_destinations_that_cannot_be(vault: Vault, kit: BrandKit, tmp_path: Path, destination: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RollcallError, match="folder"):
        build_pack(vault, "b1", kit, str(tmp_path / destination) if destination else "", now=NOW)


def test_a_link_inside_the_destination_leads_nowhere(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / kit.outputs[0].name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RollcallError, match="link"):
        build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_interrupted_zip_does_not_appear(
    vault: Vault, kit: BrandKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tasks.delivery.handing_over.manifest_papers", stop)
    with pytest.raises(KeyboardInterrupt):
        build_pack(vault, "b1", kit, tmp_path / "one.zip", now=NOW)
    assert not list(tmp_path.glob("*.zip*"))
    assert not list(tmp_path.glob(".one*"))


def test_wrong_orders_say_what_would_do(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    with pytest.raises(RollcallError, match="no such batch"):
        build_pack(vault, "b9", kit, tmp_path / "out", now=NOW)
    with pytest.raises(BadTemplate):
        build_pack(vault, "b1", kit, tmp_path / "out", now=NOW, names="{name}")
    assert newest_approved(vault) == "b1"


def test_whoever_may_be_meant_by_an_open_question_waits(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    """Two people whose numbers were swapped each left under the other's name."""
    with vault.session() as session:
        mine = [{"id": "p000000000000007", "by": "number"}]
        session.add(
            Question(
                id="q1", kind="who_is_this", batch_id="b2", employee_id="p9", candidates=mine, claim="x", asked_at=NOW
            )
        )
    manifest = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    assert "007" not in {f.number for f in manifest.files}
    assert [one.code for one in manifest.skipped if one.employee == mine[0]["id"]] == ["who_is_this"]
    with vault.session() as session:
        session.get_one(Question, "q1").answer = "another"
    assert "007" in {f.number for f in build_pack(vault, "b1", kit, tmp_path / "more", now=NOW).files}


def test_another_approved_picture_is_written_anew(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    first = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    with vault.session() as session:
        shot = session.exec(select(Headshot).where(Headshot.digest == "h007-0")).one()
        before = session.exec(select(Decision).where(Decision.headshot_digest == "h007-0")).one()
        session.add(Headshot(**{**shot.model_dump(), "digest": "later"}))
        session.add(Decision(**{**before.model_dump(), "id": "dx", "headshot_digest": "later", "at": NOW}))
    second = build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)
    changed = {a.number for a, b in zip(first.files, second.files, strict=True) if a.sha256 != b.sha256}
    assert changed == {"007"}


def test_a_file_without_its_credentials_is_found_out(
    vault: Vault, kit: BrandKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.delivery.leaving.sign", lambda data, form, origin, chain: data)
    with pytest.raises(DeliveryFault, match="no credentials"):
        build_pack(vault, "b1", kit, tmp_path / "out", now=NOW)


def test_that_a_photo_was_signed_is_said_of_the_picture_that_is_still_that_photo(
    vault: Vault, kit: BrandKit, tmp_path: Path
) -> None:
    with vault.session() as session:
        for shot in session.exec(select(Headshot)):
            shot.scores = {"photo_signed_by": "Leica Camera AG"}
            session.add(shot)
    said = b"valid content credentials, signed by Leica Camera AG."
    for file in build_pack(vault, "b1", kit, tmp_path, now=NOW).files:
        assert (said in (tmp_path / file.path).read_bytes()) == (file.lane == "faithful")
