"""Photos in the vault: under permits, without metadata, rejected ones never kept, and nothing done twice."""

import io
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image
from sqlmodel import select

from tasks.adapters.portraits import accepted_selfies
from tasks.retention.erase import forget
from tasks.roster.consents import read_consents
from tasks.roster.intake import admit, seat_everybody
from tasks.roster.open_drop import open_drop, upload_in
from tasks.roster.read import read_roster
from tasks.roster.upload import Upload
from tasks.selfies.intake import Taken, take_photos
from tasks.selfies.keep import take_back
from tasks.selfies.picks import NOBODYS, Answers
from tasks.vault.batches import Order, load_batch, move_seat, open_batch, seats_of, take_version
from tasks.vault.page_sizes import small_photo
from tasks.vault.records import Artifact, Consent, EarlierName, Employee, Selfie
from tasks.vault.sealing import is_sealed
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.faces import Eyes
from tasks.vision.images import read_picture
from tasks.vision.small import SELFIE

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROSTER = "Employee ID,Name,Headshot generation\n1,Ann,yes\n2,Bob,yes\n3,Cy,opt out\n4,Dee,yes\n"
CONSENTS = "Employee ID,Purpose,Given at\n1,headshot,2026-10-01\n3,headshot,2026-10-01\n4,headshot,2026-10-01\n"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def drop(make_drop: Callable[..., Path], card: Callable[..., bytes]) -> Path:
    files = {f"selfies/1/{i}.jpg": card("red", i) for i in range(5)}
    files |= {"selfies/1/other.jpg": card("blue", 9), "selfies/2/a.jpg": card("green", 10)}
    files |= {"selfies/3/a.jpg": card("green", 11), "selfies/4/x.jpg": b"no picture, sixteen bytes and more"}
    return make_drop(ROSTER, CONSENTS, files)


def seat(vault: Vault, drop: Path, kit: str = "harbour", now: datetime = NOW) -> str:
    batch = open_batch(vault, Order(str(drop), kit, "draft", "embedded"), now)
    opened = open_drop(str(drop), vault)
    roster = read_roster(opened.read("roster.csv"), "roster.csv")
    register = read_consents(opened.read("consents.csv"), "consents.csv")
    seat_everybody(vault, batch, admit(vault, roster, register, NOW), roster)
    return batch


def take(vault: Vault, batch: str, drop: Path, eyes: Callable[[], Eyes]) -> Taken:
    return take_photos(vault, batch, open_drop(str(drop), vault), eyes, "cards", NOW)


def blind() -> NoReturn:
    raise AssertionError("nothing should be looked at")


def by_number(vault: Vault, batch: str) -> dict[str, tuple[str, str | None]]:
    with vault.reading() as session:
        numbers = {employee.id: employee.number for employee in session.exec(select(Employee))}
    return {numbers[one.employee_id]: (one.state, one.reason) for one in seats_of(vault, batch)}


def test_who_is_ready_and_who_waits(vault: Vault, drop: Path, eyes: Eyes) -> None:
    batch = seat(vault, drop)
    assert take(vault, batch, drop, lambda: eyes) == Taken(4, 2, 2, 9, True)
    assert by_number(vault, batch) == {
        "1": ("ready", None),
        "2": ("blocked", "no_consent"),
        "3": ("ready", "opted_out"),
        "4": ("blocked", "no_photos"),
    }
    ann, _, cy, dee = seats_of(vault, batch)
    assert [f["code"] for f in ann.findings] == ["other_person"]
    assert (ann.lane, ann.accepted, cy.lane) == ("generated", 5, "faithful")
    assert [f["code"] for f in dee.findings] == ["no_photos", "not_a_picture"]


def test_only_accepted_photos_are_kept_and_nothing_but_their_pixels(vault: Vault, drop: Path, eyes: Eyes) -> None:
    photo = drop / "selfies" / "1" / "0.jpg"
    with Image.open(photo) as image:
        exif = image.getexif()
        exif[0x010F] = "PhoneMaker"
        exif.get_ifd(0x8825)[2] = (59.0, 54.0, 49.0)
        exif[274] = 6  # lying on its side
        upright = image.copy()
        image.rotate(90, expand=True).save(photo, exif=exif, quality=95)
    take(vault, seat(vault, drop), drop, lambda: eyes)
    with vault.reading() as session:
        selfies = list(session.exec(select(Selfie)))
        ann = session.exec(select(Employee).where(Employee.number == "1")).one()
    assert sorted((s.accepted, bool(s.blob_key)) for s in selfies) == [(False, False)] * 2 + [(True, True)] * 6
    first = next(s for s in selfies if s.employee_id == ann.id and s.order == 1)
    stored = vault.read(vault.permit(ann.id, now=NOW), first.blob_key)
    assert b"PhoneMaker" not in stored
    with Image.open(io.BytesIO(stored)) as image:
        assert dict(image.getexif()) == {}
    kept = read_picture(stored).picture
    assert np.abs(kept.astype(int) - np.asarray(upright.convert("RGB"))).mean() < 3


def test_a_photo_has_a_small_copy_for_pages_sealed_beside_it_that_goes_when_it_goes(
    vault: Vault, drop: Path, eyes: Eyes
) -> None:
    take(vault, seat(vault, drop), drop, lambda: eyes)
    with vault.reading() as session:
        photo = session.exec(select(Selfie).where(Selfie.blob_key != "")).first()
        assert photo is not None
        kinds = {row.key: row.kind for row in session.exec(select(Artifact))}
    copy = small_photo(photo.blob_key)
    with Image.open(io.BytesIO(vault.read(vault.permit(photo.employee_id, now=NOW), copy))) as image:
        assert image.format == "WEBP"
        assert max(image.size) <= max(SELFIE)
        assert not image.getexif()
    assert is_sealed(vault.blobs.get(copy))
    assert kinds[copy] == kinds[photo.blob_key] == "selfies"  # one clock, and one key that is destroyed with both
    take_back(vault, {photo.digest}, None)
    assert (vault.exists(photo.blob_key), vault.exists(copy)) == (False, False)


def test_nothing_is_done_twice_not_even_for_another_kit(vault: Vault, drop: Path, eyes: Eyes) -> None:
    first = seat(vault, drop)
    take(vault, first, drop, lambda: eyes)
    for state in ("rendered", "done"):
        move_seat(vault, first, seats_of(vault, first)[0].employee_id, state)
    assert take(vault, seat(vault, drop), drop, blind).examined is False
    assert by_number(vault, first)["1"] == ("done", None)
    second = seat(vault, drop, "signal")
    assert second != first
    assert take(vault, second, drop, blind) == Taken(4, 2, 2, 9, False)
    assert by_number(vault, second) == by_number(vault, first) | {"1": ("ready", None)}
    assert load_batch(vault, second).facts["photos"] == load_batch(vault, first).facts["photos"]


def test_photos_leave_an_upload_that_was_taken_in_and_everything_stays_as_it_was(
    vault: Vault, drop: Path, eyes: Eyes
) -> None:
    """The vault has them; HR's own folder is never touched. Running it again changes nothing, for any kit."""
    ours = vault.settings.home / "drops" / "20261123-abc"
    shutil.copytree(drop, ours)
    assert upload_in(ours, vault).seal_clear() == 11
    assert list(ours.rglob("*.jpg")) == []
    first = seat(vault, ours)
    assert take(vault, first, ours, lambda: eyes).ready == 2
    left = [path for path in upload_in(ours, vault).files() if path.endswith(".jpg")]
    assert left == ["selfies/2/a.jpg", "selfies/4/x.jpg"], "of who may not be opened, and of who still has to send some"
    for state in ("rendered", "done"):
        move_seat(vault, first, seats_of(vault, first)[0].employee_id, state)
    stood, kept = by_number(vault, first), accepted_selfies(vault, seats_of(vault, first)[0].employee_id)
    assert len(kept) == 5
    for _ in range(2):
        assert seat(vault, ours) == first
        take(vault, first, ours, lambda: eyes)
        assert by_number(vault, first) == stood
        assert accepted_selfies(vault, kept[0].employee_id) == kept
    other = seat(vault, ours, "daylight")
    take(vault, other, ours, lambda: eyes)
    assert by_number(vault, other)["1"] == ("ready", None)
    take(vault, seat(vault, drop), drop, lambda: eyes)
    assert len(list(drop.rglob("*.jpg"))) == 9


@pytest.mark.parametrize("again", ["the same batch", "another kit"])
def test_who_is_forgotten_without_a_photo_has_nobody_elses_looked_at_again(
    vault: Vault, drop: Path, eyes: Eyes, again: str
) -> None:
    """A batch that was carried on after a kill looked at everybody anew, when somebody had been forgotten meanwhile."""
    batch = seat(vault, drop)
    take(vault, batch, drop, lambda: eyes)
    before = by_number(vault, batch)
    with vault.reading() as session:
        bob = session.exec(select(Employee).where(Employee.number == "2")).one()
    forget(vault, bob.id, "request", NOW)
    second = seat(vault, drop, "harbour" if again == "the same batch" else "daylight")
    assert (second == batch) == (again == "the same batch")
    assert take(vault, second, drop, blind).examined is False
    stand = {number: state for number, state in by_number(vault, second).items() if number in before}
    assert {n: s for n, s in stand.items() if n != "2"} == {n: s for n, s in before.items() if n != "2"}
    assert all(one.state == "blocked" for one in seats_of(vault, second) if one.employee_id == bob.id)


def test_who_is_blocked_for_another_reason_than_before_is_told_the_new_one(
    vault: Vault, drop: Path, eyes: Eyes
) -> None:
    batch = seat(vault, drop)
    take(vault, batch, drop, lambda: eyes)
    (drop / "roster.csv").write_text(ROSTER.replace("2,Bob,yes", "2,Bob,opt out"))
    take(vault, seat(vault, drop), drop, blind)
    assert by_number(vault, batch)["2"] == ("blocked", "no_consent")


def dies(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("files", [0, 2, 6], ids=["before the first", "between two", "after the last"])
def test_photos_that_were_leaving_an_upload_when_the_process_died_are_no_smaller_set(
    vault: Vault, drop: Path, eyes: Eyes, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """What is left of Ann's six photos is not what HR sent of her; what HR sends of her afterwards is."""
    ours = vault.settings.home / "drops" / "20261123-abc"
    shutil.copytree(drop, ours)
    upload_in(ours, vault).seal_clear()
    batch, remove, removed = seat(vault, ours), Upload.remove, list[str]()

    def dies_then(upload: Upload, path: str) -> bool:
        if len(removed) == files:
            raise KeyboardInterrupt
        removed.append(path)
        return remove(upload, path)

    monkeypatch.setattr(Upload, "remove", dies_then)
    with pytest.raises(KeyboardInterrupt):
        take(vault, batch, ours, lambda: eyes)
    monkeypatch.undo()
    before = used(vault, "1")
    assert len(before) == 5
    take(vault, seat(vault, ours), ours, lambda: eyes)
    ann = seats_of(vault, batch)[0]
    assert (ann.state, ann.photos, ann.accepted) == ("ready", 6, 5)
    assert used(vault, "1") == before
    left = [path for path in upload_in(ours, vault).files() if path.endswith(".jpg")]
    assert left == ["selfies/2/a.jpg", "selfies/4/x.jpg"]
    examined = take(vault, batch, ours, lambda: eyes).examined
    assert take(vault, batch, ours, blind if not examined else lambda: eyes).examined is False, "it is over"


def died_before_a_photo_left(vault: Vault, drop: Path, eyes: Eyes, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """An upload of ours that a run has examined, and its batch: the run was killed then."""
    ours = vault.settings.home / "drops" / "20261123-abc"
    shutil.copytree(drop, ours)
    batch = seat(vault, ours)
    monkeypatch.setattr("tasks.selfies.intake.let_go", dies)
    with pytest.raises(KeyboardInterrupt):
        take(vault, batch, ours, lambda: eyes)
    monkeypatch.undo()
    return ours, batch


def test_who_dies_before_the_first_photo_left_lets_them_go_the_next_time(
    vault: Vault, drop: Path, eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examination is noted by then, and would not be made again."""
    ours, batch = died_before_a_photo_left(vault, drop, eyes, monkeypatch)
    take(vault, batch, ours, lambda: eyes)
    assert [path for path in upload_in(ours, vault).files() if path.startswith("selfies/1/")] == []


def test_photos_that_hr_adds_after_such_an_end_are_looked_at(
    vault: Vault, drop: Path, eyes: Eyes, card: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, batch = died_before_a_photo_left(vault, drop, eyes, monkeypatch)
    before = used(vault, "1")
    for number in range(5):
        upload_in(ours, vault).write(f"selfies/1/new-{number}.jpg", card("red", 60 + number))
    take_version(vault, batch, "corrected", 4, NOW + timedelta(hours=1))
    take_photos(vault, batch, open_drop(str(ours), vault), lambda: eyes, "cards", NOW + timedelta(hours=1))
    assert len(used(vault, "1")) == 5
    assert used(vault, "1").isdisjoint(before)


def test_a_live_photos_video_leaves_with_its_photo(vault: Vault, drop: Path, eyes: Eyes) -> None:
    """It shows the same person. Left behind without the photo it would be taken for an unusable one by the next run."""
    (drop / "selfies" / "1" / "0.MOV").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(100))
    (drop / "selfies" / "2" / "a.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(100))
    ours = vault.settings.home / "drops" / "20261123-abc"
    shutil.copytree(drop, ours)
    batch = seat(vault, ours)
    take(vault, batch, ours, lambda: eyes)
    left = [path for path in upload_in(ours, vault).files() if path.startswith("selfies/")]
    assert left == ["selfies/2/a.jpg", "selfies/2/a.mov", "selfies/4/x.jpg"]
    stood = seats_of(vault, batch)[0]
    take(vault, batch, ours, lambda: eyes)
    ann = seats_of(vault, batch)[0]
    assert (ann.state, ann.photos, ann.findings) == (stood.state, stood.photos, stood.findings)


def test_a_leavers_photos_leave_and_those_that_may_still_be_used_stay(
    vault: Vault, make_drop: Callable[..., Path], card: Callable[..., bytes], eyes: Eyes
) -> None:
    """A consent may still come, and a photo that is nobody's find its owner; nobody waits for who has left."""
    roster = "Employee ID,Name,Status\n1,Ann,Active\n2,Ben,Active\n3,Cy,Terminated\n4,Di,somewhere\n"
    consents = "Employee ID,Purpose,Given at\n1,headshot,2026-10-01\n3,headshot,2026-10-01\n4,headshot,2026-10-01\n"
    files = {f"selfies/1/{i}.jpg": card("red", i) for i in range(4)}
    files |= {f"selfies/{who}/a.jpg": card("blue", 9 + n) for n, who in enumerate(["2", "3", "4", "Zoe"])}
    ours = vault.settings.home / "drops" / "20261123-abc"
    shutil.copytree(make_drop(roster, consents, files), ours)
    take(vault, seat(vault, ours), ours, lambda: eyes)
    left = [path for path in upload_in(ours, vault).files() if path.startswith("selfies/")]
    assert left == ["selfies/2/a.jpg", "selfies/4/a.jpg", "selfies/Zoe/a.jpg"]


def test_taking_them_after_an_interruption_leaves_the_same_records(vault: Vault, drop: Path, eyes: Eyes) -> None:
    batch = seat(vault, drop)
    seen = 0

    def stop(done: int, total: int) -> None:
        nonlocal seen
        seen = done
        if done == 7:  # while the second person is being looked at
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_photos(vault, batch, open_drop(str(drop), vault), lambda: eyes, "cards", NOW, stop)
    with vault.reading() as session:
        half = {s.id: s for s in session.exec(select(Selfie))}
    assert len(half) == 6
    take_photos(vault, batch, open_drop(str(drop), vault), lambda: eyes, "cards", NOW + timedelta(hours=1))
    with vault.reading() as session:
        whole = {s.id: s for s in session.exec(select(Selfie))}
    assert {identity: whole[identity] for identity in half} == half


def used(vault: Vault, number: str) -> set[str]:
    """Digests of the accepted photos of one person that are in use."""
    with vault.reading() as session:
        mine = session.exec(select(Employee).where(Employee.number == number)).one()
    return {row.digest for row in accepted_selfies(vault, mine.id)}


def keys(vault: Vault) -> set[str]:
    with vault.reading() as session:
        return {s.blob_key for s in session.exec(select(Selfie)) if s.blob_key}


def test_an_upload_deletes_nothing_and_a_photo_that_left_the_drop_is_no_longer_used(
    vault: Vault, drop: Path, eyes: Eyes
) -> None:
    batch = seat(vault, drop)
    take(vault, batch, drop, lambda: eyes)
    before, there = used(vault, "1"), keys(vault)
    (drop / "selfies" / "1" / "4.jpg").unlink()
    take_version(vault, batch, "corrected", 4, NOW + timedelta(hours=1))
    take_photos(vault, batch, open_drop(str(drop), vault), lambda: eyes, "cards", NOW + timedelta(hours=1))
    assert len(before - used(vault, "1")) == 1
    assert used(vault, "1") < before
    assert keys(vault) == there
    assert all(vault.exists(key) for key in there), "deletion is retention's work"
    found = {f["code"]: f["sentence"] for f in seats_of(vault, batch)[0].findings}
    assert "replace 1 earlier" in found["photos_replaced"]


def test_the_full_roster_with_the_photos_of_the_joiner_alone_leaves_everybody_as_before(
    vault: Vault, drop: Path, card: Callable[..., bytes], eyes: Eyes, tmp_path: Path
) -> None:
    """Every month's case: 192 selfies of 24 people were deleted by it, and 23 people blocked."""
    first = seat(vault, drop)
    take(vault, first, drop, lambda: eyes)
    there, before = keys(vault), by_number(vault, first)
    month = tmp_path / "month"
    (month / "selfies" / "5").mkdir(parents=True)
    (month / "roster.csv").write_text(ROSTER + "5,Eve,yes\n")
    (month / "consents.csv").write_text(CONSENTS + "5,headshot,2026-11-01\n")
    (month / "selfies" / "5" / "a.jpg").write_bytes(card("pink", 50))
    second = seat(vault, month)
    take(vault, second, month, lambda: eyes)
    assert by_number(vault, second) == {**before, "5": ("ready", None)}
    ann = seats_of(vault, second)[0]
    assert (ann.photos, ann.accepted, [f["code"] for f in ann.findings]) == (6, 5, ["other_person"])
    assert there < keys(vault)
    assert all(vault.exists(key) for key in there)
    assert len(used(vault, "1")) == 5


def test_newer_photos_stay_in_use_when_the_older_drop_is_run_again(
    vault: Vault, drop: Path, card: Callable[..., bytes], eyes: Eyes, tmp_path: Path
) -> None:
    first = seat(vault, drop)
    take(vault, first, drop, lambda: eyes)
    newer = tmp_path / "newer"
    (newer / "selfies" / "1").mkdir(parents=True)
    for name in ("roster.csv", "consents.csv"):
        (newer / name).write_bytes((drop / name).read_bytes())
    (newer / "selfies" / "1" / "new.jpg").write_bytes(card("red", 60))
    later = NOW + timedelta(days=1)
    second = seat(vault, newer, now=later)
    take_photos(vault, second, open_drop(str(newer), vault), lambda: eyes, "cards", later)
    new = used(vault, "1")
    assert len(new) == 1
    take_photos(vault, first, open_drop(str(drop), vault), lambda: eyes, "cards", later + timedelta(days=1))
    assert used(vault, "1") == new


def test_a_folder_under_the_name_somebody_had_before_is_still_theirs(
    vault: Vault, make_drop: Callable[..., Path], card: Callable[..., bytes], eyes: Eyes
) -> None:
    files = {f"selfies/Siobhan OConnor/{i}.jpg": card("red", i) for i in range(3)}
    drop = make_drop("Employee ID,Name\n4,Siobhan Li\n", "Employee ID,Given at\n4,2026-10-01\n", files)
    batch = seat(vault, drop)
    with vault.session() as session:
        person = session.exec(select(Employee)).one()
        was = {"employee_id": person.id, "identity": 0, "number": "4", "until": NOW}
        session.add(EarlierName(**was, name="Siobhan O'Connor"))
    take(vault, batch, drop, lambda: eyes)
    assert by_number(vault, batch) == {"4": ("ready", None)}


def test_the_same_photos_under_another_name_are_nobodys_until_hr_says_whose(
    vault: Vault, drop: Path, card: Callable[..., bytes], eyes: Eyes, tmp_path: Path
) -> None:
    take(vault, seat(vault, drop), drop, lambda: eyes)
    there = keys(vault)
    other = tmp_path / "other"
    (other / "selfies" / "9").mkdir(parents=True)
    (other / "roster.csv").write_text("Employee ID,Name\n9,Zoe\n")
    (other / "consents.csv").write_text("Employee ID,Purpose,Given at\n9,headshot,2026-10-01\n")
    for name in ("0.jpg", "1.jpg"):
        (other / "selfies" / "9" / name).write_bytes((drop / "selfies" / "1" / name).read_bytes())
    batch = seat(vault, other)
    take(vault, batch, other, lambda: eyes)
    assert by_number(vault, batch) == {"9": ("blocked", "same_photo_other_name")}
    assert keys(vault) == there


def test_photos_that_cannot_be_used_replace_none(vault: Vault, drop: Path, eyes: Eyes, tmp_path: Path) -> None:
    take(vault, seat(vault, drop), drop, lambda: eyes)
    before = used(vault, "1")
    bad = tmp_path / "bad"
    (bad / "selfies" / "1").mkdir(parents=True)
    for name in ("roster.csv", "consents.csv"):
        (bad / name).write_bytes((drop / name).read_bytes())
    (bad / "selfies" / "1" / "x.jpg").write_bytes(b"no picture, sixteen bytes and more")
    second = seat(vault, bad)
    take(vault, second, bad, lambda: eyes)
    assert used(vault, "1") == before
    assert by_number(vault, second)["1"] == ("ready", None)
    assert "photos_kept" in {f["code"] for f in seats_of(vault, second)[0].findings}


def test_photos_that_retention_took_are_taken_again(vault: Vault, drop: Path, eyes: Eyes) -> None:
    batch = seat(vault, drop)
    take(vault, batch, drop, lambda: eyes)
    with vault.reading() as session:
        keys = [s.blob_key for s in session.exec(select(Selfie)) if s.blob_key]
    vault.delete(keys[0])
    assert take(vault, batch, drop, lambda: eyes).examined is True
    assert vault.exists(keys[0])


def test_a_withdrawal_keeps_the_photos_closed(vault: Vault, drop: Path, eyes: Eyes) -> None:
    batch = seat(vault, drop)
    with vault.session() as session:
        ann = session.exec(select(Employee).where(Employee.number == "1")).one()
        consent = session.exec(select(Consent).where(Consent.employee_id == ann.id)).one()
        consent.withdrawn_at = NOW
        session.add(consent)
    # Withdrawn between the roster and the photos: the permit is refused, and the seat says so.
    take(vault, batch, drop, lambda: eyes)
    assert by_number(vault, batch)["1"] == ("blocked", "consent_withdrawn")
    with vault.reading() as session:
        assert not [s for s in session.exec(select(Selfie)) if s.employee_id == ann.id]


def test_records_of_the_batch_name_no_file(vault: Vault, drop: Path, card: Callable[..., bytes], eyes: Eyes) -> None:
    (drop / "selfies" / "holiday-ann.jpg").write_bytes(card("red", 77))
    batch = seat(vault, drop)
    take(vault, batch, drop, lambda: eyes)
    record = load_batch(vault, batch)
    assert "holiday" not in repr((record.facts, record.problems, [s.findings for s in seats_of(vault, batch)]))
    assert [p["code"] for p in record.problems] == ["not_on_roster"]


def test_a_pick_made_later_moves_the_photo_to_the_right_persons_key(
    vault: Vault, make_drop: Callable[..., Path], card: Callable[..., bytes], eyes: Eyes
) -> None:
    roster = "Employee ID,Name,Work Email\n1,Sam Lee,a@x.example\n2,Sam Lee,b@x.example\n3,Cy,c@x.example\n"
    consents = "Employee ID,Purpose,Given at\n1,headshot,2026-10-01\n2,headshot,2026-10-01\n3,headshot,2026-10-01\n"
    files = {f"selfies/Sam Lee/{i}.jpg": card("red", i) for i in range(4)} | {"selfies/3/a.jpg": card("blue", 9)}
    drop = make_drop(roster, consents, files)

    def owners(picked: str) -> dict[str, int]:
        if picked:
            (drop / ".answers.json").write_bytes(Answers({"Sam Lee/": picked}).as_json())
        take(vault, seat(vault, drop), drop, lambda: eyes)
        with vault.reading() as session:
            numbers = {one.id: one.number for one in session.exec(select(Employee))}
            selfies = [s for s in session.exec(select(Selfie)) if s.blob_key]
        assert all(vault.exists(s.blob_key) and f"/{s.employee_id}/" in s.blob_key for s in selfies)
        found: dict[str, int] = {}
        for selfie in selfies:
            found[numbers[selfie.employee_id]] = found.get(numbers[selfie.employee_id], 0) + 1
        return found

    assert owners("") == {"3": 1}
    assert owners("1") == {"1": 4, "3": 1}
    assert owners("2") == {"2": 4, "3": 1}
    assert by_number(vault, seat(vault, drop))["2"][0] == "ready"
    assert owners(NOBODYS) == {"3": 1}
