"""What is read from the records is what was stored, and nobody who is being forgotten is read at all."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from reports.gather import gather
from reports.site_of_batch import report_path, rewrite_report
from tasks.vault.failures import NoSuchBatch
from tasks.vault.files import alone_in, part_of
from tasks.vault.records import Consent, Employee
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, small

BATCH = "b20261123a"


def test_everything_comes_back(vault: Vault) -> None:
    stored, read = small(), gather(vault, BATCH, now=NOON)
    assert [one.id for one in read.people] == [one.id for one in stored.people]
    for before, after in zip(stored.people, read.people, strict=True):
        assert (after.name, after.state, after.reason) == (before.name, before.state, before.reason)
        assert after.findings == before.findings
        keyless = {shot.digest: replace(shot, key="") for shot in after.headshots}
        assert keyless == {shot.digest: replace(shot, key="") for shot in before.headshots}
        assert [selfie.findings for selfie in after.selfies] == [selfie.findings for selfie in before.selfies]
        assert after.decisions == before.decisions
    assert read.batch.kit_title == "Northwind studio"


def test_pictures_open_under_a_permit(vault: Vault) -> None:
    read = gather(vault, BATCH, now=NOON)
    someone = read.people[0]
    assert (read.pictures(someone.id, someone.headshots[0].key) or b"").startswith(b"\xff\xd8")
    assert read.pictures(read.people[5].id, someone.headshots[0].key) is None, "no consent, no picture"
    assert read.pictures(someone.id, f"people/{someone.id}/headshots/none.jpg") is None


def test_consent_that_is_withdrawn_closes_the_pictures(vault: Vault) -> None:
    someone = small().people[0].id
    with vault.session() as session:
        consent = session.exec(select(Consent).where(col(Consent.employee_id) == someone)).one()
        consent.withdrawn_at = NOON
        session.add(consent)
    read = gather(vault, BATCH, now=NOON + timedelta(minutes=1))
    assert not read.people[0].viewable
    page = rewrite_report(vault, BATCH, now=NOON + timedelta(minutes=1))
    assert not list((page.parent / "people" / someone).glob("*"))


def test_a_withdrawal_closes_the_pictures_of_a_report_that_is_being_written(vault: Vault) -> None:
    read = gather(vault, BATCH, now=NOON)
    someone = read.people[0]
    assert read.pictures(someone.id, someone.headshots[0].key)
    with vault.session() as session:
        for consent in session.exec(select(Consent).where(col(Consent.employee_id) == someone.id)):
            consent.withdrawn_at = NOON
            session.add(consent)
    assert read.pictures(someone.id, someone.headshots[0].key) is None, "the permit was given before"


def test_who_is_being_forgotten_is_only_counted(vault: Vault) -> None:
    page = rewrite_report(vault, BATCH, now=NOON)
    assert page == report_path(vault.settings, BATCH)
    someone = small().people[1]
    with vault.session() as session:
        employee = session.get(Employee, someone.id)
        assert employee is not None
        employee.state = "erasing"
        session.add(employee)
    rewrite_report(vault, BATCH, now=NOON)
    assert gather(vault, BATCH, now=NOON).erased == 1
    for path in page.parent.rglob("*"):
        assert someone.id not in path.name
        if path.suffix == ".html":
            assert someone.id not in path.read_text()
            assert someone.name not in path.read_text()


def test_a_report_that_waits_for_another_writer_reads_the_records_when_its_turn_comes(vault: Vault) -> None:
    """Two at once took each other's half-written files away; and one that had read before brought a page back."""
    folder, someone = rewrite_report(vault, BATCH, now=NOON).parent, small().people[1]
    with ThreadPoolExecutor(1) as pool:
        with alone_in(folder):
            waiting = pool.submit(rewrite_report, vault, BATCH, now=NOON)
            time.sleep(0.5)
            assert not waiting.done()
            with vault.session() as session:
                session.get_one(Employee, someone.id).state = "erasing"
        waiting.result()
    assert not [path for path in folder.rglob("*") if someone.id in path.name]


def test_what_another_writer_is_about_to_name_is_let_be(vault: Vault) -> None:
    folder = rewrite_report(vault, BATCH, now=NOON).parent / "people" / small().people[0].id
    half, old = part_of(folder / "h-1.webp"), folder / "h-1.webp"
    half.touch()
    old.touch()
    rewrite_report(vault, BATCH, now=NOON)
    assert (half.exists(), old.exists()) == (True, False)


def test_there_is_no_report_of_an_unknown_batch(vault: Vault) -> None:
    with pytest.raises(NoSuchBatch):
        gather(vault, "bnone")
    with pytest.raises(ValueError, match="not a batch id"):
        report_path(vault.settings, "../b")


def test_that_the_forgetting_is_late_stands_in_every_runs_report(vault: Vault) -> None:
    vault.audit("consent_given", "p1", actor="test", now=NOON)
    assert gather(vault, BATCH, now=NOON + timedelta(hours=26)).late == ""
    rewrite_report(vault, BATCH, now=NOON + timedelta(hours=31))
    page = (report_path(vault.settings, BATCH).parent / "run.html").read_text()
    assert "Forgetting is late" in page
    assert "31 hours ago" in page
