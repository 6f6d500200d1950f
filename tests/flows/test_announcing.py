"""The bar that HR sees in Prefect: never back, never too often, never the end of the work it tells of."""

from typing import Any

import httpx
import pytest

from flows import announcing
from flows.announcing import COHORT, EVERY_S, Bar
from tasks.progress import Progress


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """What Prefect was told: the two calls at the edge are noted instead of sent."""
    heard: list[tuple[float, str]] = []

    def create(percent: float, key: str, description: str) -> str:
        heard.append((percent, description))
        return key

    def update(_artifact: Any, percent: float, description: str) -> None:
        heard.append((percent, description))

    monkeypatch.setattr(announcing, "create_progress_artifact", create)
    monkeypatch.setattr(announcing, "update_progress_artifact", update)
    return heard


def test_phases_take_their_share_and_the_bar_never_goes_back(told: list[tuple[float, str]]) -> None:
    time = iter(range(0, 1000, 10))
    bar = Bar("progress-b1", COHORT, clock=lambda: next(time))
    for step in (
        Progress("train", 3, 6),
        Progress("encode", 1, 6),
        Progress("render", 0, 24),
        Progress("render", 12, 24),
    ):
        bar.hear(step)
    assert [round(percent) for percent, _ in told] == [35, 35, 65, 75]
    assert told[-1][1] == "taking pictures: 12 of 24"


def test_steps_that_come_too_soon_and_phases_of_others_are_let_pass(told: list[tuple[float, str]]) -> None:
    now = 0.0
    bar = Bar("progress-b1", COHORT, clock=lambda: now)
    bar.hear(Progress("roster", 1, 1))
    bar.hear(Progress("train", 1, 6))
    now = EVERY_S / 2
    bar.hear(Progress("train", 2, 6))
    now = EVERY_S
    bar.hear(Progress("train", 3, 6))
    assert [words for _, words in told] == ["learning faces: 1 of 6", "learning faces: 3 of 6"]


def test_a_bar_that_cannot_be_drawn_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(*_: Any, **__: Any) -> None:
        asked.append(1)
        raise httpx.ConnectError("the server is gone")

    monkeypatch.setattr(announcing, "create_progress_artifact", refuse)
    bar = Bar("progress-b1", COHORT, clock=iter(range(0, 1000, 10)).__next__)
    bar.hear(Progress("train", 1, 6))
    bar.hear(Progress("train", 2, 6))
    assert asked == [1]
