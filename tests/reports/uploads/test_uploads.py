"""Uploads become drops, whole or not at all, and nothing is ever written beside them."""

import io
import resource
import stat
import struct
import threading
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reports.desk.app import create_desk
from reports.uploads import unpacking
from reports.uploads.archives import BadUpload
from reports.uploads.receiving import add_photos, clear_parts, keep_upload, left_out, replace_table
from reports.uploads.unpacking import Sent, safe_path
from tasks.roster.open_drop import upload_in
from tasks.roster.upload import Upload
from tasks.vault.settings import Settings
from tests.reports.conftest import PASSWORD

KEY = bytes(range(32))
TRICKS = ["..", ".", "/", "\\", "a", "C:", "\0", " "]
ROSTER = b"""Employee ID,Legal Name,Work Email,Department,Job Title,Headshot Consent
001,Ada Okafor,ada@example.com,Sales,Manager,yes
002,<script>alert(1)</script>,ben@example.com,Sales,Clerk,no
"""


def sent(name: str, content: bytes = b"x") -> Sent:
    return Sent(name, io.BytesIO(content))


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return out.getvalue()


def below(folder: Path) -> list[str]:
    """What lies there on the disk."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def upload_at(folder: Path) -> Upload:
    return Upload(str(folder), KEY)


def photos_in(upload: Upload) -> list[str]:
    return [path.removeprefix("selfies/") for path in upload.sealed_files() if path.startswith("selfies/")]


def test_a_folder_of_photos_becomes_a_drop(tmp_path: Path) -> None:
    photos = [sent("team/001/a.jpg"), sent("team/001/b.HEIC"), sent("team/002/a.jpg"), sent("team/.DS_Store")]
    assert keep_upload(upload_at(tmp_path / "drop"), sent("Export.XLSX"), sent("c.csv"), photos) == 3
    assert upload_at(tmp_path / "drop").sealed_files() == [
        "consents.csv", "roster.xlsx", "selfies/001/a.jpg", "selfies/001/b.HEIC", "selfies/002/a.jpg",
    ]  # fmt: skip


def test_one_persons_folder_is_not_mistaken_for_a_wrapping(tmp_path: Path) -> None:
    keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("001/a.jpg"), sent("001/b.jpg")])
    assert photos_in(upload_at(tmp_path / "drop")) == ["001/a.jpg", "001/b.jpg"]


def test_the_same_name_twice_keeps_both(tmp_path: Path) -> None:
    keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("a.jpg", b"1"), sent("a.jpg", b"2")])
    assert len(photos_in(upload_at(tmp_path / "drop"))) == 2


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(TRICKS), max_size=9).map("".join)))
def test_no_name_leads_out(name: str) -> None:
    path = safe_path(name)
    if path is not None:
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert all(part and not part.startswith(".") and "\\" not in part and "\0" not in part for part in path.parts)


def test_an_archive_is_unpacked_without_links_and_litter(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("photos/001/a.jpg", b"x")
        made.writestr("photos/002/b.jpg", b"x")
        made.writestr("__MACOSX/photos/._a.jpg", b"x")
        made.writestr("../../outside.jpg", b"x")
        link = zipfile.ZipInfo("photos/003/link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
    keep_upload(upload_at(tmp_path / "here" / "drop"), sent("r.csv"), None, [sent("photos.ZIP", out.getvalue())])
    assert left_out(upload_at(tmp_path / "here" / "drop")) == ["Left out, a link and no file: photos/003/link.jpg."]
    assert upload_at(tmp_path / "here" / "drop").sealed_files() == [
        ".left-out.json", "roster.csv", "selfies/outside.jpg", "selfies/photos/001/a.jpg", "selfies/photos/002/b.jpg",
    ]  # fmt: skip
    assert all(path.startswith("here/drop/") for path in below(tmp_path))


WHOLE = archive(**{"a.jpg": b"x" * 1000})
GARBLED = WHOLE[:35] + b"\xff\xff\xff" + WHOLE[38:]  # behind the entry's header: a block of no known kind


@pytest.mark.parametrize(
    "content", [b"", b"PK not a zip", WHOLE[:-30], GARBLED], ids=["empty", "no archive", "cut off", "garbled"]
)
def test_a_broken_archive_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadUpload, match="cannot be read"):
        keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", content)])
    assert below(tmp_path) == []


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 64 KiB: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_not_blamed_on_the_archive(tmp_path: Path, small_disk: None) -> None:
    content = archive(**{"a.jpg": b"x" * 2**20})
    with pytest.raises(OSError, match="File too large"):
        keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", content)])
    assert below(tmp_path) == []


@pytest.mark.parametrize(("most", "reason"), [(100_000, "larger than"), (2**30, "far more than it holds")])
def test_what_comes_out_counts_not_what_was_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, reason: str
) -> None:
    monkeypatch.setattr(unpacking, "FILE_BYTES", most)
    bomb = archive(**{"a.jpg": b"\0" * 5_000_000, "b.jpg": b"x"})
    assert len(bomb) < 10_000
    assert keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", bomb)]) == 1
    assert photos_in(upload_at(tmp_path / "drop")) == ["b.jpg"]
    (line,) = left_out(upload_at(tmp_path / "drop"))
    assert reason in line
    assert line.endswith(": a.jpg.")


def overlapping() -> bytes:
    """Forty entries on the bytes of one, as the best-known bombs have it."""
    one = archive(**{"a00.jpg": b"x" * 10_000})
    start = one.index(b"PK\1\2")
    record, tail = one[start : one.index(b"PK\5\6")], one[one.index(b"PK\5\6") :]
    records = b"".join(record.replace(b"a00", f"a{n:02}".encode()) for n in range(40))
    sizes = struct.pack("<HHHHII", 0, 0, 40, 40, len(records), start)
    return one[:start] + records + tail[:4] + sizes + b"\0\0"


def test_entries_that_share_their_data_are_refused(tmp_path: Path) -> None:
    assert len(zipfile.ZipFile(io.BytesIO(overlapping())).namelist()) == 40
    with pytest.raises(BadUpload, match="share their data"):
        keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", overlapping())])
    assert below(tmp_path) == []


def test_an_upload_leaves_the_records_their_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "RESERVE", 2**60)
    with pytest.raises(BadUpload, match="The disk has room for"):
        keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("a.jpg")])
    assert below(tmp_path) == []
    free = unpacking.shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(unpacking, "RESERVE", free - 2**20)  # a megabyte is left
    with pytest.raises(BadUpload, match="The disk has room for"):
        keep_upload(
            upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", archive(**{"a.jpg": b"x" * 2**22}))]
        )


def test_hundreds_of_photos_may_have_one_name(tmp_path: Path) -> None:
    photos = [sent("001/image.jpg", str(number).encode()) for number in range(400)]
    assert keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, photos) == 400
    names = photos_in(upload_at(tmp_path / "drop"))
    assert len(names) == 400
    assert "001/image-2.jpg" in names
    assert "001/image-400.jpg" in names


def test_an_entry_without_a_name_costs_nobody_anything(tmp_path: Path) -> None:
    content = archive(**{"x.jpg": b"1", "y.jpg": b"2"})
    at = content.index(b"PK\1\2")
    nameless = content[: at + 28] + b"\0\0" + content[at + 30 :]  # the directory says: a name of no letters
    try:
        keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", nameless)])
    except BadUpload as fault:
        assert "cannot be read" in str(fault)  # noqa: PT017 - either is a sentence; neither is a traceback


def test_nothing_in_an_archive_is_dropped_without_a_line(tmp_path: Path) -> None:
    inner = archive(**{"IMG_1.jpg": b"1"})
    deep = "/".join(["a"] * 12) + "/94/x.jpg"
    content = archive(**{
        deep: b"2", "Jonas Huber.zip": inner, "broken.zip": b"PK no", "b.rar": b"Rar!", ".hidden/x.jpg": b"3",
        "/".join(["d"] * 60) + "/y.jpg": b"4", "__MACOSX/._x.jpg": b"5", "Thumbs.db": b"6",
        f"{'n' * 300} - Ada.jpg": b"7",
    })  # fmt: skip
    assert keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", content)]) == 3
    kept = photos_in(upload_at(tmp_path / "drop"))
    assert deep in kept
    assert "Jonas Huber/IMG_1.jpg" in kept
    assert any(name.startswith("nnn") and name.endswith(" - Ada.jpg") for name in kept)
    lines = "\n".join(left_out(upload_at(tmp_path / "drop")))
    for reason in (
        "cannot be read: broken.zip",
        "send a ZIP): b.rar",
        "hidden file or folder: .hidden/x.jpg",
        "too deep",
    ):
        assert reason in lines
    assert "MACOSX" not in lines


def test_archives_within_archives_end_somewhere(tmp_path: Path) -> None:
    content = archive(**{"a.jpg": b"1"})
    for _ in range(6):
        content = archive(**{"in.zip": content})
    assert keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("p.zip", content)]) == 0
    assert "an archive within archives" in left_out(upload_at(tmp_path / "drop"))[0]


def test_photos_are_added_and_what_is_there_stays(tmp_path: Path) -> None:
    drop = upload_at(tmp_path / "drop")
    keep_upload(drop, sent("r.csv", ROSTER), None, [sent("001/a.jpg", b"1"), sent("002/a.jpg", b"2")])
    again = [sent("001/a.jpg", b"1"), sent("001/b.jpg", b"3"), sent("002/a.jpg", b"another"), sent("x.rar", b"R")]
    assert add_photos(drop, again) == (2, 1)
    assert photos_in(drop) == ["001/a.jpg", "001/b.jpg", "002/a-2.jpg", "002/a.jpg"]
    assert drop.read("selfies/002/a.jpg") == b"2"
    assert add_photos(drop, [sent("001/day one/c.jpg", b"4"), sent("001/day two/d.jpg", b"5")]) == (2, 0)
    assert "001/day one/c.jpg" in photos_in(drop)  # a folder that names somebody is no wrapping
    assert left_out(drop) == ["Left out, an archive that is not opened (send a ZIP): x.rar."]


def test_another_roster_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    drop = upload_at(tmp_path / "drop")
    keep_upload(drop, sent("r.csv", ROSTER), None, [sent("001/a.jpg")])
    replace_table(drop, "roster", sent("new.xlsx", b"y"))
    replace_table(drop, "consents", sent("c.csv", b"z"))
    assert drop.sealed_files() == ["consents.csv", "roster.xlsx", "selfies/001/a.jpg"]
    with pytest.raises(BadUpload, match="CSV or Excel"):
        replace_table(drop, "roster", sent("new.exe", b"y"))
    assert drop.sealed_files() == ["consents.csv", "roster.xlsx", "selfies/001/a.jpg"]


def test_what_a_crash_left_half_unpacked_goes_and_what_is_being_filled_stays(tmp_path: Path) -> None:
    drops = tmp_path / "drops"
    for place in (".20261128-ab.part/selfies", "20261127-cd/.adding-x/selfies", "20261127-cd/selfies"):
        (drops / place).mkdir(parents=True)
        (drops / place / "a.jpg").write_bytes(b"x")
    begun, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            begun.set()
            assert go_on.wait(20)
            return super().read(size)

    other = threading.Thread(
        target=keep_upload, args=(upload_at(drops / "live"), sent("r.csv"), None, [Sent("a.jpg", Slow(b"x"))])
    )
    other.start()
    assert begun.wait(20)
    assert clear_parts(drops) == 2
    go_on.set()
    other.join(20)
    assert [path for path in below(drops) if not path.startswith("live/")] == ["20261127-cd/selfies/a.jpg"]
    assert upload_at(drops / "live").sealed_files() == ["roster.csv", "selfies/a.jpg"]


PEOPLE = "Employee ID,Name\n91,Zoë Brückner\n92,Çağla Yıldız\n93,Małgorzata Świątek\n94,Jörg Weiß\n95,Юлия Ким\n"


def old_zip(page: str, *names: str) -> bytes:
    """An archive whose names are in this code page, and which does not say so."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for number, name in enumerate(names):
            made.writestr("ABCD"[number] * len(name.encode(page)), b"x")
    content = out.getvalue()
    for number, name in enumerate(names):
        raw = name.encode(page)
        content = content.replace(("ABCD"[number] * len(raw)).encode(), raw)
    return content


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("utf-8", ("Zoë Brückner/1.jpg", "Çağla Yıldız/1.jpg")),  # every Mac, composed or apart
        ("utf-8", (unicodedata.normalize("NFD", "Zoë Brückner/1.jpg"),)),
        ("cp437", ("Zoë Brückner/1.jpg", "Jörg Weiß/1.jpg")),
        ("cp850", ("Zoë Brückner/1.jpg", "Jörg Weiß/1.jpg")),
        ("cp1252", ("Zoë Brückner/1.jpg", "Jörg Weiß/1.jpg")),
        ("cp852", ("Małgorzata Świątek/1.jpg", "Zoë Brückner/1.jpg")),
        ("cp1250", ("Małgorzata Świątek/1.jpg",)),
        ("cp857", ("Çağla Yıldız/1.jpg",)),
        ("cp1254", ("Çağla Yıldız/1.jpg",)),
        ("cp866", ("Юлия Ким/1.jpg",)),
        ("cp1251", ("Юлия Ким/1.jpg",)),
    ],
)
def test_names_of_old_archives_are_read_by_the_rosters_own(tmp_path: Path, page: str, names: tuple[str, ...]) -> None:
    content = old_zip(page, *names, "IMG_1.jpg")
    keep_upload(upload_at(tmp_path / "drop"), sent("r.csv", PEOPLE.encode()), None, [sent("p.zip", content)])
    kept = photos_in(upload_at(tmp_path / "drop"))
    assert kept == sorted([*(unicodedata.normalize("NFC", name) for name in names), "IMG_1.jpg"])
    assert (page == "utf-8") == (left_out(upload_at(tmp_path / "drop")) == [])  # a code page is never taken in silence


def test_letters_that_fit_nobody_are_not_guessed(tmp_path: Path) -> None:
    people = "Employee ID,Name\n1,Wei\u00df\n2,Wei\u00e1\n"  # one byte, E1, is \u00df in one page and \u00e1 in another
    for content in (old_zip("cp852", "Weiß/1.jpg"), old_zip("cp850", "Übung Straße/1.jpg")):
        drop = upload_at(tmp_path / str(len(content)))
        keep_upload(drop, sent("r.csv", people.encode()), None, [sent("p.zip", content)])
        assert len(photos_in(drop)) == 1
        assert "letters that it does not tell" in left_out(drop)[0]


def test_a_roster_must_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(BadUpload, match="CSV or Excel"):
        keep_upload(upload_at(tmp_path / "drop"), sent("roster.exe"), None, [])
    assert below(tmp_path) == []


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    with pytest.raises(BadUpload, match="same name"):
        keep_upload(upload_at(tmp_path / "drop"), sent("r.csv"), None, [sent("001"), sent("001/a.jpg")])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestClient]:
    app = create_desk(Settings(home=tmp_path / "home", desk_password=PASSWORD, prefect_ui_url="http://127.0.0.1:9"))
    with TestClient(app, base_url="http://127.0.0.1:4280") as client:
        client.post("/login", data={"name": "Ada", "password": PASSWORD})
        yield client
    app.state.vault.close()


def token(desk: TestClient) -> str:
    return desk.get("/drops/new").text.split('name="token" value="')[1][:64]


def checked(desk: TestClient, address: str) -> str:
    for _ in range(600):
        text = desk.get(address).text
        if "renews itself" not in text:
            return text
        time.sleep(0.1)
    raise AssertionError("the check did not end")


def test_an_upload_is_checked_and_leads_to_the_run_form(desk: TestClient, tmp_path: Path) -> None:
    files = [("roster", ("workday.csv", ROSTER)), ("photos", ("x/001/not-a-photo.jpg", b"hello"))]
    answer = desk.post("/drops", data={"token": token(desk)}, files=files, follow_redirects=False)
    assert answer.status_code == 303
    text = checked(desk, answer.headers["location"])
    assert "of 2 people" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    table = desk.get(answer.headers["location"] + "/return.csv")
    assert "attachment" in table.headers["content-disposition"]
    assert "no_consent" in table.text
    drop = answer.headers["location"].rsplit("/", 1)[1]
    upload = upload_in(tmp_path / "home" / "drops" / drop, desk.app.state.vault)  # type: ignore[attr-defined]
    assert upload.files() == ["roster.csv", "selfies/001/not-a-photo.jpg"]


def test_a_check_whose_page_was_closed_is_found_again(desk: TestClient, tmp_path: Path) -> None:
    """Its address was on that page only."""
    files = {"roster": ("team.csv", b"Employee ID,Name\n1,Ada\n", "text/csv")}
    answer = desk.post("/drops", data={"token": token(desk)}, files=files, follow_redirects=False)
    address = answer.headers["location"]
    (tmp_path / "home" / "drops" / ".20261128-half.part").mkdir()
    page = desk.get("/drops").text
    assert f'<a href="{address}">' in page
    assert page.count('<a href="/drops/2') == 1  # what is still being written is no upload
    assert desk.get(address).status_code == 200


def test_an_upload_needs_a_token_and_a_roster(desk: TestClient, tmp_path: Path) -> None:
    files = {"roster": ("r.csv", ROSTER)}
    assert desk.post("/drops", data={"token": "0" * 64}, files=files).status_code == 403
    refused = desk.post("/drops", data={"token": token(desk)}, files={"photos": ("a.jpg", b"x")})
    assert refused.status_code == 400
    assert "Choose the roster" in refused.text
    assert not (tmp_path / "home" / "drops").exists()


def test_a_roster_that_cannot_be_read_says_what_to_do(desk: TestClient) -> None:
    answer = desk.post(
        "/drops", data={"token": token(desk)}, files={"roster": ("r.xlsx", b"not a table")}, follow_redirects=False
    )
    assert "cannot be used yet" in checked(desk, answer.headers["location"])


def test_an_unknown_drop_is_nowhere(desk: TestClient) -> None:
    for identity in ("..%2f..", "none", "20261123-", "a.b", "-"):
        assert desk.get(f"/drops/{identity}").status_code == 404, identity
