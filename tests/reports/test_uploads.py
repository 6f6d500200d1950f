"""Uploads become drops, whole or not at all, and nothing is ever written beside them."""

import io
import resource
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reports import uploads
from reports.desk import create_desk
from reports.desk_drops import run_link
from reports.uploads import BadUpload, Sent, keep_upload, safe_path
from tasks.vault.settings import Settings
from tests.reports.conftest import PASSWORD

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
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_of_photos_becomes_a_drop(tmp_path: Path) -> None:
    photos = [sent("team/001/a.jpg"), sent("team/001/b.HEIC"), sent("team/002/a.jpg"), sent("team/.DS_Store")]
    assert keep_upload(tmp_path / "drop", sent("Export.XLSX"), sent("c.csv"), photos) == 3
    assert below(tmp_path / "drop") == [
        "consents.csv", "roster.xlsx", "selfies/001/a.jpg", "selfies/001/b.HEIC", "selfies/002/a.jpg",
    ]  # fmt: skip


def test_one_persons_folder_is_not_mistaken_for_a_wrapping(tmp_path: Path) -> None:
    keep_upload(tmp_path / "drop", sent("r.csv"), None, [sent("001/a.jpg"), sent("001/b.jpg")])
    assert below(tmp_path / "drop" / "selfies") == ["001/a.jpg", "001/b.jpg"]


def test_the_same_name_twice_keeps_both(tmp_path: Path) -> None:
    keep_upload(tmp_path / "drop", sent("r.csv"), None, [sent("a.jpg", b"1"), sent("a.jpg", b"2")])
    assert len(below(tmp_path / "drop" / "selfies")) == 2


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
    keep_upload(tmp_path / "here" / "drop", sent("r.csv"), None, [sent("photos.ZIP", out.getvalue())])
    assert below(tmp_path) == [
        "here/drop/roster.csv", "here/drop/selfies/outside.jpg", "here/drop/selfies/photos/001/a.jpg",
        "here/drop/selfies/photos/002/b.jpg",
    ]  # fmt: skip


WHOLE = archive(**{"a.jpg": b"x" * 1000})
GARBLED = WHOLE[:35] + b"\xff\xff\xff" + WHOLE[38:]  # behind the entry's header: a block of no known kind


@pytest.mark.parametrize("content", [b"", b"PK not a zip", WHOLE[:-30], GARBLED])
def test_a_broken_archive_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadUpload, match="cannot be read"):
        keep_upload(tmp_path / "drop", sent("r.csv"), None, [sent("p.zip", content)])
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
        keep_upload(tmp_path / "drop", sent("r.csv"), None, [sent("p.zip", content)])
    assert below(tmp_path) == []


def test_what_comes_out_counts_not_what_was_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FILE_BYTES", 100_000)
    bomb = archive(**{"a.jpg": b"\0" * 5_000_000})
    assert len(bomb) < 10_000
    with pytest.raises(BadUpload, match="larger than"):
        keep_upload(tmp_path / "drop", sent("r.csv"), None, [sent("p.zip", bomb)])
    assert below(tmp_path) == []


def test_a_roster_must_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(BadUpload, match="CSV or Excel"):
        keep_upload(tmp_path / "drop", sent("roster.exe"), None, [])
    assert below(tmp_path) == []


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    with pytest.raises(BadUpload, match="same name"):
        keep_upload(tmp_path / "drop", sent("r.csv"), None, [sent("001"), sent("001/a.jpg")])


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
    assert below(tmp_path / "home" / "drops" / drop) == ["roster.csv", "selfies/001/not-a-photo.jpg"]


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


def test_without_prefect_the_link_leads_to_its_list(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, prefect_ui_url="http://127.0.0.1:9/")
    assert run_link(settings, tmp_path) == "http://127.0.0.1:9/deployments"


def test_the_run_form_is_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    def answer(url: str, **_: object) -> httpx.Response:
        assert url == "http://prefect/api/deployments/name/make-headshots/Make%20headshots"
        return httpx.Response(200, json={"id": "abc-1"})

    monkeypatch.setattr(httpx, "get", answer)
    link = run_link(Settings(home=tmp_path, prefect_ui_url="http://prefect"), Path("/d/Ä b"))
    address, _, parameters = link.partition("?parameters=")
    assert address == "http://prefect/deployments/deployment/abc-1/run"
    assert unquote(unquote(parameters)) == '{"drop": "/d/\\u00c4 b"}'
