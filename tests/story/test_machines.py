"""Several machines that share nothing but URLs and the master key: PostgreSQL, an S3 server, and homes of their own.

The control machine photographs nobody. A worker's machine dies in the middle, another one takes its place, and somebody
is forgotten meanwhile: nobody is lost, nobody waits for long, and on the workers' disks there is nothing of anybody.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.machines import Cluster, cluster, kill_machine, missing
from benchmarks.scale import small_kits
from tasks.vault.batches import seats_of
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


@pytest.fixture
def machines(bases: Path, tmp_path: Path) -> Iterator[Cluster]:
    if reason := missing():
        pytest.skip(reason)
    more = {"ROLLCALL_BASES": str(bases), "ROLLCALL_KITS": str(small_kits(tmp_path / "kits")), "OMP_NUM_THREADS": "2"}
    with cluster(tmp_path, **more) as one:
        yield one


def test_a_batch_survives_a_machine_and_nobody_waits_to_be_forgotten(
    machines: Cluster, company: Any, start_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.setenv(name, machines.shared[name])
    with start_up(machines.home("control"), "--workers", "0", **machines.shared) as control:
        first = machines.join("first", control.address, control.logins.machines)
        form = control.deployments()
        asked = {"drop": str(company.drop), "kit": "Harbour partners", "quality": "draft", "people": "all"}
        run = control.ask(f"/deployments/{form['Make headshots']['id']}/create_flow_run", parameters=asked)["id"]

        def cohorts(state: str) -> list[dict[str, Any]]:
            wanted = {"tags": {"all_": ["cohort"]}, "state": {"type": {"any_": [state]}}}
            found: list[dict[str, Any]] = control.ask("/flow_runs/filter", flow_runs=wanted)
            return found

        def learning() -> bool:
            bars = control.ask("/artifacts/filter", artifacts={"type": {"any_": ["progress"]}})
            return any("cohort" in bar["key"] and bar["data"] > 0 for bar in bars)

        until("the first machine learns faces", learning)
        kill_machine(first)
        killed_at = time.time()
        machines.join("second", control.address, control.logins.machines)

        with open_vault(machines.settings()) as vault:
            seats = seats_of(vault, _batch(vault))
        blocked = next(seat.employee_id for seat in seats if seat.state == "blocked")
        began = time.monotonic()
        forget = f"/deployments/{form['Forget a person']['id']}/create_flow_run"
        assert control.end_of(control.ask(forget, parameters={"person": blocked})["id"]) == "COMPLETED"
        assert time.monotonic() - began < 300

        assert control.end_of(run, PATIENCE_S) == "COMPLETED"
        [crashed] = cohorts("CRASHED")
        noticed = datetime.fromisoformat(crashed["state"]["timestamp"]).timestamp() - killed_at
        assert noticed <= 120, "the second machine waits that long"
        assert cohorts("RUNNING") == []
        assert control.errors() == []

    with open_vault(machines.settings()) as vault:
        seats = seats_of(vault, _batch(vault))
        assert len(seats) == len(company.rows), "everybody on the roster, exactly once"
        assert {seat.state for seat in seats} <= {"done", "flagged", "blocked"}
        assert any(seat.state in ("done", "flagged") for seat in seats)
        assert sorted(vault.blobs.keys("people/"))
    for name in ("first", "second"):
        _holds_nothing(machines.home(name), company.secrets(), [seat.employee_id for seat in seats])


def _batch(vault: Any) -> str:
    from tasks.vault.records import Batch

    with vault.reading() as session:
        from sqlmodel import select

        return str(session.exec(select(Batch.id)).one())


def _holds_nothing(home: Path, secrets: set[str], people: list[str]) -> None:
    """A worker's disk: logs and Prefect's local files. No key, no record, no picture, nobody's name."""
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {path.relative_to(home).parts[0] for path in files} <= {"home.id", "logs", "prefect", "running"}
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        assert [secret for secret in secrets if secret in text] == [], path
    assert [path for path in files if any(person in path.name for person in people)] == []
