"""`/ready` tells the truth, part by part, with every part broken in turn; `/health` says that the process lives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from reports import readiness as asked
from reports.desk.app import create_desk
from reports.readiness import Part, is_ready, readiness
from tasks.disclosure.chain import own_test_chain
from tasks.vault.records import AuditEntry, Erasure
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home", prefect_api_url="http://127.0.0.1:9/api")) as opened:
        yield opened


def parts_of(vault: Vault, now: datetime = NOW) -> dict[str, Part]:
    return {part.name: part for part in readiness(vault, now)}


def test_a_fresh_home_is_ready_though_prefect_is_down(vault: Vault) -> None:
    parts = parts_of(vault)
    assert is_ready(list(parts.values()))
    assert [name for name, part in parts.items() if not part.well] == ["prefect"]


def _lose_records(vault: Vault) -> None:
    with vault.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))


def _lose_keys(vault: Vault) -> None:
    with vault.keys.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE wrapped_key"))


def _other_master(vault: Vault) -> None:
    vault.keys.master_fingerprint = "another"


def _fill_disk(vault: Vault) -> None:
    asked.LEAST_FREE = 1 << 60


def _lose_bucket(vault: Vault) -> None:
    vault.blobs = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("part", "break_it"),
    [
        ("records", _lose_records), ("master key", _other_master), ("master key", _lose_keys), ("disk", _fill_disk),
        ("bucket", _lose_bucket),
    ],
)  # fmt: skip
def test_each_part_that_is_needed_makes_it_unready_alone(
    vault: Vault, part: str, break_it: Callable[[Vault], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "LEAST_FREE", asked.LEAST_FREE)
    break_it(vault)
    parts = parts_of(vault)
    assert not parts[part].well
    assert not is_ready(list(parts.values()))
    assert [one.name for one in parts.values() if one.needed and not one.well] == [part]


def test_a_bucket_that_holds_nothing_of_the_records_is_the_wrong_one(vault: Vault, add_blob: Any) -> None:
    add_blob(vault)
    assert parts_of(vault)["bucket"].well
    vault.blobs.erase("people/")
    assert "right bucket" in parts_of(vault)["bucket"].said


@pytest.fixture
def add_blob() -> Callable[[Vault], None]:
    def add(vault: Vault) -> None:
        from tasks.vault.records import Consent, Employee

        with vault.session() as session:
            session.add(Employee(id="p1", number="1", name="Ada", updated_at=NOW))
            session.add(Consent(id="c1", employee_id="p1", given_at=NOW - timedelta(days=1)))
        vault.write(vault.permit("p1", now=NOW), "selfies", "a", b"x")

    return add


def test_a_late_sweep_and_a_blocked_forgetting_are_said_and_work_goes_on(vault: Vault) -> None:
    vault.audit("sweep", "", actor="test", now=NOW - timedelta(hours=27))
    with vault.session() as session:
        session.add(Erasure(id="e1", employee_id="p1", reason="requested", state="blocked", due_at=NOW, started_at=NOW))
    parts = parts_of(vault)
    assert "27 hours ago" in parts["sweep"].said
    assert parts["forgetting"].said.startswith("1 blocked, 0 not done")
    assert is_ready(list(parts.values()))


def test_a_forgetting_that_is_not_done_in_a_day_is_said(vault: Vault) -> None:
    def case(due: datetime) -> Part:
        with vault.session() as session:
            session.merge(Erasure(id="e1", employee_id="p1", reason="x", state="fenced", due_at=due, started_at=due))
        return parts_of(vault)["forgetting"]

    assert case(NOW - timedelta(hours=23)).well
    assert "1 not done" in case(NOW - timedelta(hours=25)).said


def test_a_certificate_about_to_end_is_said(vault: Vault, tmp_path: Path) -> None:
    chain = own_test_chain(tmp_path / "chain", NOW)
    (tmp_path / "chain.pem").write_bytes(chain.certificates)
    (tmp_path / "key.pem").write_bytes(chain.key)
    named = {"signing_chain": tmp_path / "chain.pem", "signing_key_file": tmp_path / "key.pem"}
    vault.settings = vault.settings.model_copy(update=named)
    end = dict(asked.certificate_ends(vault.settings))["signing"]
    assert parts_of(vault, end - timedelta(days=31))["certificates"].well
    assert "have it renewed" in parts_of(vault, end - timedelta(days=29))["certificates"].said


def test_certificates_that_cannot_be_used_are_said_before_they_are_needed(vault: Vault, tmp_path: Path) -> None:
    chain, usual = own_test_chain(tmp_path / "chain", NOW), vault.settings
    (tmp_path / "chain.pem").write_bytes(chain.certificates)
    (tmp_path / "roots.pem").write_bytes(b"none")
    for wrong, said in (
        ({"signing_chain": tmp_path / "chain.pem"}, "belong together"),
        ({"signing_chain": tmp_path / "chain.pem", "signing_key_file": tmp_path / "roots.pem"}, "cannot be read"),
        ({"photo_roots": tmp_path / "roots.pem"}, "ROLLCALL_PHOTO_ROOTS"),
    ):
        vault.settings = usual.model_copy(update=wrong)
        part = parts_of(vault)["certificates"]
        assert not part.well
        assert said in part.said


@contextmanager
def desk_of(settings: Settings, at: Callable[[], datetime] = lambda: NOW, **client: Any) -> Iterator[TestClient]:
    with TestClient(
        create_desk(settings, clock=at), base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5), **client
    ) as one:
        yield one


def test_the_page_answers_a_stranger_with_names_of_parts_alone(tmp_path: Path) -> None:
    now = [NOW]
    settings = Settings(home=tmp_path / "home", desk_password="x" * 12, prefect_api_url="http://127.0.0.1:9/api")
    with desk_of(settings, lambda: now[0]) as desk:
        answer = desk.get("/ready")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
        _lose_records(desk.app.state.vault)  # type: ignore[attr-defined]
        assert desk.get("/ready").status_code == 200, "looked at once in five seconds"
        now[0] += timedelta(seconds=6)
        answer = desk.get("/ready")
        assert answer.status_code == 503
        assert answer.json()["parts"]["records"] is False
        assert set(answer.json()) == {"ready", "parts"}
        assert {type(well) for well in answer.json()["parts"].values()} == {bool}
        assert desk.get("/health").json() == {"status": "ok"}, "alive it is"


def test_metrics_are_for_this_machine_or_whoever_has_the_token(tmp_path: Path) -> None:
    open_to_all = Settings(home=tmp_path / "a", desk_password="x" * 12, prefect_api_url="http://127.0.0.1:9/api")
    with desk_of(open_to_all) as desk:
        assert desk.get("/metrics").status_code == 200
        desk._transport.client = ("10.0.0.9", 5)  # type: ignore[attr-defined]
        assert desk.get("/metrics").status_code == 403
    with desk_of(open_to_all.model_copy(update={"metrics_token": "secret"})) as desk:
        assert desk.get("/metrics").status_code == 403
        assert desk.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200


def test_metrics_count_and_name_nobody(filled: Path, settings: Settings) -> None:
    with desk_of(settings.model_copy(update={"desk_password": None})) as desk:
        page = desk.get("/metrics").text
    assert 'rollcall_part_up{part="records"} 1.0' in page
    assert "rollcall_people{batch=" in page
    with open_vault(settings) as vault, vault.reading() as session:
        number = session.execute(sa.select(sa.func.count()).select_from(AuditEntry)).scalar_one()
        names = [row[0] for row in session.execute(sa.text("SELECT name FROM employee"))]
    assert f"rollcall_audit_entries {float(number)}" in page
    assert [name for name in names if name and name in page] == []
