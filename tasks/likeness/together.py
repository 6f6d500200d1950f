"""The whole team side by side, from the records: the design's table over first choices, and the run's facts."""

import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.chances import sum_up_chances
from tasks.likeness.drawn import sum_up_drawn
from tasks.likeness.everybody import compare_everybody, pictures_digest
from tasks.likeness.faithful import Faithfulness
from tasks.likeness.judging import first_choice
from tasks.likeness.team import team_consistency
from tasks.vault.batches import load_batch, note_facts, seats_of
from tasks.vault.records import Seat
from tasks.vault.scores import Scores
from tasks.vault.seats import JUDGED
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes

VERSIONS = ("torch", "diffusers", "peft", "prefect")


def judged_by(chooser: str, judge: str) -> str:
    """Whether likeness is judged by another network than the one that chose photos: nobody vouches for himself."""
    if chooser != judge:
        return "another network than the one that chose photos"
    return "the network that chose photos: a second encoder is not installed (docs/air-gapped.md)"


def judge_together(
    vault: Vault, batch: str, kits: BatchKits, settings: Settings, open_eyes: Callable[[str, Path], Eyes]
) -> dict[str, Any]:
    """What a batch's report says about the team and the run: consistency, outliers by id, kit, versions, times.
    People under another kit than the batch's are a team of their own.

    Pictures that were compared with everybody's before are not compared again.
    """
    facts = load_batch(vault, batch).facts
    digest = pictures_digest(vault, batch, kits)
    if facts.get("team", {}).get("pictures") != digest:
        eyes = open_eyes(settings.eyes, settings.models)
        compare_everybody(vault, batch, kits, eyes)
        note_facts(vault, batch, judges=judged_by(eyes.embedder.name, eyes.judge.name))
    groups = kits.groups(seats_of(vault, batch, states=JUDGED)) or [(kits.own, [])]
    tables = [_team_under(vault, batch, kit, seats) for kit, seats in groups]
    started = datetime.fromisoformat(facts["started_at"])
    now = datetime.now(UTC)
    return {
        "team": {**tables[0], "pictures": digest, "others": tables[1:]},
        "kit_digest": kit_digest(kits.own),
        "eyes": settings.eyes,
        "versions": {name: version(name) for name in VERSIONS} | {"python": platform.python_version()},
        "finished_at": now.isoformat(),
        "seconds": round((now - started).total_seconds()),
        **sum_up_chances(vault, batch),
        **sum_up_drawn(vault, batch, kits),
    }


def _team_under(vault: Vault, batch: str, kit: BrandKit, seats: Sequence[Seat]) -> dict[str, Any]:
    """The table of the people under one kit, over their first choices."""
    measures: dict[str, PictureMeasures] = {}
    faithfulness: dict[str, Faithfulness] = {}
    for seat in seats:
        first = first_choice(vault, batch, seat.employee_id, kit)
        if first is None:
            continue
        scores = Scores.from_json(first.scores)
        measures[seat.employee_id] = PictureMeasures.from_json(scores.measures)
        if scores.faithfulness is not None:
            faithfulness[seat.employee_id] = Faithfulness.from_json(scores.faithfulness)
    return team_consistency(measures, kit, faithfulness).as_json() | {"kit": kit.name}
