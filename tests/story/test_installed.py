"""Installed and not only checked out: as the image installs it, in an environment of its own, used in an empty folder.

A wheel takes no constraints along and finds nothing beside it, so what ships has to be inside, and what is made has to
go to the home, which is where the user is. Nothing may be written into the package.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
UV = Path(sys.executable).with_name("uv")
QUICK = {"UV_LINK_MODE": "hardlink", "UV_SYSTEM_CERTS": "1"}


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and an empty folder in which a user stands."""

    environment: Path
    folder: Path

    def clean(self, **more: str) -> dict[str, str]:
        left = ("PREFECT_", "ROLLCALL_", "PYTHON", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left)}
        return {**kept, "OMP_NUM_THREADS": "2", **more}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [self.environment / "bin" / "rollcall", *words],
            cwd=self.folder, env=self.clean(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def package(self) -> dict[str, str]:
        """Every file of the package, by its hash; compiled ones aside."""
        [site] = (self.environment / "lib").glob("python*/site-packages")
        ours = [path for name in ("flows", "tasks", "reports", "rollcall_shipped") for path in (site / name).rglob("*")]
        files = [path for path in ours if path.is_file() and path.suffix != ".pyc"]
        return {str(path.relative_to(site)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    if not UV.is_file():
        pytest.skip("uv is not in this environment; the Makefile puts it there")
    place = tmp_path_factory.mktemp("installed")

    (place / "empty").mkdir()
    # The very script that the image is made with; what it takes from the index has to have the hashes that we noted.
    subprocess.run(
        [ROOT / "deploy" / "install.sh", ROOT, place / "venv", "cuda"], cwd=place / "empty", check=True,
        env={**os.environ, **QUICK, "UV": str(UV), "PYTHON": sys.executable},
    )  # fmt: skip
    one = Installed(place / "venv", place / "empty")
    before = one.package()
    yield one
    assert one.package() == before, "the package is not ours to write in"


def test_what_makes_the_product_and_does_not_run_in_it_stays_out(installed: Installed) -> None:
    [site] = (installed.environment / "lib").glob("python*/site-packages")
    assert not (site / "synthetic").exists()
    assert not (site / "tests").exists()


def test_what_is_inside_is_listed_beside_it(installed: Installed) -> None:
    listed = json.loads((installed.environment / "sbom.json").read_text())
    versions = {one["name"]: one["version"] for one in listed["components"]}
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert {name: versions[name] for name in ("torch", "prefect", "pillow")} == {
        name: pins[name] for name in ("torch", "prefect", "pillow")
    }
    assert "rollcall-headshots" in versions


def test_the_demo_runs_where_the_user_is(installed: Installed) -> None:
    assert "northwind" in installed.run("kit", "list")
    assert "embedded" in installed.run("models", "list")
    assert "A hundred people" in installed.run("make", "FOLDER", "--plan")
    said = installed.run("demo", "--people", "1", "--quality", "draft")
    assert re.search(r"learned 1 faces", said)
    report = installed.folder / "var" / "reports"
    assert len(list(report.glob("*/index.html"))) == 1
    assert [path.name for path in installed.folder.iterdir()] == ["var"]


def test_the_service_starts_and_another_machine_joins_it(installed: Installed, start_up: Any) -> None:
    """From folders that are not the package's: nothing in Prefect remembers where the code lay."""
    rollcall = (str(installed.environment / "bin" / "rollcall"),)
    with start_up(installed.folder / "var", program=rollcall, cwd=installed.folder) as service:
        said = installed.run("worker", "--server", service.address, "--until-idle", "1s")
        assert "1 at work" in said
        found = service.deployments()
        assert {(one["path"], *map(str, one["pull_steps"])) for one in found.values()} == {(None,)}
        run = service.ask(
            f"/deployments/{found['Retention (daily)']['id']}/create_flow_run", parameters={"dry_run": True}
        )
        assert service.end_of(run["id"]) == "COMPLETED"


def test_a_kit_of_ones_own_goes_to_the_home_and_counts_from_then_on(installed: Installed) -> None:
    installed.run("kit", "new", "ours")
    listed = installed.run("kit", "list")
    assert "ours" in listed
    assert "northwind" in listed, "beside those that ship"
    assert (installed.folder / "var" / "brand_kits" / "ours" / "kit.toml").is_file()
