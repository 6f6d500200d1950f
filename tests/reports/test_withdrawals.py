"""A withdrawal counts from the moment its register is uploaded at the desk: nobody has to run a batch for it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from reports.desk.app import create_desk
from tasks.vault.failures import NoConsent
from tasks.vault.records import Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, PASSWORD

ADA, OTHER = f"p{1:015x}", f"p{2:015x}"
NOW = NOON + timedelta(days=1)


@pytest.fixture
def desk(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_desk(settings, clock=lambda: NOW)) as client:
        client.post("/login", data={"name": "Hannah", "password": PASSWORD})
        yield client


def upload(desk: TestClient, people: list[Employee], register: str, **more: str) -> int:
    lines = "".join(f"{one.number},{one.name},{one.email}\n" for one in people)
    files = {
        "roster": ("r.csv", f"Employee ID,Name,Work Email\n{lines}".encode()),
        "consents": ("c.csv", f"Employee ID,Purpose,Given at,Withdrawn at\n{register}".encode()),
    }
    token = desk.get("/drops/new").text.split('name="token" value="')[1].split('"')[0]
    return desk.post("/drops", data={"token": token, **more}, files=files, follow_redirects=False).status_code


def test_an_uploaded_withdrawal_closes_the_vault_for_that_person_at_once(desk: TestClient, vault: Vault) -> None:
    with vault.reading() as session:
        people = [session.get_one(Employee, one) for one in (ADA, OTHER)]
    for one in people:
        vault.permit(one.id, now=NOW)
    ada, other = (one.number for one in people)
    # The day of the yes in the register is not that of the records: the no is the later of all of them.
    register = f"{ada},headshot,2026-09-01,2026-09-14\n{other},headshot,2026-09-01,\n"
    assert upload(desk, people, register) == 303
    with pytest.raises(NoConsent, match="consent_withdrawn"):
        vault.permit(ADA, now=NOW)
    vault.permit(OTHER, now=NOW)
    # An older register, uploaded again, brings nothing back: a yes waits for the run, and is older than the no.
    assert upload(desk, people, f"{ada},headshot,2026-09-01,\n{other},headshot,2026-09-01,\n") == 303
    with pytest.raises(NoConsent, match="consent_withdrawn"):
        vault.permit(ADA, now=NOW)


def test_a_line_under_another_name_withdraws_nobodys_consent(desk: TestClient, vault: Vault) -> None:
    """Who that is has to be asked first: the number may have been given to somebody else."""
    with vault.reading() as session:
        ada = session.get_one(Employee, ADA)
    stranger = Employee(id="p0", number=ada.number, name="Eve Fox", email="eve@x.example", updated_at=NOW)
    assert upload(desk, [stranger], f"{ada.number},headshot,2026-09-01,2026-09-14\n") == 303
    vault.permit(ADA, now=NOW)
    with vault.reading() as session:
        mine = session.exec(select(Consent).where(Consent.employee_id == ADA)).all()
    assert [consent.withdrawn_at for consent in mine] == [None] * len(mine)
