"""The same worker against Prefect's own server: claims, runs in this process, one base for all, and what it tells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
GROUPS = """
from functools import lru_cache
from flows.story import named, story
from tasks.vault.failures import NotLikeThis

@lru_cache
def base():
    print("OPENED", flush=True)

@story("group", named("group"))
def group(number: int) -> None:
    base()
    print("GROUP", number, flush=True)
    if number == 3:
        raise NotLikeThis("this one breaks down")
"""
PROGRAM = '''
import json, pathlib, sys, time, httpx
from prefect.testing.utilities import prefect_test_harness

class Anew(Exception):
    """Stands for a fresh process."""

def anew(failed):
    raise Anew

with prefect_test_harness(server_startup_timeout=600):
    from prefect.settings import get_current_settings
    from flows.gpu_worker import Worker, claim, run_here, waiting
    from flows.life import noted
    from flows.prefect_api import ensure_pools, unfinished_runs
    from tasks.vault.life_signs import signs
    from tasks.vault.settings import Settings
    from tasks.vault.store import open_vault
    from datetime import UTC, datetime

    home = pathlib.Path(sys.argv[1])
    server = httpx.Client(base_url=str(get_current_settings().api.url), timeout=120)
    with open_vault(Settings(home=home)) as vault, server as api:
        ensure_pools(api)
        flow = api.post("/flows/", json={"name": "group"}).json()["id"]
        said = {"name": "Group", "flow_id": flow, "entrypoint": "groups.group", "work_pool_name": "gpu", "path": None}
        form = api.post("/deployments/", json=said).json()["id"]
        def start(number):
            asked = {"parameters": {"number": number}, "state": {"type": "SCHEDULED"}}
            for _ in range(60):
                made = api.post(f"/deployments/{form}/create_flow_run", json=asked)
                if made.status_code != 503:  # SQLite is busy for a moment; Prefect's own client asks again, too
                    break
                time.sleep(1)
            return made.json()["id"]
        runs = {start(number): number for number in (1, 2, 4)}
        worker = Worker(api, vault.engine, home, "here", run_here, anew)
        worker.beat()
        print("WORKERS", [one["name"] for one in api.post("/work_pools/gpu/workers/filter", json={}).json()])
        print("TURNS", [worker.turn() for _ in range(4)])
        runs[start(3)] = 3
        try:
            worker.turn()
        except Anew:
            print("ANEW")
        last = start(5)
        print("CLAIMS", claim(api, last), claim(api, last), waiting(api, datetime.now(UTC)))
        [claimed] = [one for one in unfinished_runs(api) if one["id"] == last]
        heard = {}
        with noted(home, last, vault.engine):
            for _ in range(100):  # the first sign is given beside this block, not before it
                heard = heard or signs(vault.engine, datetime.now(UTC))
                time.sleep(0 if heard else 0.1)
        print("HEARD", claimed["work_pool_name"], set(heard) == {last}, signs(vault.engine, datetime.now(UTC)))
        ends = {runs[one]: api.get(f"/flow_runs/{one}").json()["state"] for one in runs}
        print("ENDS", json.dumps({number: state["type"] for number, state in sorted(ends.items())}))
        print("SAID", ends[3]["message"])
'''


def test_one_process_one_base_many_groups(tmp_path: Path) -> None:
    (tmp_path / "groups.py").write_text(GROUPS)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "home")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**clean, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "PREFECT_LOGGING_LEVEL": "ERROR"},
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.split(" ")[0].isupper()]
    assert done.returncode == 0, done.stderr
    assert sorted(line for line in lines if line.startswith("GROUP")) == ["GROUP 1", "GROUP 2", "GROUP 3", "GROUP 4"]
    assert lines.count("OPENED") == 1
    assert "WORKERS ['here']" in lines
    assert "TURNS [True, True, True, False]" in lines
    assert "ANEW" in lines, "after the group that broke down"
    assert "CLAIMS True False []" in lines
    assert "HEARD gpu True {}" in lines, "a sign of life for as long as it is worked on, and none afterwards"
    assert 'ENDS {"1": "COMPLETED", "2": "COMPLETED", "3": "FAILED", "4": "COMPLETED"}' in lines
    assert "SAID this one breaks down" in lines
