"""One batch at the desk: its name and place, starting and stopping through Prefect's API, and what happens without."""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from reports.decisions import apply_decisions
from tasks.shipped import SHIPPED
from tasks.vault.records import Batch, Consent, Decision, Employee, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, digest
from tests.reports.prefect_stand_in import RUN, Prefect, signed_in_desk

BATCH = "b20261123a"
NAME = "Berlin, autumn"


@pytest.fixture
def desk(settings: Settings, prefect: Prefect) -> Iterator[TestClient]:
    with signed_in_desk(settings, prefect, NOON + timedelta(hours=1), "Ada") as client:
        yield client


def press(desk: TestClient, path: str, **fields: str) -> httpx.Response:
    page = desk.get(f"/batches/{BATCH}/home").text
    token = re.search(r'name="token" value="([0-9a-f]{64})"', page)
    assert token is not None
    return desk.post(f"/batches/{BATCH}/{path}", data={"token": token[1], **fields}, follow_redirects=False)


@pytest.mark.parametrize(
    "path", ["name", "archive", "stop", "go-on", "reshoot", "approve-cost", "kit", "decisions-file"]
)
def test_nothing_is_done_without_the_sessions_own_token(desk: TestClient, prefect: Prefect, path: str) -> None:
    assert (
        desk.post(f"/batches/{BATCH}/{path}", data={"token": "0" * 64, "name": "x", "away": "yes"}).status_code == 403
    )
    assert prefect.asked == []


def test_a_name_is_kept_in_our_records_and_never_told_to_prefect(
    desk: TestClient, prefect: Prefect, vault: Vault
) -> None:
    assert press(desk, "name", name=f"  {NAME}\u202e ").status_code == 303
    assert NAME in desk.get("/").text
    assert press(desk, "go-on").status_code == 303
    assert NAME not in json.dumps(prefect.asked)
    with vault.reading() as session:
        assert session.get_one(Batch, BATCH).facts["label"]["by"] == "Ada"


def test_a_name_that_is_too_long_is_refused_in_words(desk: TestClient) -> None:
    answer = press(desk, "name", name="n" * 61)
    assert answer.status_code == 409
    assert "at most 60 letters" in answer.text


def test_an_archived_batch_leaves_the_first_page_and_comes_back(desk: TestClient) -> None:
    card = f'<a class="batch" href="/batches/{BATCH}/">'
    assert card in desk.get("/").text
    press(desk, "archive", away="yes")
    assert card not in desk.get("/").text
    assert f"/batches/{BATCH}/home" in desk.get("/").text, "it is listed under Archived"
    press(desk, "archive", away="no")
    assert card in desk.get("/").text


def test_running_again_starts_the_batchs_own_order_and_two_presses_are_one(desk: TestClient, prefect: Prefect) -> None:
    press(desk, "go-on")
    press(desk, "go-on")
    first, second = prefect.started()
    assert first["parameters"]["drop"] == "drop"
    assert (first["parameters"]["kit"], first["parameters"]["quality"]) == ("northwind", "standard")
    assert first["idempotency_key"] == second["idempotency_key"]


@pytest.mark.parametrize(("apart_s", "runs"), [(2, 1), (59, 1), (60, 2), (61, 2)])
def test_two_presses_are_one_also_where_the_minute_changes_between_them(
    desk: TestClient, prefect: Prefect, apart_s: int, runs: int
) -> None:
    clock = desk.app.state  # type: ignore[attr-defined]
    press(desk, "go-on")
    begun = NOON + timedelta(hours=1, minutes=2, seconds=59)
    for moment in (begun, begun + timedelta(seconds=apart_s)):
        clock.clock = lambda moment=moment: moment
        press(desk, "go-on")
    assert len({one["idempotency_key"] for one in prefect.started()[1:]}) == runs


def test_while_it_runs_the_bar_the_people_and_the_time_left_are_shown(desk: TestClient, prefect: Prefect) -> None:
    prefect.run(drop="drop", kit="northwind", quality="standard")
    prefect.bar = 50.0
    for path in ("/", f"/batches/{BATCH}/home"):
        page = desk.get(path).text
        assert 'max="100" value="50.0"' in page
        assert "about 30 minutes left" in page
        assert "people have pictures" in page


def test_stopping_holds_everybody_who_is_not_finished_and_ends_the_run(
    desk: TestClient, prefect: Prefect, vault: Vault
) -> None:
    with vault.session() as session:
        seat = session.exec(select(Seat).where(col(Seat.state) == "done")).first()
        assert seat is not None
        seat.state = "ready"
        session.add(seat)
    prefect.run(drop="drop", kit="northwind", quality="standard")
    assert press(desk, "stop").status_code == 303
    [(path, body)] = prefect.asked
    assert path.endswith(f"/flow_runs/{RUN}/set_state")
    assert body["state"]["type"] == "CANCELLING"
    prefect.going.clear()
    assert "Stopped: 1 person waits" in desk.get(f"/batches/{BATCH}/home").text
    press(desk, "go-on")
    assert len(prefect.started()) == 1
    with vault.reading() as session:
        assert session.exec(select(Seat).where(col(Seat.state) == "stopped")).all() == []


def test_without_prefect_pages_are_shown_and_nothing_is_said_to_have_begun(desk: TestClient, prefect: Prefect) -> None:
    prefect.gone = True
    assert "cannot be said" in desk.get("/").text
    answer = press(desk, "go-on")
    assert answer.status_code == 409
    assert "Nothing was started" in answer.text


def test_a_batch_whose_upload_was_removed_is_not_run_into_nothing(
    desk: TestClient, prefect: Prefect, vault: Vault
) -> None:
    with vault.session() as session:
        session.get_one(Batch, BATCH).drop = str(vault.settings.uploads / "20260914-0123456789")
    answer = press(desk, "go-on")
    assert (answer.status_code, "Upload roster and photos once more" in answer.text) == (409, True)
    assert prefect.started() == []
    (vault.settings.uploads / "20260914-0123456789").mkdir(parents=True)
    assert press(desk, "go-on").status_code == 303
    assert len(prefect.started()) == 1


def test_a_batch_whose_kit_vanished_or_broke_is_not_run_into_nothing(
    settings: Settings, prefect: Prefect, tmp_path: Path
) -> None:
    kits = tmp_path / "kits"
    shutil.copytree(SHIPPED / "brand_kits", kits)
    settings = settings.model_copy(update={"kits": kits})
    with signed_in_desk(settings, prefect, NOON + timedelta(hours=1), "Ada") as desk:
        (kits / "northwind" / "kit.toml").write_text("not toml [", encoding="utf-8")
        assert "kit.toml: not readable" in press(desk, "go-on").text
        shutil.rmtree(kits / "northwind")
        assert "is not here any more, so nothing was started" in press(desk, "go-on").text
    assert prefect.started() == []


def test_one_redo_is_one_press_on_the_first_page(desk: TestClient, prefect: Prefect, vault: Vault) -> None:
    assert press(desk, "reshoot").status_code == 409, "nobody is marked redo"
    row = {"employee": f"p{1:015x}", "headshot": digest("headshot", 1, 0), "verdict": "redo",
           "at": (NOON + timedelta(minutes=5)).isoformat()}  # fmt: skip
    apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Ada", NOON + timedelta(minutes=5))
    home = desk.get("/").text
    assert "1 person waits for new pictures" in home
    assert f'action="/batches/{BATCH}/reshoot"' in home
    assert press(desk, "reshoot").status_code == 303
    assert [run["parameters"] for run in prefect.started()] == [{"batch": BATCH}]


def test_the_stream_ends_with_the_session_and_is_no_sign_of_a_person(desk: TestClient) -> None:
    desk.cookies.clear()
    assert desk.get("/events", headers={"accept": "text/event-stream"}).status_code == 401


def approve(vault: Vault, number: int, minute: int = 5) -> None:
    row = {"employee": f"p{number:015x}", "headshot": digest("headshot", number, 0), "verdict": "approve",
           "at": (NOON + timedelta(minutes=minute)).isoformat()}  # fmt: skip
    assert (
        apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Ada", NOON + timedelta(minutes=9)).recorded == 1
    )


def test_a_copy_holds_approved_pictures_a_date_and_no_selfie(desk: TestClient, vault: Vault) -> None:
    approve(vault, 1)
    with vault.session() as session:
        gone = session.get_one(Employee, f"p{8:015x}")  # approved in the sample, and consent taken back since
        for consent in session.exec(select(Consent).where(col(Consent.employee_id) == gone.id)):
            consent.withdrawn_at = NOON
            session.add(consent)
        name = session.get_one(Employee, f"p{1:015x}").name
    archive = zipfile.ZipFile(io.BytesIO(desk.get(f"/batches/{BATCH}/copy.zip").content))
    assert archive.namelist() == ["pictures/0001.webp", "index.html"]
    page = archive.read("index.html").decode()
    assert name in page
    assert gone.name not in page
    assert "14 September 2026" in page
    assert "not kept up to date" in page


def send_file(desk: TestClient, content: bytes) -> httpx.Response:
    page = desk.get(f"/batches/{BATCH}/home").text
    token = re.search(r'name="token" value="([0-9a-f]{64})"', page)
    assert token is not None
    return desk.post(
        f"/batches/{BATCH}/decisions-file", data={"token": token[1]}, files={"decisions": ("d.json", content)},
        follow_redirects=False,
    )  # fmt: skip


def test_what_was_decided_on_a_copy_is_taken_in_under_the_name_of_who_takes_it(desk: TestClient, vault: Vault) -> None:
    row = {"employee": f"p{1:015x}", "headshot": digest("headshot", 1, 0), "verdict": "approve",
           "at": (NOON + timedelta(minutes=5)).isoformat()}  # fmt: skip
    payload = {"batch": BATCH, "by": "Somebody else", "decisions": [row]}
    assert send_file(desk, json.dumps(payload).encode()).status_code == 303
    with vault.reading() as session:
        made = session.exec(select(Decision).where(col(Decision.employee_id) == f"p{1:015x}")).one()
    assert made.by == "Ada"
    refused = send_file(desk, json.dumps({**payload, "decisions": [{**row, "employee": "p" + "f" * 15}]}).encode())
    assert refused.status_code == 409
    assert "1 was refused" in refused.text
    for wrong in (b"", b"[]", b"{", json.dumps({**payload, "batch": "b0"}).encode()):
        assert "no file of decisions about this batch" in send_file(desk, wrong).text


def test_a_department_gets_another_kit_by_one_form(desk: TestClient, vault: Vault) -> None:
    answer = press(desk, "kit", department="Sales", kit="harbour")
    assert answer.status_code == 200
    assert "photographed under that kit" in answer.text
    with vault.reading() as session:
        sales = select(Seat.kit).join(Employee, col(Employee.id) == col(Seat.employee_id))
        assert set(session.exec(sales.where(Employee.department == "Sales"))) == {"harbour"}
        assert set(session.exec(sales.where(Employee.department != "Sales"))) == {""}
    assert "no such brand kit" in press(desk, "kit", department="Sales", kit="none").text
