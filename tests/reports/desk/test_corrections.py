"""A drop is corrected at the desk: picks, tables, more photos, in parts; and what was uploaded before stays."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from reports.desk.app import create_desk
from reports.desk.strays import choices, may_be_shown, thumbnail
from reports.uploads import unpacking
from reports.uploads.parts import Arrival, begin, have, take_part
from reports.uploads.receiving import add_photos, keep_upload, left_out, replace_table
from tasks.roster.drop import COMING, DropFault
from tasks.roster.open_drop import newest_drop, upload_in
from tasks.roster.upload import Upload
from tasks.selfies.check import check_upload
from tasks.selfies.picks import FILE, Answers, parse_answers, read_answers
from tasks.selfies.two_people import known_two_people, remember_two_people
from tasks.vault.records import Employee
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tasks.vision.faces import Eyes
from tests.reports.conftest import PASSWORD
from tests.reports.uploads.test_uploads import archive, checked, sent
from tests.selfies.conftest import LIMITS, THRESHOLDS, CardEyes, draw_card

PEOPLE = (
    "Employee ID,Name,Work Email,Consent,Consent date\n"
    "71,Jan Kowalski,jan1@acme.example,yes,2026-03-02\n"
    "72,Jan Kowalski,jan2@acme.example,{second},2026-03-02\n"
    "4802,Kateryna Bondarenko,kat@acme.example,yes,2026-03-02\n"
)


def photo() -> bytes:
    import io

    out = io.BytesIO()
    Image.new("RGB", (320, 400), (90, 120, 150)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr("reports.uploads.checks.eyes_at_hand", lambda _: None)  # matching is what is tried here
    app = create_desk(Settings(home=home, desk_password=PASSWORD, prefect_ui_url="http://127.0.0.1:9"))
    with TestClient(app, base_url="http://127.0.0.1:4280", follow_redirects=False) as client:
        client.post("/login", data={"name": "Ada", "password": PASSWORD})
        yield client
    app.state.vault.close()


def the_upload(home: Path, name: str) -> Upload:
    with open_vault(Settings(home=home)) as vault:
        return upload_in(home / "drops" / name, vault)


def make_drop(home: Path, *photos: str, second: str = "yes", name: str = "20261128-aa") -> Upload:
    drop = the_upload(home, name)
    roster = sent("r.csv", PEOPLE.format(second=second).encode())
    keep_upload(drop, roster, None, [sent(one, photo()) for one in photos])
    return drop


def token(desk: TestClient) -> str:
    return desk.get("/drops/new").text.split('name="token" value="')[1][:64]


def test_a_stray_is_named_and_settled_with_one_pick_that_can_be_changed(desk: TestClient, home: Path) -> None:
    drop = make_drop(home, "Jan Kowalski/1.jpg", "Jan Kowalski/2.jpg", "Katerina Bondarenko/9.jpg", "4802/1.jpg")
    page = checked(desk, f"/drops/{drop.folder.name}")
    assert "Fits Jan Kowalski (71) or Jan Kowalski (72) alike." in page
    assert "Fits nobody; perhaps Kateryna Bondarenko (4802)?" in page
    form = {
        "token": token(desk),
        "key": ["Jan Kowalski/", "Katerina Bondarenko/"],
        "who": ["72", ""],
        "other": ["", ""],
    }
    assert desk.post(f"/drops/{drop.folder.name}/picks", data=form).status_code == 303
    assert dict(read_answers(drop).picks) == {"Jan Kowalski/": "72"}
    page = checked(desk, f"/drops/{drop.folder.name}")
    assert 'value="72" selected' in page  # settled, still to be seen, still to be changed
    form |= {"who": ["72", "-"], "other": ["71 · Jan Kowalski", ""]}
    desk.post(f"/drops/{drop.folder.name}/picks", data=form)
    report = check_upload(drop)
    assert {number: len(paths) for number, paths in report.matching.by_number.items()} == {"71": 2, "4802": 1}
    assert report.matching.set_aside == ("Katerina Bondarenko/9.jpg",)
    # Opened again, it is nobody's again.
    checked(desk, f"/drops/{drop.folder.name}")
    form |= {"who": ["", ""], "other": ["", ""]}
    desk.post(f"/drops/{drop.folder.name}/picks", data=form)
    assert check_upload(drop).matching.set_aside == ()


@pytest.mark.parametrize(
    "form",
    [
        {"key": ["4802/"], "who": ["72"], "other": [""]},  # no stray
        {"key": ["../x"], "who": ["72"], "other": [""]},
        {"key": ["Jan Kowalski/"], "who": ["999"], "other": [""]},  # nobody on the roster
        {"key": ["Jan Kowalski/"], "who": ["72", "71"], "other": [""]},
    ],
)
def test_only_what_the_check_knows_can_be_picked(desk: TestClient, home: Path, form: dict[str, list[str]]) -> None:
    drop = make_drop(home, "Jan Kowalski/1.jpg", "4802/1.jpg")
    checked(desk, f"/drops/{drop.folder.name}")
    assert desk.post(f"/drops/{drop.folder.name}/picks", data={"token": token(desk), **form}).status_code == 422
    assert desk.post(f"/drops/{drop.folder.name}/picks", data={"token": "x", **form}).status_code == 403
    assert not drop.sealed.holds(FILE)


def test_a_photo_is_only_shown_where_everybody_it_may_be_has_agreed(home: Path) -> None:
    cards = CardEyes()
    eyes = Eyes("cards", cards, cards, cards, cards, THRESHOLDS, THRESHOLDS, LIMITS)
    for second, shown in (("yes", True), ("no", False)):
        drop = make_drop(home, "Jan Kowalski/1.jpg", "Katerina Bondarenko/9.jpg", second=second, name=f"d-{second}")
        report = check_upload(drop, eyes)
        both, nobodys = report.matching.strays
        assert may_be_shown(both, report) is shown
        assert not may_be_shown(nobodys, report)  # an unmatched photo is not opened
        assert (thumbnail(drop, report, 0) is not None) is shown
        assert thumbnail(drop, report, 1) is None
        assert [choice.picture for choice in choices(report)] == [shown, False]


def test_damaged_answers_are_an_error_and_no_silence() -> None:
    for damaged in (b"{", b"[]", b'{"picks": 1, "two_people": []}', b'{"picks": {}}'):
        with pytest.raises(DropFault, match="damaged"):
            parse_answers(damaged)
    answers = Answers({"a/": "7"}, frozenset({("1", "2")}))
    assert parse_answers(answers.as_json()) == answers


def test_tables_are_replaced_and_photos_added_and_the_drop_goes_on(desk: TestClient, home: Path) -> None:
    drop = make_drop(home, "4802/1.jpg")
    page = checked(desk, f"/drops/{drop.folder.name}")
    assert "of 3 people" in page
    assert f"/drops/{drop.folder.name}" in desk.get("/drops").text  # drops are listed
    four = PEOPLE.format(second="yes") + "73,Ebba Lund,e@acme.example,yes,2026-03-02\n"
    files = [
        ("roster", ("new.csv", four.encode())),
        ("photos", ("73/a.jpg", photo())),
        ("photos", ("4802/1.jpg", photo())),
    ]
    answer = desk.post(f"/drops/{drop.folder.name}/more", data={"token": token(desk)}, files=files)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/drops/{drop.folder.name}")
    assert "of 4 people" in checked(desk, f"/drops/{drop.folder.name}")
    assert drop.files() == ["roster.csv", "selfies/4802/1.jpg", "selfies/73/a.jpg"]
    refused = desk.post(
        f"/drops/{drop.folder.name}/more", data={"token": token(desk)}, files={"roster": ("r.exe", b"x")}
    )
    assert refused.status_code == 400
    assert "CSV or Excel" in refused.text


def test_an_upload_in_parts_goes_on_after_a_cut(desk: TestClient, home: Path) -> None:
    headers = {"X-Rollcall-Token": token(desk), "X-Rollcall-Parts": "yes"}
    files = {"roster": ("r.csv", PEOPLE.format(second="yes").encode())}
    identity = desk.post("/drops", data={"token": token(desk)}, files=files, headers=headers).json()["drop"]
    drop = the_upload(home, identity)
    assert "still on their way" in desk.get(f"/drops/{identity}").text
    with pytest.raises(DropFault):
        newest_drop(Settings(home=home))  # not before everything is here
    content, zipped = photo(), archive(**{"Fotos/71/b.jpg": photo(), "Fotos/72/c.jpg": photo()})
    for name, data in (("4802/IMG 1 ü.jpg", content), ("Fotos.zip", zipped)):
        query = {"name": name, "size": len(data), "stamp": "17"}
        where = f"/drops/{identity}/parts"
        half = len(data) // 2
        assert desk.get(where, params=query).json() == {"have": 0}
        assert desk.post(where, params={**query, "at": 0}, content=data[:half], headers=headers).json() == {
            "have": half
        }
        # The answer was lost: the same part again is here already, and one from too far on is not taken.
        again = desk.post(where, params={**query, "at": 0}, content=data[:half], headers=headers)
        assert (again.status_code, again.json()) == (200, {"have": half})
        assert (
            desk.post(where, params={**query, "at": half + 1}, content=data[half + 1 :], headers=headers).status_code
            == 409
        )
        assert desk.get(where, params=query).json() == {"have": half}
        rest = desk.post(where, params={**query, "at": half}, content=data[half:], headers=headers)
        assert rest.json() == {"have": len(data)}
        assert desk.get(where, params=query).json() == {"have": len(data)}  # asked again after a cut: nothing to send
    assert desk.post(f"/drops/{identity}/parts", params={**query, "at": 0}, content=b"x").status_code == 403
    assert desk.post(f"/drops/{identity}/done", headers=headers).json() == {"address": f"/drops/{identity}"}
    assert drop.files() == ["roster.csv", "selfies/4802/IMG 1 ü.jpg", "selfies/71/b.jpg", "selfies/72/c.jpg"]
    assert newest_drop(Settings(home=home)) == drop.location


def test_what_arrives_in_parts_is_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = make_drop(home)
    begin(drop.folder)
    assert (drop.folder / COMING).exists()
    large = Arrival("film.mov", 200 * 2**20, "1")
    with pytest.raises(unpacking.BadUpload, match="larger than 100 MB"):
        take_part(drop, large, 0, b"x")
    with pytest.raises(unpacking.BadUpload, match="larger than"):
        take_part(drop, Arrival("a.jpg", 3, "1"), 0, b"more than it said")
    empty = Arrival("71/empty.jpg", 0, "1")
    assert take_part(drop, empty, 0, b"") == 0
    assert drop.files() == ["roster.csv", "selfies/71/empty.jpg"]
    monkeypatch.setattr(unpacking, "RESERVE", 2**60)
    with pytest.raises(unpacking.BadUpload, match="The disk has room for"):
        take_part(drop, Arrival("b.jpg", 3, "1"), 0, b"abc")
    assert have(drop, Arrival("b.jpg", 3, "1")) == 0


def test_what_is_on_its_way_into_an_upload_that_a_colleague_removes_does_not_bring_it_back(home: Path) -> None:
    drop = make_drop(home)
    begin(drop.folder)
    assert take_part(drop, Arrival("a.jpg", 6, "1"), 0, b"abc") == 3
    shutil.rmtree(drop.folder)
    ways: tuple[Callable[[], object], ...] = (
        lambda: take_part(drop, Arrival("a.jpg", 6, "1"), 3, b"def"),
        lambda: add_photos(drop, [sent("71/b.jpg", b"x")]),
        lambda: replace_table(drop, "roster", sent("roster.csv", b"Employee ID")),
    )
    for way in ways:
        with pytest.raises(unpacking.BadUpload, match="removed meanwhile"):
            way()
    assert not drop.folder.exists()


def test_a_broken_archive_in_parts_says_so_and_can_be_sent_again(home: Path) -> None:
    drop = make_drop(home)
    arrival = Arrival("p.zip", 5, "1")
    with pytest.raises(unpacking.BadUpload, match="cannot be read"):
        take_part(drop, arrival, 0, b"PK no")
    assert have(drop, arrival) == 0
    assert left_out(drop) == []
    assert [name for name in os.listdir(drop.folder) if name.startswith(".adding")] == []


def test_checking_a_long_list_of_strays_stays_quick(home: Path) -> None:
    drop = make_drop(home, *(f"IMG_{n}.jpg" for n in range(400)))
    began = time.monotonic()
    report = check_upload(drop)
    assert len(choices(report)) == 300
    assert time.monotonic() - began < 20


def test_hr_says_once_that_two_alike_are_two(desk: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = CardEyes()
    eyes = Eyes("cards", cards, cards, cards, cards, THRESHOLDS, THRESHOLDS, LIMITS)
    monkeypatch.setattr("reports.uploads.checks.eyes_at_hand", lambda _: eyes)
    drop = the_upload(home, "20261128-bb")
    photos = [sent(f"{n}/{i}.jpg", draw_card("red", 20 * (n == 4802) + i)) for n in (71, 4802) for i in range(4)]
    photos.append(sent("4802/again.jpg", draw_card("red", 0)))  # the very same photo as 71/0.jpg
    keep_upload(drop, sent("r.csv", PEOPLE.format(second="yes").encode()), None, photos)
    with desk.app.state.vault.session() as session:  # type: ignore[attr-defined]
        for number in ("71", "4802"):
            one = Employee(id=f"p{number}", number=number, name="x", state="active", updated_at=datetime.now(UTC))
            session.add(one)
    page = checked(desk, f"/drops/{drop.folder.name}")
    assert "0 of 3 people" in page
    assert "The very same photo lies in both folders." in page
    form = {"token": token(desk), "first": "71", "second": "72"}
    assert desk.post(f"/drops/{drop.folder.name}/two-people", data=form).status_code == 422
    answer = desk.post(f"/drops/{drop.folder.name}/two-people", data={**form, "second": "4802"})
    assert answer.status_code == 303
    page = checked(desk, f"/drops/{drop.folder.name}")
    assert "2 of 3 people" in page
    assert "You have said that they are two people." in page
    # The next upload of the same people does not ask again.
    assert known_two_people(desk.app.state.vault) == {("4802", "71")}  # type: ignore[attr-defined]
    assert drop.remove(FILE)
    report = check_upload(drop, eyes, two_people=frozenset({("4802", "71")}))
    assert [one.settled for one in report.alike] == [True]
    assert remember_two_people(desk.app.state.vault, "71", "9", "Ada", datetime.now(UTC)) is False  # type: ignore[attr-defined]
