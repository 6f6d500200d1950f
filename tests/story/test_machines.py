"""Several machines that share nothing but URLs and the master key: PostgreSQL, an S3 server, and homes of their own.

Sixteen people in two groups. The control machine photographs nobody. A worker's machine dies in the middle, another one
takes its place, and somebody is forgotten meanwhile: nobody is lost, nobody waits for long, on the workers' disks
there is nothing of anybody, and a review desk with a home of its own shows the report that the control machine wrote.
A tiny base with random weights, of whose adapters some are refused as anybody's: what is held here does not depend on
pictures.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlmodel import select

from benchmarks.machines import Cluster, cluster, kill_machine, missing
from benchmarks.scale_company import small_kits, tiny_base
from tasks.vault.batches import seats_of
from tasks.vault.records import Batch
from tasks.vault.report_files import files_of
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

pytestmark = [pytest.mark.slow, pytest.mark.s3, pytest.mark.postgres, pytest.mark.timeout(1200)]
PATIENCE_S = 600


def until(what: str, found: Callable[[], Any]) -> Any:
    """Waits for something to be there and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.2)
    pytest.fail(f"waited {PATIENCE_S} s for {what}")


@dataclass
class Day:
    """What happened on these machines, and a second review desk that runs on."""

    machines: Cluster
    control: Any
    batch: str
    seats: list[Any]
    ended_as: str
    forgetting: tuple[str, float]  # how it ended, and seconds
    noticed: list[float]  # seconds from the machine's death to each run that counts as crashed
    left_running: list[Any]
    desk: httpx.Client
    errors: list[str]


@pytest.fixture(scope="module")
def day(group_of_16: Any, start_up: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    if reason := missing():
        pytest.skip(reason)
    place = tmp_path_factory.mktemp("machines")
    more = {
        "ROLLCALL_BASES": str(tiny_base(place / "bases", steps=60)),
        "ROLLCALL_KITS": str(small_kits(place / "kits")),
        "ROLLCALL_COHORT": "8", "ROLLCALL_REPORT_FILES": "store", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    with cluster(place, **more) as one, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
            patch.setenv(name, one.shared[name])
        with start_up(one.home("control"), "--workers", "0", **one.shared) as control:
            yield from _live_through(one, control, group_of_16)


def _live_through(one: Cluster, control: Any, company: Any) -> Iterator[Day]:
    first = one.join("first", control.address, control.logins.machines)
    form = control.deployments()
    asked = {"drop": str(company.drop), "kit": "Harbour partners", "quality": "draft", "people": "all"}
    run = control.ask(f"/deployments/{form['Make headshots']['id']}/create_flow_run", parameters=asked)["id"]

    def cohorts(state: str) -> list[dict[str, Any]]:
        wanted = {"tags": {"all_": ["cohort"]}, "state": {"type": {"any_": [state]}}}
        found: list[dict[str, Any]] = control.ask("/flow_runs/filter", flow_runs=wanted)
        return found

    until("the first machine is at a group", lambda: cohorts("RUNNING"))
    kill_machine(first)
    killed_at = time.time()
    one.join("second", control.address, control.logins.machines)

    with open_vault(one.settings()) as vault:
        with vault.reading() as session:
            batch = str(session.exec(select(Batch.id)).one())
        blocked = next(seat.employee_id for seat in seats_of(vault, batch) if seat.state == "blocked")
    began = time.monotonic()
    forgotten = control.end_of(_forget(control, form, blocked))
    forgetting = (forgotten, time.monotonic() - began)

    ended_as = control.end_of(run, PATIENCE_S)
    ends = [datetime.fromisoformat(dead["state"]["timestamp"]).timestamp() for dead in cohorts("CRASHED")]
    with open_vault(one.settings()) as vault:
        seats = seats_of(vault, batch)
    with _another_desk(one, control.port + 100) as desk:
        noticed = [end - killed_at for end in ends]
        yield Day(one, control, batch, seats, ended_as, forgetting, noticed, cohorts("RUNNING"), desk, control.errors())


def _in_store(one: Cluster) -> Settings:
    return one.settings().model_copy(update={"report_files": "store"})


def _forget(control: Any, form: dict[str, Any], person: str) -> str:
    path = f"/deployments/{form['Forget a person']['id']}/create_flow_run"
    return str(control.ask(path, parameters={"person": person})["id"])


@contextmanager
def _another_desk(one: Cluster, port: int) -> Iterator[httpx.Client]:
    """A review desk on a machine of its own, which has written nothing; somebody has signed in."""
    words = ["desk", "--port", str(port), "--home", str(one.home("desk"))]
    process = subprocess.Popen([sys.executable, "-m", "flows.cli", *words], env=one.environment(), cwd=one.place)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
    try:

        def answers() -> bool:
            assert process.poll() is None, "the desk ended"
            try:
                return client.get("/health").status_code == 200
            except httpx.TransportError:
                return False

        until("the other desk", answers)
        client.post("/login", data={"name": "Rita"})
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(60)


def test_everybody_is_there_exactly_once_and_sixteen_came_to_an_end(day: Day, group_of_16: Any) -> None:
    assert day.ended_as == "COMPLETED"
    assert len(day.seats) == len(group_of_16.rows), "everybody on the roster"
    photographed = [seat for seat in day.seats if seat.cohort is not None]
    assert len(photographed) == 16
    assert {seat.cohort for seat in photographed} == {0, 1}
    ends = {(seat.state, seat.reason) for seat in photographed if seat.state not in ("done", "flagged")}
    assert ends <= {("failed", "not_their_own")}, "nobody is left under way, and nobody is given up"
    assert day.errors == []


def test_a_dead_machine_is_noticed_and_its_group_alone_is_taken_again(day: Day) -> None:
    assert len(day.noticed) == 1
    assert day.noticed[0] <= 120, "the second machine waits that long"
    assert day.left_running == []


def test_nobody_waits_to_be_forgotten_while_others_are_photographed(day: Day) -> None:
    how, seconds = day.forgetting
    assert how == "COMPLETED"
    assert seconds < 300


def test_workers_disks_hold_nothing_of_anybody(day: Day, group_of_16: Any) -> None:
    """Logs and Prefect's local files. No key, no record, no picture, nobody's name."""
    people = [seat.employee_id for seat in day.seats]
    for name in ("first", "second"):
        files = [path for path in day.machines.home(name).rglob("*") if path.is_file()]
        inside = {path.relative_to(day.machines.home(name)).parts[0] for path in files}
        assert inside <= {"home.id", "logs", "prefect", "running"}
        for path in files:
            text = path.read_bytes().decode("utf-8", "replace")
            assert [secret for secret in group_of_16.secrets() if secret in text] == [], path
        assert [path for path in files if any(person in path.name for person in people)] == []


def test_a_desk_elsewhere_shows_the_report_that_lies_sealed_in_the_store(day: Day) -> None:
    """Page by page and picture by picture, squeezed on the way; on no disk lies a page."""
    with open_vault(_in_store(day.machines)) as vault:
        files, names = files_of(vault, day.batch), files_of(vault, day.batch).names()
        pictures = [name for name in names if name.endswith(".webp")]
        assert pictures
        for name in pictures:
            answer = day.desk.get(f"/batches/{day.batch}/{name}")
            assert (answer.status_code, answer.content) == (200, files.read(name))
            assert not vault.blobs.get(f"reports/{day.batch}/{name}").startswith(b"RIFF"), "sealed"
        pages = [name for name in names if name.endswith(".html")]
        assert len([name for name in pages if name.startswith("people/")]) >= 16
        for name in pages:
            answer = day.desk.get(f"/batches/{day.batch}/{name}", headers={"Accept-Encoding": "gzip"})
            assert answer.status_code == 200, name
            assert answer.headers.get("content-encoding") == "gzip", name
    for name in ("control", "desk"):
        assert [path for path in (day.machines.home(name) / "reports").rglob("*") if path.is_file()] == []


def test_who_is_forgotten_leaves_the_store_and_the_other_desk_with_a_receipt(day: Day) -> None:
    gone, stays = [seat.employee_id for seat in day.seats if seat.cohort is not None][:2]
    assert day.desk.get(f"/batches/{day.batch}/people/{gone}.html").status_code == 200
    assert day.control.end_of(_forget(day.control, day.control.deployments(), gone)) == "COMPLETED"
    with open_vault(_in_store(day.machines)) as vault:
        left = files_of(vault, day.batch).names()
        assert [name for name in left if gone in name] == []
        assert [name for name in left if stays in name]
    assert day.desk.get(f"/batches/{day.batch}/people/{gone}.html").status_code == 410
    assert day.desk.get(f"/batches/{day.batch}/people/{stays}.html").status_code == 200
    receipts = [json.loads(path.read_text()) for path in day.machines.home("control").glob("receipts/**/*.json")]
    [own] = [receipt for receipt in receipts if gone in json.dumps(receipt)]
    assert own["signed"]["state"] in ("provisional", "final")
