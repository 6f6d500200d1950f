"""The main job as HR starts it: a run from Prefect's form, cohorts on workers, one of which is killed on the way."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PATIENCE_S = 900  # three people on a busy machine


def until(what: str, found: Callable[[], Any]) -> Any:
    """Waits for something to be there and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.2)
    pytest.fail(f"waited {PATIENCE_S} s for {what}")


def process_of(run: str, home: Path) -> psutil.Process | None:
    """The process that works on a flow run, as it has noted itself in the home."""
    note = home / "running" / run
    return psutil.Process(int(note.read_text().split()[1])) if note.is_file() else None


def exports_of(home: Path) -> Path:
    """Where this service's forms deliver to."""
    return home.parent / "exports"


@pytest.fixture(scope="module")
def service(
    start_up: Any, bases: Any, kits: Any, new_home: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    home = new_home(tmp_path_factory.mktemp("service") / "home")
    given = {"ROLLCALL_BASES": str(bases), "ROLLCALL_KITS": str(kits), "ROLLCALL_EXPORT_FOLDER": str(exports_of(home))}
    with start_up(home, **given, OMP_NUM_THREADS="2") as one:
        yield one


def test_a_killed_worker_changes_nothing_in_the_result(service: Any, company: Any, finished: Any) -> None:
    asked = {"drop": str(company.drop), "kit": "Harbour partners", "quality": "draft", "people": "all"}
    form = service.deployments()["Make headshots"]["id"]
    parent = service.ask(f"/deployments/{form}/create_flow_run", parameters=asked)["id"]

    def cohorts(state: str) -> list[str]:
        wanted = {"tags": {"all_": ["cohort"]}, "state": {"type": {"any_": [state]}}}
        return [run["id"] for run in service.ask("/flow_runs/filter", flow_runs=wanted)]

    def learning() -> bool:
        bars = service.ask("/artifacts/filter", artifacts={"type": {"any_": ["progress"]}})
        return any("cohort" in bar["key"] and bar["data"] > 0 for bar in bars)

    [first] = until("the cohort's run", lambda: cohorts("RUNNING"))
    until("its progress", learning)
    until("its process", lambda: process_of(first, service.home)).send_signal(signal.SIGKILL)

    def end() -> str | None:
        state = service.api.get(f"/flow_runs/{parent}").json()["state"]
        return state["type"] if state["type"] in {"COMPLETED", "FAILED", "CRASHED"} else None

    assert until("the run's end", end) == "COMPLETED"
    assert len(cohorts("CRASHED")) == 1
    assert len(cohorts("COMPLETED")) >= 1, "once more, and again for whom second chances were given"
    log = (service.home / "logs" / "worker-gpu-0.log").read_text()
    assert log.count("base embedded opened") == 2, "once by who was killed, once by who came after, for all its runs"
    again = replace(finished, home=service.home)
    assert again.contents() == finished.contents()
    seats = (
        "select state, reason from seat where batch_id = (select id from batch where kit = 'harbour') order by position"
    )
    assert again.rows(seats) == finished.rows(seats)


def test_hr_finds_forecast_progress_people_and_the_way_to_the_pages(service: Any) -> None:
    artifacts = service.ask("/artifacts/latest/filter", artifacts={})
    kinds = {artifact["key"].split("-")[0]: artifact for artifact in artifacts if "cohort" not in artifact["key"]}
    assert set(kinds) == {"forecast", "progress", "people", "report"}
    assert kinds["progress"]["data"] == 100
    assert sum(row["people"] for row in json.loads(kinds["people"]["data"])) == 4
    assert f"127.0.0.1:{service.port + 1}/batches/b" in kinds["report"]["data"]


def test_nobody_is_in_what_prefect_and_the_workers_wrote(service: Any, company: Any) -> None:
    folders = [service.home / "prefect", service.home / "logs"]
    written = b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())
    assert len(written) > 100_000
    assert [secret for secret in company.secrets() if secret.encode() in written] == []


def test_prefect_has_met_no_error(service: Any) -> None:
    assert service.errors() == []


def test_running_the_same_again_does_nothing_and_says_so(service: Any, company: Any, finished: Any) -> None:
    home = replace(finished, home=service.home)
    before = home.digests()
    assert "nothing was trained, nothing was rendered" in home.made(company.drop)
    assert home.digests() == before
    assert os.listdir(service.home / "reports") == [home.batch()]


def test_the_rest_of_the_day_goes_by_the_forms_too(service: Any, finished: Any, company: Any, tmp_path: Path) -> None:
    """Reviewed, delivered, looked at and forgotten as the forms offer it; the numbers that stand before their names
    are the day's order."""
    home = replace(finished, home=service.home)
    batch = home.batch()
    [(person, shot, number)] = home.rows(
        "select h.employee_id, h.headshot_digest, e.number from showing h join employee e on e.id = h.employee_id "
        f"where h.choice = 1 and h.batch_id = '{batch}' order by e.number limit 1"
    )
    approved = {"employee": person, "headshot": shot, "verdict": "approve", "at": datetime.now(UTC).isoformat()}
    decided = tmp_path / "decisions.json"
    decided.write_text(json.dumps({"batch": batch, "by": "HR", "decisions": [approved]}))
    assert "1 decisions recorded" in home.run("decide", str(decided))

    def started(form: str, **asked: object) -> str:
        made = service.ask(f"/deployments/{service.deployments()[form]['id']}/create_flow_run", parameters=asked)
        return str(made["id"])

    def offered() -> list[str]:
        form = service.deployments()["Deliver"]["parameter_openapi_schema"]["properties"]["batch"]
        return [one for one in form.get("enum", ()) if batch in one]

    [label] = until("the batch among the form's choices", offered)
    assert service.end_of(started("Deliver", batch=label)) == "COMPLETED"
    [manifest] = exports_of(service.home).rglob("manifest.csv")
    assert str(number) in manifest.read_text()
    assert service.end_of(started("Retention (daily)", dry_run=True)) == "COMPLETED"
    assert home.rows(f"select state from employee where id = '{person}'") == [("active",)], "it only looked"
    assert service.end_of(started("Forget a person", person=person)) == "COMPLETED"
    assert home.rows(f"select count(*) from headshot where employee_id = '{person}'") == [(0,)]
    assert len(list((service.home / "receipts").glob("*.json"))) == 1
    test_nobody_is_in_what_prefect_and_the_workers_wrote(service, company)
    assert service.errors() == []
