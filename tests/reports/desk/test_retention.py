"""What goes when, at the desk: by name and day, what would stop the sweep, and the sweep by one press."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from reports.desk.retention import grouped
from tasks.retention.calendar import EVERYTHING, DueLine, what_goes_when
from tasks.retention.forecast import forecast
from tasks.retention.rules import load_rules
from tasks.vault.records import Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON
from tests.reports.prefect_stand_in import Prefect, signed_in_desk

ONE = f"p{1:015x}"
DAY = timedelta(days=1)


@pytest.fixture
def desk(settings: Settings, prefect: Prefect) -> Iterator[TestClient]:
    with signed_in_desk(settings, prefect, NOON, "Hannah") as client:
        yield client


def sweep(desk: TestClient, **fields: str) -> httpx.Response:
    token = re.search(r'name="token" value="([0-9a-f]{64})"', desk.get("/retention").text)
    assert token is not None
    return desk.post("/retention/sweep", data={"token": token[1], **fields}, follow_redirects=False)


def withdraw_all(vault: Vault) -> None:
    with vault.session() as session:
        for consent in session.exec(select(Consent)):
            consent.withdrawn_at = NOON - 9 * DAY
            session.add(consent)
        for number in range(40):
            session.add(Employee(id=f"q{number:015x}", number=f"q{number}", name=f"Q {number}", updated_at=NOON))
            session.add(Consent(id=f"cq{number}", employee_id=f"q{number:015x}", given_at=NOON - 30 * DAY,
                                withdrawn_at=NOON - 9 * DAY))  # fmt: skip


def test_who_goes_wholly_has_one_line_and_nothing_beside_it(vault: Vault) -> None:
    with vault.session() as session:
        consent = session.exec(select(Consent).where(Consent.employee_id == ONE)).one()
        consent.withdrawn_at = NOON
        session.add(consent)
    lines = what_goes_when(vault, forecast(vault, NOON), load_rules())
    mine = [line for line in lines if line.person == ONE and line.due_at <= NOON + 3 * DAY]
    assert [(line.kind, line.why, line.due_at) for line in mine] == [(EVERYTHING, "withdrawn", NOON + 3 * DAY)]
    assert [line for line in lines if line.person == ONE] == mine, "what would go later goes with them"
    assert lines == sorted(lines, key=lambda line: line.due_at)


def test_lines_of_a_day_and_kind_are_one_with_everybody_by_name() -> None:
    lines = [
        DueLine(NOON, "p1", "photos", 3, "latest", "30 days"),
        DueLine(NOON + timedelta(hours=2), "p2", "photos", 2, "latest", "30 days"),
        DueLine(NOON + DAY, "", "records", 1, "old", "1 year"),
    ]
    first, second = grouped(lines, {"p1": ("Ada", "1"), "p2": ("Otto", "2")})
    assert (first.items, [name for _, name, _ in first.people]) == (5, ["Ada", "Otto"])
    assert (second.items, second.people) == (1, ())


def test_the_sweep_is_one_press_and_two_presses_are_one(desk: TestClient, prefect: Prefect) -> None:
    assert sweep(desk).status_code == 303
    sweep(desk)
    first, second = prefect.started()
    assert first["parameters"] == {"dry_run": False, "mass_deletion": 0}
    assert first["idempotency_key"] == second["idempotency_key"]


def test_a_sweep_that_would_stop_is_let_through_by_its_number_only(
    desk: TestClient, prefect: Prefect, vault: Vault
) -> None:
    withdraw_all(vault)
    page = desk.get("/retention").text
    assert "The sweep will stop, and delete nothing" in page
    [number] = set(re.findall(r"(\d+) people would be forgotten at once", page))
    for wrong in ("", "yes", "1"):
        assert sweep(desk, people=wrong).status_code == 409
    assert prefect.started() == []
    assert sweep(desk, people=number).status_code == 303
    assert prefect.started()[0]["parameters"]["mass_deletion"] == int(number)


def test_without_prefect_nothing_is_said_to_have_begun(desk: TestClient, prefect: Prefect) -> None:
    prefect.gone = True
    assert "Nothing was started" in sweep(desk).text
