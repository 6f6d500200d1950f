"""HR takes a batch's pictures away at the desk: by directory, as one ZIP, without a path and for themselves only."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from reports.desk.app import create_desk
from tasks.headshots.kit import load_kit
from tasks.vault.batches import load_batch
from tasks.vault.records import AuditEntry, Consent, Decision, Employee, Headshot
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.images import encode
from tests.reports.conftest import NOON, PASSWORD

BATCH = "b20261123a"
ONE = f"p{1:015x}"


class Clock:
    """A clock that a test sets."""

    now = NOON + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(settings: Settings, vault: Vault, clock: Clock) -> Iterator[FastAPI]:
    approve(vault)
    made = create_desk(settings, clock=clock)
    yield made
    made.state.vault.close()


@pytest.fixture
def desk(app: FastAPI) -> TestClient:
    return signed_in(app, "Hannah")


def signed_in(app: FastAPI, name: str) -> TestClient:
    client = TestClient(app, base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5000))
    client.post("/login", data={"name": name, "password": PASSWORD})
    return client


def approve(vault: Vault) -> None:
    """One person's first picture is approved, and nobody else's."""
    kit = load_kit(load_batch(vault, BATCH).kit, vault.settings.kits)
    with vault.session() as session:
        for decision in session.exec(select(Decision)):
            session.delete(decision)
    with vault.reading() as session:
        consents = session.exec(select(Consent).where(Consent.employee_id == ONE)).all()
        mine = select(Headshot).where(Headshot.employee_id == ONE, Headshot.kit == kit.name)
        shot = session.exec(mine).first()
        assert shot is not None
        identity = session.get_one(Employee, ONE).identity
    picture = np.full((kit.framing.height // 4, kit.framing.width // 4, 3), 120, np.uint8)
    permit = vault.permit(ONE, now=NOON)
    key = vault.write(permit, "headshots", "approved.png", encode(picture, "png"), now=NOON)
    with vault.session() as session:
        row = session.get_one(Headshot, shot.digest)
        row.finished_key, row.state = key, "approved"
        session.add(row)
        session.add(
            Decision(
                id="dmine", employee_id=ONE, headshot_digest=shot.digest, batch_id=BATCH, kit=kit.name,
                identity=identity, consent_id=consents[-1].id, verdict="approve", by="r", at=NOON,
            )
        )  # fmt: skip


def order(desk: TestClient, *packs: str, names: str = "") -> tuple[int, str, str]:
    """Sends the form: status, where it leads, and what the page says."""
    page = desk.get(f"/batches/{BATCH}/deliver").text
    token = page.split('name="token" value="')[1].split('"')[0]
    form = {"token": token, "pack": list(packs), "names": names}
    answer = desk.post(f"/batches/{BATCH}/deliver", data=form, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", ""), answer.text


def finished(desk: TestClient, address: str) -> str:
    """The page once it no longer waits."""
    for _ in range(600):
        page = desk.get(address).text
        if 'http-equiv="refresh"' not in page:
            return page
        time.sleep(0.1)
    raise AssertionError("it never ended")


def test_the_form_says_what_each_pack_is_for_and_asks_for_no_path(desk: TestClient) -> None:
    page = desk.get(f"/batches/{BATCH}/deliver").text
    assert "1 picture may leave." in page
    for words in ("Microsoft 365: Entra, Teams, Outlook", "Worker photos in Workday.", "The kit&#39;s own sizes"):
        assert words in page
    assert "/srv" not in page
    assert 'type="text"' not in page
    report = desk.get(f"/batches/{BATCH}/").text
    assert f'href="/batches/{BATCH}/deliver"' in report


def test_a_zip_is_made_downloaded_and_registered(desk: TestClient, vault: Vault) -> None:
    status, address, _ = order(desk, "workday", "website", names="{number}_{name}")
    assert status == 303
    page = finished(desk, address)
    assert "1 person in 5 files" in page
    answer = desk.get(f"{address}/headshots.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="headshots.zip"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert "handover.html" in names
        assert len([name for name in names if name.startswith(("workday/", "website/"))]) == 5
    with vault.reading() as session:
        [entry] = [one for one in session.exec(select(AuditEntry)) if one.action == "delivered"]
    assert (entry.subject, entry.result["to"]) == (ONE, "download")
    assert load_batch(vault, BATCH).facts["delivered"]["packs"] == ["workday", "website"]
    assert list(vault.settings.scratch.iterdir()) == []


def test_it_is_for_whoever_asked_and_for_half_an_hour(app: FastAPI, desk: TestClient, clock: Clock) -> None:
    _, address, _ = order(desk, "workday")
    finished(desk, address)
    assert signed_in(app, "Otto").get(f"{address}/headshots.zip").status_code == 404
    assert desk.get(f"/batches/other/deliver/{address.rsplit('/', 1)[1]}").status_code == 404
    assert desk.get(f"{address}/headshots.zip").status_code == 200
    assert desk.get(f"{address}/headshots.zip").status_code == 200  # a second time, too
    clock.now += timedelta(minutes=31)
    assert desk.get(f"{address}/headshots.zip").status_code == 404


def test_who_withdrew_since_is_not_in_it_and_an_empty_delivery_says_why(desk: TestClient, vault: Vault) -> None:
    page = desk.get(f"/batches/{BATCH}/deliver").text
    token = page.split('name="token" value="')[1].split('"')[0]
    with vault.session() as session:
        for consent in session.exec(select(Consent).where(Consent.employee_id == ONE)):
            consent.withdrawn_at = NOON + timedelta(minutes=1)
            session.add(consent)
    answer = desk.post(
        f"/batches/{BATCH}/deliver", data={"token": token, "pack": ["workday"], "names": ""}, follow_redirects=False
    )
    page = finished(desk, answer.headers["location"])
    assert "Nothing was delivered" in page
    assert "Nobody in this batch has a picture that may leave" in page
    assert "Nothing to deliver yet" in desk.get(f"/batches/{BATCH}/deliver").text


def test_a_zip_that_waits_is_thrown_away_when_somebody_in_it_withdraws(desk: TestClient, vault: Vault) -> None:
    """Their consent has to stand at the second at which the pictures leave, not at that at which they were packed."""
    status, address, _ = order(desk, "slack")
    assert status == 303
    finished(desk, address)
    assert desk.get(f"{address}/headshots.zip").status_code == 200
    with vault.session() as session:
        for consent in session.exec(select(Consent).where(Consent.employee_id == ONE)):
            consent.withdrawn_at = NOON + timedelta(minutes=1)
            session.add(consent)
    answer = desk.get(f"{address}/headshots.zip")
    assert answer.headers["content-type"].startswith("text/html")
    assert "has withdrawn, left or been forgotten since" in answer.text
    assert desk.get(f"{address}/headshots.zip").status_code == 404


def test_wrong_orders_are_refused_in_words(desk: TestClient, settings: Settings, tmp_path: Path) -> None:
    assert order(desk)[0] == 422
    assert order(desk, "workday", names="{password}")[0] == 422
    status, _, page = order(desk, "nosuch")
    assert (status, "There is no such pack" in page) == (409, True)
    form = {"token": "0" * 64, "pack": ["workday"], "names": ""}
    assert desk.post(f"/batches/{BATCH}/deliver", data=form).status_code == 403
    assert desk.get("/batches/nosuch/deliver").status_code == 404


def test_two_are_made_at_once_and_a_third_is_told_to_wait(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    go = Event()
    monkeypatch.setattr("reports.desk.deliver.deliver_wish", lambda *_: go.wait(30) and {"people": 1, "files": 1})
    try:
        addresses = [order(desk, pack)[1] for pack in ("workday", "slack")]
        assert [order(desk, pack)[1] for pack in ("workday", "slack")] == addresses, "a second press"
        status, _, page = order(desk, "linkedin")
        assert (status, "Two deliveries are being made already" in page) == (409, True)
        assert "0 files so far" in desk.get(addresses[0]).text
    finally:
        go.set()
    for address in addresses:
        finished(desk, address)


def test_the_moment_of_a_delivery_is_the_desk_s(desk: TestClient, vault: Vault, clock: Clock) -> None:
    finished(desk, order(desk, "workday")[1])
    assert load_batch(vault, BATCH).facts["delivered"]["at"] == clock.now.astimezone(UTC).isoformat()
