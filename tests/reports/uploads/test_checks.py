"""Checks in the background: small ones beside a big one, stopped and begun again, gone on with after a restart; and the
uploads they are about: listed, until when they stay, and one removed."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from reports.desk.app import create_desk
from reports.desk.uploads import kept_uploads, limits, remove_upload, said_size
from reports.uploads.checks import NOTED, SMALL, Check, Checks, Progress
from tasks.retention.rules import rules_or_built_in
from tasks.vault.records import AuditEntry
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tests.reports.conftest import NOON, PASSWORD
from tests.reports.uploads.test_uploads import ROSTER

Make = Callable[[str, int], str]


class Looking:
    """A look at photos that goes on when the test says so; the order in which uploads were begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.steps: dict[str, threading.Semaphore] = {}
        self.entered: dict[str, threading.Event] = {}

    def of(self, identity: str) -> tuple[threading.Semaphore, threading.Event]:
        step = self.steps.setdefault(identity, threading.Semaphore(0))
        return step, self.entered.setdefault(identity, threading.Event())

    def __call__(self, identity: str, now: datetime, progress: Progress) -> Any:
        step, entered = self.of(identity)
        self.begun.append(identity)
        for done in range(1, 4):
            entered.set()
            assert step.acquire(timeout=20)
            progress("photos", done, 3)
        return f"report of {identity}"

    def goes_on(self, identity: str, steps: int = 3) -> None:
        self.of(identity)[0].release(steps)

    def has_begun(self, identity: str) -> bool:
        return self.of(identity)[1].wait(timeout=20)


@pytest.fixture
def looking() -> Looking:
    return Looking()


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", desk_password=PASSWORD)


@pytest.fixture
def lies(home: Settings) -> Make:
    def make(identity: str, files: int) -> str:
        folder = home.uploads / identity
        folder.mkdir(parents=True)
        for number in range(files):
            (folder / f"{number}").write_bytes(b"x")
        return identity

    return make


def ends(check: Check) -> Check:
    for _ in range(2000):
        if check.over:
            return check
        threading.Event().wait(0.01)
    raise AssertionError("the check does not end")


def test_a_small_check_waits_for_no_big_one_and_big_ones_wait_for_each_other(
    home: Settings, lies: Make, looking: Looking
) -> None:
    checks = Checks(home, looking)
    big, other, small = lies("big", SMALL + 1), lies("other", SMALL + 2), lies("small", SMALL)
    for identity in (big, other, small):
        checks.of(identity, NOON)
    assert looking.has_begun(big)
    assert looking.has_begun(small), "a small one goes beside a big one"
    before = checks.before(other)
    assert before is not None, "and the second big one waits for the first"
    assert before.files == SMALL + 1
    assert checks.before(small) is None
    looking.goes_on(small)
    assert ends(checks.of(small, NOON)).report == "report of small"
    assert other not in looking.begun, "which the small lane does not take"
    for identity in (big, other):
        looking.goes_on(identity)
        ends(checks.of(identity, NOON))
    assert looking.begun.count(big) == looking.begun.count(other) == 1


def test_asking_twice_begins_one_check(home: Settings, lies: Make, looking: Looking) -> None:
    checks, one = Checks(home, looking), lies("one", 1)
    assert checks.of(one, NOON) is checks.of(one, NOON)
    looking.goes_on(one)
    ends(checks.of(one, NOON))
    assert looking.begun == [one]


def test_a_check_is_stopped_where_it_is_and_begun_again_by_asking(home: Settings, lies: Make, looking: Looking) -> None:
    checks, one = Checks(home, looking), lies("one", 1)
    check = checks.of(one, NOON)
    assert looking.has_begun(one)
    checks.stop(one)
    assert check.stopped
    looking.goes_on(one, 1)
    assert checks.of(one, NOON) is check, "it is not begun again by looking at its page"
    checks.forget(one)
    again = checks.of(one, NOON)
    looking.goes_on(one)
    assert ends(again).report == "report of one"
    assert check.report is None


def test_one_that_waits_is_stopped_before_it_begins(home: Settings, lies: Make, looking: Looking) -> None:
    checks = Checks(home, looking)
    big, other = lies("big", SMALL + 1), lies("other", SMALL + 1)
    checks.of(big, NOON)
    waiting = checks.of(other, NOON)
    assert looking.has_begun(big)
    checks.stop(other)
    looking.goes_on(big)
    ends(checks.of(big, NOON))
    assert waiting.stopped
    assert looking.begun == [big]


def test_after_a_restart_what_was_not_done_is_gone_on_with(home: Settings, lies: Make, looking: Looking) -> None:
    first = Checks(home, looking)
    done, stopped, open_ones = lies("done", 1), lies("stopped", 1), [lies("20260914-a", 1), lies("20260914-b", 1)]
    first.of(done, NOON)
    looking.goes_on(done)
    ends(first.of(done, NOON))
    for identity in (stopped, *open_ones):
        first.of(identity, NOON)
    first.stop(stopped)
    for _ in range(500):  # `done` is noted by its own thread
        if done not in (home.home / NOTED).read_text():
            break
        threading.Event().wait(0.01)
    again = Looking()
    after = Checks(home, again)
    assert after.go_on(NOON) == 2
    for identity in open_ones:
        again.goes_on(identity)
        assert ends(after.of(identity, NOON)).report
    assert sorted(again.begun) == open_ones
    for identity in (stopped, *open_ones):
        looking.goes_on(identity)


@pytest.mark.parametrize("content", ["", "{", '["../../etc", 7, null]'])
def test_a_note_that_cannot_be_read_begins_nothing(home: Settings, looking: Looking, content: str) -> None:
    home.home.mkdir(parents=True)
    (home.home / NOTED).write_text(content)
    assert Checks(home, looking).go_on(NOON) == 0


def test_the_desks_check_knows_the_kits_there_are_as_the_run_does(home: Settings, tmp_path: Path) -> None:
    (home.uploads / "one" / "selfies").mkdir(parents=True)
    table = "Employee ID,Name,Email,Consent,Brand kit\n7,Ada Oka,a@x.example,yes,navy\n8,Bo Li,b@x.example,yes,only\n"
    (home.uploads / "one" / "roster.csv").write_text(table)
    (tmp_path / "kits" / "only").mkdir(parents=True)
    (tmp_path / "kits" / "only" / "kit.toml").write_text("")
    seen = Checks(home.model_copy(update={"kits": tmp_path / "kits", "eyes": "none at hand"}))._look(
        "one", NOON, lambda *_: None
    )
    assert [person.reason for person in seen.people] == ["unknown_kit", None]


def test_time_left_is_told_by_the_pace_so_far() -> None:
    check = Check(done=0, total=100)
    assert check.seconds_left() is None
    check.began, check.done = 0.0, 50
    assert (left := check.seconds_left()) is not None
    assert left > 0


@pytest.fixture
def desk(home: Settings) -> Iterator[TestClient]:
    app = create_desk(home, clock=lambda: NOON)
    with TestClient(app, base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5000)) as client:
        client.post("/login", data={"name": "Ada", "password": PASSWORD})
        yield client
    app.state.vault.close()


def token(desk: TestClient) -> str:
    return desk.get("/drops/new").text.split('name="token" value="')[1].split('"')[0]


def send(desk: TestClient) -> str:
    files = {"roster": ("roster.csv", ROSTER)}
    answer = desk.post("/drops", data={"token": token(desk)}, files=files, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"].removeprefix("/drops/")


def test_room_and_limits_are_said_before_the_first_byte(
    desk: TestClient, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = desk.get("/drops/new").text
    assert "There is room for" in page
    assert "One photo may have up to 100 MB" in page
    assert said_size(1_610_612_736) == "1.5 GB"
    monkeypatch.setattr("reports.desk.uploads.RESERVE", 2**60)
    assert limits(home).startswith("There is room for 0 MB here")


def test_an_upload_that_vanishes_while_all_are_listed_is_left_out(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, gone = home.uploads / "20260914-aaaaaaaaaa", home.uploads / "20260914-bbbbbbbbbb"
    there.mkdir(parents=True)
    monkeypatch.setattr("reports.desk.uploads.upload_folders", lambda _: [gone, there])
    assert [line.id for line in kept_uploads(home)] == [there.name]


def test_uploads_are_listed_with_their_latest_date_and_one_is_removed_with_its_key(
    desk: TestClient, home: Settings
) -> None:
    kept, gone = send(desk), send(desk)
    listed = desk.get("/drops").text
    assert f"/drops/{kept}" in listed
    assert f"/drops/{gone}" in listed
    rules, _ = rules_or_built_in(home.retention_rules)
    [one, _] = kept_uploads(home)
    assert abs(one.until - one.at - rules.keep.selfies_at_latest) < timedelta(minutes=1)
    assert one.files >= 1
    given = {"token": token(desk)}
    assert desk.post(f"/drops/{gone}/remove", data={"token": "x"}).status_code == 403
    assert desk.post(f"/drops/{gone}/remove", data=given, follow_redirects=False).headers["location"] == "/drops"
    assert [one.id for one in kept_uploads(home)] == [kept]
    assert [path.name for path in home.uploads.iterdir()] == [kept], "nothing half removed stays"
    assert desk.get(f"/drops/{gone}").status_code == 404
    twice = desk.post(f"/drops/{gone}/remove", data=given, follow_redirects=False)
    assert twice.headers["location"] == "/drops", "a second press does nothing, and is no fault"
    assert desk.get(f"/drops/{kept}").status_code == 200, "its key is still there"
    with open_vault(home) as vault, vault.reading() as records:
        entries = records.exec(select(AuditEntry).where(col(AuditEntry.action).startswith("upload"))).all()
        assert [(one.action, one.subject) for one in entries] == [
            ("upload", kept), ("upload", gone), ("upload_removed", gone),
        ]  # fmt: skip
        assert len({one.actor for one in entries}) == 1
        assert entries[0].actor.startswith("r")
        holders = [one for one in vault.keys.holders() if one.startswith("upload-")]
    assert len(holders) <= 1


def test_what_a_killed_removal_leaves_is_cleared_at_the_next_start(desk: TestClient, home: Settings) -> None:
    gone = send(desk)
    (home.uploads / gone).rename(home.uploads / f".{gone}.part")  # killed between the two steps
    again = create_desk(home, clock=lambda: NOON)
    assert list(home.uploads.iterdir()) == []
    with open_vault(home) as vault:
        remaining = send(desk)
        remove_upload(vault, remaining, "r1", NOON)
    again.state.vault.close()


def test_a_stopped_check_says_so_and_offers_to_begin_again(desk: TestClient) -> None:
    one = send(desk)
    checks: Checks = desk.app.state.checks  # type: ignore[attr-defined]
    check = checks.of(one, NOON)
    ends(check)
    check.report, check.failed, check.stopped = None, "", True
    page = desk.get(f"/drops/{one}").text
    assert "This check was stopped" in page
    assert desk.post(f"/drops/{one}/again", data={"token": token(desk)}, follow_redirects=False).status_code == 303
    assert checks.of(one, NOON) is not check
    assert desk.post(f"/drops/{one}/stop", data={"token": token(desk)}, follow_redirects=False).status_code == 303
