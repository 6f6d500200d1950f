"""HR answers at the desk who somebody is; the answer is carried out at once, by name, and only once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from reports.desk.app import create_desk
from tasks.roster.intake import admit
from tasks.roster.read import read_roster
from tasks.vault.records import Employee, Question
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, PASSWORD

ADA = f"p{1:015x}"


@pytest.fixture
def desk(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_desk(settings, clock=lambda: NOON + timedelta(hours=1))) as client:
        client.post("/login", data={"name": "Hannah", "password": PASSWORD})
        yield client


@pytest.fixture
def number(vault: Vault) -> str:
    """The number of somebody known, under which a roster names somebody else with markup in the name."""
    with vault.reading() as session:
        found = session.get_one(Employee, ADA).number
    roster = read_roster(f"Employee ID,Name,Work Email\n{found},Eve <b>Fox</b>,eve@x.example\n".encode(), "r.csv")
    admit(vault, roster, None, NOON, "b20261123a")
    return found


def token(page: str) -> str:
    return page.split('name="token" value="')[1].split('"')[0]


def test_a_question_is_read_and_answered(desk: TestClient, vault: Vault, number: str) -> None:
    page = desk.get("/questions").text
    assert "1 question for you" in page
    assert f"The roster says {number} is Eve &lt;b&gt;Fox&lt;/b&gt; (eve@x.example)" in page
    with vault.reading() as session:
        [question] = session.exec(select(Question)).all()
    form = {"token": token(page), "answer": f"same:{ADA}"}
    assert desk.post(f"/questions/{question.id}", data=form, follow_redirects=False).status_code == 303
    with vault.reading() as session:
        assert session.get_one(Employee, ADA).name == "Eve <b>Fox</b>"
        assert session.get_one(Question, question.id).by == "Hannah"
    assert "No open questions" in desk.get("/questions").text
    again = desk.post(f"/questions/{question.id}", data=form)
    assert again.status_code == 409
    assert "answered already" in again.text


def test_without_the_sessions_token_nothing_is_answered(desk: TestClient, vault: Vault, number: str) -> None:
    with vault.reading() as session:
        [question] = session.exec(select(Question)).all()
    assert desk.post(f"/questions/{question.id}", data={"token": "x", "answer": "mistake"}).status_code == 403
    with vault.reading() as session:
        assert session.get_one(Question, question.id).answer is None


def test_what_a_merger_asked_is_answered_with_one_press(desk: TestClient, vault: Vault) -> None:
    """People under new numbers, each shown by name; whoever answers says what was shown, so that a later one is not
    in it."""
    with vault.reading() as session:
        some = session.exec(select(Employee).where(Employee.state == "active").order_by(Employee.number)).all()[:3]

    def take_in(count: int) -> None:
        lines = "".join(f"M-{one.number},{one.name},{one.email}\n" for one in some[:count])
        admit(vault, read_roster(f"Employee ID,Name,Work Email\n{lines}".encode(), "r.csv"), None, NOON, "b20261123a")

    take_in(2)
    page = desk.get("/questions").text
    assert f"{some[0].name}, {some[0].number}: number M-{some[0].number}" in page
    assert "All 2 are the same people as before" in page
    form = {"token": token(page), "shown": page.split('name="shown" value="')[1].split('"')[0]}
    assert desk.post("/questions/new-numbers", data=form | {"token": "x"}).status_code == 403
    take_in(3)
    assert desk.post("/questions/new-numbers", data=form).status_code == 409
    page = desk.get("/questions").text
    form["shown"] = page.split('name="shown" value="')[1].split('"')[0]
    assert desk.post("/questions/new-numbers", data=form, follow_redirects=False).status_code == 303
    with vault.reading() as session:
        assert {session.get_one(Employee, one.id).number for one in some} == {f"M-{one.number}" for one in some}
    assert "All " not in desk.get("/questions").text
