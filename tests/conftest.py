"""What every test may rely on: no network by accident, threads kept to one, and where real test data lies."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the checkout's var/: settings that nobody passed point to a folder of the test's own."""
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def northwind() -> Path:
    """The synthetic company that ships with the project."""
    return ROOT / "samples" / "northwind"
