"""Finishing handed to other processes: a picture goes out as bytes, and comes back finished, measured and flagged.

Nobody's name, key or record goes with it: the kit, the pixels, and which eyes to look with.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.hands import Hands, Job
from tasks.headshots.finish import CannotFinish
from tasks.headshots.kit import BrandKit, kit_from
from tasks.headshots.studio import finish_candidate
from tasks.sandbox import Opened
from tasks.vault.seats import Lane
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture
from tasks.vision.open_eyes import open_eyes

WORK = f"{__name__}:finish_inside"


@dataclass(frozen=True)
class Finishers:
    """The processes that finish, and which eyes they open for it."""

    hands: Hands
    eyes: str
    models: Path


@dataclass(frozen=True)
class Made:
    """One picture after finishing. `refused`: the code of why nothing can be made of it; then all else is empty."""

    refused: str = ""
    picture: Picture | None = None
    measures: dict[str, Any] | None = None
    source_inter_eye: float = 0.0
    flags: tuple[dict[str, Any], ...] = ()


def ask(picture: Picture, kit: BrandKit, lane: Lane, finishers: Finishers) -> Job:
    """The job for one picture."""
    wall = kit.picture or b""
    options = {
        "shape": list(picture.shape), "kit": kit.model_dump_json(), "wall": len(wall), "lane": lane,
        "eyes": finishers.eyes, "models": str(finishers.models),
    }  # fmt: skip
    return Job(wall + np.ascontiguousarray(picture).tobytes(), options)


def finish_inside(
    data: bytes, *, shape: list[int], kit: str, wall: int, lane: Lane, eyes: str, models: str
) -> tuple[Any, list[Any]]:
    """Runs in another process."""
    picture = np.frombuffer(data, np.uint8, offset=wall).reshape(shape)
    made = finish_here(picture, kit_from(kit, data[:wall] or None), _open_once(eyes, models), lane)
    if made.picture is None:
        return {"refused": made.refused}, []
    said = {"measures": made.measures, "source_inter_eye": made.source_inter_eye, "flags": list(made.flags)}
    return {**said, "shape": list(made.picture.shape)}, [np.ascontiguousarray(made.picture)]


@functools.lru_cache(maxsize=2)
def _open_once(name: str, models: str) -> Eyes:
    """Without `loaded`, which also opens bases: a process that finishes does without torch."""
    return open_eyes(name, Path(models))


def answered(opened: Opened) -> Made:
    """What came back."""
    value = opened.value
    if "refused" in value:
        return Made(refused=value["refused"])
    picture = np.frombuffer(opened.blocks[0], np.uint8).reshape(value["shape"])
    return Made("", picture, value["measures"], value["source_inter_eye"], tuple(value["flags"]))


def finish_here(picture: Picture, kit: BrandKit, eyes: Eyes, lane: Lane) -> Made:
    """The same, in this process and with eyes that are open already."""
    try:
        candidate = finish_candidate(picture, kit, eyes, lane=lane)
    except CannotFinish as refused:
        return Made(refused=refused.code)
    done = candidate.finished
    flags = tuple(flag.as_json() for flag in candidate.flags)
    return Made("", done.picture, asdict(done.measures), done.source_inter_eye, flags)
