"""One running service for all slow tests of this folder; the last one of test_supervisor.py stops it."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def up(start_up: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # Not UTC, so that a sweep whose hour is taken from anywhere else is seen.
    with start_up(tmp_path_factory.mktemp("up"), ROLLCALL_TIMEZONE="Europe/Berlin") as running:
        yield running
