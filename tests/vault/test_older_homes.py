"""A home that an earlier version left behind opens, reads, proves and forgets as if this version had made it."""

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import col, select

from tasks.retention.erase import forget
from tasks.vault import audit_log
from tasks.vault.failures import NoConsent
from tasks.vault.records import Adapter, Decision, Employee, Headshot, Selfie
from tasks.vault.settings import Settings
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault, open_vault

HOMES = Path(__file__).resolve().parents[1] / "homes"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(params=[path.name.removesuffix(".tar.xz") for path in sorted(HOMES.glob("*.tar.xz"))])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    with tarfile.open(HOMES / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path / "home", filter="data")
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        yield vault


def _photographed(vault: Vault) -> Employee:
    with vault.reading() as session:
        return session.exec(select(Employee).where(col(Employee.name) != "", col(Employee.number) == "NW-1001")).one()


def test_everything_in_it_can_be_read(older: Vault) -> None:
    person = _photographed(older)
    permit = older.permit(person.id, now=NOW)
    with older.reading() as session:
        keys = [
            *session.exec(select(Selfie.blob_key).where(Selfie.blob_key != "")),
            *session.exec(select(Adapter.blob_key)),
        ]
        for row in session.exec(select(Headshot)):
            keys += [row.original_key, row.finished_key, row.thumb_key]
        assert session.exec(select(Decision.verdict)).all() == ["approve"]
    assert len(keys) > 20
    for key in keys:
        assert older.read(permit, key), key


def test_who_was_forgotten_stays_so(older: Vault) -> None:
    with older.reading() as session:
        gone = session.exec(select(Employee).where(col(Employee.state) == "erased")).one()
    assert (gone.name, gone.email) == ("", "")
    with pytest.raises(NoConsent):
        older.permit(gone.id, now=NOW)


def test_its_log_is_confirmed_by_its_own_checkpoint(older: Vault) -> None:
    settings = older.settings
    signer = open_signer(settings.signing_key, settings.audit / "signing.pub")
    checkpoint = json.loads((settings.audit / "checkpoint.json").read_text())
    verdict = audit_log.verify(older.engine, checkpoint, signer.public)
    assert verdict.confirmed, verdict.faults


def test_forgetting_works_in_it(older: Vault) -> None:
    person = _photographed(older)
    assert forget(older, person.id, "requested", NOW).state == "provisional"
    assert older.blobs.remains(f"people/{person.id}/") == []
