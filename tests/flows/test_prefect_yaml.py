"""prefect.yaml and the flows agree: every entry point imports, every form field has words, every pool is known."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from prefect import Flow
from prefect.utilities.callables import parameter_schema
from prefect.utilities.templating import apply_values

from flows.environment import SWEEP_CRON
from flows.headshots import drop_pattern
from flows.prefect_api import POOLS
from reports.desk.runs import DEPLOYMENTS as FORMS
from reports.door.routes import ROUTES
from tasks.roster.open_drop import located
from tasks.vault.failures import NotLikeThis
from tasks.vault.settings import Settings

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
    assert deployment["work_pool"]["name"] in POOLS


@pytest.mark.parametrize("deployment", [d for d in DEPLOYMENTS if d["name"] != "Cohort"], ids=lambda d: d["name"])
def test_every_form_leads_to_its_page_at_the_desk(deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_PUBLIC_URL", "https://desk.example")
    [address] = re.findall(r"\]\((.+?)\)", apply_values(deployment["description"], {}))
    assert address.startswith("https://desk.example/")
    assert f"GET {address.removeprefix('https://desk.example')}" in ROUTES, "a page that there is"


def test_the_schedule_is_the_one_that_the_door_knows_in_the_companys_time_zone() -> None:
    [(name, schedule)] = [(d["name"], one) for d in DEPLOYMENTS for one in d.get("schedules", [])]
    assert name == "5 Retention (daily)"
    assert schedule["cron"] == SWEEP_CRON
    assert schedule["timezone"] == "{{ $ROLLCALL_TIMEZONE }}", "which the supervisor gives to `prefect deploy`"


@pytest.mark.parametrize(
    "deployment", [d for d in DEPLOYMENTS if d["name"] != "Cohort"], ids=[n for n in NAMES if n != "Cohort"]
)
def test_every_field_of_a_form_has_a_title_and_a_help_text(deployment: dict[str, Any]) -> None:
    fields = parameter_schema(flow_of(deployment)).properties
    wordless = [name for name, field in fields.items() if not (field.get("title") and field.get("description"))]
    assert wordless == []
    raw = [name for name, field in fields.items() if field["title"] == name]
    assert raw == []


def test_the_list_is_in_the_order_of_the_day() -> None:
    """Prefect sorts a list of forms by their names alone; what only machines start comes last."""
    assert sorted(NAMES) == [*(name for name in NAMES if name != "Cohort"), "Cohort"]
    assert sorted(NAMES)[0].endswith("Make headshots")
    started = {f"{flow_of(d).name}/{d['name']}" for d in DEPLOYMENTS}
    assert started == {*FORMS.values(), "cohort/Cohort"}, "which the desk starts too"


def test_the_drop_downs_list_the_kits_and_qualities_there_are() -> None:
    form = parameter_schema(flow_of(DEPLOYMENTS[0])).properties
    assert form["kit"]["enum"] == ["Daylight agency", "Harbour partners", "Northwind studio", "Signal avatars"]
    assert form["kit"]["default"] in form["kit"]["enum"]
    assert form["quality"]["enum"] == ["draft", "standard", "best"]


BATCH, PERSON = "b0123456789abcde", "p0123456789abcde"


@pytest.mark.parametrize(
    ("name", "field", "fit", "unfit"),
    [
        (
            "1 Make headshots",
            "drop",
            ["", "/srv/drops/today", "s3://bucket/drop"],
            [r"C:\Users\Hannah\Photos", "Hannah"],
        ),
        ("1 Make headshots", "people", ["all", "6"], ["Hannah", "0", "6 people", "all\nHannah"]),
        ("1 Make headshots", "kit", ["Harbour partners"], ["Hannah"]),
        ("2 Reshoot", "batch", [BATCH], ["", "Hannah", f"{BATCH} Hannah", f"Hannah {BATCH}"]),
        ("3 Deliver", "batch", ["", BATCH], ["Hannah"]),
        (
            "3 Deliver",
            "destination",
            ["", "/srv/out", "s3://bucket/x"],
            ["Hannah's folder", r"\\share\hannah", "~/hannah"],
        ),
        ("3 Deliver", "packs", ["", "slack, entra", "slack,entra"], ["Hannah Arendt", "slack; m365"]),
        ("4 Forget a person", "person", [PERSON], ["Hannah", "hannah.arendt@corp.example", "EMP-100", "peter"]),
    ],
)
def test_what_is_typed_has_to_fit_before_prefect_stores_it(
    name: str, field: str, fit: list[str], unfit: list[str]
) -> None:
    """Held against the schema as Prefect holds it: jsonschema, which looks for a pattern anywhere in the text."""
    schema = parameter_schema(flow_of(next(d for d in DEPLOYMENTS if d["name"] == name))).properties[field]
    check = Draft202012Validator(schema)
    assert [value for value in fit if not check.is_valid(value)] == []
    assert [value for value in unfit if check.is_valid(value)] == []


def test_where_folders_are_listed_no_path_is_typed(tmp_path: Path) -> None:
    """A path is HR's own words, and Prefect keeps it. The names of what IT has listed say nothing."""
    settings = Settings(home=tmp_path, input_folders="hr=/srv/hr, berlin=s3://bucket/hr?endpoint=http://s3")
    fits = re.compile(drop_pattern(settings)).fullmatch
    upload = "20261128-0123456789"
    for said, where in (
        (upload, str(tmp_path / "drops" / upload)),
        (str(tmp_path / "drops" / upload), str(tmp_path / "drops" / upload)),
        ("hr", "/srv/hr"),
        ("/srv/hr", "/srv/hr"),  # what a batch that is carried on was begun with
        ("berlin", "s3://bucket/hr?endpoint=http://s3"),
    ):
        assert fits(said)
        assert located(said, settings) == where
    assert fits("")
    for said in ("/srv/Hannah Arendt", "/srv/hr/Hannah", f"/tmp/{upload}", "Hannah", "s3://else"):
        assert not fits(said), said
    assert re.compile(drop_pattern(Settings(home=tmp_path))).fullmatch("/srv/anything")
    for wrong in ("/srv/hr", "HR=/srv", "hr=srv", "hr"):
        with pytest.raises(ValueError, match="name=/whole/path"):
            Settings(home=tmp_path, input_folders=wrong)


@pytest.mark.parametrize(
    ("deployment", "parameters", "name"),
    [
        ("4 Forget a person", {"person": PERSON}, f"forget {PERSON}"),
        ("4 Forget a person", {"person": "Hannah Arendt"}, "forget"),
        ("3 Deliver", {"batch": BATCH, "destination": "/home/hannah"}, f"deliver · {BATCH}"),
        ("3 Deliver", {"batch": "Hannah"}, "deliver"),
        ("2 Reshoot", {"batch": f"{BATCH}\nHannah"}, "new pictures"),
        ("Cohort", {"batch": BATCH, "number": 3}, f"cohort {BATCH} 3"),
        ("2 Reshoot", {"batch": f"Hannah · {BATCH}"}, f"new pictures · {BATCH}"),
        ("1 Make headshots", {"drop": r"C:\Users\Hannah", "kit": "harbour"}, "headshots · Harbour partners · "),
        ("1 Make headshots", {"drop": "", "kit": "Harbour partners"}, "headshots · Harbour partners · "),
        ("1 Make headshots", {"drop": "/srv/drops/20261128-0123456789/", "kit": "Hannah"}, "headshots · "),
    ],
)
def test_a_runs_name_is_made_of_what_was_checked(
    deployment: str, parameters: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a run's name stays in Prefect, in events and logs as well."""
    from prefect.runtime import flow_run

    monkeypatch.setattr(flow_run, "parameters", parameters, raising=False)
    flow = flow_of(next(d for d in DEPLOYMENTS if d["name"] == deployment))
    assert callable(flow.flow_run_name)
    said = flow.flow_run_name()
    assert said.startswith(name)
    assert "Hannah" not in said
    assert "hannah" not in said


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
    with pytest.raises(NotLikeThis, match=says) as refused:
        make_headshots.fn(**given)
    assert value not in str(refused.value), "what was typed stays out of what Prefect is told"
