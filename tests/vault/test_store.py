"""The vault's one door: permits in, encrypted blobs behind, nothing written past a fence."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from tasks.vault.failures import Fenced, MissingBlob, StoreFault, UnknownKind, Unreadable
from tasks.vault.records import Artifact, Consent, Employee
from tasks.vault.settings import Settings, load_settings
from tasks.vault.store import Vault, open_vault

Add = Callable[..., str]


def test_a_blob_goes_in_encrypted_and_comes_back(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    key = vault.write(permit, "selfies", "1.jpg", b"the pixels of a face")
    assert key == "people/p1/selfies/1.jpg"
    assert vault.exists(key)
    assert vault.read(permit, key) == b"the pixels of a face"
    assert b"pixels" not in vault.blobs.get(key)
    vault.delete(key)
    assert not vault.exists(key)
    vault.delete(key)


def test_encryption_can_be_left_off(settings: Settings, add_person: Add, now: datetime) -> None:
    with open_vault(settings.model_copy(update={"encrypt": False})) as vault:
        permit = vault.permit(add_person(vault), now=now)
        key = vault.write(permit, "selfies", "1.jpg", b"pixels")
        assert vault.blobs.get(key) == b"pixels"
        assert vault.read(permit, key) == b"pixels"
    with open_vault(settings) as vault, pytest.raises(Unreadable):  # plain bytes never pass for encrypted ones
        vault.read(vault.permit("p1", now=now), key)


def test_an_unregistered_kind_is_refused_before_its_first_byte(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    for kind in ("snapshots", "report", "employee"):
        with pytest.raises(UnknownKind):
            vault.write(permit, kind, "1", b"x")
    assert vault.blobs.remains("") == []


def test_the_intent_is_there_before_the_bytes(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    seen: list[str] = []

    class Watching:
        def put(self, key: str, chunks: object) -> None:
            with vault.reading() as session:
                seen.extend(session.exec(select(Artifact.key)).all())
            raise StoreFault("errno_28", "put")

    real, vault.blobs = vault.blobs, Watching()  # type: ignore[assignment]
    with pytest.raises(StoreFault):
        vault.write(permit, "selfies", "1", b"x")
    vault.blobs = real
    assert seen == ["people/p1/selfies/1"]


def test_a_permit_opens_only_its_own_blobs(vault: Vault, add_person: Add, now: datetime) -> None:
    mine = vault.permit(add_person(vault, "p1"), now=now)
    theirs = vault.permit(add_person(vault, "p2"), now=now)
    key = vault.write(theirs, "selfies", "1", b"x")
    with pytest.raises(PermissionError):
        vault.read(mine, key)
    with pytest.raises(MissingBlob):
        vault.read(mine, "elsewhere")


def test_a_moved_blob_does_not_open(vault: Vault, add_person: Add, settings: Settings, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    first = vault.write(permit, "selfies", "1", b"one")
    second = vault.write(permit, "selfies", "2", b"two")
    root = settings.home / "blobs"
    (root / second).write_bytes((root / first).read_bytes())
    with pytest.raises(Unreadable):
        vault.read(permit, second)


def test_a_fence_stops_writing_and_reading(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    key = vault.write(permit, "selfies", "1", b"x")
    with vault.session() as session:
        session.get_one(Employee, "p1").epoch += 1
    with pytest.raises(Fenced):
        vault.write(permit, "selfies", "2", b"x")
    with pytest.raises(Fenced):
        vault.read(permit, key)


def test_a_withdrawal_stops_the_next_step(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    with vault.session() as session:
        session.get_one(Consent, "c-p1").withdrawn_at = now
    with pytest.raises(Fenced, match="consent_withdrawn"):
        vault.write(permit, "selfies", "1", b"x")


def test_a_writer_overtaken_by_a_fence_takes_its_bytes_back(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    real_put = vault.blobs.put

    def slow_put(key: str, chunks: object) -> None:
        with vault.session() as session:
            session.execute(sa.update(Employee).values(state="erasing", epoch=1))
        vault.keys.destroy(["p1"])
        real_put(key, chunks)  # type: ignore[arg-type]

    vault.blobs.put = slow_put  # type: ignore[method-assign]
    with pytest.raises(Fenced):
        vault.write(permit, "selfies", "1", b"x")
    assert vault.blobs.remains("") == []


def test_a_key_shredded_while_writing_is_noticed(vault: Vault, add_person: Add, now: datetime) -> None:
    permit = vault.permit(add_person(vault), now=now)
    real_put, calls = vault.blobs.put, []

    def slow_put(key: str, chunks: object) -> None:
        real_put(key, chunks)  # type: ignore[arg-type]
        if not calls:
            vault.keys.destroy_kinds([("p1", "selfies")])
        calls.append(key)

    vault.blobs.put = slow_put  # type: ignore[method-assign]
    key = vault.write(permit, "selfies", "1", b"x")
    assert len(calls) == 2
    assert vault.read(permit, key) == b"x"


@pytest.mark.postgres
def test_the_same_door_on_postgresql(settings: Settings, postgres_url: str, add_person: Add, now: datetime) -> None:
    with open_vault(settings.model_copy(update={"database_url": postgres_url, "keys_url": postgres_url})) as vault:
        permit = vault.permit(add_person(vault), now=now)
        key = vault.write(permit, "selfies", "1", b"x")
        assert vault.read(permit, key) == b"x"
        vault.audit("read", "p1", actor="test", now=now)
        vault.keys.destroy(["p1"])
        with pytest.raises(Fenced):
            vault.write(permit, "selfies", "1", b"x")


@pytest.mark.s3
def test_the_same_door_on_s3(settings: Settings, s3_location: str, add_person: Add, now: datetime) -> None:
    with open_vault(settings.model_copy(update={"blob_url": s3_location})) as vault:
        permit = vault.permit(add_person(vault), now=now)
        key = vault.write(permit, "selfies", "1", b"x")
        assert vault.read(permit, key) == b"x"
        vault.delete(key)
        assert vault.blobs.remains("") == []
        with vault.reading() as session:
            assert session.exec(select(Artifact).where(col(Artifact.key) == key)).all() == []


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path))
    monkeypatch.setenv("ROLLCALL_WRITER_LIFE", "PT2H")
    settings = load_settings()
    assert settings.home == tmp_path
    assert settings.writer_life.total_seconds() == 7200
    assert settings.records_url.endswith("rollcall.db")
