"""A small company whose every trace carries a canary: unique words that a search can find wherever they end up."""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from sqlmodel import col, select

from tasks.retention.search import Hit, search_files, spellings
from tasks.vault.records import (
    Adapter,
    Batch,
    Consent,
    Decision,
    EarlierName,
    Employee,
    Headshot,
    Question,
    Seat,
    Selfie,
    Showing,
)
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def _servers() -> ModuleType:
    """The server starters live beside the vault's tests (test folders are no packages here)."""
    name = "rollcall_tests_servers"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "vault" / "servers.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@dataclass(frozen=True)
class Canary:
    """Everything about one person that must be nowhere once they are forgotten."""

    id: str
    name: str
    email: str
    number: str
    pixels: bytes
    weights: bytes

    @property
    def words(self) -> list[str | bytes]:
        return [self.name, self.email, self.number, self.pixels, self.weights]


def canary(employee_id: str) -> Canary:
    mark = f"{employee_id}Quagga"
    return Canary(
        id=employee_id,
        name=f"Zanzi {mark} Okapi",
        email=f"{mark}@canary.example",
        number=f"N0-{mark}",
        pixels=f"pixels-of-{mark}-".encode() * 20,
        weights=f"weights-of-{mark}-".encode() * 20,
    )


def enrol(vault: Vault, employee_id: str, now: datetime = NOW, *, status: str = "active") -> Canary:
    """Put a person on the roster, with consent."""
    who = canary(employee_id)
    with vault.session() as session:
        session.add(
            Employee(id=who.id, number=who.number, name=who.name, email=who.email, department="Choir", status=status,
                     updated_at=now)
        )  # fmt: skip
        session.add(Consent(id=f"c{who.id}", employee_id=who.id, given_at=now, source="register"))
    return who


def photograph(vault: Vault, who: Canary, now: datetime = NOW, batch: str = "b1") -> None:
    """Everything a batch makes of one person: blobs, rows, report pages, notes, temporary files."""
    permit = vault.permit(who.id, now=now)
    selfie = vault.write(permit, "selfies", "1.jpg", who.pixels, now=now)
    adapter = vault.write(permit, "adapter", "a.safetensors", who.weights, now=now)
    finished = vault.write(permit, "headshots", "h.png", who.pixels, now=now)
    thumb = vault.write(permit, "thumbnails", "h.webp", who.pixels, now=now)
    with vault.session() as session:
        if session.get(Batch, batch) is None:
            session.add(
                Batch(id=batch, order_key=batch, created_at=now, drop="/in", kit="k", quality="draft", base="embedded")
            )
        session.add_all(
            [
                Seat(batch_id=batch, employee_id=who.id, state="done", 
                     findings=[{"code": "blurred", "note": who.name}]),
                Selfie(id=f"s{who.id}", employee_id=who.id, digest=f"d{who.id}", blob_key=selfie, width=1, height=1,
                       findings=[{"said": who.email}], created_at=now),
                Adapter(digest=f"a{who.id}", employee_id=who.id, base="b", base_fingerprint="f", blob_key=adapter,
                        created_at=now),
                Headshot(digest=f"h{who.id}", employee_id=who.id, kit="k", kit_digest="kd", shot=0, seed=1,
                         finished_key=finished, thumb_key=thumb, created_at=now),
                Showing(batch_id=batch, headshot_digest=f"h{who.id}", employee_id=who.id, why=who.name),
                EarlierName(employee_id=who.id, identity=0, number="0", name=f"Before {who.name}", until=now),
                Question(id=f"q{who.id}", kind="not_here", batch_id=batch, employee_id=who.id, asked_at=now,
                         by=who.name),
                Decision(id=f"x{who.id}", employee_id=who.id, batch_id=batch, headshot_digest=f"h{who.id}",
                         kit="k", verdict="redo", by="hr", at=now, note=f"ask {who.name}"),
            ]
        )  # fmt: skip
    report(vault.settings, who, batch)
    scratch = vault.settings.scratch / batch / who.id
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "latent.npy").write_bytes(who.pixels)


def withdraw(vault: Vault, employee_id: str, at: datetime = NOW) -> None:
    """Somebody takes their consent back."""
    with vault.session() as session:
        session.get_one(Consent, f"c{employee_id}").withdrawn_at = at


def report(settings: Settings, who: Canary, batch: str = "b1") -> None:
    """A person's page and pictures, and the wall that speaks of everybody."""
    folder = settings.reports / batch
    (folder / "people" / who.id).mkdir(parents=True, exist_ok=True)
    (folder / "people" / who.id / "1.jpg").write_bytes(who.pixels)
    (folder / "people" / f"{who.id}.html").write_text(f"<h1>{who.name}</h1>")
    rows_file = folder / "rows.json"
    rows = json.loads(rows_file.read_text()) if rows_file.exists() else []
    rows.append({"id": who.id, "name": who.name, "email": who.email})
    rows_file.write_text(json.dumps(rows))
    script = json.dumps({"rows": rows, "count": len(rows)}).replace("<", "\\u003c")
    cards = "".join(
        f'<li class="card" id="{row["id"]}"><a href="people/{row["id"]}.html">{row["name"]}</a></li>' for row in rows
    )
    (folder / "index.html").write_text(
        f'<!doctype html><ul>{cards}</ul><script type="application/json">{script}</script><p>The team</p>'
    )


def hits(roots: list[Path], *people: Canary) -> list[Hit]:
    """Wherever a canary is still found."""
    return list(search_files(roots, spellings([word for who in people for word in who.words])))


def fingerprint(vault: Vault, who: Canary) -> dict[str, object]:
    """Everything of a bystander, byte for byte, as they see it."""
    permit = vault.permit(who.id, now=NOW)
    blobs = {key: vault.read(permit, key) for key in vault.blobs.keys(f"people/{who.id}/")}
    with vault.reading() as session:
        rows = {
            table.__name__: sorted(
                row.model_dump_json() for row in session.exec(select(table).where(col(table.employee_id) == who.id))
            )
            for table in (Selfie, Adapter, Headshot, Decision, Seat, Consent)
        }
        rows["Employee"] = [session.get_one(Employee, who.id).model_dump_json()]
    folder = vault.settings.reports / "b1" / "people"
    pages = {path.name: path.read_bytes() for path in (folder / who.id).glob("*")}
    pages["page"] = (folder / f"{who.id}.html").read_bytes()
    return {"blobs": blobs, "rows": rows, "pages": pages}


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(params=[True, False], ids=["encrypted", "plain"])
def any_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """With and without encryption: without it, a search of the files sees every forgotten pixel."""
    return Settings(home=tmp_path / "home", encrypt=request.param)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", encrypt=False)


@pytest.fixture
def vault(settings: Settings) -> Iterator[Vault]:
    with open_vault(settings) as opened:
        yield opened


@pytest.fixture
def company(vault: Vault) -> dict[str, Canary]:
    """Three people, photographed."""
    people = {one: enrol(vault, one) for one in ("p1", "p10", "p2")}
    for who in people.values():
        photograph(vault, who)
    return people


@pytest.fixture
def kit() -> ModuleType:
    """This module's functions, for tests (which cannot import it)."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A real S3 server that keeps its data on disk, and where; skipped where it is not installed."""
    servers = _servers()
    reason = servers.missing_for_s3()
    if reason:
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("radosgw")
    with servers.radosgw(root) as endpoint:
        yield endpoint, root


@pytest.fixture
def new_bucket(s3_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a versioned bucket and returns its location."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testkey")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import boto3

    endpoint = s3_server[0]
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")

    def make(*, lock: bool = False) -> str:
        bucket = f"b{uuid4().hex[:12]}"
        client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=lock)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return f"s3://{bucket}/vault?endpoint={endpoint}"

    return make
