"""A home that an earlier version left behind opens, reads, proves and forgets as if this version had made it."""

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import col, select

from tasks.adapters.learning import kept
from tasks.adapters.portraits import accepted_selfies
from tasks.retention.erase import forget
from tasks.vault import audit_log
from tasks.vault.batches import Order, open_batch
from tasks.vault.database import DatabaseTooOld, open_database, upgrade
from tasks.vault.failures import NoConsent
from tasks.vault.records import Adapter, Batch, Decision, Employee, Headshot, Seat, Selfie, Showing
from tasks.vault.review import reviews_of
from tasks.vault.scores import Scores
from tasks.vault.settings import Settings
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault, open_vault

HOMES = Path(__file__).resolve().parents[1] / "homes"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(params=[path.name.removesuffix(".tar.xz") for path in sorted(HOMES.glob("*.tar.xz"))])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A home as the earlier version left it."""
    with tarfile.open(HOMES / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path / "home", filter="data")
    return Settings(home=tmp_path / "home")


@pytest.fixture
def older(home: Settings) -> Iterator[Vault]:
    """The same, brought along as `rollcall upgrade` does."""
    bring_along(home)
    with open_vault(home) as vault:
        yield vault


def bring_along(home: Settings) -> None:
    engine = open_database(home.records_url)
    upgrade(engine)
    engine.dispose()


def test_it_is_left_alone_until_a_person_upgrades_it(home: Settings) -> None:
    before = (home.home / "rollcall.db").read_bytes()
    with pytest.raises(DatabaseTooOld, match="rollcall upgrade"):
        open_vault(home)
    assert (home.home / "rollcall.db").read_bytes() == before


def test_what_was_decided_in_it_still_counts_and_its_batch_goes_on(older: Vault) -> None:
    person = _photographed(older)
    with older.reading() as session:
        batch = session.exec(select(Batch)).one()
        review = reviews_of(session, {person.id: batch.kit})[person.id]
        approved = session.exec(select(Headshot.digest).where(Headshot.state == "approved")).one()
        shown = session.exec(select(Showing).where(Showing.batch_id == batch.id)).all()
        seat = session.get_one(Seat, (batch.id, person.id))
        pictures = session.exec(select(Headshot)).all()
    assert (review.state, review.approved) == ("approved", approved)
    assert len(shown) == 6
    assert sorted(one.choice for one in shown if one.choice) == list(range(1, 7))
    assert (seat.state, seat.lane, seat.accepted) == ("done", "generated", len(accepted_selfies(older, person.id)))
    assert kept(older, seat.adapter_digest or "", person.id), "what was learned is not learned again"
    assert all(Scores.from_json(shot.scores).judged for shot in pictures)
    order = Order(batch.drop, batch.kit, batch.quality, batch.base, str(batch.facts["people"]))
    assert open_batch(older, order, NOW) == batch.id


def test_pictures_that_a_newer_batch_took_away_are_shown_in_the_older_one_again(home: Settings) -> None:
    """0.1 moved pictures to whichever batch was run last; a batch reviewed to its end had nothing to deliver."""
    with sqlite3.connect(home.home / "rollcall.db") as records:
        [(old, detail, person)] = records.execute(
            "SELECT batch_id, detail, employee_id FROM seat WHERE state = 'done'"
        ).fetchall()
        records.execute("UPDATE headshot SET batch_id = 'bnewer'")
        columns = 'created_at, "drop", kit, quality, base, state, roster_digest, facts, problems'
        records.execute(f"INSERT INTO batch (id, {columns}) SELECT 'bnewer', {columns} FROM batch")
        records.execute("INSERT INTO seat VALUES ('bnewer', ?, 'done', NULL, ?, 0, 0)", (person, detail))
    bring_along(home)
    with open_vault(home) as vault, vault.reading() as session:
        shown = {one: session.exec(select(Showing).where(Showing.batch_id == one)).all() for one in (old, "bnewer")}
        assert {one: len(some) for one, some in shown.items()} == {old: 6, "bnewer": 6}


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
