"""One person at the desk: found without accents, consent by hand, holds, everything we hold as a ZIP, and forgotten."""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from tasks.retention.erase import forget
from tasks.vault import sealed_spool
from tasks.vault.failures import NoConsent
from tasks.vault.records import Batch, Consent, Employee, Hold, Seat
from tasks.vault.seat_kits import chosen_by_hand
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON
from tests.reports.prefect_stand_in import Prefect, signed_in_desk

LATER = NOON + timedelta(hours=1)
BATCH = "b20261123a"
ONE, TWO = f"p{1:015x}", f"p{2:015x}"


@pytest.fixture
def desk(settings: Settings, prefect: Prefect) -> Iterator[TestClient]:
    with signed_in_desk(settings, prefect, LATER, "Hannah") as client:
        yield client


def press(desk: TestClient, person: str, act: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="token" value="([0-9a-f]{64})"', desk.get(f"/people/{person}").text)
    assert token is not None
    return desk.post(f"/people/{person}/{act}", data={"token": token[1], **fields}, follow_redirects=False)


def name_and_number(vault: Vault, person: str) -> tuple[str, str]:
    with vault.reading() as session:
        row = session.get_one(Employee, person)
    return row.name, row.number


EVIDENCE = {"evidence": "signed_form", "day": "2026-09-14", "reference": "HR-2026-0417"}


def test_people_are_found_by_name_number_and_mail_whatever_the_accents(desk: TestClient, vault: Vault) -> None:
    with vault.session() as session:
        session.get_one(Employee, ONE).name = "Jürgen Müller-Łuk"
    for words in ("muller", "JURGEN  müller", "0010001", "person1@example"):
        page = desk.get("/people", params={"q": words}).text
        assert "Jürgen Müller-Łuk" in page, words
        assert "1 person." in page
    assert "Nobody fits" in desk.get("/people", params={"q": "<script>"}).text


@pytest.mark.parametrize("act", ["forget", "hold", "end-hold", "consent", "withdraw", "kit"])
def test_nothing_is_done_without_the_sessions_own_token(desk: TestClient, act: str, prefect: Prefect) -> None:
    assert desk.post(f"/people/{ONE}/{act}", data={"token": "0" * 64, "confirm": "x"}).status_code == 403
    assert prefect.asked == []


def test_a_withdrawal_by_hand_stops_all_use_at_once_and_says_when_everything_goes(
    desk: TestClient, vault: Vault
) -> None:
    vault.permit(ONE, now=LATER)
    assert press(desk, ONE, "withdraw", **EVIDENCE).status_code == 303
    with pytest.raises(NoConsent):
        vault.permit(ONE, now=LATER)
    page = desk.get(f"/people/{ONE}").text
    assert "will be erased: 17 September" in page
    wall = desk.get("/batches/b20261123a/").text
    assert f"people/{ONE}/t-" not in wall, "no wall shows a picture of theirs"
    assert "Everything of 1 person" in desk.get("/retention").text
    desk.app.state.goes = (LATER - timedelta(days=1), (0, ""))  # type: ignore[attr-defined]  # half a minute later
    assert "1 person&#39;s data will be erased, next: 17 September" in desk.get("/").text
    assert "nothing to take back" in press(desk, ONE, "withdraw", **EVIDENCE).text, "twice is said, not done"


def test_a_consent_by_hand_carries_its_evidence_and_who_noted_it(desk: TestClient, vault: Vault) -> None:
    press(desk, ONE, "withdraw", **EVIDENCE)
    assert "dated after that" in press(desk, ONE, "consent", **{**EVIDENCE, "day": "2026-09-10"}).text
    with vault.session() as session:
        for row in session.exec(select(Consent).where(col(Consent.employee_id) == ONE)):
            row.withdrawn_at = LATER - timedelta(minutes=30)
            session.add(row)
    assert press(desk, ONE, "consent", **EVIDENCE, text="v3").status_code == 303
    page = desk.get(f"/people/{ONE}").text
    for words in ("Signed form, HR-2026-0417. Noted by Hannah", "text v3", "Consent given"):
        assert words in page
    vault.permit(ONE, now=LATER)


@pytest.mark.parametrize(
    "wrong",
    [{"evidence": "hearsay"}, {"day": "yesterday"}, {"day": "2026-09-16"}, {"reference": "r" * 61}],
)
def test_evidence_that_is_none_records_nothing(desk: TestClient, vault: Vault, wrong: dict[str, str]) -> None:
    assert press(desk, ONE, "withdraw", **{**EVIDENCE, **wrong}).status_code == 409
    vault.permit(ONE, now=LATER)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_the_last_day_of_the_calendar_is_no_evidence_wherever_the_company_is(desk: TestClient, zone: str) -> None:
    app = desk.app
    app.state.settings = app.state.settings.model_copy(update={"timezone": zone})  # type: ignore[attr-defined]
    answer = press(desk, ONE, "consent", **EVIDENCE | {"day": "9999-12-31"})
    assert (answer.status_code, "has not come yet" in answer.text) == (409, True)


def test_forgetting_asks_for_the_number_and_tells_prefect_the_opaque_id_alone(
    desk: TestClient, vault: Vault, prefect: Prefect
) -> None:
    name, number = name_and_number(vault, ONE)
    for wrong in ("", "yes", number[:-1], ONE):
        assert press(desk, ONE, "forget", confirm=wrong).status_code == 409
    assert prefect.started() == []
    assert press(desk, ONE, "forget", confirm=number).status_code == 303
    assert [run["parameters"] for run in prefect.started()] == [{"person": ONE}]
    assert name not in json.dumps(prefect.asked)
    prefect.going.append({"id": "r", "state": {"type": "RUNNING"}, "deployment_id": "dep forget-a-person",
                          "parameters": {"person": ONE}})  # fmt: skip
    assert "Being forgotten now" in desk.get(f"/people/{ONE}").text


def test_without_prefect_the_way_that_needs_none_is_said(desk: TestClient, vault: Vault, prefect: Prefect) -> None:
    prefect.gone = True
    assert "rollcall forget NUMBER" in press(desk, ONE, "forget", confirm=name_and_number(vault, ONE)[1]).text


def test_who_is_held_is_not_forgotten_until_the_hold_ends(desk: TestClient, vault: Vault, prefect: Prefect) -> None:
    number = name_and_number(vault, ONE)[1]
    assert press(desk, ONE, "hold", reason="because").status_code == 409
    assert press(desk, ONE, "hold", reason="court", until="2026-12-01").status_code == 303
    assert press(desk, ONE, "forget", confirm=number).status_code == 409
    assert "court case" in desk.get("/retention").text
    with vault.reading() as session:
        assert session.exec(select(Hold.by)).all() == ["Hannah"]
    assert press(desk, ONE, "end-hold").status_code == 303
    assert press(desk, ONE, "forget", confirm=number).status_code == 303
    assert len(prefect.started()) == 1


def test_everything_we_hold_comes_as_one_readable_file(desk: TestClient, vault: Vault) -> None:
    name, _ = name_and_number(vault, ONE)
    answer = desk.get(f"/people/{ONE}/everything.zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = archive.namelist()
    assert {"index.html", "data.json"} <= set(names)
    assert sum(one.startswith("photos/") for one in names) >= 3
    assert any(one.startswith("pictures/") for one in names)
    assert archive.read(next(one for one in names if one.startswith("photos/")))[:2] == b"\xff\xd8", (
        "opened, not sealed"
    )
    data = json.loads(archive.read("data.json"))
    assert data["employee"][0]["name"] == name
    assert data["consent"]
    assert "Hannah" not in archive.read("data.json").decode(), "colleagues are people of their own"
    assert name in archive.read("index.html").decode()
    other = name_and_number(vault, TWO)[0]
    assert other not in archive.read("data.json").decode() + archive.read("index.html").decode()
    scratch = vault.settings.scratch
    assert [path for path in scratch.rglob("*") if path.is_file()] == [], "nothing is left of it"


def test_it_is_sealed_where_it_lies_until_it_is_sent(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk(io.BytesIO):
        def close(self) -> None:
            """Looked at afterwards."""

    disks: list[Disk] = []
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: disks.append(Disk()) or disks[-1])
    monkeypatch.setattr(sealed_spool, "PAGE", 512)
    data = desk.get(f"/people/{ONE}/everything.zip").content
    [disk] = disks
    assert len(disk.getvalue()) > len(data) * 0.9
    for mark in (b"PK\x03\x04", b"\xff\xd8\xff", b"data.json"):
        assert mark in data
        assert mark not in disk.getvalue()


def test_after_a_withdrawal_the_copy_says_what_may_not_be_opened(desk: TestClient) -> None:
    press(desk, ONE, "withdraw", **EVIDENCE)
    archive = zipfile.ZipFile(io.BytesIO(desk.get(f"/people/{ONE}/everything.zip").content))
    assert sorted(archive.namelist()) == ["data.json", "index.html"]
    assert "files are not in it" in archive.read("index.html").decode()


def test_who_was_forgotten_is_a_receipt_as_page_and_on_paper(desk: TestClient, vault: Vault) -> None:
    name, number = name_and_number(vault, ONE)
    receipt = forget(vault, ONE, "requested", LATER)
    page = desk.get(f"/people/{ONE}").text
    assert name not in page
    assert f"/retention/receipts/{receipt.id}" in page
    assert desk.get(f"/people/{ONE}/everything.zip").status_code == 410
    shown = desk.get(f"/retention/receipts/{receipt.id}").text
    for words in ("Erased; one more look is due", "somebody asked to be forgotten", "cannot vouch for"):
        assert words in shown
    paper = desk.get(f"/retention/receipts/{receipt.id}/paper.pdf")
    assert paper.content.startswith(b"%PDF")
    assert name.encode() not in paper.content
    assert ONE in json.dumps(desk.get(f"/retention/receipts/{receipt.id}/signed.json").json())
    assert desk.get("/people", params={"q": number}).text.count("<tr>") <= 1
    assert desk.get("/retention/receipts/e000000000000000").status_code == 404


def test_nobody_has_a_page_under_an_id_that_never_was(desk: TestClient) -> None:
    assert desk.get("/people/p0000000000000ff").status_code == 404
    assert desk.get("/people/..%2f..").status_code == 404


def test_one_person_is_photographed_under_another_kit_within_one_batch(desk: TestClient, vault: Vault) -> None:
    assert "photographed under" not in desk.get(f"/people/{ONE}").text
    answer = press(desk, ONE, "kit", batch=BATCH, kit="harbour")
    assert answer.headers["location"] == f"/people/{ONE}"
    page = desk.get(f"/people/{ONE}").text
    assert "photographed under Harbour partners" in page
    assert "neither a new run nor the roster changes it" in page
    with vault.reading() as session:
        own = session.exec(select(Seat.employee_id).where(Seat.batch_id == BATCH, Seat.kit == "harbour")).all()
        assert own == [ONE], "nobody else"
        assert chosen_by_hand(session.get_one(Batch, BATCH)) == {ONE}
    assert "no such brand kit" in press(desk, ONE, "kit", batch=BATCH, kit="none").text
    assert "not in that batch" in press(desk, ONE, "kit", batch="b000", kit="harbour").text
    press(desk, ONE, "kit", batch=BATCH, kit="northwind")
    assert "photographed under" not in desk.get(f"/people/{ONE}").text, "the batch's own again"
