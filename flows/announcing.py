"""What HR sees of a batch inside Prefect: the forecast, a progress bar, everybody by state, the way to the pages.

Promise: ids and counts only. No name, no picture and no file's name is handed to Prefect; they stay in the report.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectException

from tasks import progress
from tasks.vault.batches import seats_of
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault

# Phases and the share of a run's time that each usually takes (embedded base on two cores).
BATCH = {"roster": 1, "photos": 14, "cohorts": 80, "team": 3, "report": 2}
COHORT = {"encode": 5, "train": 60, "render": 20, "finish": 10, "faithful": 2, "score": 3}
WORDS = {
    "roster": "reading the roster",
    "photos": "checking selfies",
    "cohorts": "learning faces and taking pictures, group by group",
    "team": "looking at the whole team",
    "report": "writing the report",
    "encode": "preparing portraits",
    "train": "learning faces",
    "render": "taking pictures",
    "finish": "finishing pictures",
    "faithful": "finishing real photographs",
    "score": "checking likeness",
}
EVERY_S = 5.0  # between two updates: each is a request and an event in Prefect's records

logger = logging.getLogger(__name__)


class Bar:
    """One progress bar in Prefect, made of phases that each take their usual share. It never goes back."""

    def __init__(self, key: str, phases: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self.key, self.phases, self.clock = key, phases, clock
        self.artifact: UUID | None = None
        self.percent, self.shown_at, self.broken = 0.0, float("-inf"), False

    def hear(self, step: progress.Progress) -> None:
        """Moves the bar; phases of others, and steps that come too soon after the last one, are let pass."""
        if step.phase not in self.phases:
            return
        names = list(self.phases)
        before = sum(self.phases[name] for name in names[: names.index(step.phase)])
        within = min(step.done / step.total, 1.0) if step.total else 1.0
        reached = 100 * (before + self.phases[step.phase] * within) / sum(self.phases.values())
        self.percent = max(self.percent, reached)
        if self.clock() - self.shown_at >= EVERY_S:
            self.shown_at = self.clock()
            self.show(f"{WORDS[step.phase]}: {step.done:.0f} of {step.total:g}")

    def show(self, words: str) -> None:
        """Tells Prefect. A bar that cannot be drawn is noted once and never ends the work it tells of."""
        if self.broken:
            return
        try:
            if self.artifact is None:
                self.artifact = create_progress_artifact(self.percent, key=self.key, description=words)  # type: ignore[assignment]
            else:
                update_progress_artifact(self.artifact, self.percent, description=words)
        except (httpx.HTTPError, PrefectException) as lost:
            self.broken = True
            logger.warning("the progress bar %s cannot be drawn any more (%s)", self.key, type(lost).__name__)


@contextmanager
def bar(key: str, phases: Mapping[str, int]) -> Iterator[None]:
    """Shows what is told inside the block as one progress bar of the present run; full when the block ends well."""
    shown = Bar(key, phases)
    with progress.listening(shown.hear):
        yield
    shown.percent = 100.0
    shown.show("done")


def announce(batch: str, forecast: str) -> None:
    """Shows what is about to happen, before the expensive part."""
    create_markdown_artifact(key=f"forecast-{batch}", markdown=forecast, description="What this run will take")


def sum_up(batch: str) -> None:
    """Everybody by state, in numbers, and where to look."""
    settings = load_settings()
    counts: dict[tuple[str, str], int] = {}
    with open_vault(settings) as vault:
        for seat in seats_of(vault, batch):
            counts[seat.state, seat.reason or ""] = counts.get((seat.state, seat.reason or ""), 0) + 1
    table = [{"state": state, "reason": reason, "people": number} for (state, reason), number in sorted(counts.items())]
    create_table_artifact(key=f"people-{batch}", table=table, description="Everybody on the roster, by state")


def point_to_desk(batch: str) -> None:
    """From the run to its batch at the desk: as its artifact, and as the first line of its log."""
    address = f"{load_settings().public_url}/batches/{batch}/home"
    create_link_artifact(
        key=f"report-{batch}", link=address, link_text="Open this batch at the desk",
        description="Who is in, how far it is, review and delivery: at the desk",
    )  # fmt: skip
    logger.info("this run's batch at the desk: %s", address)
