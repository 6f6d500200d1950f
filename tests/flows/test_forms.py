"""The forms' drop-downs follow what there is: written when it changed, and not before."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.forms import EVERY_S, OLD, FormsGuard, chosen_from, retire_old_forms
from reports.labels import archive_batch
from tasks.headshots.form_words import LAST_REVIEWED
from tasks.vault.batches import Order, open_batch
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

KITS = Path(__file__).parents[2] / "brand_kits"
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
STATIC = {"title": "Batch", "description": "Which", "type": "string", "pattern": "^(?:|x)$"}


class Server:
    """Prefect, as far as it is asked: three forms, and those of an older release."""

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, Any]] = {
            "1 Make headshots": {"properties": {"kit": {**STATIC, "default": "Northwind studio"}}},
            "2 Reshoot": {"properties": {"batch": STATIC}, "required": ["batch"]},
            "3 Deliver": {"properties": {"batch": {**STATIC, "default": ""}}},
        }
        self.written: list[str] = []
        self.deleted: list[str] = []
        self.gone = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.gone:
            raise httpx.ConnectError("away")
        name = request.url.path.split("/")[-1]
        if request.method == "GET":
            return httpx.Response(200, json={"id": name, "parameter_openapi_schema": self.schemas[name]})
        if request.method == "POST":
            asked = json.loads(request.read())["deployments"]["name"]["any_"]
            return httpx.Response(200, json=[{"id": one} for one in asked if one != "Reshoot"])
        if request.method == "DELETE":
            self.deleted.append(name)
        else:
            self.written.append(name)
            self.schemas[name] = json.loads(request.read())["parameter_openapi_schema"]
        return httpx.Response(204)

    def choices(self, form: str, name: str) -> list[str] | None:
        found: list[str] | None = self.schemas[form]["properties"][name].get("enum")
        return found


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(Settings(home=tmp_path))


@pytest.fixture
def guard(server: Server, vault: Vault, tmp_path: Path) -> FormsGuard:
    shutil.copytree(KITS, tmp_path / "kits")
    api = httpx.Client(base_url="http://server/api", transport=httpx.MockTransport(server))
    return FormsGuard(api, vault.engine, tmp_path / "kits", "UTC")


def test_kits_and_batches_come_and_go_in_the_forms(
    server: Server, vault: Vault, guard: FormsGuard, tmp_path: Path
) -> None:
    guard.tend(0.0)
    assert server.choices("1 Make headshots", "kit") == [
        "Daylight agency", "Harbour partners", "Northwind studio", "Signal avatars",
    ]  # fmt: skip
    assert server.choices("2 Reshoot", "batch") is None, "none yet: what is typed has to be a batch's number"
    assert "b[0-9a-f]{15}" in server.schemas["2 Reshoot"]["properties"]["batch"]["pattern"]
    server.written.clear()
    guard.tend(EVERY_S)
    assert server.written == [], "nothing has changed"

    batch = open_batch(vault, Order("/srv/x", "harbour", "draft", "embedded"), NOON)
    shutil.copytree(tmp_path / "kits" / "harbour", tmp_path / "kits" / "quay")
    guard.tend(EVERY_S + 1)
    assert server.written == [], "not so soon"
    guard.tend(2 * EVERY_S)
    said = f"Harbour partners (harbour) · 28 Nov 2026, 12:00 · 0 people · {batch}"
    assert server.choices("2 Reshoot", "batch") == [said]
    assert server.choices("3 Deliver", "batch") == [LAST_REVIEWED, said]
    assert server.schemas["3 Deliver"]["properties"]["batch"]["default"] == LAST_REVIEWED
    assert "default" not in server.schemas["2 Reshoot"]["properties"]["batch"], "which one is always said"
    assert "Harbour partners (quay)" in (server.choices("1 Make headshots", "kit") or [])
    assert server.schemas["1 Make headshots"]["properties"]["kit"]["default"] == "Northwind studio"

    archive_batch(vault, batch, True, "Hannah", NOON)
    guard.tend(3 * EVERY_S)
    assert server.choices("2 Reshoot", "batch") is None
    assert server.schemas["3 Deliver"]["properties"]["batch"]["default"] == ""


def test_a_server_that_is_away_is_written_to_when_it_is_back(server: Server, guard: FormsGuard) -> None:
    server.gone = True
    guard.tend(0.0)
    server.gone = False
    guard.tend(EVERY_S)
    assert "1 Make headshots" in server.written


def test_a_kit_that_is_gone_is_no_forms_usual_one() -> None:
    schema = {"properties": {"kit": {"type": "string", "default": "Northwind studio", "enum": ["Northwind studio"]}}}
    changed = chosen_from(schema, "kit", ["Harbour partners"])
    assert changed["properties"]["kit"] == {
        "type": "string",
        "default": "Harbour partners",
        "enum": ["Harbour partners"],
    }


def test_the_forms_of_an_older_release_go(server: Server) -> None:
    retire_old_forms(httpx.Client(base_url="http://server/api", transport=httpx.MockTransport(server)))
    assert server.deleted == [name for name in OLD if name != "Reshoot"]
