"""prefect.yaml and the flows agree: every entry point imports, every form field has words, every pool is known."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.utilities.callables import parameter_schema

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
NAMES = [deployment["name"] for deployment in DEPLOYMENTS]


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    module, name = deployment["entrypoint"].rsplit(".", 1)
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, Flow)
    return found


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=NAMES)
def test_every_entry_point_is_a_flow_that_keeps_nothing_in_prefect(deployment: dict[str, Any]) -> None:
    flow = flow_of(deployment)
    assert flow.persist_result is False
    assert deployment["description"].strip()
    assert deployment["work_pool"]["name"] in {"desk", "gpu"}


@pytest.mark.parametrize(
    "deployment", [d for d in DEPLOYMENTS if d["name"] != "Cohort"], ids=[n for n in NAMES if n != "Cohort"]
)
def test_every_field_of_a_form_has_a_title_and_a_help_text(deployment: dict[str, Any]) -> None:
    fields = parameter_schema(flow_of(deployment)).properties
    wordless = [name for name, field in fields.items() if not (field.get("title") and field.get("description"))]
    assert wordless == []
    raw = [name for name, field in fields.items() if field["title"] == name]
    assert raw == []


def test_the_drop_downs_list_the_kits_and_qualities_there_are() -> None:
    from tasks.headshots.kit import list_kits

    form = parameter_schema(flow_of(DEPLOYMENTS[0])).properties
    assert form["kit"]["enum"] == list_kits(ROOT / "brand_kits")
    assert form["kit"]["default"] in form["kit"]["enum"]
    assert form["quality"]["enum"] == ["draft", "standard", "best"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("kit", "nosuch", "brand kit"),
        ("quality", "ultra", "quality"),
        ("people", "some", "number"),
        ("people", "0", "number"),
    ],
)
def test_the_flow_checks_again_what_the_form_may_not_have(field: str, value: str, says: str) -> None:
    """ "Enforce parameter schema" can be switched off in the form."""
    from flows.headshots import make_headshots

    given = {"drop": "/nowhere", "kit": "harbour", "quality": "draft", "people": "all", field: value}
    with pytest.raises(ValueError, match=says):
        make_headshots.fn(**given)
